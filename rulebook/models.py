"""Law as rows: what a new notice of the government can change is changed here, not in code."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from parties.models import Acted, Department


class ListKind(models.TextChoices):
    RED = "red", _("红名单")
    BLACK = "black", _("黑名单")


class Degree(models.TextChoices):
    MINOR = "minor", _("轻微")
    GENERAL = "general", _("一般")
    SERIOUS = "serious", _("严重")


class ResponsibleRole(models.TextChoices):
    """As what a person answers for the misconduct of a firm."""

    LEGAL_REPRESENTATIVE = "legal_representative", _("法定代表人")
    PERSON_IN_CHARGE = "person_in_charge", _("主要负责人")
    PRACTITIONER = "practitioner", _("直接责任的注册执业人员")
    SENIOR_MANAGER = "senior_manager", _("高级管理人员")
    DIRECTOR = "director", _("董事")
    SHAREHOLDER = "shareholder", _("股东")
    OTHER = "other", _("其他直接责任人员")


class Named(models.Model):
    name = models.CharField(_("名称"), max_length=200)
    name_en = models.CharField(_("英文名称"), max_length=300)

    class Meta:
        abstract = True

    def __str__(self):
        return self.name_en if (get_language() or "").startswith("en") else self.name


class InForceQuerySet(models.QuerySet):
    def in_force(self, today):
        return self.filter(
            Q(in_force_to=None) | Q(in_force_to__gte=today), in_force_from__lte=today
        )


class Dated(models.Model):
    in_force_from = models.DateField(_("施行日期"))
    in_force_to = models.DateField(_("失效日期"), null=True, blank=True)

    objects = InForceQuerySet.as_manager()

    class Meta:
        abstract = True

    def clean(self):
        if self.in_force_from and self.in_force_to and self.in_force_to < self.in_force_from:
            raise ValidationError({"in_force_to": gettext("失效日期不能早于施行日期。")})


class LegalBasis(Named, Dated):
    """A law or document that a category rests on. Its level decides whether it may be published."""

    class Level(models.IntegerChoices):
        LAW = 1, _("法律")
        REGULATION = 2, _("行政法规")
        CENTRAL = 3, _("党中央、国务院文件")
        LOCAL_REGULATION = 4, _("地方性法规")
        DEPARTMENT_RULE = 5, _("部门规章")
        NOTICE = 6, _("规范性文件")

    code = models.SlugField(_("代码"), max_length=60, unique=True)
    document_number = models.CharField(_("文号"), max_length=100, blank=True)
    level = models.PositiveSmallIntegerField(_("层级"), choices=Level)
    source = models.CharField(_("来源"), max_length=300)

    class Meta:
        verbose_name = verbose_name_plural = _("法律依据")
        ordering = ["level", "code"]


class Misconduct(Named):
    """A kind of serious misconduct of the plan's five classes."""

    class Domain(models.TextChoices):
        HEALTH = "H", _("危害群众身体健康和生命安全")
        MARKET = "M", _("破坏市场公平竞争秩序和社会正常秩序")
        JUDICIAL = "J", _("拒不履行法定义务")
        DEFENCE = "D", _("拒不履行国防义务")
        OTHER = "O", _("其他严重失信行为")

    code = models.CharField(_("代码"), max_length=4, unique=True)
    domain = models.CharField(_("领域"), max_length=1, choices=Domain)
    needs_basis = models.BooleanField(_("须另写法律依据"), default=False)

    class Meta:
        verbose_name = verbose_name_plural = _("失信行为")
        ordering = ["code"]


class Measure(Named):
    """An incentive or a sanction of the plan's catalogue."""

    class Group(models.TextChoices):
        IA = "IA", _("行政性激励")
        IM = "IM", _("市场性激励")
        IS = "IS", _("社会性激励")
        PA = "PA", _("行政性惩戒")
        PM = "PM", _("市场性惩戒")
        PI = "PI", _("行业性惩戒")
        PS = "PS", _("社会性惩戒")
        PO = "PO", _("其他惩戒")

    code = models.CharField(_("代码"), max_length=8, unique=True)
    group = models.CharField(_("类别"), max_length=2, choices=Group)
    advisory = models.BooleanField(_("供参考"), default=False)
    needs_end_date = models.BooleanField(_("须写明截止日"), default=False)
    persons_only = models.BooleanField(_("只适用于自然人"), default=False)
    refusal_only = models.BooleanField(_("只适用于有能力履行而拒不履行"), default=False)
    needs_basis = models.BooleanField(_("须另写法律依据"), default=False)
    relevant_to = models.ManyToManyField(Misconduct, blank=True, verbose_name=_("相关的失信行为"))
    roles = ArrayField(
        models.CharField(max_length=30, choices=ResponsibleRole),
        default=list,
        blank=True,
        verbose_name=_("适用的责任人员"),
    )

    class Meta:
        verbose_name = verbose_name_plural = _("措施")
        ordering = ["code"]

    @property
    def is_reward(self):
        return self.code.startswith("I")


class ListCategory(Named):
    """A kind of entry: who may make it, on which basis, for how long, and how it is repaired."""

    code = models.CharField(_("代码"), max_length=10, unique=True)
    kind = models.CharField(_("名单"), max_length=5, choices=ListKind)
    misconduct = models.ForeignKey(
        Misconduct, models.PROTECT, null=True, blank=True, verbose_name=_("失信行为")
    )
    basis = models.ForeignKey(
        LegalBasis, models.PROTECT, null=True, blank=True, verbose_name=_("法律依据")
    )
    basis_article = models.CharField(_("条款"), max_length=60, blank=True)
    departments = models.ManyToManyField(
        Department, blank=True, related_name="categories", verbose_name=_("可列入的单位")
    )
    term_months = models.PositiveSmallIntegerField(_("期限（月）"))
    repairable = models.BooleanField(_("可修复"), default=True)
    repair_after_months = models.PositiveSmallIntegerField(_("满几个月可申请修复"), default=0)
    repair_evidence = ArrayField(
        models.CharField(max_length=100), default=list, blank=True, verbose_name=_("修复要交的材料")
    )
    repair_conditions = models.TextField(_("修复条件"), blank=True)
    repair_conditions_en = models.TextField(_("修复条件（英文）"), blank=True)
    needs_basis = models.BooleanField(_("须另写法律依据"), default=False)
    machine_publication = models.BooleanField(_("可由系统公布"), default=False)
    active = models.BooleanField(_("在用"), default=True)
    version = models.PositiveIntegerField(_("规则版本"), default=1)

    class Meta:
        verbose_name = verbose_name_plural = _("名单类别")
        ordering = ["kind", "code"]


class CategoryField(models.Model):
    """A field that a category has of its own: a court case has a court, a food case a licence."""

    class Type(models.TextChoices):
        TEXT = "text", _("文字")
        DATE = "date", _("日期")
        AMOUNT = "amount", _("金额（万元）")
        NUMBER = "number", _("整数")

    class Disclosure(models.TextChoices):
        PUBLIC = "public", _("社会公开")
        SHARED = "shared", _("政务共享")
        SECRET = "secret", _("不公开")

    category = models.ForeignKey(ListCategory, models.CASCADE, related_name="fields")
    code = models.SlugField(_("代码"), max_length=40)
    title = models.CharField(_("名称"), max_length=60)
    title_en = models.CharField(_("英文名称"), max_length=100)
    type = models.CharField(_("类型"), max_length=10, choices=Type)
    required = models.BooleanField(_("必填"), default=False)
    disclosure = models.CharField(
        _("公开属性"), max_length=10, choices=Disclosure, default=Disclosure.PUBLIC
    )
    masked = models.BooleanField(_("公开时遮盖"), default=False)
    position = models.PositiveSmallIntegerField(_("次序"), default=0)

    class Meta:
        verbose_name = verbose_name_plural = _("类别字段")
        ordering = ["category", "position"]
        constraints = [
            models.UniqueConstraint(fields=["category", "code"], name="categoryfield_code")
        ]

    def __str__(self):
        return self.title_en if (get_language() or "").startswith("en") else self.title

    def with_unit(self, value):
        """A value as pages and letters show it; nothing stays nothing."""
        if value and self.type == self.Type.AMOUNT:
            return gettext("%(amount)s 万元") % {"amount": value}
        return value


class CategoryTerm(models.Model):
    """How long entries of one degree last in a category, where it differs from the degree's rule.

    A minimum or maximum left empty is the degree's own (DegreeTerm).
    """

    category = models.ForeignKey(ListCategory, models.CASCADE, related_name="terms")
    degree = models.CharField(_("程度"), max_length=10, choices=Degree)
    term_months = models.PositiveSmallIntegerField(_("期限（月）"))
    minimum_months = models.PositiveSmallIntegerField(_("最短公示期（月）"), null=True, blank=True)
    maximum_months = models.PositiveSmallIntegerField(_("最长公示期（月）"), null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("按程度的期限")
        ordering = ["category", "degree"]
        constraints = [
            models.UniqueConstraint(fields=["category", "degree"], name="categoryterm_degree"),
            models.CheckConstraint(
                name="categoryterm_order",
                condition=Q(minimum_months=None)
                | Q(maximum_months=None)
                | Q(maximum_months__gte=F("minimum_months")),
            ),
        ]

    def __str__(self):
        return f"{self.category} {self.get_degree_display()}"

    def clean(self):
        """The minimum, the term and the maximum in this order, within what the degree allows."""
        allowed = DegreeTerm.objects.filter(degree=self.degree).first()
        if allowed is None or self.term_months is None:
            return
        most = allowed.maximum_months if self.maximum_months is None else self.maximum_months
        least = allowed.minimum_months if self.minimum_months is None else self.minimum_months
        told = {"least": least, "most": most, "allowed": allowed.maximum_months}
        errors = {}
        if most > allowed.maximum_months:
            errors["maximum_months"] = gettext("这一程度最长公示 %(allowed)s 个月。") % told
        if least > most:
            errors["minimum_months"] = gettext("最短公示期不能长于最长公示期。")
        if not least <= self.term_months <= most:
            errors["term_months"] = gettext("期限应在 %(least)s 到 %(most)s 个月之间。") % told
        if errors:
            raise ValidationError(errors)


class DegreeTerm(models.Model):
    """How long a degree may be public, in months (国家发改委令第36号)."""

    degree = models.CharField(_("程度"), max_length=10, choices=Degree, primary_key=True)
    minimum_months = models.PositiveSmallIntegerField(_("最短公示期（月）"))
    maximum_months = models.PositiveSmallIntegerField(_("最长公示期（月）"))

    class Meta:
        verbose_name = verbose_name_plural = _("公示期")

    def __str__(self):
        return self.get_degree_display()

    def clean(self):
        least, most = self.minimum_months, self.maximum_months
        if least is not None and most is not None and least > most:
            raise ValidationError({"minimum_months": gettext("最短公示期不能长于最长公示期。")})


class Parameter(models.Model):
    """A number that a rule sets: 15 working days to answer an objection, 10 to decide a repair.

    The newest row in force counts; change the number by adding or editing one row.
    """

    class Unit(models.TextChoices):
        WORKING_DAYS = "working_days", _("个工作日")
        DAYS = "days", _("天")
        MONTHS = "months", _("个月")
        LEVEL = "level", _("级")

    code = models.SlugField(_("代码"), max_length=60)
    name = models.CharField(_("名称"), max_length=200)
    name_en = models.CharField(_("英文名称"), max_length=300)
    value = models.PositiveIntegerField(_("数值"))
    unit = models.CharField(_("单位"), max_length=20, choices=Unit)
    source = models.CharField(_("依据"), max_length=300)
    in_force_from = models.DateField(_("施行日期"))
    stops = models.BooleanField(
        _("等候补正期间停止计算"), default=False, help_text=_("只对办理期限有意义。")
    )
    extendable_by = models.PositiveSmallIntegerField(
        _("最多可以延长"), default=0, help_text=_("与数值同单位；0 为不得延长。")
    )

    class Meta:
        verbose_name = verbose_name_plural = _("期限和参数")
        ordering = ["code", "in_force_from"]
        constraints = [
            models.UniqueConstraint(fields=["code", "in_force_from"], name="parameter_dated")
        ]

    def __str__(self):
        return self.name

    def clean(self):
        """A number counts in one unit, whichever row of it is in force."""
        others = Parameter.objects.filter(code=self.code).exclude(pk=self.pk)
        if self.unit and others.exclude(unit=self.unit).exists():
            raise ValidationError({"unit": gettext("同一个参数的单位要一致。")})


def parameter(code, *, on):
    """The value of the rule `code` in force on the day `on`.

    Raises ValidationError where the day lies before the rule.
    """
    return parameter_row(code, on=on).value


def parameter_row(code, *, on):
    """The rule `code` in force on the day `on`, with what it says of stops and extension.

    Raises ValidationError where the day lies before the rule.
    """
    rows = Parameter.objects.filter(code=code, in_force_from__lte=on)
    row = rows.order_by("in_force_from").last()
    if row is None:
        message = _("%(day)s 还没有这项规定，请核对日期。") % {"day": on}
        raise ValidationError(message, code="no_rule")
    return row


class Memorandum(Named, Dated):
    """A memorandum of cooperation (合作备忘录): per unit its measures and articles."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    code = models.SlugField(_("代码"), max_length=40, unique=True)
    kind = models.CharField(_("性质"), max_length=5, choices=ListKind)
    lead = models.ForeignKey(
        Department, models.PROTECT, related_name="memoranda_led", verbose_name=_("牵头单位")
    )
    signed_on = models.DateField(_("签署日期"))
    categories = models.ManyToManyField(
        ListCategory, related_name="memoranda", verbose_name=_("适用类别")
    )

    class Meta:
        verbose_name = verbose_name_plural = _("合作备忘录")
        ordering = ["code"]


class MemorandumMeasureQuerySet(models.QuerySet):
    def in_force_for(self, category, today):
        """What the memoranda in force ask of the units for entries of `category`.

        A measure that has nothing to do with the misconduct is left out (the relevance
        matrix): a food case does not stop anybody from flying.
        """
        in_force = Memorandum.objects.in_force(today).filter(categories=category)
        rows = self.filter(memorandum__in=in_force)
        if category.misconduct_id:
            rows = rows.filter(measure__relevant_to=category.misconduct_id)
            if category.misconduct.domain != Misconduct.Domain.JUDICIAL:
                rows = rows.exclude(measure__refusal_only=True)
        return rows.select_related("memorandum", "unit", "measure").order_by(
            "unit__code", "measure__code"
        )


class MemorandumMeasure(models.Model):
    """One unit's measure under a memorandum, with the article that says so."""

    memorandum = models.ForeignKey(Memorandum, models.CASCADE, related_name="measures")
    unit = models.ForeignKey(Department, models.PROTECT, verbose_name=_("执行单位"))
    measure = models.ForeignKey(Measure, models.PROTECT, verbose_name=_("措施"))
    article = models.CharField(_("条款"), max_length=60)

    objects = MemorandumMeasureQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("备忘录措施")
        ordering = ["memorandum", "unit", "measure"]
        constraints = [
            models.UniqueConstraint(
                fields=["memorandum", "unit", "measure"], name="memorandummeasure_once"
            )
        ]

    def __str__(self):
        return f"{self.unit} {self.measure}"

    @property
    def advisory(self):
        """Market measures and those of bodies that can't be ordered inform only."""
        return self.measure.advisory or not self.unit.may_be_ordered


class RuleVersionQuerySet(models.QuerySet):
    def of(self, rule):
        """The versions of one rule row, the oldest first."""
        return self.filter(rule=rule._meta.model_name, code=rule_code(rule)).order_by("version")

    def last_key(self):
        """The key of the newest version of any rule, or None: it changes when a rule does."""
        return self.order_by("-pk").values_list("pk", flat=True).first()

    def in_force(self, rule, day):
        """The version of `rule` that was in force on `day`, or None."""
        return self.of(rule).filter(in_force_from__lte=day).last()


class RuleVersion(Acted):
    """What a rule said from a day on: written at each change, never changed itself.

    `content` is the rule with its parts as plain JSON values; `rule` is the name of its model.
    An entry names the version of its category under which it was made.
    """

    id = models.BigAutoField(primary_key=True)
    rule = models.CharField(_("规则"), max_length=30)
    code = models.CharField(_("代码"), max_length=80)
    version = models.PositiveIntegerField(_("版本"))
    in_force_from = models.DateField(_("起用日期"))
    content = models.JSONField(_("内容"))
    reason = models.TextField(_("修改原因"))
    at = models.DateTimeField(_("时间"), default=timezone.now)

    objects = RuleVersionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("规则的历次版本")
        ordering = ["rule", "code", "version"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "code", "version"], name="ruleversion_once")
        ]

    def __str__(self):
        return f"{self.rule} {self.code} {self.version}"


def rule_code(rule):
    """What names a rule row in its versions: its code, a degree, a dated parameter's code."""
    if isinstance(rule, DegreeTerm):
        return rule.degree
    if isinstance(rule, Parameter):
        return f"{rule.code}@{rule.in_force_from}"
    return rule.code

"""The categories of entries: who may list, for how long, with which fields of their own."""

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from parties.models import Department
from rulebook.models.laws import Degree, LegalBasis, ListKind, Named
from rulebook.models.measures import Misconduct


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
        if value and self.type == self.Type.DATE:
            day = parse_date(value)
            return date_format(day) if day else value  # a masked one is no day
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

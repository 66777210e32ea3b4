"""What a rule rests on, and what rules have in common: a name, and the days in force."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _


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

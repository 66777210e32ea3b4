"""Numbers that rules set, each from a day on."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


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

"""What each rule said from which day on."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parties.models import Acted
from rulebook.models.lists import DegreeTerm
from rulebook.models.parameters import Parameter


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

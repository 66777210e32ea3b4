"""What a unit says it did, measure by measure."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from jointaction.models.check import Hit
from jointaction.models.push import Push
from parties.models import Acted


class Feedback(Acted):
    """One measure answered by a unit, on a push or on a check's hit. The newest answer counts."""

    class Outcome(models.TextChoices):
        APPLIED = "applied", _("已执行")
        NOT_APPLICABLE = "not_applicable", _("不适用")
        DECLINED = "declined", _("不执行")
        LIFTED = "lifted", _("已解除")
        STANDS = "stands", _("另有决定，继续执行")

    NEEDS_REMARK = (Outcome.NOT_APPLICABLE, Outcome.DECLINED, Outcome.STANDS)
    ACTED = (Outcome.APPLIED, Outcome.LIFTED, Outcome.STANDS)  # the unit did, or does, something

    id = models.BigAutoField(primary_key=True)
    push = models.ForeignKey(Push, models.PROTECT, null=True, blank=True, related_name="feedback")
    hit = models.ForeignKey(Hit, models.PROTECT, null=True, blank=True, related_name="feedback")
    measure = models.CharField(_("措施"), max_length=8)
    outcome = models.CharField(_("结果"), max_length=20, choices=Outcome)
    applied_on = models.DateField(_("执行日期"), null=True, blank=True)
    until = models.DateField(_("截止日"), null=True, blank=True)
    remark = models.TextField(_("说明"), blank=True)
    reference = models.CharField(_("业务编号"), max_length=200, blank=True)
    parameters = models.JSONField(_("执行参数"), default=dict, blank=True)
    at = models.DateTimeField(_("时间"), default=timezone.now)

    class Meta:
        verbose_name = verbose_name_plural = _("反馈")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="feedback_on_push_or_hit",
                condition=Q(push=None, hit__isnull=False) | Q(push__isnull=False, hit=None),
            )
        ]

    def __str__(self):
        return f"{self.measure} {self.get_outcome_display()}"

"""Who stands in for whom while somebody is away."""

import uuid
from dataclasses import dataclass

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

NOT_LENT = ("vault",)  # what reporters confided is opened by the officer's own passphrase alone


@dataclass(frozen=True)
class Lent:
    """One for whom somebody stands in: the key of the account, the name, the roles."""

    user_id: int
    name: str
    roles: list

    def lends(self, roles):
        """Whether one of `roles` is that person's and can be lent."""
        return any(role in self.roles and role not in NOT_LENT for role in roles)


class DelegationQuerySet(models.QuerySet):
    def in_force(self, today):
        """Those of `today`, decided by the dates and by no sweep.

        Whoever has left, or works elsewhere by now, lends nothing.
        """
        return self.filter(
            ended_at=None,
            starts__lte=today,
            ends__gte=today,
            from_user__is_active=True,
            from_user__department=models.F("to_user__department"),
        )

    def open(self, today):
        """Those of today and of days to come."""
        return self.filter(ended_at=None, ends__gte=today)

    def meeting(self, starts, ends):
        return self.filter(ended_at=None, starts__lte=ends, ends__gte=starts)

    def of(self, user):
        """Those that the user gave or was given, the latest first."""
        rows = self.filter(models.Q(from_user=user) | models.Q(to_user=user))
        return rows.select_related("from_user", "to_user").order_by("-starts", "-pk")


class Delegation(models.Model):
    """A colleague acts in somebody's place from one day to another, both included."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    from_user = models.ForeignKey(
        "parties.User", models.PROTECT, related_name="delegations", verbose_name=_("委托人")
    )
    to_user = models.ForeignKey(
        "parties.User", models.PROTECT, related_name="stands_in", verbose_name=_("代办人")
    )
    starts = models.DateField(_("起始日期"))
    ends = models.DateField(_("截止日期"))
    why = models.CharField(_("事由"), max_length=200)
    made_at = models.DateTimeField(_("登记时间"), default=timezone.now, editable=False)
    ended_at = models.DateTimeField(_("提前结束"), null=True, blank=True, editable=False)

    objects = DelegationQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("代办")
        constraints = [
            models.CheckConstraint(
                name="delegation_dates", condition=models.Q(ends__gte=models.F("starts"))
            ),
            models.CheckConstraint(
                name="delegation_to_another", condition=~models.Q(from_user=models.F("to_user"))
            ),
        ]

    def __str__(self):
        return f"{self.from_user} → {self.to_user} {self.starts}–{self.ends}"

    def is_open(self, today):
        return self.ended_at is None and self.ends >= today

    def is_in_force(self, today):
        return self.is_open(today) and self.starts <= today

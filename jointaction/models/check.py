"""Checks at the point of business, and the entries that they met."""

import json
import uuid

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from listings.models import Listing
from parties.models import Acted, Department


def _unasked(to, *, on_delete=models.PROTECT, **options):
    """A key to who asked: neither an index nor a constraint is paid for with every check."""
    return models.ForeignKey(
        to, on_delete, related_name="+", db_index=False, db_constraint=False, **options
    )


def number_of(check_id):
    """The number of a check as people write it."""
    return f"CX-{check_id:06}"


class CheckQuerySet(models.QuerySet):
    def of_unit(self, department_id):
        return self.filter(unit=department_id)

    def of_number(self, text):
        """The check with this number (CX-000123), as people write it."""
        sign, digits = text[:2].upper(), text[2:].lstrip("-")
        is_number = digits.isascii() and digits.isdecimal() and len(digits) < len(str(2**63))
        return self.filter(pk=int(digits)) if sign == "CX" and is_number else self.none()


class Check(Acted):
    """A query at the point of business: who asked, why, and the receipt of what was answered.

    Whom it was about stands nowhere in clear. The receipt is the canonical JSON that was signed,
    frozen with the answer. The log is kept by month; nothing refers to it by foreign key.
    """

    # No constraints on who asked, as of a line of the journal: checks of one unit would all lock
    # its row, and neither unit nor person is ever deleted (PROTECT).
    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    unit = _unasked(Department, verbose_name=_("单位"))
    by_user = _unasked("parties.User", null=True, blank=True, verbose_name=_("办理人"))
    by_key = _unasked(
        "parties.ApiKey", on_delete=models.SET_NULL, null=True, blank=True, verbose_name=_("密钥")
    )
    at = models.DateTimeField(_("时间"), default=timezone.now)
    purpose = models.CharField(_("办什么事"), max_length=200)
    reference = models.CharField(_("业务编号"), max_length=200)
    as_of = models.DateField(_("查询日"), null=True, blank=True)
    known_at = models.BigIntegerField(_("所知账本序号"), null=True, blank=True)
    ledger_seq = models.BigIntegerField(_("账本序号"))
    subjects = models.PositiveIntegerField(_("查询数"))
    hits = models.PositiveIntegerField(_("命中数"))
    # who holds it may see more of the receipt than who knows the number
    code = models.CharField(_("核验码"), max_length=24, unique=True)
    receipt = models.TextField(_("回执"))
    signature = models.BinaryField()
    key_id = models.CharField(_("密钥编号"), max_length=16)

    objects = CheckQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("查询")
        indexes = [
            # for reading and dropping the log by month
            BrinIndex(fields=["at"], name="check_at")
        ]

    def __str__(self):
        return f"{self.unit} {self.reference}"

    @property
    def number(self):
        return number_of(self.pk)

    @property
    def content(self):
        """What the receipt says."""
        return json.loads(self.receipt)

    @property
    def spaced_code(self):
        """The code in groups of four, as people read it aloud."""
        return "-".join(self.code[i : i + 4] for i in range(0, len(self.code), 4))


class HitQuerySet(models.QuerySet):
    def pending(self, unit_id):
        return self.filter(unit=unit_id, answered_at=None)

    def overdue(self, today):
        return self.filter(answered_at=None, feedback_due__lt=today)

    def with_parts(self):
        return self.select_related(
            "listing__subject", "listing__category", "listing__department"
        ).prefetch_related("feedback")


class Hit(models.Model):
    """An entry that a check found. It stays on the unit's to-do until it is fed back."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    check_id = models.BigIntegerField()
    check_public_id = models.UUIDField(db_index=True)
    unit = _unasked(Department, verbose_name=_("单位"))
    listing = models.ForeignKey(
        Listing, models.PROTECT, related_name="hits", verbose_name=_("记录")
    )
    matched_as = models.CharField(_("命中身份"), max_length=20, default="subject")
    reference = models.CharField(_("业务编号"), max_length=200)
    measures = models.JSONField(_("本单位的措施"))
    at = models.DateTimeField(_("时间"), default=timezone.now)
    feedback_due = models.DateField(_("反馈期限"))
    answered_at = models.DateTimeField(_("反馈时间"), null=True, blank=True)
    reminded_on = models.DateField(_("催办日"), null=True, blank=True)
    escalated_on = models.DateField(_("报督办日"), null=True, blank=True)
    handling = models.CharField(_("处理"), max_length=10, blank=True)
    result = models.TextField(_("处理结果"), blank=True)
    remark = models.TextField(_("备注"), blank=True)

    objects = HitQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("命中")
        indexes = [
            # for a unit's to-do
            models.Index(
                fields=["unit", "feedback_due"],
                name="hit_pending",
                condition=Q(answered_at=None),
            ),
            # for the late sweep: the few that nobody has pressed for, or not hard enough
            models.Index(
                fields=["feedback_due"],
                name="hit_late",
                condition=Q(answered_at=None, escalated_on=None),
            ),
        ]

    def __str__(self):
        return f"{self.unit_id} {self.listing_id}"

    @property
    def number(self):
        return number_of(self.check_id)

    # what the journal's line says of a hit, which moves only once
    version = 1

    @property
    def status(self):
        return "answered" if self.answered_at else "pending"

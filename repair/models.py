"""Credit repair: a subject that has put things right asks to be taken off the black list."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from casework.models import Case, Document
from listings.models import Listing
from parties.models import Department
from parties.sealing import code_matches


class RepairQuerySet(models.QuerySet):
    def of_department(self, department_id):
        return self.filter(department=department_id)

    def of_desk(self, user):
        """The matters that the user's department decides; supervisor and auditor see all."""
        return self if user.sees_all else self.of_department(user.department_id)

    def open(self):
        return self.filter(status__in=Repair.OPEN)

    def due_by(self, day):
        return self.open().filter(due_on__lte=day)

    def overdue(self, today):
        return self.open().filter(due_on__lt=today)

    def with_parts(self):
        return self.select_related("department", "listing__subject", "listing__category")

    def tracked(self, number, query_code):
        """The matter with this number and query code, or None; both must be right."""
        matter = self.with_parts().filter(number=number.strip().upper()).first()
        known = matter and code_matches(query_code, matter.query_code_digest)
        return matter if known else None


class Repair(Case):
    """One application for repair: accepted within one period, decided within another."""

    class Status(models.TextChoices):
        RECEIVED = "received", _("待受理")
        ACCEPTED = "accepted", _("已受理")
        NOT_ACCEPTED = "not_accepted", _("不予受理")
        DECISION_PROPOSED = "decision_proposed", _("决定待审核")
        GRANTED = "granted", _("准予修复")
        REFUSED = "refused", _("不予修复")

    class Outcome(models.TextChoices):
        GRANTED = "granted", _("准予修复")
        REFUSED = "refused", _("不予修复")

    OPEN = (Status.RECEIVED, Status.ACCEPTED, Status.DECISION_PROPOSED)
    MOVES = {
        "accept": ({Status.RECEIVED}, Status.ACCEPTED),
        "not_accept": ({Status.RECEIVED}, Status.NOT_ACCEPTED),
        "propose_decision": ({Status.ACCEPTED}, Status.DECISION_PROPOSED),
        "return_decision": ({Status.DECISION_PROPOSED}, Status.ACCEPTED),
        "grant": ({Status.DECISION_PROPOSED}, Status.GRANTED),
        "refuse": ({Status.DECISION_PROPOSED}, Status.REFUSED),
    }

    status = models.CharField(_("状态"), max_length=30, choices=Status, default=Status.RECEIVED)
    number = models.CharField(_("受理编号"), max_length=20, unique=True)
    national_number = models.CharField(_("全国统一办件编号"), max_length=60, blank=True)
    query_code_digest = models.BinaryField(editable=False)
    query_code_key_id = models.CharField(max_length=16, editable=False)
    department = models.ForeignKey(
        Department, models.PROTECT, related_name="repairs", verbose_name=_("办理部门")
    )
    listing = models.ForeignKey(
        Listing, models.PROTECT, related_name="repairs", verbose_name=_("记录")
    )
    applicant_name = models.CharField(_("申请人"), max_length=200)
    contact_sealed = models.BinaryField(editable=False)  # JSON {phone, email}
    contact_key_id = models.CharField(max_length=16, editable=False)
    statement = models.TextField(_("整改情况"))
    evidence_kinds = ArrayField(
        models.CharField(max_length=100), default=list, blank=True, verbose_name=_("已交材料")
    )
    evidence = models.ManyToManyField(Document, blank=True, verbose_name=_("材料"))
    commitment = models.TextField(_("信用承诺"))
    received_on = models.DateField(_("收到日期"))
    due_on = models.DateField(_("办理期限"))
    provisional = models.BooleanField(_("期限暂定"), default=False)
    accepted_on = models.DateField(_("受理日期"), null=True, blank=True)
    verification = models.TextField(_("核实情况"), blank=True)
    outcome = models.CharField(_("决定"), max_length=20, choices=Outcome, blank=True)
    reasons = models.TextField(_("理由"), blank=True)
    proposed_by = models.ForeignKey(
        "parties.User", models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_on = models.DateField(_("决定日期"), null=True, blank=True)
    escalated_on = models.DateField(_("报督办日"), null=True, blank=True)

    objects = RepairQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("信用修复")
        constraints = [
            models.UniqueConstraint(
                fields=["listing"],
                name="repair_one_open",
                condition=Q(status__in=["received", "accepted", "decision_proposed"]),
            )
        ]
        indexes = [
            # for a department's board and the reminder sweep
            models.Index(
                fields=["department", "due_on"],
                name="repair_open",
                condition=Q(status__in=["received", "accepted", "decision_proposed"]),
            )
        ]

    def __str__(self):
        return self.number

    def is_overdue(self, today):
        return self.status in self.OPEN and self.due_on < today

"""Objections: a listed subject says an entry is wrong and is answered in writing in time."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from casework.models import Case, Document
from listings.models import AdverseRecord, Listing
from parties.models import Department
from parties.sealing import code_matches


class ObjectionQuerySet(models.QuerySet):
    def of_department(self, department_id):
        return self.filter(department=department_id)

    def of_desk(self, user):
        """The matters that the user's department decides; supervisor and auditor see all."""
        return self if user.sees_all else self.of_department(user.department_id)

    def open(self):
        return self.exclude(status=Objection.Status.REPLIED)

    def due_by(self, day):
        return self.open().filter(due_on__lte=day)

    def overdue(self, today):
        return self.open().filter(due_on__lt=today)

    def without_letter(self):
        return self.filter(status=Objection.Status.REPLIED, letter=None)

    def with_parts(self):
        return self.select_related(
            "department", "record__subject", "listing__subject", "listing__category", "letter"
        )

    def tracked(self, number, query_code):
        """The matter with this number and query code, or None; both must be right."""
        matter = self.with_parts().filter(number=number.strip().upper()).first()
        known = matter and code_matches(query_code, matter.query_code_digest)
        return matter if known else None


class Objection(Case):
    """One objection, whichever door it came through; its clock runs from the day of receipt."""

    class Status(models.TextChoices):
        RECEIVED = "received", _("已收到")
        INVESTIGATING = "investigating", _("核查中")
        REPLY_PROPOSED = "reply_proposed", _("答复待审核")
        REPLIED = "replied", _("已答复")

    class Door(models.TextChoices):
        DEPARTMENT = "department", _("认定部门")
        PLATFORM = "platform", _("信用平台")

    class Outcome(models.TextChoices):
        REJECTED = "rejected", _("维持")
        UPHELD_CORRECTED = "upheld_corrected", _("更正")
        UPHELD_WITHDRAWN = "upheld_withdrawn", _("撤销")

    MOVES = {
        "investigate": ({Status.RECEIVED}, Status.INVESTIGATING),
        "propose_reply": ({Status.RECEIVED, Status.INVESTIGATING}, Status.REPLY_PROPOSED),
        "return_reply": ({Status.REPLY_PROPOSED}, Status.INVESTIGATING),
        "reply": ({Status.REPLY_PROPOSED}, Status.REPLIED),
    }

    status = models.CharField(_("状态"), max_length=30, choices=Status, default=Status.RECEIVED)
    number = models.CharField(_("受理编号"), max_length=20, unique=True)
    query_code_digest = models.BinaryField(editable=False)
    query_code_key_id = models.CharField(max_length=16, editable=False)
    door = models.CharField(_("提出处"), max_length=12, choices=Door)
    department = models.ForeignKey(
        Department, models.PROTECT, related_name="objections", verbose_name=_("办理部门")
    )
    listing = models.ForeignKey(
        Listing, models.PROTECT, null=True, blank=True, related_name="objections"
    )
    record = models.ForeignKey(
        AdverseRecord, models.PROTECT, null=True, blank=True, related_name="objections"
    )
    applicant_name = models.CharField(_("申请人"), max_length=200)
    contact_sealed = models.BinaryField(editable=False)  # JSON {phone, email}
    contact_key_id = models.CharField(max_length=16, editable=False)
    fields = ArrayField(models.CharField(max_length=40), default=list, verbose_name=_("有异议的项"))
    grounds = models.TextField(_("理由"))
    evidence = models.ManyToManyField(Document, blank=True, verbose_name=_("证据"))
    received_on = models.DateField(_("收到日期"))
    due_on = models.DateField(_("答复期限"))
    provisional = models.BooleanField(_("期限暂定"), default=False)
    calendar_version = models.CharField(_("日历版本"), max_length=60)
    period_days = models.PositiveSmallIntegerField(_("工作日数"))
    outcome = models.CharField(_("结论"), max_length=20, choices=Outcome, blank=True)
    reasons = models.TextField(_("答复理由"), blank=True)
    corrections = models.JSONField(_("更正的值"), default=dict, blank=True)
    proposed_by = models.ForeignKey(
        "parties.User", models.PROTECT, null=True, blank=True, related_name="+"
    )
    replied_on = models.DateField(_("答复日期"), null=True, blank=True)
    letter_number = models.CharField(_("答复书编号"), max_length=60, blank=True)
    verify_code = models.CharField(_("核验码"), max_length=24, blank=True)
    letter = models.ForeignKey(
        Document, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("答复书")
    )
    escalated_on = models.DateField(_("报督办日"), null=True, blank=True)

    objects = ObjectionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("异议")
        constraints = [
            models.CheckConstraint(
                name="objection_about_one",
                condition=Q(listing=None, record__isnull=False)
                | Q(listing__isnull=False, record=None),
            ),
            models.UniqueConstraint(
                fields=["verify_code"], name="objection_verify", condition=~Q(verify_code="")
            ),
        ]
        indexes = [
            # for a department's board and the reminder sweep
            models.Index(
                fields=["department", "due_on"],
                name="objection_open",
                condition=~Q(status="replied"),
            )
        ]

    def __str__(self):
        return self.number

    @property
    def subject(self):
        return (self.listing or self.record).subject

    def is_overdue(self, today):
        return self.status != self.Status.REPLIED and self.due_on < today

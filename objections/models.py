"""Objections: a listed subject says an entry is wrong and is answered in writing in time."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from casework.models import Document, Filing, FilingQuerySet, Letter
from listings.models import AdverseRecord, Listing, ResponsiblePerson


class ObjectionQuerySet(FilingQuerySet):
    def with_parts(self):
        return self.select_related(
            "department",
            "record__subject",
            "record__department",
            "listing__subject",
            "listing__category",
            "listing__department",
            "responsible_person__person",
        ).prefetch_related("letters")

    def readable_by(self, user):
        """What the user's department decides, and what others decide about its own entries.

        Whoever passed a matter on still answers for the entry, so it goes on reading.
        """
        if user.sees_all:
            return self
        unit = user.department_id
        return self.filter(
            Q(department=unit) | Q(listing__department=unit) | Q(record__department=unit)
        )


class Objection(Filing):
    """One objection, whichever door it came through; its clock runs from the day of receipt."""

    class Status(models.TextChoices):
        RECEIVED = "received", _("已收到")
        INVESTIGATING = "investigating", _("核查中")
        AWAITING = "awaiting", _("待补正")
        REPLY_PROPOSED = "reply_proposed", _("答复待审核")
        REPLIED = "replied", _("已答复")

    class Door(models.TextChoices):
        DEPARTMENT = "department", _("认定部门")
        PLATFORM = "platform", _("信用平台")

    class Outcome(models.TextChoices):
        REJECTED = "rejected", _("维持")
        UPHELD_CORRECTED = "upheld_corrected", _("更正")
        UPHELD_WITHDRAWN = "upheld_withdrawn", _("撤销")

    PERSON = "person"  # the point that a responsible person objects to: being named as one
    OPEN = (Status.RECEIVED, Status.INVESTIGATING, Status.AWAITING, Status.REPLY_PROPOSED)
    MOVES = {
        "forward": ({Status.RECEIVED, Status.INVESTIGATING}, Status.RECEIVED),
        "investigate": ({Status.RECEIVED}, Status.INVESTIGATING),
        "ask": ({Status.RECEIVED, Status.INVESTIGATING}, Status.AWAITING),
        "supplement": ({Status.AWAITING}, Status.INVESTIGATING),
        "propose_reply": (
            {Status.RECEIVED, Status.INVESTIGATING, Status.AWAITING},
            Status.REPLY_PROPOSED,
        ),
        "return_reply": ({Status.REPLY_PROPOSED}, Status.INVESTIGATING),
        "reply": ({Status.REPLY_PROPOSED}, Status.REPLIED),
    }

    status = models.CharField(_("状态"), max_length=30, choices=Status, default=Status.RECEIVED)
    door = models.CharField(_("提出处"), max_length=12, choices=Door)
    listing = models.ForeignKey(
        Listing, models.PROTECT, null=True, blank=True, related_name="objections"
    )
    record = models.ForeignKey(
        AdverseRecord, models.PROTECT, null=True, blank=True, related_name="objections"
    )
    responsible_person = models.ForeignKey(
        ResponsiblePerson,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="objections",
        verbose_name=_("责任人员"),
    )
    fields = ArrayField(models.CharField(max_length=40), default=list, verbose_name=_("有异议的项"))
    grounds = models.TextField(_("理由"))
    evidence = models.ManyToManyField(Document, blank=True, verbose_name=_("证据"))
    findings = models.TextField(_("核查意见"), blank=True)  # never told outside
    outcome = models.CharField(_("结论"), max_length=20, choices=Outcome, blank=True)
    reasons = models.TextField(_("答复理由"), blank=True)
    corrections = models.JSONField(_("更正的值"), default=dict, blank=True)
    replied_on = models.DateField(_("答复日期"), null=True, blank=True)

    objects = ObjectionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("异议")
        constraints = [
            models.CheckConstraint(
                name="objection_about_one",
                condition=Q(listing=None, record__isnull=False)
                | Q(listing__isnull=False, record=None),
            ),
            models.CheckConstraint(
                name="objection_person_of_entry",
                condition=Q(responsible_person=None) | Q(listing__isnull=False),
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

    @property
    def subject(self):
        return (self.listing or self.record).subject

    @property
    def home(self):
        """The department whose entry or record it is about, whoever decides the objection."""
        return (self.listing or self.record).department

    @property
    def claims_person(self):
        """Whether the applicant says to be a responsible person of the entry, not yet attached."""
        return self.PERSON in self.fields and self.responsible_person_id is None

    @property
    def letter(self):
        """The written reply, or None while there is none."""
        replies = (row for row in self.letters.all() if row.kind == Letter.Kind.OBJECTION_REPLY)
        return next(replies, None)

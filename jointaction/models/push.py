"""What is put before each cooperating unit: one push per change and unit."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from casework.models import Case
from listings.models import Audience, Change, Listing
from parties.models import Department


class PushQuerySet(models.QuerySet):
    def of_unit(self, department_id):
        return self.filter(unit=department_id)

    def of_desk(self, user):
        """What was put before the user's unit, and what the user's own entries asked of others."""
        if user.sees_all:
            return self
        own = Q(unit=user.department_id) | Q(listing__department=user.department_id)
        return self.filter(own)

    def open(self):
        return self.filter(status__in=Push.OPEN)

    def answers(self):
        """What each unit was asked and said, the newest of a unit's pushes first."""
        return (
            self.select_related("unit").prefetch_related("feedback").order_by("unit__code", "-pk")
        )

    def since(self, change):
        """What the units were told by a change of one entry, and by its later ones."""
        return self.filter(listing=change.listing_id, change__gte=change.pk)

    def awaited(self):
        """Open pushes that somebody is bound to answer; advisory ones inform only."""
        return self.open().filter(advisory_only=False)

    def overdue(self, today):
        return self.awaited().filter(feedback_due__lt=today)

    def due_between(self, first, last):
        return self.awaited().filter(feedback_due__gte=first, feedback_due__lte=last)

    def with_parts(self):
        return self.select_related(
            "unit",
            "listing__subject",
            "listing__category",
            "listing__misconduct",
            "listing__department",
            "listing__basis",
            "listing__measure_set",
        ).prefetch_related("feedback")


class Push(Case):
    """One change put before one unit, with that unit's measures."""

    class Status(models.TextChoices):
        OPEN = "open", _("待签收")
        ACKNOWLEDGED = "acknowledged", _("已签收")
        PARTLY_ANSWERED = "partly_answered", _("部分反馈")
        ANSWERED = "answered", _("已反馈")
        SUPERSEDED = "superseded", _("已被后来的推送代替")

    class Kind(models.TextChoices):
        APPLY = "apply", _("执行")
        CORRECT = "correct", _("更正")
        LIFT = "lift", _("解除")

    OPEN = (Status.OPEN, Status.ACKNOWLEDGED, Status.PARTLY_ANSWERED)
    MOVES = {
        "acknowledge": ({Status.OPEN}, Status.ACKNOWLEDGED),
        "answer_part": (set(OPEN), Status.PARTLY_ANSWERED),
        "answer": (set(OPEN), Status.ANSWERED),
        "supersede": (set(OPEN), Status.SUPERSEDED),
    }

    status = models.CharField(_("状态"), max_length=30, choices=Status, default=Status.OPEN)
    # the three keys are the first columns of indexes below: none needs one of its own
    change = models.ForeignKey(Change, models.PROTECT, related_name="pushes", db_index=False)
    listing = models.ForeignKey(
        Listing, models.PROTECT, related_name="pushes", db_index=False, verbose_name=_("记录")
    )
    unit = models.ForeignKey(
        Department, models.PROTECT, related_name="pushes", db_index=False, verbose_name=_("单位")
    )
    kind = models.CharField(_("性质"), max_length=10, choices=Kind)
    # [{code, name, article, memorandum, advisory, until}]: this unit's, frozen
    measures = models.JSONField(_("措施"))
    advisory_only = models.BooleanField(_("只供参考"), default=False)
    feedback_due = models.DateField(_("反馈期限"), null=True, blank=True)
    provisional = models.BooleanField(_("期限暂定"), default=False)
    acknowledged_at = models.DateTimeField(_("签收时间"), null=True, blank=True)
    answered_at = models.DateTimeField(_("反馈完成时间"), null=True, blank=True)
    warned_on = models.DateField(_("到期提醒日"), null=True, blank=True)
    reminded_on = models.DateField(_("催办日"), null=True, blank=True)
    escalated_on = models.DateField(_("报督办日"), null=True, blank=True)
    # the supervisor's order: the day it was given, and until when it asks for the answer
    ordered_on = models.DateField(_("督办日"), null=True, blank=True)
    ordered_until = models.DateField(_("督办期限"), null=True, blank=True)

    objects = PushQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("推送")
        constraints = [
            # distribution may run as often as it likes
            models.UniqueConstraint(fields=["change", "unit"], name="push_once")
        ]
        indexes = [
            # for a unit's to-do and the late sweep: the few that are not answered
            models.Index(
                fields=["unit", "feedback_due"],
                name="push_open",
                condition=Q(status__in=["open", "acknowledged", "partly_answered"]),
            ),
            # for superseding the entry's earlier pushes, and for who is to be called back
            models.Index(fields=["listing", "unit"], name="push_listing"),
            # for a unit's pushes, page by page
            models.Index(fields=["unit", "id"], name="push_unit"),
        ]

    @property
    def number(self):
        return f"TS-{self.pk:06}"

    @property
    def answered_measures(self):
        """Each measure with its newest answer, or None: [{…measure, "feedback": Feedback}]."""
        newest = {feedback.measure: feedback for feedback in self.feedback.all()}
        return [{**measure, "feedback": newest.get(measure["code"])} for measure in self.measures]

    @property
    def unanswered(self):
        """The measures of the push to which nothing has been said yet."""
        answered = {feedback.measure for feedback in self.feedback.all()}
        return [measure for measure in self.measures if measure["code"] not in answered]

    @property
    def department_id(self):
        """Whose matter it is: the unit's that was asked."""
        return self.unit_id

    @property
    def confirmed_at(self):
        """When the unit confirmed: it answered, or, only informed, acknowledged; else None."""
        return self.answered_at or (self.acknowledged_at if self.advisory_only else None)

    @property
    def is_ordered(self):
        """Whether an order of the supervisor waits for the answer."""
        return self.ordered_on is not None and self.status in self.OPEN

    @property
    def is_awaited(self):
        """Whether somebody is bound to answer it still."""
        return self.status in self.OPEN and not self.advisory_only

    def names_subject(self, user, today):
        """Whether `user` may be told whom it is about: of an ended entry only while it is open."""
        own = Audience.of(user, self.listing, otherwise=None) is Audience.OWN
        return own or self.listing.is_public(today) or self.status in self.OPEN

    def is_overdue(self, today):
        return self.is_awaited and self.feedback_due is not None and self.feedback_due < today

    def __str__(self):
        return f"{self.get_kind_display()} {self.unit_id} {self.listing_id}"


class DistributionCursor(models.Model):
    """Up to which ledger position changes have been put before the units."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    seq = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(name="distributioncursor_single", condition=Q(id=1))]

    def __str__(self):
        return f"{self.seq}"

"""Matters that applicants bring, and the clock that runs on each."""

from datetime import date, timedelta

from django.db import models
from django.db.models import ExpressionWrapper, OuterRef, Subquery, Sum, Value
from django.db.models.functions import Cast, Coalesce, ExtractYear
from django.utils.translation import gettext_lazy as _

from casework.models.calendar import CalendarYear
from casework.models.case import Case
from parties.models import Department, Sealed
from parties.sealing import code_matches


class FilingQuerySet(models.QuerySet):
    def of_department(self, department_id):
        return self.filter(department=department_id)

    def of_desk(self, user):
        """The matters that the user's department decides; supervisor and auditor see all."""
        return self if user.sees_all else self.of_department(user.department_id)

    def open(self):
        return self.filter(status__in=self.model.OPEN)

    def running(self):
        """Those whose clock runs: open, and not standing still for the applicant."""
        return self.open().filter(stopped_on=None)

    def due_by(self, day):
        return self.running().filter(due_on__lte=day)

    def overdue(self, today):
        return self.running().filter(due_on__lt=today)

    def escalatable(self, today):
        """Those that are late and of which the supervisor has not been told."""
        return self.overdue(today).filter(escalated_on=None)

    def counted_before(self):
        """Those whose date was counted before a year that bears on it was last imported."""
        now = Cast(Coalesce(Subquery(_calendar_version()), 0), models.CharField())
        return self.open().exclude(calendar_version=now)

    def tracked(self, number, query_code):
        """The matter with this number and query code, or None; both must be right."""
        matter = self.with_parts().filter(number=number.strip().upper()).first()
        known = matter and code_matches(query_code, matter.query_code_digest)
        return matter if known else None


def _calendar_version():
    """`workdays.calendar_version` of each filing, in SQL: 29–31 December wait for the next year."""
    last = ExpressionWrapper(OuterRef("due_on") + timedelta(days=3), models.DateField())
    bearing = CalendarYear.objects.filter(
        year__gte=ExtractYear(OuterRef("counts_from")), year__lte=ExtractYear(last)
    )
    whole = bearing.order_by().annotate(whole=Value(1)).values("whole")
    return whole.annotate(total=Sum("version")).values("total")


class Filing(Case):
    """A matter that an applicant brings: a number, a query code, a clock that explains itself.

    The clock counts `period_days` and `extended_days` working days after `counts_from`; the
    days in `stops` do not count. A subclass gives OPEN, the statuses in which it runs.
    """

    OPEN = ()
    SEALED = (Sealed("contact_sealed", "contact_key_id", "contact"),)

    number = models.CharField(_("受理编号"), max_length=20, unique=True)
    national_number = models.CharField(_("全国统一办件编号"), max_length=60, blank=True)
    query_code_digest = models.BinaryField(editable=False)
    query_code_key_id = models.CharField(max_length=16, editable=False)
    department = models.ForeignKey(
        Department, models.PROTECT, related_name="%(class)ss", verbose_name=_("办理部门")
    )
    applicant_name = models.CharField(_("申请人"), max_length=200)
    agent_name = models.CharField(_("代理人"), max_length=200, blank=True)
    contact_sealed = models.BinaryField(editable=False)  # JSON {phone, email}
    contact_key_id = models.CharField(max_length=16, editable=False)
    received_on = models.DateField(_("收到日期"))
    counts_from = models.DateField(_("期限起算日"))  # itself never counted
    period_days = models.PositiveSmallIntegerField(_("工作日数"))
    extended_days = models.PositiveSmallIntegerField(_("延长的工作日数"), default=0)
    stops = models.JSONField(
        _("不计入的时段"), default=list, blank=True
    )  # [first day, last day], as ISO dates
    stopped_on = models.DateField(_("期限中止日"), null=True, blank=True)
    due_on = models.DateField(_("办理期限"))
    provisional = models.BooleanField(_("期限暂定"), default=False)
    calendar_version = models.CharField(_("日历版本"), max_length=60)
    supplement_by = models.DateField(_("补正期限"), null=True, blank=True)
    proposed_by = models.ForeignKey(
        "parties.User", models.PROTECT, null=True, blank=True, related_name="+"
    )
    escalated_on = models.DateField(_("报督办日"), null=True, blank=True)

    objects = FilingQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self):
        return self.number

    @property
    def total_days(self):
        """How many working days the period that runs now has."""
        return self.period_days + self.extended_days

    @property
    def pauses(self):
        """The stretches of days that do not count, as pairs of dates, first and last."""
        return [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in self.stops]

    def pauses_by(self, today):
        """`pauses`, and of a clock that stands still the days up to today."""
        if self.stopped_on is None or self.stopped_on >= today:
            return self.pauses
        return [*self.pauses, (self.stopped_on + timedelta(days=1), today)]

    @property
    def is_open(self):
        return self.status in self.OPEN

    def is_overdue(self, today):
        return self.is_open and self.stopped_on is None and self.due_on < today

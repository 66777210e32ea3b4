"""What waits for a department: every open matter of every kind, by the day it is due.

All kinds are counted and paged in the database, in a number of queries that does not
grow with the matters.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from django.contrib.contenttypes.models import ContentType
from django.db.models import (
    Case,
    CharField,
    Count,
    DateField,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    Value,
    When,
)
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from blacklist.models import BlackListing
from casework.models import Event
from casework.workdays import add_working_days, countdown
from jointaction.models import Check, Hit, Push
from listings.models import Proposal, SubjectChange
from objections.models import Objection
from parties import services as parties
from parties.models import Role
from redlist.models import RedListing, Review
from repair.models import Repair
from tipoffs.models import Report

SOON = 5  # working days
GROUPS = {
    "overdue": gettext_lazy("已逾期"),
    "today": gettext_lazy("今天到期"),
    "soon": gettext_lazy("五个工作日内"),
    "later": gettext_lazy("以后"),
}
TABS = {
    "objection": gettext_lazy("异议"),
    "repair": gettext_lazy("修复"),
    "report": gettext_lazy("举报"),
    "approval": gettext_lazy("审核"),
    "review": gettext_lazy("复核"),
    "push": gettext_lazy("推送反馈"),
    "lift": gettext_lazy("解除"),
    "hit": gettext_lazy("命中反馈"),
}
STATES = {
    "new": gettext_lazy("还没有动手"),
    "begun": gettext_lazy("办理中"),
    "approval": gettext_lazy("待审核"),
    "paused": gettext_lazy("等申请人补正"),
    "ordered": gettext_lazy("督办"),
}
SORTS = {
    "": ("due_day", "found_in", "pk"),
    "late": ("-due_day", "found_in", "pk"),  # what has no due day is first then
    "kind": ("place", "due_day", "found_in", "pk"),
}
MINE = "mine"


@dataclass
class Matter:
    """One line of the desk's first page."""

    subject: object
    now: str
    number: str
    url: str
    provisional: bool = False
    tab: str = ""
    kind: str = ""
    due: date | None = None
    left: int | None = None
    group: str = "later"


@dataclass(frozen=True)
class Source:
    """One kind of matter: which rows wait, when they are due, how each is told.

    `subject` are the paths to the subject, `number` the column it is found by. `states` is
    {name in STATES: which rows}; a source is found under no state that it does not name.
    `mine` are the rows of the user's own: those where the journal has a line of the user's,
    unless the source says otherwise.
    """

    tab: str
    rows: object
    due: str | None
    subject: str
    number: str
    tell: Callable
    states: dict = field(default_factory=dict)
    mine: Q | None = None

    @property
    def day(self):
        return F(self.due) if self.due else Cast(Value(None), DateField())

    def narrow(self, user, *, text, who, state):
        """The rows that are asked for, or None where this kind knows no such state."""
        if state and state not in self.states:
            return None
        rows = self._called(text)
        if state:
            rows = rows.filter(self.states[state])
        return rows.filter(self._own(user)) if who == MINE else rows

    def _own(self, user):
        if self.mine is not None:
            return self.mine
        kind = ContentType.objects.get_for_model(self.rows.model)
        lines = Event.objects.filter(content_type=kind, object_id=OuterRef("pk"), by_user=user)
        return Q(Exists(lines))

    def _called(self, text):
        """The rows of a subject or with a number; persons are never found by name."""
        if not text:
            return self.rows
        by_number = Q(**{f"{self.number}__icontains": text})
        if self.number in {"pk", "check_id"}:
            digits = text.upper().removeprefix("TS-").removeprefix("CX-")
            by_number = Q(**{self.number: int(digits)}) if _is_id(digits) else Q(pk=None)
        for path in self.subject.split():
            by_number |= Q(**{f"{path}__in": parties.called(text)})
        return self.rows.filter(by_number)


def _is_id(digits):
    return digits.isascii() and digits.isdecimal() and len(digits) < len(str(2**63))


class Matters:
    """What waits for the user's department, as a sequence to be paged, the first due first.

    `asked` narrows it: tab, text, due (a group), who ("mine"), state; `sort` is one of SORTS.
    `tabs` is {tab: number} of what was asked for but the tab, `groups` {group: number} of what
    was asked for but the group. A slice is a list of Matter.
    """

    def __init__(self, user, *, today, tab="", text="", due="", who="", state="", sort=""):
        self.today, self.soon = today, add_working_days(today, SOON)
        self.due, self.order = due, SORTS[sort]
        self.sources, self.found = _sources(user, today), {}
        self.tabs, self.groups = dict.fromkeys(TABS, 0), dict.fromkeys(GROUPS, 0)
        self.shown = []
        for name, source in self.sources.items():
            rows = source.narrow(user, text=text, who=who, state=state)
            if rows is None:
                continue
            ranges = _ranges(source.due, today, self.soon)
            self._count(source, rows, ranges, shown=tab in ("", source.tab))
            if tab in ("", source.tab):
                self.shown.append(name)
                self.found[name] = rows.filter(ranges[due]) if due else rows

    def _count(self, source, rows, ranges, *, shown):
        counts = rows.aggregate(
            **{group: Count("pk", filter=within) for group, within in ranges.items()}
        )
        self.tabs[source.tab] += counts[self.due] if self.due else sum(counts.values())
        if shown:
            self.groups = {group: n + counts[group] for group, n in self.groups.items()}

    def __len__(self):
        return self.groups[self.due] if self.due else sum(self.groups.values())

    def __getitem__(self, window):
        keys = self._keys(window)
        wanted = {}
        for _due, name, pk in keys:
            wanted.setdefault(name, []).append(pk)
        rows = {
            name: self.sources[name].rows.with_parts().in_bulk(pks) for name, pks in wanted.items()
        }
        left = countdown(self.today, (due for due, _name, _pk in keys))
        told = []
        for due, name, pk in keys:
            matter = self.sources[name].tell(rows[name][pk])
            matter.tab = self.sources[name].tab
            matter.kind = TABS[matter.tab]
            matter.due, matter.left = due, left.get(due)
            matter.group = self._group(due)
            told.append(matter)
        return told

    def _keys(self, window):
        """The (due, name, pk) of one page over all kinds, in the order that was asked for."""
        if not self.shown:
            return []
        places = list(TABS)
        first, *others = [
            self.found[name]
            .order_by()
            .annotate(
                due_day=self.sources[name].day,
                found_in=Value(name, CharField()),
                place=Value(places.index(self.sources[name].tab), IntegerField()),
            )
            .values_list("due_day", "found_in", "pk", "place")
            for name in self.shown
        ]
        rows = first.union(*others, all=True) if others else first
        return [(due, name, pk) for due, name, pk, _place in rows.order_by(*self.order)[window]]

    def _group(self, due):
        if due is None or due > self.soon:
            return "later"
        if due < self.today:
            return "overdue"
        return "today" if due == self.today else "soon"


def _statuses(*statuses):
    return Q(status__in=statuses)


_OBJECTION, _REPAIR, _PUSH = Objection.Status, Repair.Status, Push.Status
OBJECTION_STATES = {
    "new": _statuses(_OBJECTION.RECEIVED),
    "begun": _statuses(_OBJECTION.INVESTIGATING),
    "approval": _statuses(_OBJECTION.REPLY_PROPOSED),
    "paused": _statuses(_OBJECTION.AWAITING),
}
REPAIR_STATES = {
    "new": _statuses(_REPAIR.RECEIVED),
    "begun": _statuses(_REPAIR.ACCEPTED),
    "approval": _statuses(_REPAIR.DECISION_PROPOSED),
    "paused": _statuses(_REPAIR.AWAITING),
}
REPORT_STATES = {
    "new": _statuses(Report.Status.RECEIVED, Report.Status.ASSIGNED),
    "begun": _statuses(Report.Status.INVESTIGATING, Report.Status.CONCLUDED),
}
PUSH_STATES = {
    "new": _statuses(_PUSH.OPEN),
    "begun": _statuses(_PUSH.ACKNOWLEDGED, _PUSH.PARTLY_ANSWERED),
    "ordered": Q(ordered_on__isnull=False),
}


def _sources(user, today):
    unit = user.department_id
    replies = Q(status=Objection.Status.REPLY_PROPOSED) & ~Q(proposed_by__in=user.speaks_for)
    decisions = Q(status=Repair.Status.DECISION_PROPOSED) & ~Q(proposed_by__in=user.speaks_for)
    mine = Q() if user.has_role(Role.REVIEWER) else Q(pk=None)
    # a clock that stands still for the applicant is due on no day
    runs_to = Case(When(stopped_on=None, then="due_on"))
    objections = Objection.objects.open().of_department(unit).annotate(runs_to=runs_to)
    repairs = Repair.objects.open().of_department(unit).annotate(runs_to=runs_to)
    pushes = Push.objects.awaited().of_unit(unit)
    # what waits for the user's own word is the user's own
    decides = {"states": {"approval": Q()}, "mine": Q()}
    drafts = {
        "due": None,
        "subject": "subject",
        "number": "document_number",
        "tell": _tell_draft,
        **decides,
    }
    objection = {
        "due": "runs_to",
        "subject": "listing__subject record__subject",
        "number": "number",
        "tell": _tell_objection,
        "states": OBJECTION_STATES,
    }
    repair = {
        **objection,
        "subject": "listing__subject",
        "tell": _tell_repair,
        "states": REPAIR_STATES,
    }
    push = {
        **repair,
        "due": "feedback_due",
        "number": "pk",
        "tell": _tell_push,
        "states": PUSH_STATES,
    }
    asked = Check.objects.filter(pk=OuterRef("check_id"), by_user=user)
    return {
        "objection": Source("objection", objections.exclude(mine & replies), **objection),
        "repair": Source("repair", repairs.exclude(mine & decisions), **repair),
        "report": Source(
            "report",
            Report.objects.open().to_handle(user),
            "due_on",
            "",
            "number",
            _tell_report,
            REPORT_STATES,
        ),
        "reply": Source("approval", objections.filter(mine & replies), **objection | decides),
        "decision": Source("approval", repairs.filter(mine & decisions), **repair | decides),
        "black": Source("approval", _ready(BlackListing, user, today).filter(mine), **drafts),
        "red": Source("approval", _ready(RedListing, user, today).filter(mine), **drafts),
        "proposal": Source(
            "approval",
            Proposal.objects.of_desk(user)
            .open()
            .filter(mine, listing__department=unit)
            .exclude(proposed_by__in=user.speaks_for),
            "due_on",
            "listing__subject",
            "listing__document_number",
            _tell_proposal,
            **decides,
        ),
        "subject": Source(
            "approval",
            SubjectChange.objects.to_decide(user),
            None,
            "subject into",
            "pk",
            _tell_subject_change,
            **decides,
        ),
        "review": Source(
            "review",
            Review.objects.open().filter(listing__department=unit),
            "due_on",
            "listing__subject",
            "listing__reference",
            _tell_review,
            {"new": Q()},
        ),
        "push": Source("push", pushes.exclude(kind=Push.Kind.LIFT), **push),
        "lift": Source("lift", pushes.filter(kind=Push.Kind.LIFT), **push),
        "hit": Source(
            "hit",
            Hit.objects.pending(unit),
            "feedback_due",
            "listing__subject",
            "check_id",
            _tell_hit,
            {"new": Q()},
            Q(Exists(asked)),
        ),
    }


def _ready(model, user, today):
    rows = model.objects.filter(department=user.department_id)
    return rows.not_written_by(user).ready(today)


def _ranges(due, today, soon):
    """Which rows are in which group; what is due on no day comes later."""
    if due is None:
        return {**dict.fromkeys(GROUPS, Q(pk=None)), "later": Q()}
    return {
        "overdue": Q(**{f"{due}__lt": today}),
        "today": Q(**{due: today}),
        "soon": Q(**{f"{due}__gt": today, f"{due}__lte": soon}),
        "later": Q(**{f"{due}__gt": soon}) | Q(**{due: None}),
    }


def _tell_objection(row):
    approval = row.status == Objection.Status.REPLY_PROPOSED
    return Matter(
        subject=row.subject,
        now=gettext("答复待审核") if approval else row.get_status_display(),
        number=row.number,
        url=reverse("desk-objection", args=[row.public_id]),
        provisional=row.provisional,
    )


def _tell_repair(row):
    return Matter(
        subject=row.listing.subject,
        now=row.get_status_display(),
        number=row.number,
        url=reverse("desk-repair", args=[row.public_id]),
        provisional=row.provisional,
    )


def _tell_report(row):
    return Matter(
        subject=row,
        now=row.get_status_display(),
        number=row.number,
        url=reverse("desk-report", args=[row.public_id]),
        provisional=row.provisional,
    )


def _tell_draft(row):
    return Matter(
        subject=row.subject,
        now=gettext("%(list)s草稿已齐，待您审核公布") % {"list": row.get_kind_display()},
        number=row.reference or row.document_number,
        url=reverse(f"desk-listing-{row.kind}-publish", args=[row.public_id]),
    )


def _tell_proposal(row):
    return Matter(
        subject=row.listing.subject,
        now=gettext("提议%(action)s，待您审核") % {"action": row.get_action_display()},
        number=row.listing.document_number,
        url=reverse("desk-listing-proposal", args=[row.public_id]),
    )


def _tell_subject_change(row):
    return Matter(
        subject=row.subject,
        now=gettext("提议%(action)s，待您审核") % {"action": row.get_action_display()},
        number=str(row.pk),
        url=reverse("desk-subject", args=[row.subject.public_id]),
    )


def _tell_review(row):
    return Matter(
        subject=row.listing.subject,
        now=gettext("主体被列入黑名单，红名单记录待复核"),
        number=row.listing.reference,
        url=reverse("desk-red-review", args=[row.public_id]),
    )


def _tell_push(row):
    count = len(row.unanswered)
    words = gettext("%(n)s 项措施待解除") if row.kind == Push.Kind.LIFT else ""
    words = words or gettext("%(n)s 项措施未反馈")
    if not row.measures:
        words = gettext("查询过的记录已更正或撤下，签收确认")
    before = [
        gettext("督办，") * row.is_ordered,
        gettext("待签收，") * (row.status == Push.Status.OPEN),
    ]
    return Matter(
        subject=row.listing.subject,
        now="".join([*before, words % {"n": count}]),
        number=row.number,
        url=reverse("desk-push", args=[row.public_id]),
        provisional=row.provisional,
    )


def _tell_hit(row):
    return Matter(
        subject=row.listing.subject,
        now=gettext("查询命中，未反馈处理结果"),
        number=row.number,
        url=reverse("desk-check", args=[row.check_public_id]),
    )

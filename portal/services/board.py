"""The supervisor's board: how each unit answers what it is asked."""

from dataclasses import dataclass

from django.db.models import Count, Exists, F, OuterRef, Q
from django.db.models.functions import TruncDate
from django.urls import reverse

from casework.workdays import countdown
from jointaction.models import Feedback, Push
from listings.models import Proposal
from objections.models import Objection
from parties.models import Department
from portal.services.figures import Share
from repair.models import Repair

MOST_ROWS = 50  # of each list, the first due
LAGGARDS = 3  # units that the headline names
TARGET = 95  # percent of the pushes answered in time


@dataclass(frozen=True)
class Line:
    """One unit's closed loop: put before it, seen, acted on, answered, in time, called back.

    `acted` counts the pushes of which it applied, lifted or upholds at least one measure;
    `recalls` how many of the corrections and ends it was told of it has confirmed.
    """

    unit: Department
    pushed: int
    acknowledged: int
    acted: int
    answered: int
    in_time: Share
    overdue: int
    recalls: Share
    objections: Share
    repairs: Share

    @property
    def below(self):
        return self.in_time.value is not None and self.in_time.value < TARGET


def board(today, year):
    """Each unit that was asked for anything in `year`, the most overdue first.

    Returns {"lines", "total", "target", "withdrawals", "late"}; `total` has the same figures
    over all units. `withdrawals` are the entries whose document was quashed and that wait for
    a second officer, `late` the objections and repairs past their day, of any year, until they
    are settled; the first due first. `laggards` are the units with the most overdue pushes,
    `orders` the pushes of which the year's orders (督办) speak, the latest first. Seven queries
    beside that for the units.
    """
    pushes = _pushes(today, year)
    objections, repairs = _objections(today, year), _repairs(today, year)
    asked = pushes.keys() | objections.keys() | repairs.keys()
    lines = [
        _line(unit, pushes.get(unit.pk, {}), objections.get(unit.pk), repairs.get(unit.pk))
        for unit in Department.objects.filter(pk__in=asked)
    ]
    lines.sort(key=lambda line: (-line.overdue, line.in_time.value or 100, line.unit.code))
    return {
        "lines": lines,
        "total": _total(lines),
        "target": TARGET,
        "withdrawals": _withdrawals(today),
        "late": _late(today),
        "laggards": [line.unit for line in lines if line.overdue][:LAGGARDS],
        "orders": _orders(today, year),
    }


def _orders(today, year):
    rows = Push.objects.filter(ordered_on__year=year).select_related("unit")
    rows = list(rows.order_by("-ordered_on", "-pk")[:MOST_ROWS])
    left = countdown(today, [push.ordered_until for push in rows if push.is_ordered])
    for push in rows:
        push.left = left.get(push.ordered_until)
    return rows


def _withdrawals(today):
    rows = list(Proposal.objects.urgent().with_parts().order_by("due_on", "pk")[:MOST_ROWS])
    for row in rows:
        row.late = row.is_overdue(today)
    return rows


def _late(today):
    rows = []
    for model, page in ((Objection, "desk-objection"), (Repair, "desk-repair")):
        late = model.objects.overdue(today).select_related("department")
        for row in late.order_by("due_on", "pk")[:MOST_ROWS]:
            row.desk_url = reverse(page, args=[row.public_id])
            rows.append(row)
    return sorted(rows, key=lambda row: (row.due_on, row.number))[:MOST_ROWS]


def _line(unit, pushed, objections, repairs):
    return Line(
        unit=unit,
        pushed=pushed.get("pushed", 0),
        acknowledged=pushed.get("acknowledged", 0),
        acted=pushed.get("acted", 0),
        answered=pushed.get("answered", 0),
        in_time=Share(pushed.get("part", 0), pushed.get("whole", 0)),
        overdue=pushed.get("overdue", 0),
        recalls=Share(pushed.get("confirmed", 0), pushed.get("called", 0)),
        objections=_share(objections),
        repairs=_share(repairs),
    )


def _share(counts):
    return Share(counts["part"], counts["whole"]) if counts else Share(0, 0)


def _total(lines):
    def summed(name):
        shares = [getattr(line, name) for line in lines]
        return Share(sum(one.part for one in shares), sum(one.whole for one in shares))

    return {
        "units": sum(line.pushed > 0 for line in lines),
        "pushed": sum(line.pushed for line in lines),
        "acknowledged": sum(line.acknowledged for line in lines),
        "acted": sum(line.acted for line in lines),
        "overdue": sum(line.overdue for line in lines),
        "in_time": summed("in_time"),
        "recalls": summed("recalls"),
        "objections": summed("objections"),
        "repairs": summed("repairs"),
    }


def _by_unit(rows, unit, **figures):
    return {row[unit]: row for row in rows.order_by().values(unit).annotate(**figures)}


def _pushes(today, year):
    rows = Push.objects.filter(created_at__year=year).exclude(status=Push.Status.SUPERSEDED)
    bound = Q(advisory_only=False)
    answered = Q(status=Push.Status.ANSWERED)
    late = Q(status__in=Push.OPEN, feedback_due__lt=today)
    calls = bound & Q(kind__in=[Push.Kind.LIFT, Push.Kind.CORRECT])
    did = Feedback.objects.filter(push=OuterRef("pk"), outcome__in=Feedback.ACTED)
    return _by_unit(
        rows.annotate(day=TruncDate("answered_at"), did=Exists(did)),
        "unit",
        pushed=Count("id"),
        acknowledged=Count("id", filter=Q(acknowledged_at__isnull=False)),
        acted=Count("id", filter=Q(did=True)),
        called=Count("id", filter=calls),
        confirmed=Count("id", filter=calls & answered),
        answered=Count("id", filter=answered),
        part=Count("id", filter=bound & answered & Q(day__lte=F("feedback_due"))),
        whole=Count("id", filter=bound & (answered | late)),
        overdue=Count("id", filter=bound & late),
    )


def _past(today):
    """The day is past; a clock that stands still for the applicant is not late."""
    return Q(due_on__lt=today, stopped_on=None)


def _objections(today, year):
    replied = Q(replied_on__isnull=False)
    return _by_unit(
        Objection.objects.filter(received_on__year=year),
        "department",
        part=Count("id", filter=Q(replied_on__lte=F("due_on"))),
        whole=Count("id", filter=replied | _past(today)),
    )


def _repairs(today, year):
    decided = Q(decided_on__isnull=False)
    return _by_unit(
        Repair.objects.filter(received_on__year=year),
        "department",
        part=Count("id", filter=Q(decided_on__lte=F("due_on"))),
        whole=Count("id", filter=decided | _past(today)),
    )

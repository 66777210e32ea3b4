"""Who an ended or corrected entry was called back from, and who has confirmed: proof, by reading.

Distribution put the calls before the units; what became of each is what its push says.
"""

from dataclasses import dataclass
from datetime import datetime

from jointaction.models import Feedback, Hit, Push
from parties.models import Department


@dataclass(frozen=True)
class Call:
    """One unit that was called: what it had to do with the entry, and what it says now."""

    push: Push
    received: bool
    checked: bool
    acted: bool

    @property
    def unit(self):
        return self.push.unit

    @property
    def confirmed_at(self):
        return self.push.confirmed_at


@dataclass
class Told:
    """A unit as the subject may know of it: its name, and when it was told and confirmed."""

    unit: Department
    at: datetime
    confirmed_at: datetime | None
    advisory_only: bool


def recalls_of(pushes):
    """The calls among all pushes of one entry, by unit; a later call takes an earlier one's place.

    `pushes` are rows of `Push.objects.answers()`, of one entry, in any order. Two queries.
    """
    pushes = list(pushes)
    listings = {push.listing_id for push in pushes}
    applied = Feedback.Outcome.APPLIED
    hits = Hit.objects.filter(listing__in=listings)
    checked = set(hits.values_list("unit", flat=True))
    acted = set(hits.filter(feedback__outcome=applied).values_list("unit", flat=True))
    acted |= {p.unit_id for p in pushes if any(row.outcome == applied for row in p.feedback.all())}
    received = {push.unit_id for push in pushes if push.measures and push.kind != Push.Kind.LIFT}
    return [
        Call(push, push.unit_id in received, push.unit_id in checked, push.unit_id in acted)
        for push in sorted(pushes, key=lambda push: (push.unit.code, push.pk))
        if push.kind != Push.Kind.APPLY and push.status != Push.Status.SUPERSEDED
    ]


def told_of(listing, action, day):
    """Which units were told of what was decided about an entry on `day`, by name.

    `action` is that of the ledger. A unit that confirmed only a later call of the same entry
    has confirmed this one. Returns a list of Told; three queries.
    """
    rows = listing.history.filter(action=action, at__date__gte=day)
    change = rows.filter(at__date=day).last() or rows.first()
    told = {}
    pushes = Push.objects.since(change).select_related("unit") if change else Push.objects.none()
    for push in pushes.order_by("unit__name", "pk"):
        row = told.setdefault(
            push.unit_id, Told(push.unit, push.created_at, push.confirmed_at, push.advisory_only)
        )
        row.confirmed_at = row.confirmed_at or push.confirmed_at
    return list(told.values())

"""The clock's part: entries whose term is over leave their list."""

from datetime import timedelta

from django.db import transaction
from django.db.models import F

from casework.moves import move_many
from listings import ledger
from listings.models import Listing
from listings.services.lapse import lapse_proposals
from parties.models import CLOCK

BATCH = 5_000


def expire_lapsed(*, today):
    """Take every entry whose term is over off its list; returns how many.

    Batches of 5,000, each its own transaction, so that a crash loses one batch's work at
    most. The public saw them go at midnight already: this only tells the others.
    """
    done = 0
    while moved := _expire_batch(today):
        done += moved
    return done


@transaction.atomic
def _expire_batch(today):
    lapsed = Listing.objects.lapsed(today).values("pk")[:BATCH]
    moved = move_many(
        Listing.objects.lapsed(today).filter(pk__in=lapsed),  # asked again once it is locked
        "expire",
        actor=CLOCK,
        ended_on=F("visible_until") + timedelta(days=1),
        end_reason=Listing.EndReason.EXPIRED,
        disputed=False,
    )
    lapse_proposals(Listing.objects.filter(status=Listing.Status.EXPIRED), actor=CLOCK)
    rows = Listing.objects.filter(pk__in=moved).order_by("pk")
    rows = rows.values_list(
        "pk", *ledger.TOLD_OF_THE_ENDED, named=True
    )  # a model costs a sixth more
    ledger.append([ledger.Entry(listing, "expire") for listing in rows])
    return len(moved)

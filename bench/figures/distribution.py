"""Changes put before the units, beside the bare insertion of as many pushes."""

import hashlib

from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone

from bench.data import MAKER, UNITS
from bench.frame import figure, timed
from casework.moves import record_many
from jointaction import services
from jointaction.models import DistributionCursor, Push
from listings import ledger
from listings.models import EntryDigest, Listing, MeasureSet
from parties.models import Department
from rulebook.models import Measure, Memorandum

KEPT = "bench_pushes"
COLUMNS = (
    "public_id, status, version, created_at, change_id, listing_id, unit_id, kind, measures, "
    "advisory_only, feedback_due, provisional"
)


def changed(count):
    """So many entries made to ask something of every unit, each with a change not yet told.

    A third have a measure more, and their last days are those of the data: so they are as
    alike as the entries of many departments are, and no more. Returns the units' number.
    """
    sets, units = _measure_sets()
    pks = list(Listing.objects.order_by("pk").values_list("pk", flat=True)[:count])
    for start in range(0, len(pks), 5_000):
        with transaction.atomic():
            _change(pks[start : start + 5_000], sets)
    return units


def _change(pks, sets):
    for index, measure_set in enumerate(sets):
        Listing.objects.filter(pk__in=pks[index :: len(sets)]).update(measure_set=measure_set)
    record_many(Listing, pks, "correct", actor=MAKER)
    EntryDigest.objects.filter(listing__in=pks).delete()  # they come on their list anew
    rows = Listing.objects.with_shared_parts().filter(pk__in=pks).order_by("pk")
    ledger.append([ledger.Entry(listing, "publish") for listing in rows])


def _measure_sets():
    """Three sets of measures, each for all the units; (sets, number of units)."""
    units = list(Department.objects.order_by("code").values_list("code", flat=True)[:UNITS])
    codes = list(Measure.objects.filter(advisory=False).values_list("code", flat=True)[:3])
    memorandum = Memorandum.objects.values_list("code", flat=True).first()
    sets = []
    for last in range(1, 4):
        measures = [
            {
                "code": code,
                "unit": unit,
                "article": "第七条",
                "memorandum": memorandum,
                "advisory": False,
            }
            for unit in units
            for code in codes[:last]
        ]
        digest = hashlib.sha256(ledger.canonical(measures)).hexdigest()
        given = {"measures": measures}
        sets.append(MeasureSet.objects.get_or_create(digest=digest, defaults=given)[0])
    return sets, len(units)


def _sql(text, *values):
    with connection.cursor() as cursor:
        cursor.execute(text, values)


def bare():
    _sql(f"INSERT INTO jointaction_push ({COLUMNS}) SELECT {COLUMNS} FROM {KEPT}")


def distribute():
    services.distribute(today=timezone.localdate())


@figure(
    "10,000 changes put before 40 units", beside="bare INSERT of as many pushes, kept aside", aim=5
)
def distribution(bench):
    head = ledger.head().seq
    units = changed(bench.scaled(10_000))
    _sql("DELETE FROM jointaction_push")
    _sql("VACUUM ANALYZE jointaction_push")
    DistributionCursor.objects.update_or_create(pk=1, defaults={"seq": head})
    changes = ledger.head().seq - head
    count = changes * units
    ours = timed(count, distribute, unit="pushes")
    told = Push.objects.filter(change__gt=head).aggregate(
        n=Count("id"), changes=Count("change", distinct=True), units=Count("unit", distinct=True)
    )
    if (told["n"], told["changes"], told["units"]) != (count, changes, units):
        raise RuntimeError(told)
    ours.note = f"{changes:,} changes × {units} units"
    _sql(f"DROP TABLE IF EXISTS {KEPT}")
    _sql(f"CREATE TABLE {KEPT} AS SELECT {COLUMNS} FROM jointaction_push")
    _sql("DELETE FROM jointaction_push")
    _sql("VACUUM ANALYZE jointaction_push")
    limit = timed(count, bare, unit="pushes")
    _sql(f"DROP TABLE {KEPT}")
    return ours, limit

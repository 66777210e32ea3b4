"""The calendar's rows: a year's notice taken in, whole or not at all."""

from collections import Counter as Tally

from django.db import transaction
from django.utils.translation import gettext as _

from casework.models import CalendarYear, SpecialDay
from casework.moves import record


@transaction.atomic
def load_year(year, days, *, status, source, actor):
    """Put the days of a year's notice in place of those known, and raise the year's version.

    `days` are unsaved SpecialDays of `year`; a notice may also alter days of the December
    before, and of two notices for one day the later year's counts. Loading what is already
    there changes nothing. Returns how many days were `created`, `updated`, `unchanged` and
    `removed`.
    """
    CalendarYear.objects.get_or_create(
        year=year, defaults={"status": status, "source": source, "version": 0}
    )
    row = CalendarYear.objects.select_for_update().get(year=year)
    later = SpecialDay.objects.filter(day__in=[day.day for day in days], year__gt=year)
    taken = set(later.values_list("day", flat=True))
    wanted = {day.day: day for day in days if day.day not in taken}
    known = SpecialDay.objects.filter(day__in=wanted) | SpecialDay.objects.filter(year=year)
    known = known.in_bulk()
    tally = _compare(wanted, known)
    same = tally["unchanged"] == len(known) == len(wanted)
    if row.version and same and (row.status, row.source) == (status, source):
        return tally
    SpecialDay.objects.filter(day__in=known).delete()
    SpecialDay.objects.bulk_create(wanted.values())
    row.status, row.source, row.version = status, source, row.version + 1
    row.save(update_fields=["status", "source", "version"])
    note = _("载入%(year)s年节假日安排：%(source)s") % {"year": year, "source": source}
    record(row, "load", actor=actor, note=note)
    return tally


def _compare(wanted, known):
    tally = Tally(created=0, updated=0, unchanged=0, removed=len(known.keys() - wanted.keys()))
    for day, row in wanted.items():
        if day not in known:
            tally["created"] += 1
        else:
            tally["unchanged" if _alike(row, known[day]) else "updated"] += 1
    return tally


def _alike(one, other):
    columns = ("year_id", "kind", "name", "name_en")
    return all(getattr(one, column) == getattr(other, column) for column in columns)

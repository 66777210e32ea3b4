"""Numbers without gaps."""

from django.db import transaction

from casework.models import Counter


@transaction.atomic
def take_number(series, year):
    """The next number of a series in a year, from 1, without gaps: a rolled-back one is reused.

    The counter's row stays locked until the caller's transaction ends.
    """
    Counter.objects.bulk_create([Counter(series=series, year=year)], ignore_conflicts=True)
    counter = Counter.objects.select_for_update().get(series=series, year=year)
    counter.value += 1
    counter.save(update_fields=["value"])
    return counter.value

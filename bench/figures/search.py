"""Search by name over random pieces of stored names, beside the look-up of one code."""

import random
import time

from django.db import connection
from django.utils import timezone

from bench.frame import Measure, figure, timed_each
from listings.filters import SearchForm
from listings.models import Listing
from parties.models import Subject

PIECES = 500
UNINDEXED = 10  # a search without an index reads every name: ten are enough
SEED = 7


def pieces(length):
    """Random substrings of the stored names of organisations, the same ones each time."""
    random_of = random.Random(SEED + length)
    newest = Subject.objects.organisations().order_by("-id").values_list("id", flat=True)[0]
    oldest = Subject.objects.organisations().order_by("id").values_list("id", flat=True)[0]
    found = []
    while len(found) < PIECES:
        pk = random_of.randint(oldest, newest)
        subject = Subject.objects.organisations().filter(pk=pk).first()
        if subject and len(subject.name_normalised) >= length:
            start = random_of.randint(0, len(subject.name_normalised) - length)
            found.append(subject.name_normalised[start : start + length])
    return found


def search(text):
    """What the search page does to answer, without drawing the page."""
    form = SearchForm({"q": text})
    form.full_clean()
    return form.found(timezone.localdate())


def unindexed(text):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM parties_subject WHERE name_normalised LIKE %s", [f"%{text}%"]
        )


def _search(length):
    texts = pieces(length)
    search(texts[0])
    ours = timed_each(texts, search)
    codes = list(
        Listing.objects.exclude(subject__code=None)
        .order_by("pk")
        .values_list("subject__code", flat=True)[:PIECES]
    )
    by_code = timed_each(codes, search)
    began = time.perf_counter()
    for text in texts[:UNINDEXED]:
        unindexed(text)
    return ours, by_code, Measure(UNINDEXED, time.perf_counter() - began, "calls")


BESIDE = ("the same page's look-up of one code", "LIKE '%…%' without an index")


def _register(length):
    def run(bench):
        return _search(length)

    run.__name__ = f"search_{length}"
    title = f"name search, {length} characters, {PIECES} random pieces of stored names"
    figure(title, beside=BESIDE, p99_ms=200)(run)


for _length in (2, 3, 4, 6):
    _register(_length)

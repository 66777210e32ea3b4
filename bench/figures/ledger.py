"""The whole ledger checked, and every entry compared with it."""

from django.db import connection

from bench.frame import figure, timed
from listings import ledger
from listings.models import Change, Listing


def bare_digests():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(sha256(salt || body)) FROM listings_changebody")
        return cursor.fetchone()[0]


def check():
    if fault := ledger.verify():
        raise RuntimeError(fault)


def check_entries():
    if fault := ledger.verify_entries():
        raise RuntimeError(fault)


@figure(
    "verify_ledger over the whole ledger", beside="sha256 in SQL over as many rows", aim=1 / 0.3
)
def verify_ledger(bench):
    count = Change.objects.count()
    bare_digests()  # both read from memory what fits there
    bare = timed(count, bare_digests)
    return timed(count, check), bare


@figure("every entry compared with its last change", beside="sha256 in SQL over the ledger")
def verify_entries(bench):
    count = Listing.objects.count()
    return timed(count, check_entries), timed(Change.objects.count(), bare_digests)

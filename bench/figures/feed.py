"""The feed and the snapshot over HTTP, as a client reads them, beside the database's own COPY."""

import http.client
import time

from django.db import connection
from django.utils import timezone

from bench.frame import Measure, figure, timed
from bench.web import key, serving
from listings import ledger
from listings.models import Change, EntryDigest

MOST = 1_000_000  # rows of the feed that are read
PAGE = 2_000
PIECE = 1 << 20

# What a client gets, as it lies in the tables: nobody can send the same sooner.
CONTENT = """
    l.public_id, l.kind, l.status, l.ended_on, l.end_reason, subject.kind, subject.name,
    subject.code, subject.region, category.code, category.name, misconduct.code, l.degree,
    department.code, department.name, l.document_number, l.document_kind, l.document_organ,
    l.document_date, l.ground, basis.name, l.details, sets.measures, l.measure_until,
    l.published_on, l.visible_until, l.disputed, l.version
"""
TABLES = """
    JOIN parties_subject subject ON subject.id = l.subject_id
    JOIN rulebook_listcategory category ON category.id = l.category_id
    JOIN parties_department department ON department.id = l.department_id
    LEFT JOIN rulebook_misconduct misconduct ON misconduct.id = l.misconduct_id
    LEFT JOIN rulebook_legalbasis basis ON basis.id = l.basis_id
    LEFT JOIN listings_measureset sets ON sets.id = l.measure_set_id
"""
CHANGES = f"""
    SELECT c.seq, c.action, c.at, c.hash, c.previous_hash, c.digest, content.salt, content.body,
        {CONTENT}
    FROM listings_change c JOIN listings_listing l ON l.id = c.listing_id
    LEFT JOIN listings_changebody content ON content.seq = c.seq {TABLES}
    WHERE c.seq <= {MOST} ORDER BY c.seq
"""
ENTRIES = f"""
    SELECT {CONTENT} FROM listings_listing l {TABLES}
    WHERE l.status = 'published' AND l.visible_until >= current_date
"""


class Sink:
    """Takes what COPY sends and keeps nothing."""

    size = 0

    def write(self, piece):
        self.size += len(piece)


def copy_out(sql):
    sink = Sink()
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY ({sql}) TO STDOUT", sink)
    return sink.size


def read(port, headers, path, client=None):
    """(status, headers, bytes, lines) of one answer, read piece by piece and thrown away."""
    client = client or http.client.HTTPConnection("127.0.0.1", port)
    client.request("GET", path, headers=headers)
    answer, size, lines = client.getresponse(), 0, 0
    while piece := answer.read(PIECE):
        size += len(piece)
        lines += piece.count(b"\n")
    return answer.status, answer.headers, size, lines


@figure(
    "/changes/ read to the end over HTTP, at most 1,000,000 rows",
    beside="COPY (SELECT …) TO STDOUT of the same rows",
    aim=1 / 0.3,
)
def changes(_bench):
    last = min(MOST, Change.objects.count())
    sizes = []

    def follow(port):
        headers = key("read")
        client = http.client.HTTPConnection("127.0.0.1", port)
        for after in range(0, last, PAGE):
            path = f"/api/v1/changes/?after={after}&limit={min(PAGE, last - after)}"
            status, _headers, size, _lines = read(port, headers, path, client)
            if status != 200:
                raise RuntimeError(f"{path}: {status}")
            sizes.append(size)

    copy_out(CHANGES)  # both read from memory what fits there
    bare = timed(last, copy_out, CHANGES)
    with serving() as port:
        ours = timed(last, follow, port)
    ours.note = f"{sum(sizes) / 1e6:,.0f} MB in pages of {PAGE:,}"
    return ours, bare


@figure(
    "/snapshot/ of all entries over HTTP, digest included",
    beside=("COPY (SELECT …) TO STDOUT of the same rows", "the digest of all entries alone"),
    aim=1 / 0.3,
)
def snapshot(_bench):
    count = EntryDigest.objects.count()
    copy_out(ENTRIES)
    bare = timed(count, copy_out, ENTRIES)
    with serving() as port:
        headers, began = key("read"), time.perf_counter()
        status, told, size, lines = read(port, headers, "/api/v1/snapshot/")
        ours = Measure(lines, time.perf_counter() - began, note=f"{size / 1e6:,.0f} MB")
    if (status, lines) != (200, int(told["X-Snapshot-Count"])):
        raise RuntimeError(f"{status}: {lines} of {told['X-Snapshot-Count']} lines")
    return ours, bare, timed(count, _digest)


def _digest():
    """Made anew, not what an earlier question left in the cache."""
    ledger.list_digest(timezone.localdate())

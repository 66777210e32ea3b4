"""Whether the ledger is whole, and whether every entry still says what the ledger told last."""

import json
from dataclasses import dataclass

from django.db import connection

from listings.ledger.content import digest_of, disclosed_since, in_force, same_details
from listings.ledger.copies import entry_digest
from listings.ledger.writer import GENESIS, Entry, body_of, chain, head
from listings.models import Change, EntryDigest, Listing, ListingVersion, own_fields

CHUNK = 5_000


@dataclass(frozen=True)
class Fault:
    """The first thing found wrong: at which seq, of which entry (its public id), and what."""

    seq: int
    what: str
    entry: str = ""

    def __str__(self):
        about = f" (entry {self.entry})" if self.entry else ""
        return f"seq {self.seq}{about}: {self.what}"


def verify_at(after, previous):
    """Whether the row at the position `after` still has the hash `previous`; a Fault if not."""
    row = Change.objects.select_related("listing").filter(seq=after).first()
    if after == 0 or (row and bytes(row.hash) == previous):
        return None
    entry = str(row.listing.public_id) if row else ""
    return Fault(after, "the past up to this checkpoint was rewritten", entry)


def verify(*, after=0, previous=GENESIS):
    """Check the chain after the position `after`, whose hash is `previous`, to its end.

    Set-based, 200,000 rows at a time, so that memory stays bounded: each row against its own
    fields, its body and its predecessor, the last against the head. A missing body is right
    only where a later `erase` of its entry names it. Returns the first Fault, or None. A cut
    tail whose head was set back as well can't be seen from inside: `verify_head` compares
    with one kept elsewhere.
    """
    last, (first, tail, link) = head(), _ends()
    if first < 1:
        return Fault(first, "the ledger begins at seq 1")
    erased = _erased()
    for start in range(after, tail, SPAN):
        span = {"low": start, "high": start + SPAN, "erased": erased}
        with connection.cursor() as cursor:
            cursor.execute(_FIRST_BAD, {"after": after, "previous": previous, **span})
            bad = cursor.fetchone()[0]
        if bad is not None:
            return _fault_at(bad, after, previous)
    if (tail, link) != (last.seq, bytes(last.hash)):
        return Fault(tail + 1, "the last row is not the head: the tail was cut, or rows added")
    return None


SPAN = 200_000


def _ends():
    """(first seq, last seq, last hash) of the rows; of none, those before the beginning."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT min(seq) FROM listings_change), seq, hash FROM listings_change "
            "ORDER BY seq DESC LIMIT 1"
        )
        first, tail, link = cursor.fetchone() or (1, 0, GENESIS)
    return first, tail, bytes(link)


def _erased():
    """The positions whose body is gone and that a later erase of the same entry names."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(array_agg(c.seq), '{}')
            FROM listings_change e JOIN listings_changebody n USING (seq)
            -- no other body is read as JSON, in whatever order the joins are made: it may be broken
            CROSS JOIN LATERAL jsonb_array_elements_text(CASE WHEN e.action = 'erase'
                THEN convert_from(n.body, 'UTF8')::jsonb -> 'erased' END) AS named(seq)
            JOIN listings_change c
                ON c.seq = named.seq::bigint AND c.listing_id = e.listing_id AND c.seq < e.seq
            WHERE e.action = 'erase'
            """
        )
        return cursor.fetchone()[0]


_FIRST_BAD = """
WITH packed AS (
    SELECT c.*, b.salt, b.body,
           CASE WHEN c.seq = %(after)s + 1 THEN %(previous)s ELSE p.hash END AS before,
           convert_to(c.seq::text, 'UTF8') AS a, convert_to(c.listing_id::text, 'UTF8') AS l,
           convert_to(c.action, 'UTF8') AS m,
           convert_to((extract(epoch FROM c.at) * 1000000)::bigint::text, 'UTF8') AS t
    FROM listings_change c
    LEFT JOIN listings_change p
        ON p.seq = c.seq - 1 AND p.seq >= %(low)s AND p.seq < %(high)s
    LEFT JOIN listings_changebody b
        ON b.seq = c.seq AND b.seq > %(low)s AND b.seq <= %(high)s
    WHERE c.seq > %(low)s AND c.seq <= %(high)s
)
SELECT min(seq) FROM packed
WHERE previous_hash IS DISTINCT FROM before
   OR (body IS NOT NULL AND digest <> sha256(salt || body))
   OR (body IS NULL AND seq <> ALL (%(erased)s))
   OR hash <> sha256(previous_hash || int4send(octet_length(a)) || a || int4send(octet_length(l))
        || l || int4send(octet_length(m)) || m || int4send(octet_length(t)) || t
        || int4send(octet_length(digest)) || digest)
"""


def _fault_at(seq, after, previous):
    """What is wrong with one row, in words."""
    row = Change.objects.select_related("listing", "body").get(seq=seq)
    before = Change.objects.filter(seq__gt=after, seq__lt=seq).order_by("seq").last()
    body = getattr(row, "body", None)
    link = chain(
        bytes(row.previous_hash), seq, row.listing_id, row.action, row.at, bytes(row.digest)
    )
    wrong = {
        "rows are missing before this one": seq != (before.seq if before else after) + 1,
        "it does not follow from the row before": bytes(row.previous_hash)
        != (bytes(before.hash) if before else bytes(previous)),
        "its body is gone, and no later erase names it": body is None,
        "its body was altered": body is not None
        and digest_of(bytes(body.salt), bytes(body.body)) != bytes(row.digest),
        "the row was altered": link != bytes(row.hash),
    }
    what = next((words for words, holds in wrong.items() if holds), "it does not verify")
    return Fault(seq, what, str(row.listing.public_id))


def verify_entries():
    """Compare every entry with its last change; returns the first Fault, or None.

    An entry must carry the very content of its last body; no row may be published or
    ended without a change that says so, nor be a draft again once there is one; and the
    days for which it is known to have been in force must be its own. An entry without any
    change is told as seq 0. Entries are read 5,000 at a time.
    """
    rules = own_fields(), disclosed_since()
    done, rows = 0, Listing.objects.with_shared_parts().order_by("pk")
    while batch := list(rows.filter(pk__gt=done)[:CHUNK]):
        changes, versions = _last_changes(batch), _open_versions(batch)
        digests = _digests(batch)
        for listing in batch:
            seq, action, body = changes.get(listing.pk, NEVER_TOLD)
            what = _wrong(listing, action, body, rules) or _wrong_days(listing, versions)
            what = what or _wrong_digest(listing, digests)
            if what:
                return Fault(seq, what, str(listing.public_id))
        done = batch[-1].pk
    return None


NEVER_TOLD = (0, "", None)


def _last_changes(batch):
    """{listing's key: (seq, action, body)} of its last change but erasures."""
    lasts = Change.objects.filter(listing__in=batch).exclude(action="erase")
    lasts = lasts.order_by("listing_id", "-seq").distinct("listing_id")
    columns = ("listing_id", "seq", "action", "body__body")
    return {pk: (seq, action, body) for pk, seq, action, body in lasts.values_list(*columns)}


def _open_versions(batch):
    """{listing's key: (days in force, void from the start)} as it counts now."""
    rows = ListingVersion.objects.filter(listing__in=batch, to_seq=None)
    columns = ("listing_id", "in_force", "void_from_start")
    return {pk: (days, void) for pk, days, void in rows.values_list(*columns)}


def _wrong(listing, action, body, rules):
    """What an entry and its last change disagree on, in words, or an empty string."""
    if listing.status == Listing.Status.DRAFT or not action:
        agreed = listing.status == Listing.Status.DRAFT and not action
        return "" if agreed else "its status was never told"
    if body is None:
        # of what has ended the content may be gone; what is told today must be there
        return "" if action in Listing.ENDINGS else "what it tells today was erased"
    _whole, now = body_of(Entry(listing, action), rules[0])
    if bytes(body) == now or _says_the_same(listing, body, now, rules):
        return ""
    return "the entry was altered behind the ledger's back"


def _says_the_same(listing, body, now, rules):
    """The same content but for the own fields, and these as the rule of then disclosed them."""
    told, now = json.loads(bytes(body)), json.loads(now)
    told.pop("changes", None)
    details, _now = told.pop("details", {}), now.pop("details", {})
    return told == now and same_details(listing, details, *rules)


def _wrong_days(listing, versions):
    if listing.status == Listing.Status.DRAFT:
        return ""
    lower, upper, void = in_force(listing)
    days, known_void = versions.get(listing.pk, (None, None))
    known = days is not None and ((None, None) if days.isempty else (days.lower, days.upper))
    expected = (None, None) if lower == upper else (lower, upper)
    agreed = (known, known_void) == (expected, void)
    return "" if agreed else "the days it was in force are not those of the ledger"


def _digests(batch):
    """{listing's key: (id, list, last day, digest)} that copies elsewhere are compared with."""
    rows = EntryDigest.objects.filter(listing__in=batch)
    columns = ("listing_id", "public_id", "kind", "visible_until", "digest")
    return {pk: (*told, bytes(digest)) for pk, *told, digest in rows.values_list(*columns)}


def _wrong_digest(listing, digests):
    expected = None
    if listing.status == Listing.Status.PUBLISHED:
        told = (listing.public_id, listing.kind, listing.visible_until)
        expected = (*told, entry_digest(listing))
    agreed = digests.get(listing.pk) == expected
    return "" if agreed else "the digest that copies are compared with is not its own"

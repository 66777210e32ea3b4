"""The ledger: every public effect, chained. `append` is its only writer.

digest = sha256(salt ‖ body); hash = sha256(previous hash ‖ length-prefixed seq,
listing, action, at in UTC µs, digest), over the stored bytes. A body may be erased;
the chain still verifies. No row is locked after the head.
"""

import hashlib
import io
import json
import os
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.utils import timezone

from listings.models import Change, LedgerHead, Listing, ListingVersion
from rulebook.models import CategoryField

GENESIS = hashlib.sha256(b"credit portal ledger").digest()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
VERSIONED = {"publish", "correct"}
VOIDING = {Listing.EndReason.ERROR, Listing.EndReason.DOCUMENT_QUASHED}


@dataclass(frozen=True)
class Entry:
    """One row to append: the listing as it is after the act, with all its parts loaded."""

    listing: Listing
    action: str
    changes: dict = field(default_factory=dict)  # {field: [old, new]}


def head():
    """The last position, or the position before the first."""
    return LedgerHead.objects.filter(pk=1).first() or LedgerHead(hash=GENESIS, at=EPOCH)


def append(entries):
    """Chain `entries` to the ledger inside the caller's transaction, set-based even for one.

    Bodies are digested before the head is locked; after that nothing else is locked.
    Returns the sequence numbers as a range.
    """
    if not entries:
        return range(0)
    codes = public_codes()
    kept = [_kept(entry, codes) for entry in entries]
    last = _lock_head()
    at = max(timezone.now(), last.at)
    seqs = range(last.seq + 1, last.seq + 1 + len(entries))
    previous, rows = bytes(last.hash), []
    for seq, entry, (_salt, _body, digest, _version) in zip(seqs, entries, kept, strict=True):
        link = chain(previous, seq, entry.listing.pk, entry.action, at, digest)
        rows.append(
            (seq, entry.listing.pk, entry.listing.version, entry.action, at, digest, previous, link)
        )
        previous = link
    _copy("listings_change", _CHANGE_COLUMNS, rows)
    _copy(
        "listings_changebody",
        ("seq", "salt", "body"),
        [(seq, salt, body) for seq, (salt, body, *_rest) in zip(seqs, kept, strict=True)],
    )
    _write_versions(
        (seq, entry.listing, *version)
        for seq, entry, (*_body, version) in zip(seqs, entries, kept, strict=True)
        if version
    )
    LedgerHead.objects.filter(pk=1).update(seq=seqs[-1], hash=previous, at=at)
    return seqs


_CHANGE_COLUMNS = (
    "seq",
    "listing_id",
    "version",
    "action",
    "at",
    "digest",
    "previous_hash",
    "hash",
)


def chain(previous, seq, listing_id, action, at, digest):
    """The hash of one row over its predecessor's and its own fields, each length-prefixed."""
    micros = (at - EPOCH) // timedelta(microseconds=1)
    fields = (str(seq).encode(), str(listing_id).encode(), action.encode(), str(micros).encode())
    packed = b"".join(struct.pack(">I", len(part)) + part for part in (*fields, digest))
    return hashlib.sha256(previous + packed).digest()


def _kept(entry, codes):
    """What is kept of one act: (salt, body, digest, version or None).

    The body is what the public could learn: no paper number, no secret, persons masked.
    """
    ended = entry.action in Listing.ENDINGS
    fields = ending(entry.listing) if ended else public_fields(entry.listing, codes)
    content = body = canonical(fields)
    if entry.changes and not ended:
        body = canonical({**fields, "changes": entry.changes})
    salt = os.urandom(16)
    return salt, body, digest_of(salt, body), _version_of(entry, content)


TOLD_OF_THE_ENDED = ("public_id", "kind", "status", "ended_on", "end_reason", "version")


def ending(listing):
    """All that is told of an entry that has ended."""
    return {
        "id": str(listing.public_id),
        "list": listing.kind,
        "status": listing.status,
        "ended_on": _text(listing.ended_on),
        "end_reason": listing.end_reason,
    }


def public_fields(listing, codes):
    """The public content of an entry as plain JSON values; `codes` from `public_codes()`."""
    subject = listing.subject
    shown = codes.get(listing.category_id, ())
    return {
        "id": str(listing.public_id),
        "list": listing.kind,
        "status": listing.status,
        "origin": listing.origin,
        "subject": {
            "kind": subject.kind,
            "name": subject.display_name,
            "code": subject.code,
            "region": subject.region,
        },
        "category": listing.category.code,
        "misconduct": listing.misconduct.code if listing.misconduct else None,
        "degree": listing.degree or None,
        "department": listing.department.code,
        "document": {
            "number": listing.document_number,
            "kind": listing.document_kind,
            "organ": listing.document_organ,
            "date": _text(listing.document_date),
        },
        "ground": listing.ground,
        "basis": listing.basis.code if listing.basis else None,
        "basis_article": listing.basis_article,
        "details": {code: value for code, value in listing.details.items() if code in shown},
        "measures": listing.measure_set.digest if listing.measure_set else None,
        "measure_until": listing.measure_until,
        "published_on": _text(listing.published_on),
        "visible_until": _text(listing.visible_until),
        "disputed": listing.disputed,
        "version": listing.version,
        "rule_version": listing.rule_version,
    }


def public_codes():
    """The codes of each category's own fields that everybody may see: {category id: codes}."""
    found = {}
    public = CategoryField.objects.filter(disclosure=CategoryField.Disclosure.PUBLIC)
    for category_id, code in public.values_list("category_id", "code"):
        found.setdefault(category_id, set()).add(code)
    return found


def _text(day):
    return day.isoformat() if day else None


_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def canonical(value):
    return _ENCODER.encode(value).encode()


def digest_of(salt, body):
    return hashlib.sha256(salt + body).digest()


def _lock_head():
    start = {"hash": GENESIS, "at": EPOCH}
    found = LedgerHead.objects.select_for_update().filter(pk=1).first()
    if found is None:
        LedgerHead.objects.get_or_create(pk=1, defaults=start)
        found = LedgerHead.objects.select_for_update().get(pk=1)
    return found


def _copy(table, columns, rows):
    """COPY rows into a table: bytes as bytea, instants in ISO form."""
    buffer = io.StringIO()
    for row in rows:
        buffer.write("\t".join(map(_copy_value, row)))
        buffer.write("\n")
    buffer.seek(0)
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN", buffer)


def _copy_value(value):
    if isinstance(value, bytes):
        return rf"\\x{value.hex()}"
    if isinstance(value, datetime):
        return value.isoformat()
    text = str(value)
    if text.isprintable() and "\\" not in text:  # the common case: nothing to escape
        return text
    return text.translate(_ESCAPES)


_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def _version_of(entry, content):
    """The in-force range and content to keep for as-of questions, or None where nothing changes."""
    listing, action = entry.listing, entry.action
    if action in VERSIONED:
        upper = listing.visible_until + timedelta(days=1)
        return listing.published_on, upper, False, content
    if action in {"withdraw", "repair"}:
        void = listing.end_reason in VOIDING
        upper = listing.published_on if void else _last_in_force(listing)
        return listing.published_on, upper, void, content
    return None


def _last_in_force(listing):
    """The day on which the entry stopped: never before its first, never after its last."""
    over = listing.visible_until + timedelta(days=1)
    return max(listing.published_on, min(listing.ended_on, over))


def _write_versions(rows):
    kept = list(rows)
    if not kept:
        return
    superseded = [(listing.pk, seq) for seq, listing, *_rest in kept if listing.version > 1]
    if superseded:
        _close_versions(superseded)
    _copy(
        ListingVersion._meta.db_table,
        (
            "listing_id",
            "version",
            "from_seq",
            "in_force",
            "void_from_start",
            "body",
            "rule_version",
        ),
        [
            (
                listing.pk,
                listing.version,
                seq,
                f"[{lower},{upper})",
                void,
                body.decode(),
                listing.rule_version,
            )
            for seq, listing, lower, upper, void, body in kept
        ],
    )


def _close_versions(pairs):
    listings, seqs = zip(*pairs, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE listings_listingversion v SET to_seq = c.seq
            FROM unnest(%s::bigint[], %s::bigint[]) AS c(listing_id, seq)
            WHERE v.listing_id = c.listing_id AND v.to_seq IS NULL
            """,
            [list(listings), list(seqs)],
        )


def verify():
    """Check the whole chain in one pass; returns the first bad sequence number, or None.

    A cut tail can't be seen from inside: compare the head with one kept elsewhere.
    """
    last = head()
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_BAD, {"genesis": GENESIS})
        bad = cursor.fetchone()[0]
        if bad is None:
            cursor.execute("SELECT seq, hash FROM listings_change ORDER BY seq DESC LIMIT 1")
            tail = cursor.fetchone() or (0, GENESIS)
            if (tail[0], bytes(tail[1])) != (last.seq, bytes(last.hash)):
                bad = tail[0] + 1
    return bad


# Set-based: each row against its own fields, its body and its predecessor.
_FIRST_BAD = """
WITH rows AS (
    SELECT c.*, b.salt, b.body, row_number() OVER w AS position,
           coalesce(lag(c.hash) OVER w, %(genesis)s) AS expected_previous
    FROM listings_change c LEFT JOIN listings_changebody b USING (seq)
    WINDOW w AS (ORDER BY c.seq)
), packed AS (
    SELECT *, convert_to(seq::text, 'UTF8') AS a, convert_to(listing_id::text, 'UTF8') AS l,
           convert_to(action, 'UTF8') AS m,
           convert_to((extract(epoch FROM at) * 1000000)::bigint::text, 'UTF8') AS t
    FROM rows
)
SELECT min(seq) FROM packed
WHERE seq <> position
   OR previous_hash <> expected_previous
   OR (body IS NOT NULL AND digest <> sha256(salt || body))
   OR hash <> sha256(previous_hash || int4send(octet_length(a)) || a || int4send(octet_length(l))
        || l || int4send(octet_length(m)) || m || int4send(octet_length(t)) || t
        || int4send(octet_length(digest)) || digest)
"""


def verify_entries():
    """Compare every live entry with its last change; returns the first bad seq, or None.

    A live entry must carry the very content of its last body; no row may be published or
    ended without a change that says so, nor be a draft again once there is one. An entry
    without any change is told as 0. Entries are read 5,000 at a time.
    """
    codes, done = public_codes(), 0
    while batch := list(Listing.objects.with_parts().filter(pk__gt=done).order_by("pk")[:CHUNK]):
        changes = _last_changes(batch)
        for listing in batch:
            change = changes.get(listing.pk)
            if not _agrees(listing, change, codes):
                return change.seq if change else 0
        done = batch[-1].pk
    return None


CHUNK = 5_000


def _last_changes(batch):
    """{listing's key: its last change} of a run of entries."""
    pks = [listing.pk for listing in batch]
    lasts = Change.objects.filter(listing__in=pks).order_by("listing_id", "-seq")
    return {c.listing_id: c for c in lasts.distinct("listing_id").select_related("body")}


def _agrees(listing, change, codes):
    if listing.status == Listing.Status.DRAFT or change is None:
        return listing.status == Listing.Status.DRAFT and change is None
    body = getattr(change, "body", None)
    if body is None:
        return False  # what is told of an entry today can't have been erased
    told = json.loads(bytes(body.body))
    told.pop("changes", None)
    ended = change.action in Listing.ENDINGS
    now = ending(listing) if ended else public_fields(listing, codes)
    return told == json.loads(canonical(now))

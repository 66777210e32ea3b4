"""The ledger: every public effect, chained. `append` is its only writer.

digest = sha256(salt ‖ body); hash = sha256(previous hash ‖ length-prefixed seq,
listing, action, at in UTC µs, digest), over the stored bytes. A body may be erased;
the chain still verifies. No row is locked after the head.
"""

import hashlib
import io
import os
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.utils import timezone

from listings.ledger.content import (
    canonical,
    digest_of,
    ending,
    in_force,
    public_changes,
    public_fields,
)
from listings.ledger.copies import keep_digests
from listings.models import LedgerHead, Listing, ListingVersion, own_fields

GENESIS = hashlib.sha256(b"credit portal ledger").digest()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Actions that change what was in force on which days; expiry was foreseen by the term.
VERSIONED = {"publish", "correct", "withdraw", "repair"}


@dataclass(frozen=True)
class Entry:
    """One row to append: the listing as it is after the act, with all its parts loaded.

    Of an entry that ends a row of TOLD_OF_THE_ENDED with its pk is enough.
    """

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
    # of what ends nothing is told that its category has of its own
    telling = (entry.listing for entry in entries if entry.action not in Listing.ENDINGS)
    fields = own_fields({listing.category_id for listing in telling})
    kept = [_kept(entry, fields) for entry in entries]
    keep_digests(entries)
    last = _lock_head()
    at = max(timezone.now(), last.at)
    seqs = range(last.seq + 1, last.seq + 1 + len(entries))
    previous, rows = bytes(last.hash), []
    for seq, entry, (_salt, _body, digest, _content) in zip(seqs, entries, kept, strict=True):
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
        (seq, entry.listing, content)
        for seq, entry, (*_body, content) in zip(seqs, entries, kept, strict=True)
        if content
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


def _kept(entry, fields):
    """What is kept of one act: (salt, body, digest, content of the version or None).

    The body is what the public could learn: no paper number, no secret, persons masked.
    """
    body, content = body_of(entry, fields)
    salt = os.urandom(16)
    return salt, body, digest_of(salt, body), content if entry.action in VERSIONED else None


def body_of(entry, fields):
    """(body, the same without what changed) of one act, as stored bytes."""
    if entry.action == "erase":
        body = canonical(entry.changes)
        return body, body
    ended = entry.action in Listing.ENDINGS
    told = ending(entry.listing) if ended else public_fields(entry.listing, fields)
    content = canonical(told)
    if entry.changes and not ended:
        changes = public_changes(entry.listing, entry.changes, fields)
        return canonical({**told, "changes": changes}), content
    return content, content


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
    if isinstance(value, int):
        return str(value)
    if isinstance(value, bytes):
        return rf"\\x{value.hex()}"
    if isinstance(value, datetime):
        return value.isoformat()
    text = str(value)
    if text.isprintable() and "\\" not in text:  # the common case: nothing to escape
        return text
    return text.translate(_ESCAPES)


_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def _write_versions(rows):
    kept = list(rows)
    if not kept:
        return
    superseded = [(listing.pk, seq) for seq, listing, _content in kept if listing.version > 1]
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
                content.decode(),
                listing.rule_version,
            )
            for seq, listing, content in kept
            for lower, upper, void in [in_force(listing)]
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

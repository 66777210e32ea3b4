"""Our own entries as a signed file for other cities: everything after a position, or all of them.

One line of JSON each: a header, the lines, a trailer that signs every byte before it. What
came from elsewhere is left out, so that nothing goes round in circles; its positions are
told bare, so that the chain of positions has no hole.
"""

import hashlib
import json
import os
from pathlib import Path

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone, translation

from listings import ledger
from listings.models import Change, Listing
from listings.services.exchange.reading import FORMAT
from listings.services.exchange.render import seen_by_public
from parties import sealing
from parties.models import Department

CHUNK = 2_000  # lines that are in memory at once


def export_changes(path, *, after, today):
    """Write what our ledger tells after the position `after`; returns {kind, from, to, lines}.

    Entries are told as they are now, as in the feed: where one has changed twice, both lines
    say the same. Raises ValueError where `after` lies beyond the ledger.
    """
    last = ledger.head()
    if not 0 <= after <= last.seq:
        raise ValueError(f"position {after} is not one of 0 to {last.seq}")
    before = Change.objects.filter(seq=after).values_list("hash", flat=True).first()
    told = {
        "kind": "changes",
        "from": after + 1,
        "previous_hash": bytes(before or ledger.GENESIS).hex(),
    }
    return _write(path, told, last, _change_lines(after, last.seq, today), today)


def export_snapshot(path, *, today):
    """Write all our entries that are on a list, and in five words those that were."""
    return _write(path, {"kind": "snapshot"}, ledger.head(), _entry_lines(today), today)


def _write(path, told, last, lines, today):
    """The file appears under its name only once it is whole."""
    path = Path(path)
    part = path.with_name(f"{path.name}.part")
    digest, count = hashlib.sha256(), 0
    header = {
        "format": FORMAT,
        **told,
        "origin": settings.REGION,
        "portal": settings.BASE_URL,
        "day": today.isoformat(),
        "to": last.seq,
        "hash": bytes(last.hash).hex(),
        "departments": _departments(),
    }
    with part.open("wb") as file, translation.override(settings.LANGUAGE_CODE):
        for line in _all(header, lines):
            text = _line(line)
            digest.update(text)
            file.write(text)
            count += 1
        file.write(_line(signed_trailer(count, digest.hexdigest())))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return {"kind": told["kind"], "from": told.get("from"), "to": last.seq, "lines": count - 1}


def _all(header, lines):
    yield header
    yield from lines


def signed_trailer(lines, digest):
    """The last line: how many stand before it, their SHA-256, and our signature over both."""
    key_id = next(iter(sealing.keys()))
    told = {"lines": lines, "sha256": digest, "key_id": key_id}
    _key_id, signature = sealing.sign(ledger.canonical(told))
    return {**told, "signature": signature.hex()}


def _line(value):
    return (
        json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str).encode() + b"\n"
    )


def _departments():
    """Who lists here: the partner makes rows of them under a prefix of ours."""
    listed = Listing.objects.ours().filter(department=OuterRef("pk"))
    names = ("code", "name", "short_name", "name_en", "kind")
    return list(Department.objects.filter(Exists(listed)).order_by("code").values(*names))


def _change_lines(after, until, today):
    while changes := list(Change.objects.after(after).filter(seq__lte=until)[:CHUNK]):
        after = changes[-1].seq
        told = _told({change.listing_id for change in changes}, today)
        for change in changes:
            yield _change_line(change, told.get(change.listing_id))


def _change_line(change, listing):
    link = {
        "seq": change.seq,
        "hash": bytes(change.hash).hex(),
        "previous_hash": bytes(change.previous_hash).hex(),
    }
    if listing is None:  # another city's
        return link
    at = timezone.localtime(change.at).isoformat()
    return {**link, "action": change.action, "at": at, "listing": listing}


def _entry_lines(today):
    after = 0
    rows = Listing.objects.ours().exclude(status=Listing.Status.DRAFT).order_by("pk")
    while pks := list(rows.filter(pk__gt=after).values_list("pk", flat=True)[:CHUNK]):
        after = pks[-1]
        told = _told(pks, today)
        for pk in pks:
            yield {"listing": told[pk]}


def _told(pks, today):
    rows = Listing.objects.ours().with_shared_parts().filter(pk__in=pks)
    return seen_by_public(list(rows), today)

"""What a change says: the public content of an entry, in the one form that is digested."""

import hashlib
import json
from datetime import timedelta

from listings.models import Listing
from rulebook.models import CategoryField

VOIDING = {Listing.EndReason.ERROR, Listing.EndReason.DOCUMENT_QUASHED}

TOLD_OF_THE_ENDED = ("public_id", "kind", "status", "ended_on", "end_reason", "version")


def ending(listing):
    """All that is told of an entry that has ended."""
    return {
        "id": str(listing.public_id),
        "list": listing.kind,
        "status": listing.status,
        "ended_on": text_of(listing.ended_on),
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
            "date": text_of(listing.document_date),
        },
        "ground": listing.ground,
        "basis": listing.basis.code if listing.basis else None,
        "basis_article": listing.basis_article,
        "details": {code: value for code, value in listing.details.items() if code in shown},
        "measures": listing.measure_set.digest if listing.measure_set else None,
        "measure_until": listing.measure_until,
        "published_on": text_of(listing.published_on),
        "visible_until": text_of(listing.visible_until),
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


def text_of(day):
    return day.isoformat() if day else None


_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def canonical(value):
    return _ENCODER.encode(value).encode()


def digest_of(salt, body):
    return hashlib.sha256(salt + body).digest()


def in_force(listing):
    """(first day, day after the last, void from the start) of an entry as it stands."""
    over = listing.visible_until + timedelta(days=1)
    if listing.status not in {Listing.Status.WITHDRAWN, Listing.Status.REPAIRED}:
        return listing.published_on, over, False
    if listing.end_reason in VOIDING:
        return listing.published_on, listing.published_on, True
    # never before its first day, never after its last
    return listing.published_on, max(listing.published_on, min(listing.ended_on, over)), False

"""What a change says: the public content of an entry, in the one form that is digested."""

import hashlib
import json
from datetime import timedelta

from listings.models import Audience, Listing, shown_details, shown_value
from parties.models import mask_value
from rulebook.models import ListCategory, RuleVersion

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


def public_fields(listing, fields):
    """The public content of an entry as plain JSON values; `fields` from `own_fields()`."""
    subject = listing.subject
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
        "details": _public_details(listing, fields),
        "measures": listing.measure_set.digest if listing.measure_set else None,
        "measure_until": listing.measure_until,
        "published_on": text_of(listing.published_on),
        "visible_until": text_of(listing.visible_until),
        "disputed": listing.disputed,
        "version": listing.version,
        "rule_version": listing.rule_version,
    }


def _public_details(listing, fields):
    shown = shown_details(listing, Audience.PUBLIC, fields)
    return {field.code: value for field, value in shown}


def public_changes(listing, changes, fields):
    """What anyone may learn of {field: [old, new]}: of the own fields only the public ones.

    Where no public one changed, nothing but that something did: two empty values.
    """
    if "details" not in changes:
        return changes
    known = fields.get(listing.category_id, ())
    shown = {field.code: field for field in known if field.disclosure in Audience.PUBLIC.value}
    old, new = (
        {
            code: shown_value(shown[code], value, Audience.PUBLIC)
            for code, value in values.items()
            if code in shown
        }
        for values in changes["details"]
    )
    return {**changes, "details": [{}, {}] if old == new else [old, new]}


def disclosed_since():
    """Own fields that some version of their rule kept from the public: {(category's code, code)}.

    What an entry holds in them need not be in a body that was written then.
    """
    versions = RuleVersion.objects.filter(rule=ListCategory._meta.model_name).order_by()
    return {
        (category, code)
        for category, content in versions.values_list("code", "content")
        for code, field in content["fields"].items()
        if field["disclosure"] not in Audience.PUBLIC.value
    }


def same_details(listing, told, fields, since):
    """Whether the own fields of an entry are those that a body told, under the rule of then.

    A value that was told must be there still, masked or whole, though it may be secret by
    now; one that was not told must have been secret then.
    """
    held = {code: {value, mask_value(value)} for code, value in listing.details.items()}
    untold = _public_details(listing, fields).keys() - told.keys()
    return all(value in held.get(code, ()) for code, value in told.items()) and all(
        (listing.category.code, code) in since for code in untold
    )


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

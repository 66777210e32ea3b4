"""What proves a copy: the digest of its entries, and the chain of the feed's changes."""

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from credit_portal_client.objects import Change, Listing

AS_TOLD = (
    "id",
    "list",
    "misconduct",
    "degree",
    "ground",
    "published_on",
    "visible_until",
    "disputed",
    "version",
)
OF_MEASURE = ("code", "unit", "article", "advisory", "until")
GENESIS = hashlib.sha256(b"credit portal ledger").hexdigest()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def digest_of(listings: Iterable[Listing]) -> str:
    """The digest, hexadecimal, of entries in the order of their ids."""
    whole = hashlib.sha256()
    for listing in listings:
        whole.update(hashlib.sha256(canonical(reduced(listing))).digest())
    return whole.hexdigest()


def reduced(listing: Listing) -> dict[str, Any]:
    """What of an entry is digested: nothing that can change without a line in the feed."""
    told: Any = listing
    subject, document = told["subject"], told["document"]
    of_subject = ("kind", "code", "region") + (("name",) if subject["kind"] != "person" else ())
    return {
        **_only(AS_TOLD, told),
        "subject": _only(of_subject, subject),
        "category": told["category"]["code"],
        "department": told["department"]["code"],
        "document": document and _only(("number", "kind", "organ", "date"), document),
        "measures": [_only(OF_MEASURE, measure) for measure in told["measures"]],
    }


def canonical(value: Any) -> bytes:
    """JSON in its one form (RFC 8785; there are no fractions in it)."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def hash_of(change: Change) -> str:
    """The hash, hexadecimal, that a change must carry, by its other words."""
    at = (datetime.fromisoformat(change["at"]) - EPOCH) // timedelta(microseconds=1)
    parts = [str(part).encode() for part in (change["seq"], change["key"], change["action"], at)]
    told = bytes.fromhex(change["previous_hash"])
    for part in (*parts, bytes.fromhex(change["digest"])):
        told += len(part).to_bytes(4, "big") + part
    return hashlib.sha256(told).hexdigest()


def _only(names: tuple[str, ...], given: Any) -> dict[str, Any]:
    return {name: given[name] for name in names}

"""Is a webhook the portal's own? Standard Webhooks, checked with the standard library alone."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from credit_portal_client.problems import ForgedError

TOLERANCE = 300  # seconds between the portal's clock and ours


class Delivery(NamedTuple):
    """A genuine webhook. The same `id` may come again and means the same: act on it once."""

    id: str
    sent_at: int
    event: dict[str, Any]


def verify(
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    tolerance: float = TOLERANCE,
    now: float | None = None,
) -> Delivery:
    """The delivery that `headers` and the raw `body` are. Raises ForgedError if they are not.

    `secret` is `whsec_…` as the portal gave it. While secrets change, the portal signs with both
    and one that fits is enough. `tolerance` is in seconds; what is older may be a replay.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        id, sent_at = given["webhook-id"], int(given["webhook-timestamp"])
        signatures = given["webhook-signature"].encode().split()
    except (KeyError, ValueError) as error:
        raise ForgedError(f"not a signed webhook: {error!r}") from error
    if abs((time.time() if now is None else now) - sent_at) > tolerance:
        raise ForgedError("signed too long ago, or in the future")
    signed = f"{id}.{sent_at}.".encode() + body
    due = b"v1," + base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256))
    if not any(hmac.compare_digest(due, one) for one in signatures):
        raise ForgedError("no signature fits")
    return Delivery(id, sent_at, json.loads(body))


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as error:
        raise ValueError("the webhook secret is not one that a portal gives") from error

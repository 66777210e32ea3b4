"""What a delivery says, made when it is sent, so that it never tells more than is true by then."""

import base64
import hashlib
import hmac
import json

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from jointaction.models import Occasion, Push
from listings.models import Listing
from parties.models import User


def bodies(deliveries, *, shown, today):
    """{delivery's key: body in bytes}; the number of queries does not grow with their number.

    `shown` is `listings.api.shown`: entries are told as anybody sees them today, so of one that
    has ended only that it has, whatever the delivery is about and however late it goes out.
    """
    entries = Listing.objects.with_parts().in_bulk({row.listing_id for row in deliveries} - {None})
    anybody = shown(entries.values(), User(), today, as_public=True)
    told = dict(zip(entries, anybody, strict=True))
    pushes = Push.objects.in_bulk({row.push_id for row in deliveries} - {None})
    return {
        row.pk: _body(row, _data(row, told.get(row.listing_id), pushes.get(row.push_id), today))
        for row in deliveries
    }


def _data(row, listing, push, today):
    if push:
        return {
            "id": str(push.public_id),
            "kind": push.kind,
            "status": push.status,
            "feedback_due": push.feedback_due,
            "overdue": push.is_overdue(today),
            "listing": listing,
        }
    if row.event == Occasion.OBJECTION_REPLIED:
        return {**row.data, "listing": listing}
    return listing or row.data


def _body(row, data):
    content = {
        "type": row.event,
        "timestamp": timezone.localtime(row.at).isoformat(),
        "data": data,
    }
    text = json.dumps(content, cls=DjangoJSONEncoder, ensure_ascii=False, separators=(",", ":"))
    return text.encode()


def headers(message_id, body, secrets, *, at):
    """The headers of the Standard Webhooks specification, signed under each of the secrets.

    `message_id` stays the same for every attempt; `at` (whole seconds) is the attempt's.
    """
    return {
        "Content-Type": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "credit-portal-webhooks/1",
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(signature(key, message_id, body, at) for key in secrets),
    }


def signature(secret, message_id, body, at):
    """`v1,` and the HMAC-SHA256 of id, time and body under a `whsec_` secret."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"

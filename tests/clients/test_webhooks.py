"""The client's own verification, held against the independent implementation of the standard."""

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some
from standardwebhooks import Webhook, WebhookVerificationError

from credit_portal_client import ForgedError, verify

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four").decode()
OTHER = "whsec_" + base64.b64encode(b"another of twenty-four b").decode()
NOW = 1_790_000_000
BODY = json.dumps(
    {"type": "listing.published", "data": {"id": "记录"}}, ensure_ascii=False
).encode()


def signed(body=BODY, *, secrets=(SECRET,), id="msg_1", at=NOW):
    """Headers as the independent package signs them; several secrets, several signatures."""
    moment = datetime.fromtimestamp(at, UTC)
    signatures = [Webhook(one).sign(id, moment, body.decode()) for one in secrets]
    return {
        "Webhook-Id": id,
        "Webhook-Timestamp": str(at),
        "Webhook-Signature": " ".join(signatures),
    }


@given(body=some.dictionaries(some.text(), some.text()), id=some.uuids())
def test_what_the_standard_signs_is_genuine(body, id):
    raw = json.dumps(body).encode()
    delivery = verify(SECRET, signed(raw, id=str(id)), raw, now=NOW)
    assert delivery == (str(id), NOW, body)


def test_the_headers_may_be_written_in_any_case():
    headers = {name.upper(): value for name, value in signed().items()}
    assert verify(SECRET, headers, BODY, now=NOW).id == "msg_1"


@pytest.mark.parametrize("secrets", [(OTHER, SECRET), (SECRET, OTHER)])
def test_of_several_signatures_one_that_fits_is_enough(secrets):
    assert verify(SECRET, signed(secrets=secrets), BODY, now=NOW)
    headers = signed(secrets=secrets)
    headers["Webhook-Signature"] += " v1a,of-another-kind"
    assert verify(SECRET, headers, BODY, now=NOW)


@pytest.mark.parametrize("off", [-299, 0, 299])
def test_clocks_may_differ_by_five_minutes(off):
    assert verify(SECRET, signed(), BODY, now=NOW + off)


@pytest.mark.parametrize("off", [-301, 301, 10**9])
def test_an_old_one_is_a_replay(off):
    with pytest.raises(ForgedError, match="too long ago"):
        verify(SECRET, signed(), BODY, now=NOW + off)


def test_nothing_about_it_may_be_changed():
    headers = signed()
    of_other_kind = headers["Webhook-Signature"].replace("v1,", "v2,")
    for forged, body in [
        (headers, BODY + b" "),
        ({**headers, "Webhook-Id": "msg_2"}, BODY),
        ({**headers, "Webhook-Timestamp": str(NOW + 1)}, BODY),
        ({**headers, "Webhook-Timestamp": "soon"}, BODY),
        ({**headers, "Webhook-Signature": ""}, BODY),
        ({**headers, "Webhook-Signature": "v1,记录"}, BODY),
        ({**headers, "Webhook-Signature": of_other_kind}, BODY),
        (signed(secrets=(OTHER,)), BODY),
        ({}, BODY),
    ]:
        with pytest.raises(ForgedError):
            verify(SECRET, forged, body, now=NOW)


def test_both_implementations_refuse_a_signature_cut_short():
    headers = signed(at=int(datetime.now(UTC).timestamp()))
    headers["Webhook-Signature"] = headers["Webhook-Signature"][:-4]
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY, {name.lower(): told for name, told in headers.items()})
    with pytest.raises(ForgedError):
        verify(SECRET, headers, BODY)


def test_a_secret_that_is_none_is_our_own_mistake():
    with pytest.raises(ValueError, match="secret"):
        verify("whsec_not base64!", signed(), BODY, now=NOW)

"""Receipts: every check has one, anybody can prove it, and the tables alone tell nobody whom."""

import base64
import hmac
import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.core.exceptions import ImproperlyConfigured
from django.core.serializers import serialize
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from jointaction.models import Check, Hit
from listings import ledger
from parties import sealing
from parties.models import SigningKey
from rulebook.models import RuleVersion
from tests import builders
from tests.builders import Machine

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]
NEW_KEY = "new:" + base64.b64encode(b"n" * 32).decode()
NUMBER = builders.resident_id(821, "19750505")
PERSON = {"name": "张示例", "id_type": "resident_id", "id_number": NUMBER}


@pytest.fixture
def machine():
    return Machine(builders.liaison("ggzy"))


def ask(machine, *subjects):
    body = {"purpose": "投标资格审查", "reference": "ZB-示例-1", "subjects": list(subjects)}
    return machine.post("/checks/", body, 201)


def receipt_of(machine, answer):
    return machine.get(f"/checks/{answer['id']}/receipt/")


def verdict(machine, status=200, **proof):
    return machine.post("/receipts/verify/", proof, status)


def keys():
    answer = Client().get("/.well-known/receipt-keys.json")
    assert answer["Content-Type"] == "application/json"
    return {key["kid"]: key for key in answer.json()["keys"]}


def holds(receipt):
    """Whether the signature holds, checked as an outsider would: no code of ours but the keys."""
    text = json.dumps(receipt["receipt"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    public = base64.urlsafe_b64decode(keys()[receipt["receipt"]["key"]]["x"] + "=")
    signature = base64.urlsafe_b64decode(receipt["signature"])
    Ed25519PublicKey.from_public_bytes(public).verify(signature, text.encode())
    return True


def test_hit_clear_and_invalid_all_get_a_receipt_that_an_outsider_can_prove(machine):
    entry = builders.published_black()
    answer = ask(
        machine, {"code": entry.subject.code}, {"code": builders.code_of(9)}, {"name": "示例公司"}
    )
    receipt = receipt_of(machine, answer)
    assert holds(receipt)
    content = receipt["receipt"]
    head = ledger.head()
    assert content["ledger"] == {"seq": head.seq, "hash": bytes(head.hash).hex()}
    assert (content["number"], content["unit"]) == (answer["receipt"]["number"], "ggzy")
    assert content["rules"] == RuleVersion.objects.last_key()
    told = [(row["outcome"], row.get("listings"), row.get("reason")) for row in content["subjects"]]
    assert told == [
        ("listed", [str(entry.public_id)], None),
        ("clear", None, None),
        ("invalid", None, "name_is_not_identity"),
    ]
    assert receipt["salt"] == answer["receipt"]["salt"]
    assert receipt["code"] == answer["receipt"]["code"]


def test_the_holder_of_the_salt_can_show_whom_the_check_was_about_and_for_what(machine):
    builders.person("张示例", NUMBER)
    answer = ask(machine, {"code": builders.code_of(9)}, PERSON)
    receipt = receipt_of(machine, answer)
    salt = bytes.fromhex(receipt["salt"])
    asked = {"id_number": NUMBER, "id_type": "resident_id", "name": "张示例"}
    text = json.dumps(asked, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    by_hand = hmac.digest(salt, text.encode(), "sha256").hex()
    assert receipt["receipt"]["subjects"][1]["query"] == by_hand
    proof = {"number": answer["receipt"]["number"], "salt": receipt["salt"]}
    typed = {**PERSON, "name": " 张示例", "id_number": NUMBER.lower()}
    assert verdict(machine, query=typed, index=1, **proof)["query_matches"] is True
    assert verdict(machine, query=typed, index=0, **proof)["query_matches"] is False
    code = {"code": builders.code_of(9).lower(), "name": "随便什么名称"}
    assert verdict(machine, query=code, index=0, **proof)["query_matches"] is True
    other = {**PERSON, "name": "李示例"}
    assert verdict(machine, query=other, index=1, **proof)["query_matches"] is False
    wrong = {**proof, "salt": "00" * 32}
    assert verdict(machine, query=PERSON, index=1, **wrong)["query_matches"] is False
    business = {"purpose": "投标资格审查", "reference": "ZB-示例-1"}
    assert verdict(machine, business=business, **proof)["business_matches"] is True
    business["reference"] = "ZB-示例-2"
    assert verdict(machine, business=business, **proof)["business_matches"] is False


def test_a_receipt_altered_in_one_sign_is_not_genuine(machine):
    answer = ask(machine, {"code": builders.code_of(9)})
    whole = receipt_of(machine, answer)
    receipt, signature = whole["receipt"], whole["signature"]
    genuine = verdict(machine, receipt=receipt, signature=signature)
    assert (genuine["genuine"], genuine["unit"]["code"], genuine["subjects"]) == (True, "ggzy", 1)
    assert genuine["query_matches"] is None
    for altered in (
        {**receipt, "unit": "czj"},
        {**receipt, "subjects": []},
        {**receipt, "more": 1},
        {**receipt, "key": "nobody's"},
        {**receipt, "key": ["k"]},
        {},
    ):
        assert verdict(machine, receipt=altered, signature=signature) == {"genuine": False}
    assert verdict(machine, receipt=receipt, signature="AAAA") == {"genuine": False}
    assert verdict(machine, number="CX-999999") == {"genuine": False}


def test_a_receipt_outlives_the_log_of_its_month(machine):
    answer = ask(machine, {"code": builders.code_of(9)})
    receipt = receipt_of(machine, answer)
    Check.objects.all().delete()
    proof = {name: receipt[name] for name in ("receipt", "signature")}
    assert verdict(machine, **proof)["genuine"] is True
    assert verdict(machine, number=answer["receipt"]["number"]) == {"genuine": False}


def test_what_was_signed_for_another_purpose_is_no_receipt(machine):
    builders.published_black()
    head = ledger.signed_head(portal="示例")
    said = {name: head[name] for name in ("seq", "hash", "at")}
    signature = base64.urlsafe_b64encode(bytes.fromhex(head["signature"])).decode()
    forged = {**said, "key": head["key_id"]}
    assert verdict(machine, receipt=forged, signature=signature) == {"genuine": False}


def test_a_proof_that_lacks_something_names_it(machine):
    number = ask(machine, {"code": builders.code_of(9)})["receipt"]["number"]
    code = {"code": builders.code_of(9)}
    for proof, where in (
        ({}, "number"),
        ({"number": number, "receipt": {}, "signature": "AA"}, "number"),
        ({"receipt": {}}, "signature"),
        ({"number": number, "query": code, "index": 0}, "salt"),
        ({"number": number, "salt": "00"}, "salt"),
        ({"number": number, "salt": "not hexadecimal", "query": code, "index": 0}, "salt"),
        ({"number": number, "query": code, "salt": "00"}, "index"),
        ({"number": number, "query": code, "salt": "00", "index": 1}, "index"),
        ({"receipt": {}, "signature": "!"}, "signature"),
        ({"number": number, "colour": "red"}, "colour"),
    ):
        assert where in verdict(machine, 400, **proof)["errors"], proof


def test_the_receipt_is_its_units_alone(machine):
    answer = ask(machine, {"code": builders.code_of(9)})
    Machine(builders.liaison("czj")).get(f"/checks/{answer['id']}/receipt/", 404)
    Machine(builders.supervisor()).get(f"/checks/{answer['id']}/receipt/", 404)
    Machine(builders.liaison("ggzy"), "read").get(f"/checks/{answer['id']}/receipt/", 403)


def test_a_receipt_says_the_same_after_the_entry_has_ended(machine):
    entry = builders.published_black()
    answer = ask(machine, {"code": entry.subject.code})
    before = receipt_of(machine, answer)
    own, other = Machine(builders.clerk()), Machine(builders.reviewer())
    reason = {"reason": "error", "note": "列错"}
    own.post(f"/listings/{entry.public_id}/withdraw/", reason, 202)
    other.post(f"/listings/{entry.public_id}/approve/")
    assert receipt_of(machine, answer) == before
    assert entry.subject.code not in json.dumps(before)


def test_a_check_sent_again_under_one_key_has_one_receipt(machine):
    body = {"purpose": "示例", "reference": "示例", "subjects": [{"code": builders.code_of(9)}]}
    headers = {"Idempotency-Key": "once"}
    first, second = (machine.post("/checks/", body, 201, headers=headers) for _time in "ab")
    assert first == second
    assert Check.objects.count() == 1


# ── keys ──────────────────────────────────────────────────────────────────────────────────────


def test_old_receipts_hold_after_a_rotation_and_after_the_old_key_is_gone(machine, settings):
    old = receipt_of(machine, ask(machine, PERSON))
    settings.FIELD_KEYS = [NEW_KEY, *settings.FIELD_KEYS]
    answer = ask(machine, PERSON)
    new = receipt_of(machine, answer)
    assert new["receipt"]["key"] == "new" != old["receipt"]["key"]
    settings.FIELD_KEYS = [NEW_KEY]
    assert keys().keys() == {"new", old["receipt"]["key"]}
    for receipt in (old, new):
        assert holds(receipt)
        proof = {name: receipt[name] for name in ("receipt", "signature", "salt")}
        told = verdict(machine, query=PERSON, index=0, **proof)
        assert (told["genuine"], told["query_matches"]) == (True, True)


def test_the_salt_of_a_retired_key_can_not_be_made_again(machine, settings):
    answer = ask(machine, PERSON)
    settings.FIELD_KEYS = [NEW_KEY]
    receipt = receipt_of(machine, answer)
    assert receipt["salt"] is None
    assert holds(receipt)


def test_the_newest_key_is_told_before_anything_is_signed_with_it():
    assert not SigningKey.objects.exists()
    (key,) = keys().values()
    assert (key["kty"], key["crv"], key["use"]) == ("OKP", "Ed25519", "sig")
    assert "=" not in key["x"]


def test_an_id_that_stood_for_another_key_signs_nothing(settings):
    settings.FIELD_KEYS = [NEW_KEY]
    SigningKey.objects.create(key_id="new", public_key=b"o" * 32, holder="示例")
    with pytest.raises(ImproperlyConfigured):
        sealing.sign(b"")


# ── what is kept ──────────────────────────────────────────────────────────────────────────────


def test_a_copy_of_the_tables_can_not_be_searched_for_a_person(machine):
    builders.published_black(builders.person("张示例", NUMBER), unit="zjfy", category="J01")
    receipt = receipt_of(machine, ask(machine, PERSON))
    kept = serialize("json", [*Check.objects.all(), *Hit.objects.all()], ensure_ascii=False)
    for secret in (NUMBER, NUMBER[6:14], "张示例", receipt["salt"]):
        assert secret not in kept
    digest = receipt["receipt"]["subjects"][0]["query"]
    check = Check.objects.get()
    known = [b"", check.public_id.bytes, str(check.public_id).encode(), check.code.encode()]
    asked = ledger.canonical({**PERSON})
    assert digest not in {hmac.digest(salt, asked, "sha256").hex() for salt in known}


# ── the public page ───────────────────────────────────────────────────────────────────────────


def page(text, status=200):
    answer = Client().get(reverse("verify-code", args=[text]))
    assert answer.status_code == status, answer.status_code
    assert "no-store" in answer["Cache-Control"]
    return answer.content.decode()


def test_the_number_alone_says_when_and_which_unit_and_not_whether_listed(machine):
    entry = builders.published_black()
    answer = ask(machine, {"code": entry.subject.code}, {"code": builders.code_of(9)})
    number = answer["receipt"]["number"]
    for typed in (number, number.lower().replace("-", ""), number.replace("-", "")):
        text = page(typed)
        assert number in text
        assert builders.department("ggzy").short_name in text
        assert str(answer["ledger_seq"]) in text
        assert "命中 1 个" not in text
    for typed in (number, answer["receipt"]["code"]):
        text = page(typed)
        for hidden in (entry.subject.code, entry.subject.name, "投标资格审查", "ZB-示例-1"):
            assert hidden not in text
    assert "命中 1 个，未命中 1 个" in page(answer["receipt"]["code"].lower())
    page("CX-999999", 404)
    page("CX-" + "9" * 30, 404)
    page(str(Check.objects.get().pk), 404)


def test_one_page_is_for_letters_and_receipts_alike(machine):
    code = ask(machine, {"code": builders.code_of(9)})["receipt"]["code"]
    asked = Client().get(reverse("verify"), {"code": code})
    assert asked.url == reverse("verify-code", args=[code.replace("-", "")])
    nothing = Client().get(reverse("verify"), {"code": "---"}, follow=True)
    assert nothing.status_code == 404


# ── the desk ──────────────────────────────────────────────────────────────────────────────────


def test_the_answer_at_the_counter_leads_to_a_receipt_to_be_printed():
    builders.person("张示例", NUMBER)
    browser = builders.signed_in(Client(), builders.liaison("ggzy"))
    given = {"code": "", "purpose": "投标资格审查", "reference": "ZB-示例-1", **PERSON}
    answer = browser.post(reverse("desk-checks"), given).content.decode()
    check = Check.objects.get()
    address = reverse("desk-check-receipt", args=[check.public_id])
    assert address in answer
    text = browser.get(address).content.decode()
    for shown in (check.number, check.spaced_code, "投标资格审查", "ZB-示例-1", check.key_id):
        assert shown in text
    assert 'src="data:image/svg+xml' in text
    assert NUMBER[6:] not in text
    assert "张示例" not in text
    other = builders.signed_in(Client(), builders.liaison("czj"))
    assert other.get(address).status_code == 404


def test_the_time_of_a_receipt_is_that_of_the_check(machine):
    began = timezone.now()
    receipt = receipt_of(machine, ask(machine, {"code": builders.code_of(9)}))
    at = timezone.datetime.fromisoformat(receipt["receipt"]["at"])
    assert began <= at <= began + timedelta(minutes=1)
    assert Check.objects.get().at == at

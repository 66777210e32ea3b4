"""The receipt of a check: fetched by the unit that asked, proved by whoever was shown it."""

import base64
import binascii

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from casework.api import FLAG, Door, Strict, like, maybe, once, shape, sometimes
from jointaction import services
from jointaction.api.checks import OUTCOME, AskedFields
from jointaction.models import Check

CONTENT = {
    "kind": "check-receipt/1",
    "number": "CX-000123",
    "unit": "ggzy",
    "at": "2026-04-01T01:00:00.000000+00:00",
    "as_of": maybe("2026-03-01"),
    "known_at": maybe(12),
    "business": "9c" * 32,
    "ledger": {"seq": 12, "hash": "5d" * 32},
    "rules": 310,
    "key": "k1",
    "subjects": [
        {
            "query": "1a" * 32,
            "outcome": OUTCOME,
            "reason": sometimes("bad_check_symbol"),
            "listings": sometimes(["3f0d6f0e-0c55-4f0f-8a0f-6d1c3a0f9b1e"]),
        }
    ],
}
RECEIPT = shape(
    "CheckReceipt",
    {
        "receipt": CONTENT,
        "signature": "mZ0Q",
        "salt": maybe("0f" * 32),
        "code": "ABCD-EFGH-JKMN-PQRS",
        "url": "https://credit.example.cn/verify/ABCDEFGHJKMNPQRS/",
    },
)
VERDICT = shape(
    "ReceiptVerdict",
    {
        "genuine": True,
        "number": sometimes("CX-000123"),
        "at": sometimes("2026-04-01T01:00:00.000000+00:00"),
        "unit": sometimes({"code": "ggzy", "name": maybe("通化市公共资源交易中心")}),
        "ledger_seq": sometimes(12),
        "subjects": sometimes(1),
        "query_matches": sometimes(maybe(FLAG)),
        "business_matches": sometimes(maybe(FLAG)),
    },
)


class Receipt(Door):
    scopes = {"GET": "check"}

    @extend_schema(summary="查询回执", responses={200: like(RECEIPT)})
    def get(self, request, public_id):
        rows = Check.objects.of_unit(self.user.department_id)
        check = get_object_or_404(rows, public_id=public_id)
        return Response(
            {
                "receipt": check.content,
                "signature": base64.urlsafe_b64encode(check.signature).decode(),
                "salt": services.salt_of(check),
                "code": check.spaced_code,
                "url": f"{settings.BASE_URL}/verify/{check.code}/",
            }
        )


class Bytes(serializers.CharField):
    """Bytes as text: base64 of the alphabet for addresses, or hexadecimal where `hexadecimal`."""

    def __init__(self, *, hexadecimal=False, **kwargs):
        self.read = bytes.fromhex if hexadecimal else _from_base64
        super().__init__(max_length=200, **kwargs)

    def to_internal_value(self, data):
        text = super().to_internal_value(data)
        try:
            return self.read(text)
        except ValueError:  # what is no base64 raises one as well
            raise serializers.ValidationError(_("格式不对。")) from None


def _from_base64(text):
    try:
        padded = text + "=" * (-len(text) % 4)
        return base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError from error


class BusinessFields(Strict):
    purpose = serializers.CharField(max_length=200)
    reference = serializers.CharField(max_length=200)


class ProofFields(Strict):
    """A receipt whole with its signature, or its number; and, with the salt, what to compare."""

    number = serializers.CharField(max_length=40, required=False)
    receipt = serializers.DictField(required=False)
    signature = Bytes(required=False)
    salt = Bytes(hexadecimal=True, required=False)
    query = AskedFields(required=False)
    index = serializers.IntegerField(min_value=0, max_value=2**31, required=False)
    business = BusinessFields(required=False)

    def validate(self, given):
        needs = {
            "number": ("number" in given) == ("receipt" in given)
            and _("写回执编号，或者交整份回执，两者取一。"),
            "signature": ("receipt" in given) != ("signature" in given)
            and _("回执要和签名一起交。"),
            "salt": bool(given.keys() & {"query", "business"}) != ("salt" in given)
            and _("核对查询对象或业务，要写明回执上的盐值。"),
            "index": ("query" in given) != ("index" in given) and _("要写明核对第几个查询对象。"),
        }
        if errors := {name: [message] for name, message in needs.items() if message}:
            raise serializers.ValidationError(errors)
        return given


class VerifyReceipt(Door):
    scopes = {"POST": "check"}

    @extend_schema(summary="核验查询回执", request=ProofFields, responses={200: like(VERDICT)})
    @once
    def post(self, request):
        verdict = services.verify_receipt(**self.given(ProofFields))
        if not verdict.genuine:
            return Response({"genuine": False})
        content, unit = verdict.content, verdict.unit
        return Response(
            {
                "genuine": True,
                "number": content["number"],
                "at": content["at"],
                "unit": {"code": content["unit"], "name": unit and unit.name},
                "ledger_seq": content["ledger"]["seq"],
                "subjects": len(content["subjects"]),
                "query_matches": verdict.query,
                "business_matches": verdict.business,
            }
        )

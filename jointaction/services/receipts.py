"""The signed receipt of a check: frozen with the answer, provable for as long as anybody keeps it.

What was asked stands in it as an HMAC under a salt that the portal can make again from its
sealing key and keeps nowhere: a copy of the database can't be searched for a person's number.
"""

import hmac
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from jointaction.models import Check
from jointaction.services.asked import canonical_query
from listings import ledger
from parties import sealing
from parties.models import Department

KIND = "check-receipt/1"
CODE_LENGTH = 16  # signs of 31: about 79 bits


def freeze(check, results, position):
    """Write and sign the receipt of a check that is about to be saved."""
    key_id, salt = _salt(check)
    content = {
        "kind": KIND,
        "number": check.number,
        "unit": check.unit.code,
        "at": check.at.isoformat(),
        "as_of": check.as_of and check.as_of.isoformat(),
        "known_at": check.known_at,
        "business": _digest(salt, _business(check.purpose, check.reference)),
        "ledger": {"seq": position.seq, "hash": position.hash.hex()},
        "rules": position.rules,
        "key": key_id,
        "subjects": [_told(result, salt) for result in results],
    }
    check.code = sealing.new_code(CODE_LENGTH)
    message = ledger.canonical(content)
    check.receipt = message.decode()
    check.key_id, check.signature = sealing.sign(message)


def _told(result, salt):
    told = {"query": _digest(salt, result.query), "outcome": result.outcome}
    if result.reason:
        told["reason"] = result.reason
    if result.matches:
        ids = dict.fromkeys(str(match.listing.public_id) for match in result.matches)
        told["listings"] = list(ids)
    return told


def _business(purpose, reference):
    return ledger.canonical({"purpose": purpose.strip(), "reference": reference.strip()})


def _digest(salt, message):
    return hmac.digest(salt, message, "sha256").hex()


def _salt(check):
    """(key id, the salt) of a check, made of its id under the key that signs it."""
    return sealing.blind_index(str(check.public_id), purpose="receipt", key_id=check.key_id or None)


def salt_of(check):
    """The salt of a receipt in hexadecimal, for its own unit; None once its key is retired."""
    try:
        return _salt(check)[1].hex()
    except KeyError:
        return None


# ── is it genuine? ────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Verdict:
    """What can be said of a receipt; of what was not asked, None."""

    content: dict | None  # what it says, where it is genuine
    unit: Department | None = None
    query: bool | None = None  # whether the subject at `index` is the one that was asked about
    business: bool | None = None  # whether it was for this purpose and reference

    @property
    def genuine(self):
        return self.content is not None


def verify(
    *, number="", receipt=None, signature=b"", index=None, query=None, business=None, salt=b""
):
    """Whether a receipt is one of this portal's: given whole with its signature, or by number.

    With its salt also whether the subject at `index` is `query`, and whether it was made for
    the `business` {purpose, reference}. A receipt is genuine by its signature also after the
    log of its month is gone, and its key retired. Raises ValidationError for an index beyond.
    """
    content = _signed(receipt, signature) if receipt is not None else _logged(number)
    if content is None:
        return Verdict(None)
    return Verdict(
        content,
        Department.objects.filter(code=content["unit"]).first(),
        None
        if query is None
        else _is(_subject(content, index)["query"], salt, canonical_query(query)),
        None if business is None else _is(content["business"], salt, _business(**business)),
    )


def _signed(receipt, signature):
    try:
        message = ledger.canonical(receipt)
    except (ValueError, RecursionError):  # no text at all, or too deep: none of ours
        return None
    key_id = receipt.get("key")
    ours = receipt.get("kind") == KIND and isinstance(key_id, str)
    return receipt if ours and sealing.was_signed(message, signature, key_id) else None


def _logged(number):
    check = Check.objects.of_number(number).first()
    return check and check.content


def _subject(content, index):
    if index is None or index >= len(content["subjects"]):
        raise ValidationError({"index": _("回执里没有这个序号。")})
    return content["subjects"][index]


def _is(digest, salt, message):
    return hmac.compare_digest(digest, _digest(salt, message))

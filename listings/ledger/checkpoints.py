"""Signed positions: where a later check may go on from, and the head as it is kept elsewhere."""

from datetime import datetime

from casework.services import journal_head, verify_journal_head
from listings.ledger.content import canonical
from listings.ledger.verifier import Fault
from listings.ledger.writer import GENESIS, head
from listings.models import Change, LedgerCheckpoint
from parties import sealing


class ForgedCheckpoint(Exception):  # noqa: N818 - a finding, not a fault of the program
    """A position whose signature is not ours."""


def make_checkpoint():
    """Sign the position up to which the ledger has just been found whole; returns it.

    The ledger must have been verified in this transaction or by the caller. The same
    position is signed once.
    """
    last = head()
    if not last.seq:
        return None
    key_id, signature = sealing.sign(_message(last.seq, last.hash, last.at))
    point, _made = LedgerCheckpoint.objects.get_or_create(
        seq=last.seq,
        defaults={"hash": last.hash, "at": last.at, "key_id": key_id, "signature": signature},
    )
    return point


def last_checkpoint():
    """(seq, hash) from which a check may go on, or the beginning.

    One that was signed under a key now retired is passed over. Raises ForgedCheckpoint where
    the signature of the last one is not ours.
    """
    point = LedgerCheckpoint.objects.filter(key_id__in=sealing.keys()).last()
    if point is None:
        return 0, GENESIS
    message = _message(point.seq, point.hash, point.at)
    if not sealing.is_signed(message, bytes(point.signature), point.key_id):
        raise ForgedCheckpoint(f"the checkpoint at seq {point.seq} is not signed by this portal")
    return point.seq, bytes(point.hash)


def signed_head(*, portal):
    """The last position as plain values with a signature, to be kept where we can't reach it.

    `journal` is the last seal of the journals: one kept line vouches for both.
    """
    last, journal = head(), journal_head()
    key_id, signature = sealing.sign(_message(last.seq, last.hash, last.at, journal))
    return {
        "seq": last.seq,
        "hash": bytes(last.hash).hex(),
        "at": last.at.isoformat(),
        "journal": journal,
        "portal": portal,
        "key_id": key_id,
        "public_key": sealing.public_key(key_id).hex(),
        "signature": signature.hex(),
    }


def verify_head(kept):
    """Compare the ledger with a head kept elsewhere; returns a Fault, or None.

    Raises ForgedCheckpoint where `kept` was not signed by the public key that it names, and
    KeyError or ValueError where it is no such record.
    """
    seq, at = kept["seq"], datetime.fromisoformat(kept["at"])
    message = _message(seq, bytes.fromhex(kept["hash"]), at, kept.get("journal"))
    public_key, signature = bytes.fromhex(kept["public_key"]), bytes.fromhex(kept["signature"])
    if not sealing.is_signed_by(public_key, message, signature):
        raise ForgedCheckpoint(f"the head kept of seq {seq} is not signed by the key it names")
    if broken := verify_journal_head(kept.get("journal") or {"seq": 0}):
        return Fault(seq, broken)
    if seq == 0:
        return None
    row = Change.objects.select_related("listing").filter(seq=seq).first()
    if row is None:
        return Fault(seq, "it was the head once and is not there: the tail was cut")
    if bytes(row.hash).hex() != kept["hash"]:
        return Fault(seq, "the past up to here was rewritten", str(row.listing.public_id))
    return None


def _message(seq, link, at, journal=None):
    told = {"seq": seq, "hash": bytes(link).hex(), "at": at.isoformat()}
    return canonical({**told, "journal": journal} if journal else told)

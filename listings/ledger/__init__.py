"""The ledger: every public effect, chained; how it is written, checked, and vouched for."""

from listings.ledger.checkpoints import (
    ForgedCheckpoint,
    last_checkpoint,
    make_checkpoint,
    signed_head,
    verify_head,
)
from listings.ledger.content import TOLD_OF_THE_ENDED, canonical, digest_of
from listings.ledger.copies import entry_digest, list_digest
from listings.ledger.verifier import Fault, verify, verify_at, verify_entries
from listings.ledger.writer import EPOCH, GENESIS, Entry, append, chain, head

__all__ = [
    "EPOCH",
    "GENESIS",
    "TOLD_OF_THE_ENDED",
    "Entry",
    "Fault",
    "ForgedCheckpoint",
    "append",
    "canonical",
    "chain",
    "digest_of",
    "entry_digest",
    "head",
    "last_checkpoint",
    "list_digest",
    "make_checkpoint",
    "signed_head",
    "verify",
    "verify_at",
    "verify_entries",
    "verify_head",
]

"""Every write to an entry: drafting, publication, change, ending, expiry."""

from listings.services.change import (
    annotate,
    approve,
    check_correction,
    correct,
    propose_correction,
    propose_withdrawal,
    reject,
    repair,
    withdraw,
)
from listings.services.draft import draft, edit
from listings.services.expire import expire_lapsed
from listings.services.publish import measures_for, measures_of, publish, publish_many

__all__ = [
    "annotate",
    "approve",
    "check_correction",
    "correct",
    "draft",
    "edit",
    "expire_lapsed",
    "measures_for",
    "measures_of",
    "propose_correction",
    "propose_withdrawal",
    "publish",
    "publish_many",
    "reject",
    "repair",
    "withdraw",
]

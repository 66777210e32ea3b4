"""Every write to an entry: drafting, publication, change, ending, expiry."""

from listings.services.change import (
    WITHDRAWAL_REASONS,
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
from listings.services.draft import draft, edit, required_details
from listings.services.erase import erase
from listings.services.expire import expire_lapsed
from listings.services.publish import (
    last_day,
    measures_for,
    measures_for_role,
    measures_of,
    own_end,
    planned_measures,
    planned_measures_of,
    publish,
    publish_many,
    publish_ready,
)

__all__ = [
    "WITHDRAWAL_REASONS",
    "annotate",
    "approve",
    "check_correction",
    "correct",
    "draft",
    "edit",
    "erase",
    "expire_lapsed",
    "last_day",
    "measures_for",
    "measures_for_role",
    "measures_of",
    "own_end",
    "planned_measures",
    "planned_measures_of",
    "propose_correction",
    "propose_withdrawal",
    "publish",
    "publish_many",
    "publish_ready",
    "reject",
    "repair",
    "required_details",
    "withdraw",
]

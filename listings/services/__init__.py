"""Every write to an entry: drafting, publication, change, ending, expiry."""

from listings.services.change import (
    WITHDRAWAL_REASONS,
    annotate,
    check_correction,
    correct,
    plain,
    repair,
    withdraw,
)
from listings.services.draft import draft, edit, required_details
from listings.services.erase import erase
from listings.services.expire import expire_lapsed
from listings.services.foreign import refuse_foreign
from listings.services.letters import issue_lifting
from listings.services.persons import RELEASE_REASONS, release_person
from listings.services.proposal import (
    approve,
    chase_withdrawals,
    propose_correction,
    propose_release,
    propose_withdrawal,
    reject,
)
from listings.services.publish import (
    ATTESTATION,
    last_day,
    measures_for,
    measures_for_role,
    measures_of,
    needs_attestation,
    own_end,
    planned_measures,
    planned_measures_of,
    publish,
    publish_many,
    publish_ready,
)
from listings.services.subjects import (
    approve_subject_change,
    propose_merge,
    propose_rename,
    reject_subject_change,
)
from listings.services.versions import changed_titles, compared, differences, versions_of

__all__ = [
    "ATTESTATION",
    "RELEASE_REASONS",
    "WITHDRAWAL_REASONS",
    "annotate",
    "approve",
    "approve_subject_change",
    "changed_titles",
    "chase_withdrawals",
    "check_correction",
    "compared",
    "correct",
    "differences",
    "draft",
    "edit",
    "erase",
    "expire_lapsed",
    "issue_lifting",
    "last_day",
    "measures_for",
    "measures_for_role",
    "measures_of",
    "needs_attestation",
    "own_end",
    "plain",
    "planned_measures",
    "planned_measures_of",
    "propose_correction",
    "propose_merge",
    "propose_release",
    "propose_rename",
    "propose_withdrawal",
    "publish",
    "publish_many",
    "publish_ready",
    "refuse_foreign",
    "reject",
    "reject_subject_change",
    "release_person",
    "repair",
    "required_details",
    "versions_of",
    "withdraw",
]

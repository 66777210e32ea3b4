"""What the services of all matters share."""

from casework.services.calendar import load_year
from casework.services.filing import contact_of, new_filing
from casework.services.journal import (
    journal_head,
    seal_journal,
    unsealed,
    verify_journal,
    verify_journal_head,
)
from casework.services.kept import (
    OTHER_WINDOW,
    forget_form,
    forget_old_forms,
    keep_form,
    kept_form,
)
from casework.services.letters import issue, make, make_missing, serve, take_serial
from casework.services.numbers import take_number
from casework.services.once import answer_of, hold_key, keep_answer, kept_answer
from casework.services.proofs import challenge, spend
from casework.services.rates import Rate, count, host_of, standing, sweep_rates
from casework.services.refusals import clean_columns, refuse, refuse_bad_columns, storable
from casework.services.tables import check_table, reaches_far

__all__ = [
    "OTHER_WINDOW",
    "Rate",
    "answer_of",
    "challenge",
    "check_table",
    "clean_columns",
    "contact_of",
    "count",
    "forget_form",
    "forget_old_forms",
    "hold_key",
    "host_of",
    "issue",
    "journal_head",
    "keep_answer",
    "keep_form",
    "kept_answer",
    "kept_form",
    "load_year",
    "make",
    "make_missing",
    "new_filing",
    "reaches_far",
    "refuse",
    "refuse_bad_columns",
    "seal_journal",
    "serve",
    "spend",
    "standing",
    "storable",
    "sweep_rates",
    "take_number",
    "take_serial",
    "unsealed",
    "verify_journal",
    "verify_journal_head",
]

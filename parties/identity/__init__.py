"""Who is meant: codes of organisations, papers of persons, names and how near they are."""

from parties.identity.codes import (
    CODE_ALPHABET,
    CODE_REGISTRARS,
    CODE_VALUES,
    CODE_WEIGHTS,
    ORGANISATION_WEIGHTS,
    check_code,
    code_of_subject,
    code_warnings,
    normalise_code,
)
from parties.identity.comparison import (
    Comparison,
    ParsedName,
    compare_names,
    parse_name,
    places,
    rank_near,
)
from parties.identity.names import LONGEST_NAME, bigrams, check_name, normalise_name, pairs
from parties.identity.papers import birth_date, check_paper, paper_warnings

__all__ = [
    "CODE_ALPHABET",
    "CODE_REGISTRARS",
    "CODE_VALUES",
    "CODE_WEIGHTS",
    "LONGEST_NAME",
    "ORGANISATION_WEIGHTS",
    "Comparison",
    "ParsedName",
    "bigrams",
    "birth_date",
    "check_code",
    "check_name",
    "check_paper",
    "code_of_subject",
    "code_warnings",
    "compare_names",
    "normalise_code",
    "normalise_name",
    "pairs",
    "paper_warnings",
    "parse_name",
    "places",
    "rank_near",
]

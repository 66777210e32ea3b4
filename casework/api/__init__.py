"""What every API endpoint shares: problem+json, cursor pages, strict questions, acting once."""

from casework.api.doors import ApplicantFields, Door, Empty, Strict, instant, receipt, seen_version
from casework.api.examples import like, page_of
from casework.api.once import once
from casework.api.pages import page
from casework.api.problems import Conflict, bad_field, problem, problem_body, under

__all__ = [
    "ApplicantFields",
    "Conflict",
    "Door",
    "Empty",
    "Strict",
    "bad_field",
    "instant",
    "like",
    "once",
    "page",
    "page_of",
    "problem",
    "problem_body",
    "receipt",
    "seen_version",
    "under",
]

"""What every API endpoint shares: problem+json, cursor pages, strict questions, acting once."""

from casework.api.doors import (
    ApplicantFields,
    Door,
    Empty,
    Plain,
    Strict,
    Upload,
    Whatever,
    instant,
    receipt,
    seen_version,
)
from casework.api.examples import (
    FLAG,
    choice,
    each,
    either,
    like,
    maybe,
    page_of,
    shape,
    sometimes,
)
from casework.api.limits import limited
from casework.api.once import once
from casework.api.pages import page
from casework.api.problems import Conflict, bad_field, problem, problem_body, under

__all__ = [
    "FLAG",
    "ApplicantFields",
    "Conflict",
    "Door",
    "Empty",
    "Plain",
    "Strict",
    "Upload",
    "Whatever",
    "bad_field",
    "choice",
    "each",
    "either",
    "instant",
    "like",
    "limited",
    "maybe",
    "once",
    "page",
    "page_of",
    "problem",
    "problem_body",
    "receipt",
    "seen_version",
    "shape",
    "sometimes",
    "under",
]

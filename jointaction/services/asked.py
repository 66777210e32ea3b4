"""What a check asks: each subject judged by its form, and in the one form that is digested."""

from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from listings import ledger
from listings.models import Listing
from parties import identity, sealing
from parties.models import Subject

# Why somebody can't be asked about, in words.
REASONS = {
    "bad_format": gettext_lazy("号码的格式不对"),
    "bad_check_symbol": gettext_lazy("号码的校验位不正确"),
    "bad_date": gettext_lazy("号码里的出生日期不存在"),
    "name_does_not_match": gettext_lazy("姓名与证件号码不相符"),
    "name_is_not_identity": gettext_lazy("只有名称不能确定是谁"),
}


@dataclass(slots=True)
class Match:
    """An entry found for a subject: with this unit's measures only."""

    listing: Listing
    matched_as: str
    measures: list
    suppressed: bool = False  # a red entry whose benefits a black one suspends


@dataclass(slots=True)
class Result:
    """One asked subject: by what it is to be found, and what is answered about it."""

    index: int
    query: bytes  # what was asked, in canonical form
    name: str = ""  # normalised
    code: str = ""
    papers: tuple = ()  # blind indexes of a person's paper, under every key
    outcome: str = "clear"
    reason: str = ""
    name_differs: bool = False
    subject: Subject | None = None
    matches: list = field(default_factory=list)


def read(subjects, today):
    """A Result for each of {code, name?} or {name, id_type, id_number}, invalid where it is none.

    An organisation is asked about by its code, a person by name and number together.
    """
    return [_read(index, given, today) for index, given in enumerate(subjects)]


def canonical_query(given):
    """The bytes that a receipt digests: however an identity was typed, it is the same.

    Of an organisation the code alone, which decides; of a person name, kind of paper, number.
    """
    if given.get("code"):
        return ledger.canonical({"code": identity.normalise_code(given["code"])})
    parts = {
        "name": identity.normalise_name(given.get("name")),
        "id_type": given.get("id_type") or "",
        "id_number": identity.normalise_code(given.get("id_number")),
    }
    return ledger.canonical({name: value for name, value in parts.items() if value})


def _read(index, given, today):
    code, name = given.get("code"), given.get("name")
    name = identity.normalise_name(name) if name else ""
    try:
        if code:
            code = identity.check_code(code)
            return Result(index, _of_code(code), name, code)
        papers = _papers(given, today) if given.get("id_number") else ()
    except ValidationError as error:
        return _refused(index, given, error.code or "bad_format")
    if not papers:
        return _refused(index, given, "name_is_not_identity")
    if not name:
        return _refused(index, given, "name_does_not_match")
    return Result(index, canonical_query(given), name, papers=papers)


def _of_code(code):
    """What `canonical_query` says of a code that is right: letters and digits need no escape."""
    return b'{"code":"%b"}' % code.encode()


def _refused(index, given, reason):
    return Result(index, canonical_query(given), outcome="invalid", reason=reason)


def _papers(given, today):
    paper_type = given.get("id_type")
    number = identity.check_paper(paper_type, given["id_number"], today)
    return tuple(sealing.blind_indexes(f"{paper_type}:{number}"))

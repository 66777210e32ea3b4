"""The portal's objects as typed dictionaries: what is answered is what you get.

Days are `YYYY-MM-DD`, instants ISO 8601 with offset, both as text. A field that a later portal
adds is simply there.
"""

from typing import Any, Literal, NamedTuple, NotRequired, TypedDict

ListKind = Literal["red", "black"]
Status = Literal["draft", "published", "withdrawn", "repaired", "expired"]


class Ended(TypedDict):
    """All that is told of an entry once it has ended."""

    id: str
    list: ListKind
    status: Status
    ended_on: str | None
    end_reason: str | None


class Subject(TypedDict):
    """Who is listed; a person's name is masked and there is no code."""

    kind: Literal["organization", "sole_trader", "person"]
    name: str
    code: str | None
    region: str


class Named(TypedDict):
    code: str
    name: str


class Document(TypedDict):
    number: str | None
    kind: str | None
    organ: str | None
    date: str | None


class Detail(TypedDict):
    code: str
    title: str
    value: Any


class Measure(TypedDict):
    """What a unit does about an entry, and on which article of which memorandum."""

    code: str
    name: str
    article: str
    memorandum: str
    advisory: bool
    until: str | None
    unit: NotRequired[str]
    outcome: NotRequired[str | None]


class Listing(Ended):
    """An entry on a list. One that has ended has the five words of `Ended` and no others."""

    subject: NotRequired[Subject]
    category: NotRequired[Named]
    misconduct: NotRequired[str | None]
    degree: NotRequired[str | None]
    department: NotRequired[Named]
    document: NotRequired[Document | None]
    ground: NotRequired[str]
    basis: NotRequired[str | None]
    details: NotRequired[list[Detail]]
    measures: NotRequired[list[Measure]]
    published_on: NotRequired[str]
    visible_until: NotRequired[str]
    disputed: NotRequired[bool]
    responsible_persons: NotRequired[int]
    version: NotRequired[int]
    pending: NotRequired[dict[str, Any] | None]
    url: NotRequired[str]


class Change(TypedDict):
    """One line of the feed; `listing` is the entry as it is told today, not as it was then.

    `key` is the number under which the ledger knows the entry, `digest` that of the content.
    """

    seq: int
    action: str
    at: str
    listing: Listing
    hash: str
    previous_hash: str
    key: int
    digest: str
    salt: str | None
    body: str | None


class Stand(NamedTuple):
    """What the portal shows at position `seq` on `day`: `size` entries of this digest.

    `rules` changes when a rule does: then names of categories or measures may read otherwise.
    """

    seq: int
    day: str
    size: int
    digest: str
    rules: str


class HistoryLine(TypedDict):
    seq: int
    action: str
    at: str
    note: str
    changes: dict[str, list[Any]]


class Firm(TypedDict):
    """An organisation to check: its code decides, the name is compared."""

    code: str
    name: NotRequired[str]


class Person(TypedDict):
    """A person to check: name and number both, or nobody is found."""

    name: str
    id_type: Literal["resident_id", "passport", "hk_macau", "taiwan", "foreign_resident", "other"]
    id_number: str


class Met(Listing):
    """An entry that a check met, with this unit's measures only."""

    matched_as: NotRequired[Literal["subject", "responsible_person"]]
    suppressed: NotRequired[bool]


class Result(TypedDict):
    """The answer about one subject; `index` counts within its check, from 0."""

    index: int
    outcome: Literal["listed", "clear", "invalid"]
    reason: NotRequired[str]
    name_differs: NotRequired[bool]
    matched_as: NotRequired[Literal["subject", "responsible_person"]]
    listings: list[Met]


class Check(TypedDict):
    id: str
    at: str
    ledger_seq: int
    results: list[Result]


class Checked(NamedTuple):
    """One subject of a batch with its result, and the check that holds both."""

    subject: Firm | Person
    result: Result
    check: Check


class Receipt(TypedDict):
    """The signed receipt of a check. Its `salt` lets whoever has it prove what was asked."""

    receipt: dict[str, Any]
    signature: str
    salt: str | None
    code: str
    url: str


class Verdict(TypedDict):
    """The portal's word on a receipt; of one that is not genuine nothing more is said."""

    genuine: bool
    number: NotRequired[str]
    at: NotRequired[str]
    unit: NotRequired[Named]
    ledger_seq: NotRequired[int]
    subjects: NotRequired[int]
    query_matches: NotRequired[bool | None]
    business_matches: NotRequired[bool | None]


class Hit(TypedDict):
    """A check that met an entry and waits for the unit's word about it; `id` is the check's."""

    id: str
    listing: Listing
    matched_as: str
    measures: list[Measure]
    reference: str
    at: str
    feedback_due: str
    overdue: bool
    answered: str | None


class Push(TypedDict):
    """An entry put before this unit, with the unit's measures."""

    id: str
    status: Literal["open", "acknowledged", "partly_answered", "answered", "superseded"]
    kind: Literal["apply", "correct", "lift"]
    listing: Listing
    measures: list[Measure]
    feedback_due: str
    overdue: bool
    version: int


class Answer(TypedDict):
    """What the unit says to one measure of a push; a refusal needs a `remark`."""

    code: str
    outcome: Literal["applied", "not_applicable", "declined", "lifted", "stands"]
    applied_on: NotRequired[str]
    until: NotRequired[str]
    remark: NotRequired[str]
    reference: NotRequired[str]
    parameters: NotRequired[dict[str, str]]

"""Checks at the point of business: is this subject on a list, and what must my unit do?"""

from dataclasses import dataclass, field, replace

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from casework.workdays import add_working_days
from jointaction import policies
from jointaction.models import Check, Hit
from listings import ledger
from listings.models import Listing, ResponsiblePerson
from listings.services import measures_of
from parties import identity, sealing
from parties import services as parties
from parties.models import PaperType, Subject
from rulebook.models import ListKind, Measure, parameter

MOST_SUBJECTS = 1_000


@dataclass
class Match:
    """An entry found for a subject: with this unit's measures only."""

    listing: Listing
    matched_as: str
    measures: list
    suppressed: bool = False  # a red entry whose benefits a black one suspends


@dataclass
class Result:
    """What is answered about one asked subject."""

    index: int
    outcome: str = "clear"
    reason: str = ""
    name_differs: bool = False
    subject: Subject | None = None
    matches: list = field(default_factory=list)


@transaction.atomic
def check(subjects, *, actor, purpose, reference, today, as_of=None):
    """Answer for each asked subject whether it is on a list; returns (check, results).

    `subjects` is a list of {code, name?} or {name, id_type, id_number}; an organisation
    is decided by its code, a person by name and number together. The check and its hits
    are logged in the same transaction. Raises PermissionDenied, ValidationError.
    """
    if not policies.may_check(actor.user):
        raise PermissionDenied
    _refuse_bad_question(subjects, purpose, reference)
    if as_of and as_of > today:
        raise ValidationError({"as_of": _("查询日不能晚于今天。")})
    unit, seq = actor.department, ledger.head().seq  # first: nothing up to it may be overlooked
    results = [Result(index) for index in range(len(subjects))]
    _find_organisations(subjects, results)
    _find_persons(subjects, results, today)
    _find_entries(results, unit, today, as_of)
    for result in results:
        _suppress_benefits(result)
    hits = [(result, match) for result in results for match in result.matches]
    logged = Check.objects.create(
        unit=unit,
        purpose=purpose,
        reference=reference,
        as_of=as_of,
        ledger_seq=seq,
        subjects=len(subjects),
        hits=len(hits),
        **actor.columns,
    )
    if as_of is None:
        _log_hits(logged, hits, today)
    return logged, results


def _refuse_bad_question(subjects, purpose, reference):
    errors = {}
    for name, value in (("purpose", purpose), ("reference", reference)):
        if not 1 <= len(value.strip()) <= 200:
            errors[name] = _("请填写 1 到 200 个字。")
    if not 1 <= len(subjects) <= MOST_SUBJECTS:
        errors["subjects"] = _("一次查询 1 到 %(most)s 个主体。") % {"most": MOST_SUBJECTS}
    if errors:
        raise ValidationError(errors)


def _find_organisations(subjects, results):
    asked = {}
    for given, result in zip(subjects, results, strict=True):
        if given.get("code"):
            _ask_code(given, result, asked)
        elif not given.get("id_number"):
            result.outcome, result.reason = "invalid", "name_is_not_identity"
    rows = Subject.objects.select_related("merged_into").filter(code__in=asked)
    found = {subject.code: subject.kept for subject in rows}
    for code, askers in asked.items():
        for given, result in askers:
            result.subject = found.get(code)
            result.name_differs = _differs(given.get("name"), result.subject)


def _ask_code(given, result, asked):
    try:
        asked.setdefault(identity.check_code(given["code"]), []).append((given, result))
    except ValidationError as error:
        result.outcome, result.reason = "invalid", error.code or "bad_format"


def _find_persons(subjects, results, today):
    asked = []
    for given, result in zip(subjects, results, strict=True):
        if given.get("id_number") and not given.get("code"):
            _ask_paper(given, result, asked, today)
    known = _persons({index for _given, _result, indexes in asked for index in indexes})
    for given, result, indexes in asked:
        person = next((known[index] for index in indexes if index in known), None)
        name = given.get("name")
        if not name or (person and not parties.borne_by(person, name)):
            result.outcome, result.reason = "invalid", "name_does_not_match"
        else:
            result.subject = person and person.kept


def _ask_paper(given, result, asked, today):
    paper_type = given.get("id_type")
    try:
        number = identity.check_paper(paper_type, given["id_number"], today)
    except ValidationError as error:
        result.outcome, result.reason = "invalid", error.code or "bad_format"
    else:
        asked.append((given, result, sealing.blind_indexes(f"{paper_type}:{number}")))


def _persons(indexes):
    """Those with these blind indexes, each of which covers the type of the paper as well."""
    rows = Subject.objects.select_related("merged_into").filter(kind=Subject.Kind.PERSON)
    found = rows.filter(paper_type__in=PaperType.values, paper_index__in=indexes)
    return {bytes(person.paper_index): person for person in found}


def _differs(name, subject):
    if not name or subject is None:
        return False
    return identity.normalise_name(name) != subject.name_normalised


def _find_entries(results, unit, today, as_of):
    by_subject = _by_subject(results)
    if not by_subject:
        return
    entries = _in_force(today, as_of)
    own = list(entries.filter(subject__in=by_subject).order_by("kind", "pk"))
    answerable = ResponsiblePerson.objects.answerable(as_of or today)
    named = answerable.filter(person__in=by_subject, listing__in=entries)
    persons = list(named.order_by("pk"))
    firms = entries.in_bulk([person.listing_id for person in persons])
    measures = {
        pk: [row for row in rows if row["unit"] == unit.code]
        for pk, rows in measures_of([*own, *firms.values()]).items()
    }
    reach = _roles_reached() if persons else {}
    found = [(row.subject_id, Match(row, "subject", measures[row.pk])) for row in own]
    for person in persons:
        if person.listing_id in firms:
            mine = _of_person(measures[person.listing_id], person, reach)
            match = Match(firms[person.listing_id], "responsible_person", mine)
            found.append((person.person_id, match))
    for subject_id, match in found:
        for result in by_subject[subject_id]:
            result.outcome = "listed"
            result.matches.append(replace(match))


def _roles_reached():
    """{measure's code: the roles of responsible persons that it reaches besides the firm}."""
    return dict(Measure.objects.values_list("code", "roles"))


def _of_person(measures, person, reach):
    """Those of a firm's measures that reach a person of this role, until the person's own end."""
    mine = [row for row in measures if person.role in reach[row["code"]]]
    if person.until is None:
        return mine
    return [{**row, "until": min(row["until"], person.until)} for row in mine]


def _by_subject(results):
    found = {}
    for result in results:
        if result.subject:
            found.setdefault(result.subject.pk, []).append(result)
    return found


def _in_force(today, as_of):
    entries = Listing.objects.with_parts()
    return entries.public(today) if as_of is None else entries.in_force_on(as_of)


def _suppress_benefits(result):
    """A black entry suspends the benefits of red ones."""
    black = any(
        match.listing.kind == ListKind.BLACK and match.matched_as == "subject"
        for match in result.matches
    )
    for match in result.matches:
        if black and match.listing.kind == ListKind.RED:
            match.measures, match.suppressed = [], True


def _log_hits(logged, hits, today):
    due = add_working_days(today, parameter("check_feedback", on=today)) if hits else None
    Hit.objects.bulk_create(
        Hit(
            check_id=logged.pk,
            check_public_id=logged.public_id,
            unit=logged.unit,
            listing=match.listing,
            matched_as=match.matched_as,
            reference=logged.reference,
            measures=[_kept(row) for row in match.measures],
            feedback_due=due,
        )
        for _result, match in hits
        if not match.suppressed
    )


def _kept(row):
    return {**row, "until": str(row["until"])}

"""Who was asked about, and what each is found on: one statement, one snapshot.

The ledger's position is read in the same statement as the entries, so that a receipt can say
of which position its answer is. It is SQL because a check is asked at every counter: queries of
the ORM as wide as this cost more than the whole answer. The tests compare it with what the
querysets and `measures_of` say.
"""

import copy
import json
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from jointaction.services.asked import Match
from listings.ledger import GENESIS
from listings.models import Change, Listing, ListingVersion, MeasureSet
from listings.services import own_end
from parties.models import Department, PaperType, Subject
from rulebook.models import LegalBasis, ListCategory, Measure, Memorandum, Misconduct

# As Listing.objects.public and .in_force_on.
NOW = "entry.status = 'published' AND entry.visible_until >= %(day)s"
THEN = """
    EXISTS (
        SELECT 1 FROM listings_listingversion version
        WHERE version.listing_id = entry.id AND NOT version.void_from_start
            AND version.in_force @> %(day)s::date AND {known}
    )
"""
KNOWN_NOW = "version.to_seq IS NULL"
KNOWN_THEN = """
    version.from_seq <= %(known_at)s AND (version.to_seq IS NULL OR version.to_seq > %(known_at)s)
"""
# As ResponsiblePerson.objects.answerable. As known at a position: one who was released after
# the day of that position was not known to be.
ANSWERS = """
    (person.until IS NULL OR person.until >= %(day)s) AND (
        person.ended_on IS NULL
        OR person.ended_on > %(day)s AND person.end_reason NOT IN ('error', 'document_quashed')
        OR person.ended_on > %(known_on)s
    )
"""
ENTRY = tuple(
    column.attname
    for column in Listing._meta.concrete_fields
    if column.attname
    in {
        "id", "public_id", "version", "status", "kind", "subject_id", "category_id",
        "misconduct_id", "degree", "department_id", "document_number", "document_kind",
        "document_organ", "document_date", "ground", "basis_id", "details", "measure_until",
        "measure_set_id", "published_on", "visible_until", "ended_on", "end_reason", "disputed",
        "origin",
    }
)  # fmt: skip
DEPARTMENT = ("id", "code", "name")
SUBJECT = ("id", "kind", "code", "name", "name_normalised", "region")
HEAD = """
    SELECT nextval('jointaction_check_id_seq') AS number,
        (SELECT seq FROM listings_ledgerhead WHERE id = 1) AS seq,
        (SELECT hash FROM listings_ledgerhead WHERE id = 1) AS hash,
        (SELECT max(id) FROM rulebook_ruleversion) AS rules,
        (SELECT sum(version) FROM casework_calendaryear) AS calendar
"""
ORGANISATIONS = """
    SELECT code, paper_index, name_normalised, coalesce(merged_into_id, id) AS kept_id
    FROM parties_subject WHERE code = ANY(%(codes)s)
"""
PERSONS = """
    SELECT code, paper_index, name_normalised, coalesce(merged_into_id, id) AS kept_id
    FROM parties_subject
    WHERE kind = 'person' AND paper_type = ANY(%(types)s) AND paper_index = ANY(%(papers)s)
"""
OWN = """
    SELECT asked.kept_id, 'subject' AS matched_as, '' AS role, NULL::date AS until, {entry}
    FROM asked JOIN listings_listing entry ON entry.subject_id = asked.kept_id
    JOIN parties_department department ON department.id = entry.department_id
    WHERE {in_force}
"""
OF_THEIR_FIRMS = """
    SELECT asked.kept_id, 'responsible_person' AS matched_as, person.role, person.until, {entry}
    FROM asked
    JOIN listings_responsibleperson person ON person.person_id = asked.kept_id
    JOIN listings_listing entry ON entry.id = person.listing_id
    JOIN parties_department department ON department.id = entry.department_id
    WHERE asked.code IS NULL AND {in_force} AND {answers}
"""
STATEMENT = """
    WITH head AS ({head}), asked AS ({asked}), met AS ({met})
    SELECT head.*, asked.code, asked.paper_index, asked.name_normalised, {subject}, met.* FROM head
    LEFT JOIN asked ON true
    LEFT JOIN parties_subject subject ON subject.id = asked.kept_id
    LEFT JOIN met ON met.kept_id = asked.kept_id
"""


@dataclass(frozen=True)
class Position:
    """Where the answer stood: the check's own number, the ledger's head, rules and calendar.

    `rules` and `calendar` are other numbers whenever a rule or the calendar is changed.
    """

    number: int
    seq: int
    hash: bytes
    rules: int | None
    calendar: int | None


@dataclass
class _Known:
    """A subject that was asked about, the name it was found by, and what it was met on."""

    subject: Subject
    named: str
    met: dict  # {(matched_as, entry's key): (matched_as, role, until, Listing)}


def forget_rules():
    """For tests, which change rules without a new version of them."""
    _rules.cache_clear()


def find(results, unit, *, today, as_of=None, known_at=None):
    """Set subject and matches of each Result, with the measures of `unit`; returns the Position.

    What is in force today, or was on the day `as_of`: as known now, or with `known_at`, a
    position of the ledger, as known then. Raises ValidationError for a position to come.
    """
    rows = _ask(results, as_of or today, past=as_of is not None, known_at=known_at)
    number, seq, link, rules, calendar = rows[0][:5]
    if known_at is not None and known_at > (seq or 0):
        raise ValidationError({"known_at": _("账本还没有到这个序号。")})
    known, entries = _known(rows)
    _complete(entries, known, rules)
    mine = _measures(entries, unit, as_of or today, known_at, rules) if entries else {}
    reach = _rules(rules)["measure"]
    for result in results:
        found = next((known[key] for key in (result.code, *result.papers) if key in known), None)
        if found and result.outcome != "invalid":
            _answer(result, found, mine, reach)
    return Position(number, seq or 0, bytes(link or GENESIS), rules, calendar)


def _ask(results, day, *, past, known_at):
    """The rows of the statement. Persons stand in it only where one was asked about."""
    papers = [index for result in results for index in result.papers]
    known = KNOWN_NOW if known_at is None else KNOWN_THEN
    met = " UNION ALL ".join([OWN, OF_THEIR_FIRMS] if papers else [OWN])
    statement = STATEMENT.format(
        head=HEAD,
        asked=" UNION ALL ".join([ORGANISATIONS, PERSONS] if papers else [ORGANISATIONS]),
        met=met.format(
            entry=_columns("department", DEPARTMENT) + ", " + _columns("entry", ENTRY),
            in_force=THEN.format(known=known) if past else NOW,
            answers=ANSWERS,
        ),
        subject=_columns("subject", SUBJECT),
    )
    asked = {
        "codes": list({result.code for result in results if result.code}),
        "papers": papers,
        "types": PaperType.values,
        "day": day,
        "known_at": known_at,
        "known_on": None if known_at is None else _day_of(known_at),
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        return cursor.fetchall()


def _columns(table, names):
    return ", ".join(f"{table}.{name}" for name in names)


def _day_of(seq):
    """The day in Shanghai of the ledger's position."""
    at = Change.objects.filter(seq__lte=seq).order_by("-seq").values_list("at", flat=True).first()
    return timezone.localdate(at) if at else date.min


def _known(rows):
    """({code or blind index: _Known}, {key: Listing}) of what the statement found."""
    known, entries, subjects = {}, {}, {}
    for row in rows:
        code, index, named = row[5:8]
        if named is None:
            continue
        pk, matched_as, role, until = row[8], *row[15:18]
        if pk not in subjects:
            subjects[pk] = Subject.from_db(connection.alias, SUBJECT, row[8:14])
        key = code or bytes(index)
        found = known.setdefault(key, _Known(subjects[pk], named, {}))
        if matched_as:
            listing = entries.get(row[21]) or _entry(row[18:21], row[21:])
            entries[listing.pk] = listing
            found.met[matched_as, listing.pk] = (matched_as, role, until, listing)
    return known, entries


def _entry(department, values):
    listing = Listing.from_db(connection.alias, ENTRY, values)
    listing.department = Department(**dict(zip(DEPARTMENT, department, strict=True)))
    listing.details = json.loads(listing.details)
    listing.measure_until = json.loads(listing.measure_until)
    return listing


def _complete(entries, known, rules):
    """Give the entries their subjects and what they share.

    The firm of a responsible person was not asked about.
    """
    subjects = {found.subject.pk: found.subject for found in known.values()}
    missing = {listing.subject_id for listing in entries.values()} - subjects.keys()
    if missing:
        subjects |= Subject.objects.in_bulk(missing)
    for listing in entries.values():
        listing.subject = subjects[listing.subject_id]
        for part in ("category", "misconduct", "basis"):
            setattr(listing, part, _rules(rules)[part].get(getattr(listing, f"{part}_id")))


@lru_cache(maxsize=2)
def _rules(_version):
    """The rows of the rule book that an answer names: the same until a rule has a new version."""
    return {
        "category": ListCategory.objects.in_bulk(),
        "misconduct": Misconduct.objects.in_bulk(),
        "basis": LegalBasis.objects.in_bulk(),
        "measure": Measure.objects.in_bulk(field_name="code"),
        "memorandum": Memorandum.objects.in_bulk(field_name="code"),
    }


_sets = {}  # a measure set never changes: what was read once stays


def _measure_sets(keys):
    """{key: its rows} of measure sets, whichever unit is asked."""
    if missing := keys - _sets.keys():
        rows = MeasureSet.objects.filter(pk__in=missing)
        _sets.update(rows.values_list("pk", "measures"))
    return {pk: _sets[pk] for pk in keys}


def _measures(entries, unit, day, known_at, rules):
    """{entry's key: the unit's measures of it that run on `day`}."""
    then = entries if known_at is None else _as_known(entries, day, known_at)
    sets = _measure_sets({row.measure_set_id for row in then.values()} - {None})
    worded = {pk: _in_words(rows, unit, _rules(rules)) for pk, rows in sets.items()}
    return {pk: _running(row, worded, day) for pk, row in then.items()}


def _in_words(measures, unit, rules):
    """The unit's rows of a measure set, with the names in the language of the request."""
    return [
        {
            **row,
            "name": str(rules["measure"][row["code"]]),
            "memorandum": str(rules["memorandum"][row["memorandum"]]),
            "unit_name": unit.name,
        }
        for row in measures
        if row["unit"] == unit.code
    ]


def _running(listing, worded, day):
    rows = (
        {**row, "until": own_end(listing, row["code"]) or listing.visible_until}
        for row in worded.get(listing.measure_set_id, ())
    )
    return [row for row in rows if row["until"] >= day]


def _as_known(entries, day, known_at):
    """The entries with the measures and terms that were known of them at a ledger position.

    Of a version that tells only of an ending, or whose content was erased, it is those of now.
    """
    rows = ListingVersion.objects.filter(
        Q(to_seq=None) | Q(to_seq__gt=known_at),
        listing__in=entries,
        from_seq__lte=known_at,
        in_force__contains=day,
    )
    bodies = {pk: body for pk, body in rows.values_list("listing", "body") if "measures" in body}
    digests = {body["measures"] for body in bodies.values()}
    sets = dict(MeasureSet.objects.filter(digest__in=digests).values_list("digest", "pk"))
    return {pk: _with(listing, bodies.get(pk), sets) for pk, listing in entries.items()}


def _with(listing, body, sets):
    if body is None:
        return listing
    then = copy.copy(listing)
    then.measure_set_id = sets.get(body["measures"])
    then.measure_until = body["measure_until"]
    then.visible_until = date.fromisoformat(body["visible_until"])
    return then


def _answer(result, found, mine, reach):
    """What is said of one asked subject that is known."""
    if result.papers and result.name not in {found.named, found.subject.name_normalised}:
        result.outcome, result.reason = "invalid", "name_does_not_match"
        return
    result.subject = found.subject
    result.name_differs = bool(result.name) and result.name != found.subject.name_normalised
    met = sorted(found.met.values(), key=lambda row: (row[0] != "subject", row[3].kind, row[3].pk))
    for matched_as, role, until, listing in met:
        measures = _of_person(mine[listing.pk], role, until, reach) if role else mine[listing.pk]
        result.matches.append(Match(listing, matched_as, measures))
    if met:
        result.outcome = "listed"


def _of_person(measures, role, until, reach):
    """Those of a firm's measures that reach a person of this role, until the person's own end."""
    mine = [row for row in measures if role in reach[row["code"]].roles]
    return [{**row, "until": min(row["until"], until or row["until"])} for row in mine]

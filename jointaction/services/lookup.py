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
    }
)  # fmt: skip
SUBJECT = ("id", "kind", "code", "name", "name_normalised", "region")
STATEMENT = """
    WITH head AS (
        SELECT nextval('jointaction_check_id_seq') AS number,
            (SELECT seq FROM listings_ledgerhead WHERE id = 1) AS seq,
            (SELECT hash FROM listings_ledgerhead WHERE id = 1) AS hash,
            (SELECT max(id) FROM rulebook_ruleversion) AS rules
    ), asked AS (
        SELECT code, paper_index, name_normalised, coalesce(merged_into_id, id) AS kept_id
        FROM parties_subject WHERE code = ANY(%(codes)s)
        UNION ALL
        SELECT NULL, paper_index, name_normalised, coalesce(merged_into_id, id)
        FROM parties_subject
        WHERE kind = 'person' AND paper_type = ANY(%(types)s) AND paper_index = ANY(%(papers)s)
    ), met AS (
        SELECT asked.kept_id, 'subject' AS matched_as, '' AS role, NULL::date AS until, {entry}
        FROM asked JOIN listings_listing entry ON entry.subject_id = asked.kept_id
        WHERE {in_force}
        UNION ALL
        SELECT asked.kept_id, 'responsible_person', person.role, person.until, {entry}
        FROM asked
        JOIN listings_responsibleperson person ON person.person_id = asked.kept_id
        JOIN listings_listing entry ON entry.id = person.listing_id
        WHERE asked.code IS NULL AND {in_force} AND {answers}
    )
    SELECT head.*, asked.code, asked.paper_index, asked.name_normalised, {subject}, met.* FROM head
    LEFT JOIN asked ON true
    LEFT JOIN parties_subject subject ON subject.id = asked.kept_id
    LEFT JOIN met ON met.kept_id = asked.kept_id
"""
# What entries share, and the words for the unit's measures: a part, its key, and what it says.
SHARED = {
    "category": ListCategory,
    "misconduct": Misconduct,
    "department": Department,
    "basis": LegalBasis,
}
SETS = """
    SELECT 'measure_set', id, digest, measures::text, '' FROM listings_measureset
    WHERE id = ANY(%(measure_set)s)
"""
WORDS = """
    SELECT '{part}', id, code, name, name_en FROM {table} WHERE code IN (
        SELECT one ->> '{key}' FROM listings_measureset, jsonb_array_elements(measures) AS one
        WHERE listings_measureset.id = ANY(%(measure_set)s) AND one ->> 'unit' = %(unit)s
    )
"""


@dataclass(frozen=True)
class Position:
    """Where the answer stood: the check's own number, the ledger's head, the rules' version."""

    number: int
    seq: int
    hash: bytes
    rules: int | None


@dataclass
class _Known:
    """A subject that was asked about, the name it was found by, and what it was met on."""

    subject: Subject
    named: str
    met: dict  # {(matched_as, entry's key): (matched_as, role, until, Listing)}


def find(results, unit, *, today, as_of=None, known_at=None):
    """Set subject and matches of each Result, with the measures of `unit`; returns the Position.

    What is in force today, or was on the day `as_of`: as known now, or with `known_at`, a
    position of the ledger, as known then. Raises ValidationError for a position to come.
    """
    rows = _ask(results, as_of or today, past=as_of is not None, known_at=known_at)
    number, seq, link, rules = rows[0][:4]
    if known_at is not None and known_at > (seq or 0):
        raise ValidationError({"known_at": _("账本还没有到这个序号。")})
    known, entries = _known(rows)
    _complete(entries, known)
    mine = _measures(entries, unit, as_of or today, known_at) if entries else {}
    reach = _roles_reached() if any(row[15] for row in rows) else {}
    for result in results:
        found = next((known[key] for key in (result.code, *result.papers) if key in known), None)
        if found and result.outcome != "invalid":
            _answer(result, found, mine, reach)
    return Position(number, seq or 0, bytes(link or GENESIS), rules)


def _ask(results, day, *, past, known_at):
    known = KNOWN_NOW if known_at is None else KNOWN_THEN
    statement = STATEMENT.format(
        in_force=THEN.format(known=known) if past else NOW,
        answers=ANSWERS,
        entry=", ".join(f"entry.{name}" for name in ENTRY),
        subject=", ".join(f"subject.{name}" for name in SUBJECT),
    )
    asked = {
        "codes": list({result.code for result in results if result.code}),
        "papers": [index for result in results for index in result.papers],
        "types": PaperType.values,
        "day": day,
        "known_at": known_at,
        "known_on": None if known_at is None else _day_of(known_at),
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        return cursor.fetchall()


def _day_of(seq):
    """The day in Shanghai of the ledger's position."""
    at = Change.objects.filter(seq__lte=seq).order_by("-seq").values_list("at", flat=True).first()
    return timezone.localdate(at) if at else date.min


def _known(rows):
    """({code or blind index: _Known}, {key: Listing}) of what the statement found."""
    known, entries, subjects = {}, {}, {}
    for row in rows:
        code, index, named = row[4:7]
        if named is None:
            continue
        pk, matched_as, role, until = row[7], *row[14:17]
        if pk not in subjects:
            subjects[pk] = Subject.from_db(connection.alias, SUBJECT, row[7:13])
        key = code or bytes(index)
        found = known.setdefault(key, _Known(subjects[pk], named, {}))
        if matched_as:
            listing = entries.get(row[17]) or _entry(row[17:])
            entries[listing.pk] = listing
            found.met[matched_as, listing.pk] = (matched_as, role, until, listing)
    return known, entries


def _entry(values):
    listing = Listing.from_db(connection.alias, ENTRY, values)
    listing.details = json.loads(listing.details)
    listing.measure_until = json.loads(listing.measure_until)
    return listing


def _complete(entries, known):
    """Give the entries their subjects: a responsible person's firm was not asked about."""
    subjects = {found.subject.pk: found.subject for found in known.values()}
    missing = {listing.subject_id for listing in entries.values()} - subjects.keys()
    if missing:
        subjects |= Subject.objects.in_bulk(missing)
    for listing in entries.values():
        listing.subject = subjects[listing.subject_id]


def _measures(entries, unit, day, known_at):
    """{entry's key: the unit's measures of it that run on `day`}; gives entries what they share."""
    then = entries if known_at is None else _as_known(entries, day, known_at)
    parts = _parts(entries.values(), then.values(), unit)
    for listing in entries.values():
        for part in SHARED:
            setattr(listing, part, parts[part].get(getattr(listing, f"{part}_id")))
    return {pk: _running(listing, unit, day, parts) for pk, listing in then.items()}


def _running(listing, unit, day, parts):
    rows = (
        {
            **row,
            "name": str(parts["measure"][row["code"]]),
            "memorandum": str(parts["memorandum"][row["memorandum"]]),
            "unit_name": unit.name,
            "until": own_end(listing, row["code"]) or listing.visible_until,
        }
        for row in parts["measure_set"].get(listing.measure_set_id, ())
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


def _parts(entries, then, unit):
    """{part: {key: row}} of what entries share: of measure sets the unit's rows, the rest models.

    Measures and memoranda are known by their codes.
    """
    asked = {part: list({getattr(row, f"{part}_id") for row in entries}) for part in SHARED}
    asked["measure_set"] = list({row.measure_set_id for row in then})
    found = {part: {} for part in (*SHARED, "measure_set", "measure", "memorandum")}
    with connection.cursor() as cursor:
        cursor.execute(PARTS, {**asked, "unit": unit.code})
        for part, pk, code, name, name_en in cursor.fetchall():
            if part == "measure_set":
                found[part][pk] = [row for row in json.loads(name) if row["unit"] == unit.code]
            elif part in SHARED:
                found[part][pk] = SHARED[part](id=pk, code=code, name=name, name_en=name_en)
            else:
                found[part][code] = NAMED[part](code=code, name=name, name_en=name_en)
    return found


NAMED = {"measure": Measure, "memorandum": Memorandum}
PARTS = " UNION ALL ".join(
    [
        *(
            f"SELECT '{part}', id, code, name, name_en FROM {model._meta.db_table} "  # noqa: S608 - names of our own
            f"WHERE id = ANY(%({part})s)"
            for part, model in SHARED.items()
        ),
        SETS,
        WORDS.format(part="measure", table=Measure._meta.db_table, key="code"),
        WORDS.format(part="memorandum", table=Memorandum._meta.db_table, key="memorandum"),
    ]
)


def _roles_reached():
    """{measure's code: the roles of responsible persons that it reaches besides the firm}."""
    return dict(Measure.objects.values_list("code", "roles"))


def _answer(result, found, mine, reach):
    """What is said of one asked subject that is known."""
    if result.papers and result.name not in {found.named, found.subject.name_normalised}:
        result.refuse("name_does_not_match")
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
    mine = [row for row in measures if role in reach[row["code"]]]
    return [{**row, "until": min(row["until"], until or row["until"])} for row in mine]

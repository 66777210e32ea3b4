"""Whom a row is about: organisations by code, persons by paper; found or made, set-based."""

import uuid
from functools import partial

from django.core.exceptions import ValidationError
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from listings.services.imports.cells import Column, Problem, code, one_of, text
from parties import identity, sealing
from parties.models import PaperType, Subject
from parties.services import region_of

STAGED = {
    "subject_kind": "text",
    "code": 'text COLLATE "C"',
    "name": "text",
    "name_normalised": 'text COLLATE "C"',
    "region": "text",
    "legal_representative": "text",
    "paper_type": "text",
    "subject_public_id": "uuid",
    "paper_sealed": "bytea",
    "paper_key_id": "text",
    "paper_index": "bytea",
    "paper_index_key_id": "text",
    "paper_indexes": "bytea[]",
}
NAME_DIFFERS = gettext_lazy("这个代码或证件登记的是另一个名称，请核对是否写错了主体")
OTHER_WORDS = {
    "法人": "organization",
    "非法人组织": "organization",
    "法人或非法人组织": "organization",
}
PAPER_WORDS = {"身份证": "resident_id", "护照号": "passport", "港澳通行证": "hk_macau"}


def columns(*, kind, name, code_titles, representative, paper_type, paper_number):
    """The columns that say whom a row is about, under the titles of a layout."""
    return (
        Column("subject_kind", kind, one_of(Subject.Kind, **OTHER_WORDS)),
        Column("name", name, text(200), needed=True),
        Column("code", code_titles, code),
        Column("legal_representative", representative, text(100)),
        Column("paper_type", paper_type, one_of(PaperType, **PAPER_WORDS)),
        Column("paper_number", paper_number, text(60)),
    )


def stage(values, problems, *, today, title):
    """The staged columns of the row's subject; a person's number leaves here sealed.

    `title` gives a column's title by its name, for the problems found.
    """
    name = values.get("name")
    known = {problem.column for problem in problems}
    bad_code = bool(known) and title("code") in known
    kind = values.get("subject_kind") or _kind(values, bad_code=bad_code)
    if kind == Subject.Kind.PERSON:
        staged, problem = _person(values, today, title)
    elif not values.get("code"):
        staged, problem = {}, Problem(title("code"), "no_code", _("没有填写"))
    else:
        staged, problem = _organisation(values["code"]), None
    if problem and problem.column not in known:
        problems.append(problem)
    normalised = identity.normalise_name(name) if name else ""
    staged["subject_kind"] = kind
    staged["name"] = name
    staged["name_normalised"] = normalised
    staged["legal_representative"] = values.get("legal_representative") or ""
    return staged


def _kind(values, *, bad_code):
    if not (values.get("code") or bad_code) and values.get("paper_number"):
        return Subject.Kind.PERSON.value
    trader = (values.get("code") or "").startswith("92")
    return (Subject.Kind.SOLE_TRADER if trader else Subject.Kind.ORGANIZATION).value


def _organisation(found):
    return {"code": found, "region": region_of(found), "paper_type": ""}


def _person(values, today, title):
    paper, number = (
        values.get("paper_type") or PaperType.RESIDENT_ID.value,
        values.get("paper_number"),
    )
    if not number:
        return {}, Problem(title("paper_number"), "no_paper", _("没有填写"))
    try:
        number = identity.check_paper(paper, number, today)
    except ValidationError as error:
        return {}, Problem(title("paper_number"), error.code, error.messages[0])
    public_id = uuid.uuid4()
    key_id, sealed = sealing.seal(number, table="parties_subject", row=public_id, field="paper")
    index_key_id, index = sealing.blind_index(f"{paper}:{number}")
    return {
        "region": "",
        "paper_type": paper,
        "subject_public_id": str(public_id),
        "paper_sealed": sealed,
        "paper_key_id": key_id,
        "paper_index": index,
        "paper_index_key_id": index_key_id,
        "paper_indexes": sealing.blind_indexes(f"{paper}:{number}"),
    }, None


def hold_all():
    """Hold the subjects of `staged`, so that nobody merges them away meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLD)


# Carried out after each chunk: the subjects of its rows that the portal does not know yet. Each is
# looked up by its index (OFFSET keeps it so): a chunk is small beside all subjects.
_MAKE_ORGANISATIONS = """
INSERT INTO parties_subject (public_id, kind, code, name, name_normalised, region,
    legal_representative, paper_type, paper_key_id, paper_index_key_id, created_at)
SELECT DISTINCT ON (s.code) overlay(gen_random_uuid()::text placing %(together)s from 1)::uuid,
       s.subject_kind, s.code, s.name, s.name_normalised,
       s.region, s.legal_representative, '', '', '', %(now)s
FROM staged s
WHERE s.line BETWEEN %(first)s AND %(last)s AND s.code IS NOT NULL AND NOT EXISTS (
    SELECT FROM parties_subject p WHERE p.code = s.code OFFSET 0)
ORDER BY s.code, s.line
ON CONFLICT DO NOTHING
"""
_MAKE_PERSONS = """
INSERT INTO parties_subject (public_id, kind, name, name_normalised, region, legal_representative,
    paper_type, paper_sealed, paper_key_id, paper_index, paper_index_key_id, created_at)
SELECT DISTINCT ON (s.paper_type, s.paper_index) s.subject_public_id, 'person', s.name,
       s.name_normalised, '', '', s.paper_type, s.paper_sealed, s.paper_key_id, s.paper_index,
       s.paper_index_key_id, %(now)s
FROM staged s
WHERE s.line BETWEEN %(first)s AND %(last)s AND s.paper_index IS NOT NULL AND NOT EXISTS (
    SELECT FROM parties_subject p WHERE p.kind = 'person' AND p.paper_type = s.paper_type
       AND p.paper_index = ANY(s.paper_indexes) OFFSET 0)
ORDER BY s.paper_type, s.paper_index, s.line
ON CONFLICT DO NOTHING
"""

MAKE_MISSING = (_MAKE_ORGANISATIONS, _MAKE_PERSONS)

# Held before they are read, so that none is merged or renamed before its entries are written.
# Those made by this very transaction nobody else can see. Looked up one by one, as above.
_HOLD = """
SELECT FROM parties_subject WHERE id = ANY(ARRAY(
    SELECT unnest(ARRAY[p.id, p.merged_into_id])
    FROM staged s CROSS JOIN LATERAL (
        SELECT * FROM parties_subject p
        WHERE p.code = s.code AND p.xmin <> pg_current_xact_id()::xid OFFSET 0
    ) p
    UNION ALL
    SELECT unnest(ARRAY[p.id, p.merged_into_id])
    FROM staged s JOIN parties_subject p ON p.kind = 'person'
        AND p.paper_type = s.paper_type AND p.paper_index = ANY(s.paper_indexes)
    WHERE s.code IS NULL
)) ORDER BY id FOR KEY SHARE
"""

# Every staged row with its subject, of a merged one the record that counts; one branch per
# kind of key, so that each uses its index. A person's paper goes with its own name, too.
_KEPT = """coalesce(p.merged_into_id, p.id) AS subject_id, s.name_normalised <> CASE
    WHEN p.merged_into_id IS NULL THEN p.name_normalised
    ELSE (SELECT k.name_normalised FROM parties_subject k WHERE k.id = p.merged_into_id) END"""
KNOWN = f"""
SELECT s.line, {_KEPT} AS name_differs
FROM staged s CROSS JOIN LATERAL (
    SELECT * FROM parties_subject p WHERE p.code = s.code OFFSET 0
) p
UNION ALL
SELECT s.line, {_KEPT} AND p.name_normalised <> s.name_normalised
FROM staged s JOIN parties_subject p ON p.kind = 'person' AND p.paper_type = s.paper_type
     AND p.paper_index = ANY(s.paper_indexes)
WHERE s.code IS NULL
"""  # noqa: S608 - constant text


def titles(layout_columns):
    """A function that gives a column's title by its name."""
    return partial(_title, {column.name: column.title for column in layout_columns})


def _title(known, name):
    return known.get(name, name)

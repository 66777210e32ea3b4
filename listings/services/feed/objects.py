"""The Listing object as the public sees it, written by the database as JSON text.

`listings.api.shown(…, as_public=True)` says the same in Python, one entry after the other; a
test holds the two together for every kind of entry. Here a million of them cost no Python.
"""

import json
import sys
from functools import cache

from django.conf import settings
from django.utils.translation import get_language

from listings.models.parts import VOIDING


def rendered(today):
    """(SQL, values) of {entry, ended, sets, tables}: pieces of a statement about `l`, an entry.

    `entry` is the whole object of what is public on `today`, `ended` the five words of what is
    not. `tables` are the joins for them; they expect a CTE named `sets` that holds what `sets`
    selects, to which a WHERE may be added.
    """
    english = (get_language() or "").startswith("en")
    name, title = ("name_en", "title_en") if english else ("name", "title")
    words = {"name": name, "title": title}
    pieces = {"entry": _ENTRY, "ended": _ENDED, "sets": _SETS, "tables": _TABLES}
    return {piece: sql % words for piece, sql in pieces.items()}, _values(today)


def _values(today):
    base = json.dumps(settings.BASE_URL, ensure_ascii=False)
    values = {
        "home": settings.REGION,
        "today": today,
        "base": base[:-1],
        "voiding": list(map(str, VOIDING)),
    }
    return {**values, "blanks": _signs(str.isspace), "digits": _signs(str.isdigit)}


@cache
def _signs(kind):
    """Every sign of a kind, so that the mask takes off and knows what Python's does."""
    return "".join(filter(kind, map(chr, range(1, sys.maxunicode + 1))))


def _object(**members):
    """SQL of a JSON object: {name: SQL of its value as JSON text}."""
    parts = [f"""'"{name}":', {value}""" for name, value in members.items()]
    return "concat('{', " + ", ',', ".join(parts) + ", '}')"


def _text(value):
    """SQL of any text as JSON; NULL is null."""
    return f"coalesce(to_json({value})::text, 'null')"


def _filled(value):
    """The same, but an empty text is null as well."""
    return _text(f"nullif({value}, '')")


def _word(value):
    """SQL of a code, an id or a day as JSON: nothing in it needs escaping."""
    return f"""coalesce('"' || {value} || '"', 'null')"""


def _truth(value):
    return f"CASE WHEN {value} THEN 'true' ELSE 'false' END"


def _first(value):
    """SQL of `parties.models.mask_name`'s one sign."""
    return f"left(btrim({value}, %%(blanks)s), 1)"


def _measure(until):
    return _object(
        code=_text("item.told ->> 'code'"),
        name=_text("measure.%(name)s"),
        article=_text("item.told ->> 'article'"),
        memorandum=_text("memorandum.%(name)s"),
        unit=_text("item.told ->> 'unit'"),
        advisory="item.told ->> 'advisory'",
        until=until,
    )


def _measures(set_, until):
    return f"""(
        SELECT concat('[', string_agg({_measure(until)}, ',' ORDER BY item.place), ']')
        FROM jsonb_array_elements({set_}.measures) WITH ORDINALITY AS item(told, place)
        LEFT JOIN rulebook_measure measure ON measure.code = item.told ->> 'code'
        LEFT JOIN rulebook_memorandum memorandum ON memorandum.code = item.told ->> 'memorandum'
    )"""  # noqa: S608 - made of the words in this file


# Most measures last as long as their entry: a set is rendered once, with a sign in place of the
# day that no JSON text holds.
_LATER = "chr(1)"
_SETS = f"""
    SELECT id, measures, {_measures("measureset", _LATER)} AS told
    FROM listings_measureset AS measureset
"""  # noqa: S608 - made of the words in this file
_TABLES = """
    JOIN parties_subject subject ON subject.id = l.subject_id
    JOIN rulebook_listcategory category ON category.id = l.category_id
    JOIN parties_department department ON department.id = l.department_id
    LEFT JOIN rulebook_misconduct misconduct ON misconduct.id = l.misconduct_id
    LEFT JOIN rulebook_legalbasis basis ON basis.id = l.basis_id
    LEFT JOIN sets ON sets.id = l.measure_set_id
"""

_OWN_UNTIL = _word("coalesce(nullif(l.measure_until ->> (item.told ->> 'code'), ''), "
                   "l.visible_until::text)")  # fmt: skip
_MEASURES_OF_ENTRY = f"""CASE
    WHEN sets.id IS NULL THEN '[]'
    WHEN l.measure_until = '{{}}' THEN replace(sets.told, chr(1), {_word("l.visible_until")})
    ELSE {_measures("sets", _OWN_UNTIL)}
END"""

_NAME = f"""CASE
    WHEN subject.kind = 'person' THEN {_text(f"{_first('subject.name')} || '*'")}
    ELSE {_text("subject.name")}
END"""

_MASKED = f"""to_json(CASE
    WHEN strpos(%%(digits)s, {_first("l.details ->> field.code")}) > 0 THEN '*'
    ELSE {_first("l.details ->> field.code")} || '*'
END)::text"""
_DETAIL = _object(
    code=_text("field.code"),
    title=_text("field.%(title)s"),
    value=f"CASE WHEN field.masked THEN {_MASKED} ELSE (l.details -> field.code)::text END",
)
_DETAILS = f"""CASE WHEN l.details = '{{}}' THEN '[]' ELSE (
    SELECT concat('[', string_agg({_DETAIL}, ',' ORDER BY field.position, field.id), ']')
    FROM rulebook_categoryfield field
    WHERE field.category_id = l.category_id AND field.disclosure = 'public'
        AND l.details -> field.code NOT IN ('""', '0', 'null', 'false', '[]', '{{}}')
) END"""  # noqa: S608 - made of the words in this file

_PERSONS = """CASE WHEN l.kind = 'black' THEN (
    SELECT count(*) FROM listings_responsibleperson person
    WHERE person.listing_id = l.id
        AND (person.until IS NULL OR person.until >= %%(today)s)
        AND (person.ended_on IS NULL
            OR person.ended_on > %%(today)s AND person.end_reason <> ALL (%%(voiding)s))
) ELSE 0 END"""

_DOCUMENT = _object(
    number=_filled("l.document_number"),
    kind=_filled("l.document_kind"),
    organ=_filled("l.document_organ"),
    date=_word("l.document_date"),
)
_WHO = _object(
    kind=_word("subject.kind"),
    name=_NAME,
    code=_text("subject.code"),
    region=_text("subject.region"),
)
# told of another city's entries only
_ORIGIN = (
    """CASE WHEN l.origin NOT IN ('', %%(home)s) THEN concat(',"origin":"', l.origin, '"') END"""
)
_ENTRY = _object(
    id=_word("l.public_id"),
    list=_word("l.kind"),
    status="""'"published"'""",
    ended_on="'null'",
    end_reason=f"concat('null', {_ORIGIN})",
    subject=_WHO,
    category=_object(code=_text("category.code"), name=_text("category.%(name)s")),
    misconduct=_text("misconduct.code"),
    degree=_filled("l.degree"),
    department=_object(code=_text("department.code"), name=_text("department.name")),
    document=f"CASE WHEN l.kind = 'red' THEN 'null' ELSE {_DOCUMENT} END",
    ground=_text("l.ground"),
    basis=_text("basis.%(name)s"),
    details=_DETAILS,
    measures=_MEASURES_OF_ENTRY,
    published_on=_word("l.published_on"),
    visible_until=_word("l.visible_until"),
    disputed=_truth("l.disputed"),
    responsible_persons=_PERSONS,
    version="l.version",
    pending="'null'",
    url="""%%(base)s, '/', l.kind, '/', l.public_id, '/"'""",
)
_ENDED = _object(
    id=_word("l.public_id"),
    list=_word("l.kind"),
    status=_word("CASE WHEN l.status = 'published' THEN 'expired' ELSE l.status END"),
    ended_on=_word(
        "coalesce(l.ended_on, CASE WHEN l.status IN ('published', 'expired') "
        "THEN l.visible_until + 1 END)"
    ),
    end_reason=_filled(
        "CASE WHEN l.status IN ('published', 'expired') THEN 'expired' ELSE l.end_reason END"
    ),
)

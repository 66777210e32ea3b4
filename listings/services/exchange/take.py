"""Taking another city's file in: all of it in one transaction, or nothing of it.

Lines are read once and copied to a temporary table; what becomes of each entry is decided
for all at once. The last line about an entry counts. A crash leaves nothing behind, and the
position that was reached moves in the same transaction, so that the same file again does
nothing. Lock order as everywhere: the city, subjects, entries, the ledger's head last.
"""

import io
import json
from pathlib import Path

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from casework.moves import lock, move, move_many, record
from listings import ledger, policies
from listings.models import ExchangeFile, Listing, PartnerCity
from listings.services.exchange.entries import STAGED, Reader, Unfit
from listings.services.exchange.reading import Positions, RefusedFile, city_of, open_file
from listings.services.publish import measure_set_of, measures_for
from rulebook.models import Measure

CHUNK = 5_000  # entries that are moved and told at once
BLOCK = 8_000_000  # characters of rows that are in memory at once
SHOWN_REMARKS = 200
STATES = ExchangeFile.State


def take(path, *, actor, today, name=None):
    """Take a file of another city in; returns its ExchangeFile, taken or refused.

    What is refused is kept as a row that says why and on which line, and changes nothing
    else. `actor` is a platform operator, or a command without a user. Raises PermissionDenied,
    and OSError where the file can't be read.
    """
    if actor.user and not policies.may_exchange(actor.user):
        raise PermissionDenied
    path = Path(path)
    name = "".join(sign for sign in name or path.name if sign.isprintable())[-200:]
    with path.open("rb") as file:
        try:
            return _take(file, name, actor, today)
        except RefusedFile as refusal:
            return _refused(city_of(file), name, refusal, actor)


@transaction.atomic
def _refused(city, name, refusal, actor):
    kept = ExchangeFile.objects.create(
        city=city,
        state=STATES.REFUSED,
        file_name=name,
        reason=refusal.message[:500],
        **actor.columns,
    )
    if city:
        record(city, "refuse_file", actor=actor, note=f"{name}：{refusal.message}"[:2_000])
    return kept


@transaction.atomic
def _take(file, name, actor, today):
    opened = open_file(file)
    opened.city = city = lock(opened.city)
    if city.status != PartnerCity.Status.ACTIVE:  # paused a moment ago
        raise RefusedFile("paused", _("%(city)s已停用，不接收它的文件。") % {"city": city}, 1)
    _stage(opened)
    remarks = _decide(city, opened, today)
    try:
        with transaction.atomic():
            _write(city, today)
    except IntegrityError as error:
        words = _("有两条记录的单位、主体、类别和文书都相同。")
        raise RefusedFile("duplicate", words) from error
    _move(name, actor)
    _count_for_measures(city, today)
    kept = ExchangeFile.objects.create(
        city=city,
        state=STATES.TAKEN,
        kind=opened.header["kind"],
        file_name=name,
        sha256=opened.sha256,
        first_seq=opened.header.get("from"),
        last_seq=opened.header["to"],
        lines=opened.lines - 1,
        remarks=remarks,
        **_counts(),
        **actor.columns,
    )
    _go_on(city, opened, kept, actor)
    _append()
    return kept


def _go_on(city, opened, kept, actor):
    """Remember how far the city's ledger was taken."""
    reached = opened.header["to"]
    fields = {"taken_at": timezone.now()}
    if reached > city.position or city.position_hash is None:
        fields |= {"position": reached, "position_hash": bytes.fromhex(opened.header["hash"])}
    changes = {"position": [city.position, max(reached, city.position)]}
    move(city, "take", actor=actor, note=kept.file_name, changes=changes, **fields)


# ── reading ───────────────────────────────────────────────────────────────────────────────────


def _stage(opened):
    """Copy what is new in the file to the table `told`: one row of JSON for each line."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS told, staged, fates")
        cursor.execute("CREATE TEMP TABLE told (line int, content jsonb) ON COMMIT DROP")
        for block in _blocks(_new_rows(opened)):
            cursor.copy_expert("COPY told FROM STDIN", io.StringIO(block))


def _blocks(rows):
    """The rows as text for COPY, so much at a time that memory stays bounded."""
    lines, size = [], 0
    for line, row in rows:
        content = json.dumps(row, ensure_ascii=False).replace("\\", "\\\\")
        lines.append(f"{line}\t{content}\n")
        size += len(content)
        if size > BLOCK:
            yield "".join(lines)
            lines, size = [], 0
    yield "".join(lines)


def _new_rows(opened):
    """Yield (line, staged row) of the entries told after what was taken before."""
    try:
        reader = Reader(opened.city, opened.header["departments"])
    except Unfit as unfit:
        raise RefusedFile("bad_header", str(unfit), 1) from None
    told = _of_snapshot(opened) if opened.is_snapshot else _of_changes(opened)
    for line, entry in told:
        try:
            yield line, reader.row(entry)
        except Unfit as unfit:
            raise RefusedFile("bad_entry", str(unfit), line) from None


def _of_changes(opened):
    positions = Positions(opened)
    for line, row in opened.rows():
        new = positions.step(line, row)
        if new and "action" in row:  # without one it is another city's, told for the chain
            yield line, row.get("listing")
    positions.end()


def _of_snapshot(opened):
    city, reached = opened.city, opened.header["to"]
    if reached < city.position:
        words = _("这份全部名单（到序号 %(to)s）早于已经接收的（%(known)s）。")
        raise RefusedFile("older", words % {"to": reached, "known": city.position}, 1)
    known = city.position_hash and bytes(city.position_hash).hex()
    if known and reached == city.position and known != opened.header["hash"]:
        words = _("序号 %(seq)s 和已经接收的不是同一条：对方的账本被改写过。")
        raise RefusedFile("rewritten", words % {"seq": reached}, 1)
    for line, row in opened.rows():
        yield line, row.get("listing")


# ── deciding ──────────────────────────────────────────────────────────────────────────────────


def _decide(city, opened, today):
    """Give every entry of the file its fate; returns what somebody should look at."""
    with connection.cursor() as cursor:
        for statement in _STAGE:
            cursor.execute(statement)
        if opened.is_snapshot:
            _refuse_twice(cursor)
            _refuse_untold(cursor, city, today)
        cursor.execute(_MAKE_ORGANISATIONS, {"now": timezone.now()})
        cursor.execute(_HOLD_SUBJECTS)
        cursor.execute(_HOLD_ENTRIES)
        cursor.execute(_FATES, {"city": city.code, "today": today})
        cursor.execute("ANALYZE fates")
        _refuse_other_id(cursor)
        cursor.execute(_REMARKS, [SHOWN_REMARKS])
        words = _("这个代码在本市登记的是另一个名称，记录显示本市的名称。")
        return [{"line": line, "message": words} for (line,) in cursor.fetchall()]


def _refuse_twice(cursor):
    cursor.execute(
        "SELECT line FROM (SELECT line, row_number() OVER"
        " (PARTITION BY content ->> 'public_id' ORDER BY line) AS nth FROM told) t"
        " WHERE nth = 2 ORDER BY line LIMIT 1"
    )
    if found := cursor.fetchone():
        raise RefusedFile("twice", _("这条记录在文件里出现了两次。"), found[0])


def _refuse_untold(cursor, city, today):
    """All that we hold of the city must be told, in full or as ended: nothing just vanishes."""
    cursor.execute(
        "SELECT count(*) FROM listings_listing l WHERE origin = %s AND status = 'published'"
        " AND visible_until >= %s AND NOT EXISTS"
        " (SELECT FROM staged s WHERE s.public_id = l.public_id)",
        [city.code, today],
    )
    if missing := cursor.fetchone()[0]:
        words = _("这份全部名单没有提到本市已经接收的 %(n)s 条记录。") % {"n": missing}
        raise RefusedFile("untold", words)


def _refuse_other_id(cursor):
    cursor.execute("SELECT min(line) FROM fates WHERE fate = 'other_id'")
    if line := cursor.fetchone()[0]:
        raise RefusedFile("other_id", _("记录编号已用于别处的记录。"), line)


_COLUMNS = ", ".join(f"{name} {kind}" for name, kind in STAGED.items())
_STAGE = (
    # the last line about an entry counts
    f"""
    CREATE TEMP TABLE staged ON COMMIT DROP AS
    SELECT DISTINCT ON (r.public_id) t.line, r.*
    FROM told t CROSS JOIN LATERAL jsonb_to_record(t.content) AS r({_COLUMNS})
    ORDER BY r.public_id, t.line DESC
    """,  # noqa: S608 - constant text
    "CREATE INDEX ON staged (public_id)",
    "ANALYZE staged",
)

# Subjects that the portal does not know yet; one it knows keeps the name it has here.
_MAKE_ORGANISATIONS = """
INSERT INTO parties_subject (public_id, kind, code, name, name_normalised, region,
    legal_representative, paper_type, paper_key_id, paper_index_key_id, created_at)
SELECT DISTINCT ON (s.code) gen_random_uuid(), s.subject_kind, s.code, s.name, s.name_normalised,
       s.region, '', '', '', '', %(now)s
FROM staged s
WHERE s.code IS NOT NULL AND NOT EXISTS (
    SELECT FROM parties_subject p WHERE p.code = s.code OFFSET 0)
ORDER BY s.code, s.line DESC
ON CONFLICT DO NOTHING
"""

_HOLD_SUBJECTS = """
SELECT FROM parties_subject WHERE id = ANY(ARRAY(
    SELECT unnest(ARRAY[p.id, p.merged_into_id])
    FROM staged s CROSS JOIN LATERAL (
        SELECT * FROM parties_subject p WHERE p.code = s.code OFFSET 0) p
)) ORDER BY id FOR KEY SHARE
"""

_HOLD_ENTRIES = """
SELECT FROM listings_listing WHERE id = ANY(ARRAY(
    SELECT l.id FROM staged s JOIN listings_listing l USING (public_id)
)) ORDER BY id FOR UPDATE
"""

# What an entry says, by the names under which history tells what was corrected.
_SAYS = """jsonb_build_object(
    'subject', {subject}, 'category', {category}, 'department', {department},
    'degree', {row}.degree, 'document_number', {row}.document_number,
    'document_kind', {row}.document_kind, 'document_organ', {row}.document_organ,
    'document_date', {row}.document_date, 'ground', {row}.ground, 'basis', {basis},
    'details', {row}.details, 'published_on', {row}.published_on,
    'visible_until', {row}.visible_until)"""
_HELD = _SAYS.format(
    row="l", subject="coalesce(lp.code, lp.name)", category="lc.code", department="ld.code",
    basis="lb.name",
)  # fmt: skip
_TOLD = _SAYS.format(
    row="s", subject="coalesce(p.code, s.name)", category="s.category", department="s.department",
    basis="s.basis",
)  # fmt: skip

_FATES = f"""
CREATE TEMP TABLE fates ON COMMIT DROP AS
WITH compared AS (
    SELECT s.line, s.public_id, s.status, l.id AS listing_id, l.status AS held,
           coalesce(p.id, l.subject_id) AS subject_id, s.code IS NULL AS person,
           p.name_normalised <> s.name_normalised AS name_differs,
           l.origin <> %(city)s OR l.kind <> s.list AS other_id,
           s.visible_until < %(today)s AS over, l.disputed <> s.disputed AS annotated,
           (SELECT jsonb_object_agg(name, jsonb_build_array(o.value, n.value))
            FROM jsonb_each({_HELD}) o(name, value) JOIN jsonb_each({_TOLD}) n(name, value)
            USING (name) WHERE o.value <> n.value) AS changes
    FROM staged s
    LEFT JOIN LATERAL (
        SELECT k.* FROM parties_subject c JOIN parties_subject k
            ON k.id = coalesce(c.merged_into_id, c.id)
        WHERE c.code = s.code OFFSET 0
    ) p ON true
    LEFT JOIN listings_listing l ON l.public_id = s.public_id
    LEFT JOIN parties_subject lp ON lp.id = l.subject_id
    LEFT JOIN rulebook_listcategory lc ON lc.id = l.category_id
    LEFT JOIN parties_department ld ON ld.id = l.department_id
    LEFT JOIN rulebook_legalbasis lb ON lb.id = l.basis_id
)
SELECT line, public_id, listing_id, subject_id, person, name_differs, changes, CASE
    WHEN other_id THEN 'other_id'
    WHEN listing_id IS NULL AND (status <> 'published' OR over) THEN 'never_here'
    WHEN listing_id IS NULL THEN 'publish'
    WHEN held <> 'published' THEN 'unchanged'
    WHEN status = 'withdrawn' THEN 'withdraw'
    WHEN status = 'repaired' THEN 'repair'
    WHEN status = 'expired' THEN 'expire'
    WHEN changes IS NOT NULL THEN 'correct'
    WHEN annotated THEN 'annotate'
    ELSE 'unchanged' END AS fate
FROM compared
"""  # noqa: S608 - constant text

_REMARKS = """
SELECT line FROM fates WHERE name_differs AND fate IN ('publish', 'correct') ORDER BY line LIMIT %s
"""

# ── writing ───────────────────────────────────────────────────────────────────────────────────

ENDINGS = tuple(Listing.ENDINGS)


def _write(city, today):
    """Put the content of new and changed entries into their rows; their status moves after."""
    with connection.cursor() as cursor:
        cursor.execute(_MAKE_PERSONS, {"now": timezone.now()})
        cursor.execute(_RENAME_PERSONS)
        cursor.execute(_INSERT, {"now": timezone.now(), "city": city.code})
        cursor.execute(
            "UPDATE fates SET listing_id = l.id FROM listings_listing l"
            " WHERE fate = 'publish' AND l.public_id = fates.public_id"
        )
        cursor.execute(_UPDATE)
        cursor.execute(_END, [list(ENDINGS)])


# A person has no code and no paper here: one row for each entry, under the masked name.
_MAKE_PERSONS = """
INSERT INTO parties_subject (public_id, kind, name, name_normalised, region,
    legal_representative, paper_type, paper_key_id, paper_index_key_id, created_at)
SELECT s.subject_public_id, 'person', s.name, s.name_normalised, '', '', '', '', '', %(now)s
FROM staged s JOIN fates f USING (line) WHERE f.fate = 'publish' AND f.person ORDER BY s.line
"""
_RENAME_PERSONS = """
UPDATE parties_subject p SET name = s.name, name_normalised = s.name_normalised
FROM staged s JOIN fates f USING (line)
WHERE f.fate = 'correct' AND f.person AND p.id = f.subject_id AND p.kind = 'person'
    AND p.name <> s.name
"""
# An entry is found by the name that its subject has here.
_GRAMS = """CASE WHEN f.name_differs THEN coalesce((
        SELECT array_agg(DISTINCT substr(p.name_normalised, i, 2))
        FROM generate_series(1, length(p.name_normalised) - 1) AS i), '{}')
    ELSE s.bigrams END"""
_INSERT = f"""
INSERT INTO listings_listing (public_id, status, version, created_at, kind, origin, subject_id,
    category_id, misconduct_id, degree, department_id, reference, document_number, document_kind,
    document_organ, document_date, ground, basis_id, basis_article, details, measure_until,
    published_on, visible_until, end_reason, disputed, rule_version, bigrams)
SELECT s.public_id, 'draft', 1, %(now)s, s.list, %(city)s,
    coalesce(f.subject_id, (SELECT id FROM parties_subject WHERE public_id = s.subject_public_id)),
    s.category_id, s.misconduct_id, s.degree, s.department_id, '', s.document_number,
    s.document_kind, s.document_organ, s.document_date, s.ground, s.basis_id, '', s.details, '{{}}',
    s.published_on, s.visible_until, '', s.disputed, s.rule_version, {_GRAMS}
FROM staged s JOIN fates f USING (line) LEFT JOIN parties_subject p ON p.id = f.subject_id
WHERE f.fate = 'publish' ORDER BY s.line
"""  # noqa: S608 - constant text
_UPDATE = f"""
UPDATE listings_listing l SET subject_id = f.subject_id, category_id = s.category_id,
    misconduct_id = s.misconduct_id, degree = s.degree, department_id = s.department_id,
    document_number = s.document_number, document_kind = s.document_kind,
    document_organ = s.document_organ, document_date = s.document_date, ground = s.ground,
    basis_id = s.basis_id, details = s.details, published_on = s.published_on,
    visible_until = s.visible_until, disputed = s.disputed, rule_version = s.rule_version,
    bigrams = {_GRAMS}
FROM staged s JOIN fates f USING (line) LEFT JOIN parties_subject p ON p.id = f.subject_id
WHERE f.fate IN ('correct', 'annotate') AND l.id = f.listing_id
"""  # noqa: S608 - constant text
_END = """
UPDATE listings_listing l SET ended_on = s.ended_on, end_reason = s.end_reason, disputed = false
FROM staged s JOIN fates f USING (line) WHERE f.fate = ANY(%s) AND l.id = f.listing_id
"""


def _move(name, actor):
    """Take each entry along its arrow, with a journal line that names the file."""
    for action in ("publish", "correct", "annotate", *ENDINGS):
        for rows in _chunks("fate = %s", action):
            pks = [pk for pk, *_rest in rows]
            move_many(Listing.objects.filter(pk__in=pks), action, actor=actor, note=name, wait=True)


def _chunks(condition, *given):
    """Rows (entry's key, fate, changes) of the table of fates in the order of the file."""
    last = 0
    while True:
        with connection.cursor() as cursor:
            rows = f"SELECT line, listing_id, fate, changes::text FROM fates WHERE {condition}"  # noqa: S608
            cursor.execute(f"{rows} AND line > %s ORDER BY line LIMIT %s", [*given, last, CHUNK])
            rows = cursor.fetchall()
        if not rows:
            return
        last = rows[-1][0]
        yield [row[1:] for row in rows]


def _count_for_measures(city, today):
    """Where an agreement says so, our own memoranda in force ask our units for their measures.

    The other city's measures bind its own units alone and are not taken.
    """
    if not city.agreement:
        return
    samples = _samples()
    for listing in samples:
        measures = measures_for(listing, today)
        codes = [row["code"] for row in measures]
        bans = Measure.objects.filter(needs_end_date=True, code__in=codes)
        with connection.cursor() as cursor:
            cursor.execute(
                _MEASURES,
                {
                    "set": measure_set_of(measures).pk,
                    "bans": list(bans.values_list("code", flat=True)),
                    "category": listing.category_id,
                },
            )


def _samples():
    """An entry of an organisation for each category that has new or changed ones."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(f.listing_id) FROM fates f JOIN staged s USING (line)"
            " WHERE f.fate IN ('publish', 'correct') AND NOT f.person GROUP BY s.category_id"
        )
        pks = [pk for (pk,) in cursor.fetchall()]
    return Listing.objects.with_parts().filter(pk__in=pks).order_by("pk")


_MEASURES = """
UPDATE listings_listing l SET measure_set_id = %(set)s, measure_until = coalesce((
    SELECT jsonb_object_agg(code, l.visible_until) FROM unnest(%(bans)s::text[]) AS b(code)), '{}')
FROM fates f
WHERE f.fate IN ('publish', 'correct') AND NOT f.person AND l.id = f.listing_id
    AND l.category_id = %(category)s
"""


def _append():
    """Tell our own ledger, in the order of the file. Last of all: nothing is locked after it."""
    for rows in _chunks("fate NOT IN ('unchanged', 'never_here')"):
        entries = Listing.objects.with_shared_parts().in_bulk([pk for pk, *_rest in rows])
        ledger.append(
            [ledger.Entry(entries[pk], fate, _changes(fate, changes)) for pk, fate, changes in rows]
        )


def _changes(fate, changes):
    return json.loads(changes) if fate == "correct" else {}


def _counts():
    with connection.cursor() as cursor:
        cursor.execute("SELECT fate, count(*) FROM fates GROUP BY fate")
        fates = dict(cursor.fetchall())
        cursor.execute("SELECT count(*) FROM fates WHERE fate = 'publish' AND person")
        persons = cursor.fetchone()[0]
    return {
        "created": fates.get("publish", 0),
        "changed": fates.get("correct", 0) + fates.get("annotate", 0),
        "ended": sum(fates.get(action, 0) for action in ENDINGS),
        "unchanged": fates.get("unchanged", 0) + fates.get("never_here", 0),
        "persons": persons,
    }

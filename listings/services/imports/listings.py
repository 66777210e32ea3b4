"""Entries in the provincial layout of the red and the black list, into drafts.

What both lists have in common; the columns of a list's own steps (prior notice, nomination)
come with `Steps` from the list's app.
"""

import json
from pathlib import Path

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from casework.moves import record_many
from listings import policies
from listings.models import ImportBatch, Listing
from listings.services.imports import subjects
from listings.services.imports.rows import DECIDES, STAGED, layout
from listings.services.imports.staging import Staging, default_rejected, one_at_a_time

MESSAGES = {  # fate: (name of the column, what is wrong)
    "name_differs": ("name", subjects.NAME_DIFFERS),
    "duplicate_in_file": ("document_number", gettext_lazy("文件里有同一条记录，内容不同")),
    "reference_used": ("reference", gettext_lazy("这个编号已用于另一条记录")),
    "published_differs": (
        "document_number",
        gettext_lazy("已公布或已撤下的记录内容不同，请在平台办理更正"),
    ),
    "term_over": ("visible_until", gettext_lazy("有效期已过")),
}


@transaction.atomic
def import_listings(
    path,
    task,
    *,
    approver=None,
    attested=False,
    rejected_to=None,
    dry_run=False,
    progress=None,
    batch=None,
):
    """Take a file of entries into drafts; returns its summary and its problems.

    With `approver` (an Actor) those drafts are published that lack nothing; the others
    stay drafts, and the problems say why; `attested` says that the approver vouches for what
    is made public. A `batch` that was previewed is filled in instead of a new one. The same
    file again changes nothing. Raises UnreadableFile, PermissionDenied, ValidationError.
    """
    _may(task, approver)
    prefetch_related_objects([task.category], "fields")
    form = layout(task)
    staging = Staging(Path(path), form, progress, batch)
    one_at_a_time(task.department)
    staging.load()
    subjects.hold_all()
    _decide(task, staging.present)
    title = subjects.titles(form.columns)
    for fate, (name, message) in MESSAGES.items():
        staging.refuse(fate, title(name), message)
    _write(task, staging)
    published = _publish(task, staging, approver, attested=attested) if approver else {}
    summary, _batch = staging.finish(
        ImportBatch.Kind.LISTINGS,
        department=task.department,
        category=task.category,
        actor=task.actor,
        rejected_to=rejected_to or default_rejected(path),
    )
    problems = staging.errors()
    if dry_run:
        transaction.set_rollback(True)
    return {**summary, **published}, problems


def _may(task, approver):
    if not task.category.active:
        raise ValidationError(_("这个类别已停用。"))
    user = task.actor.user
    if user and not (
        policies.may_draft(user, task.category) and user.works_for(task.department.pk)
    ):
        raise PermissionDenied
    if not task.category.departments.filter(pk=task.department.pk).exists():
        raise PermissionDenied
    if approver and (approver.user == user or not approver.user.works_for(task.department.pk)):
        raise PermissionDenied


def _decide(task, present):
    """Give every staged row its fate and its entry's key."""
    with connection.cursor() as cursor:
        cursor.execute(
            _fates(task, present),
            {
                "department": task.department.pk,
                "category": task.category.pk,
                "today": task.today,
                "red": task.is_red,
            },
        )
        cursor.execute("ANALYZE fates")
        cursor.execute(
            "SELECT id FROM listings_listing WHERE id IN"
            " (SELECT listing_id FROM fates WHERE fate = 'updated') ORDER BY id FOR UPDATE"
        )
        # published before it was locked: the ledger would never hear of the change
        cursor.execute(
            "UPDATE fates SET fate = 'published_differs' FROM listings_listing l"
            " WHERE fate = 'updated' AND l.id = listing_id AND l.status <> 'draft'"
        )


def _fates(task, present):
    named, by_reference = "NULL::bigint", "false"  # where the file has no such column
    if "reference" in present:
        named = (
            "CASE WHEN s.reference <> '' THEN row_number() OVER"
            " (PARTITION BY reference, name_differs ORDER BY line) END"
        )
        by_reference = (
            "c.reference <> '' AND r.reference <> ''"
            " AND r.department_id = %(department)s AND r.reference = c.reference"
        )
    sequence = "SELECT pg_get_serial_sequence('listings_listing', 'id')::regclass"  # asked once
    return f"""
CREATE TEMP TABLE fates ON COMMIT DROP AS
WITH known AS ({subjects.KNOWN}), counted AS (
    SELECT k.*, s.document_number, s.reference, s.visible_until,
           first_value(line) OVER same AS first_line,
           {named} AS nth_named
    FROM known k JOIN staged s USING (line)
    WINDOW same AS (PARTITION BY subject_id, document_number, name_differs,
                    CASE WHEN document_number = '' THEN reference END ORDER BY line)
), matched AS (
    SELECT c.*, coalesce(r.id, d.id) AS old_id,
           r.id <> d.id OR r.category_id <> %(category)s AS used_elsewhere
    FROM counted c
    LEFT JOIN listings_listing r ON {by_reference}
    LEFT JOIN {_known_by_document(task)}
), compared AS (
    -- one entry at a time, by its key: a file is small beside the lists (OFFSET keeps it so)
    SELECT m.*, old.status AS old_status, old.differs
    FROM matched m LEFT JOIN LATERAL (
        SELECT l.status, {_differs(task, present)} AS differs
        FROM listings_listing l JOIN staged s ON s.line = m.line
        LEFT JOIN {task.steps.table} k ON k.listing_id = l.id
        WHERE l.id = m.old_id OFFSET 0
    ) old ON m.old_id IS NOT NULL
), decided AS (
    SELECT *, CASE
        WHEN name_differs THEN 'name_differs'
        WHEN line > first_line AND {_repeats(task)} THEN 'repeated'
        WHEN line > first_line OR nth_named > 1 THEN 'duplicate_in_file'
        WHEN used_elsewhere THEN 'reference_used'
        WHEN old_id IS NOT NULL AND NOT differs THEN 'unchanged'
        WHEN old_status = 'draft' THEN 'updated'
        WHEN old_status = 'published' OR (old_id IS NOT NULL AND NOT %(red)s)
            THEN 'published_differs'
        WHEN visible_until < %(today)s THEN 'term_over'
        ELSE 'created' END AS fate
    FROM compared
)
SELECT line, subject_id, fate,
       CASE WHEN fate = 'created' THEN nextval(({sequence})) ELSE old_id END AS listing_id
FROM decided
"""  # noqa: S608 - constant text and column names of our own


def _repeats(task):
    """SQL: does the row `line` say the same as the row `first_line`?"""
    names = ["name_normalised", *STAGED, *task.steps.staged]
    one, other = (", ".join(f"{row}.{name}" for name in names) for row in ("s", "f"))
    return (
        f"(SELECT ({one}) IS NOT DISTINCT FROM ({other}) FROM staged s, staged f"  # noqa: S608
        " WHERE s.line = compared.line AND f.line = first_line)"
    )


def _known_by_document(task):
    """How an entry of the same department, subject, category and document is found.

    Red entries have no document: there it is the subject's newest one under the category.
    """
    same = (
        "d.subject_id = c.subject_id AND d.category_id = %(category)s"
        " AND d.department_id = %(department)s"
    )
    if not task.is_red:
        return (
            f"LATERAL (SELECT d.id FROM listings_listing d WHERE {same}"  # noqa: S608
            " AND d.document_number = c.document_number AND d.document_number <> ''"
            " OFFSET 0) d ON true"
        )
    return (
        f"LATERAL (SELECT d.id FROM listings_listing d WHERE {same} AND c.reference = ''"  # noqa: S608
        " ORDER BY d.id DESC LIMIT 1) d ON true"
    )


def _decided(present):
    """The entry's columns that the file decides, since it has columns for them."""
    found = [entry for name, entries in DECIDES.items() if name in present for entry in entries]
    return found + (["details"] if any(name.startswith("own_") for name in present) else [])


def _differs(task, present):
    """SQL: does the entry `l`, with its steps `k`, say something else than the row `m`, `s`?"""
    terms = ["l.subject_id <> m.subject_id"]
    for name in _decided(present):
        if name == "visible_until":  # publication may have shortened it, to the degree's maximum
            terms.append(
                "CASE WHEN l.status = 'draft' THEN l.visible_until IS DISTINCT FROM s.visible_until"
                " ELSE coalesce(s.visible_until < l.visible_until, false) END"
            )
        else:
            terms.append(f"l.{name} IS DISTINCT FROM s.{name}")
    kept = [name for name in task.steps.staged if name in present]
    if kept:
        unlike = " OR ".join(f"k.{name} IS DISTINCT FROM s.{name}" for name in kept)
        terms.append(f"({task.steps.given} AND ({unlike}))")
    return " OR ".join(terms)


def _write(task, staging):
    """Make and change the drafts, their steps and their journal lines."""
    category, present = task.category, staging.present
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            {
                "now": timezone.now(),
                "together": staging.together,
                "kind": category.kind,
                "origin": settings.REGION,
                "category": category.pk,
                "misconduct": category.misconduct_id,
                "department": task.department.pk,
                "term": category.term_months,
                "terms": json.dumps({row.degree: row.term_months for row in category.terms.all()}),
                "rule_version": category.version,
            },
        )
        staging.count_young()
        changed = [*_decided(present), "bigrams"]
        cursor.execute(
            f"""
            UPDATE listings_listing l SET version = version + 1, subject_id = f.subject_id,
                rule_version = %s, {", ".join(f"{name} = s.{name}" for name in changed)}
            FROM fates f JOIN staged s USING (line) WHERE f.fate = 'updated' AND l.id = f.listing_id
            """,  # noqa: S608 - column names of our own
            [category.version],
        )
        cursor.execute(_steps(task.steps, present))
    staging.count_young()
    for fate, action in (("created", "create"), ("updated", "edit")):
        for keys in _keys_in_chunks(fate):
            record_many(Listing, keys, action, actor=task.actor, note=staging.name)


def _keys_in_chunks(fate):
    """The keys of the entries with this fate, so many at a time that memory stays bounded."""
    last = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT listing_id FROM fates WHERE fate = %s AND listing_id > %s"
                " ORDER BY listing_id LIMIT %s",
                [fate, last, KEYS],
            )
            keys = [key for (key,) in cursor.fetchall()]
            if not keys:
                return
            yield keys
            last = keys[-1]


KEYS = 50_000


def _keys(*fates):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT listing_id FROM fates WHERE fate = ANY(%s) ORDER BY 1", [list(fates)]
        )
        return [key for (key,) in cursor.fetchall()]


_INSERT = """
INSERT INTO listings_listing (id, public_id, status, version, created_at, kind, origin, subject_id,
    category_id, misconduct_id, degree, department_id, reference, document_number, document_kind,
    document_organ, document_date, ground, basis_id, basis_article, details, measure_until,
    term_months, visible_until, end_reason, disputed, rule_version, bigrams)
SELECT f.listing_id, overlay(gen_random_uuid()::text placing %(together)s from 1)::uuid, 'draft',
    1, %(now)s, %(kind)s, %(origin)s, f.subject_id,
    %(category)s, %(misconduct)s, s.degree, %(department)s, s.reference, s.document_number,
    s.document_kind, s.document_organ, s.document_date, s.ground, s.basis_id, s.basis_article,
    s.details, '{}', coalesce((%(terms)s::jsonb ->> s.degree)::int, %(term)s), s.visible_until, '',
    false, %(rule_version)s, s.bigrams
FROM fates f JOIN staged s USING (line) WHERE f.fate = 'created' ORDER BY f.line
"""


def _steps(steps, present):
    names = list(steps.staged)
    kept = [name for name in names if name in present]
    update = ", ".join(f"{name} = excluded.{name}" for name in kept)
    return f"""
INSERT INTO {steps.table} (listing_id, {", ".join(names)})
SELECT f.listing_id, {", ".join(f"s.{name}" for name in names)}
FROM fates f JOIN staged s USING (line)
WHERE f.fate IN ('created', 'updated') AND {steps.given} ORDER BY f.line
ON CONFLICT (listing_id) DO {f"UPDATE SET {update}" if kept else "NOTHING"}
"""  # noqa: S608 - column names of our own


def _publish(task, staging, approver, *, attested):
    """Publish what lacks nothing; the rest is remarked upon. {published, held} for the summary."""
    drafts = Listing.objects.filter(
        pk__in=_keys("created", "updated", "unchanged"), status=Listing.Status.DRAFT
    )
    published, held = task.steps.publish(
        drafts, actor=approver, today=task.today, attested=attested
    )
    by_reason = {}
    for pk, reason in held.items():
        by_reason.setdefault(reason, []).append(pk)
    for (code, message), pks in by_reason.items():
        staging.hold(pks, "", message, code)
    return {"published": len(published), "held": len(held)}

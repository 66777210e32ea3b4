"""Entries in the provincial layout of the red and the black list, into drafts.

What both lists have in common; the columns of a list's own steps (prior notice, nomination)
come with `Steps` from the list's app.
"""

import hashlib
import json
from dataclasses import dataclass
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
from listings.services.draft import checked_details
from listings.services.imports import subjects
from listings.services.imports.cells import Column, Problem, Refused, day, one_of, text
from listings.services.imports.staging import Layout, Staging, default_rejected, one_at_a_time
from parties import identity
from rulebook.models import CategoryField, Degree, LegalBasis, ListKind

SUBJECT = subjects.columns(
    kind=("主体类别", "subject_kind", "主体类型", "kind"),
    name=("主体名称", "name", "名称", "姓名或名称", "企业名称", "subject_name"),
    code_titles=("统一社会信用代码", "code", "社会信用代码", "uscc"),
    representative=("法定代表人", "legal_representative", "法定代表人(负责人)"),
    paper_type=("证件类型", "paper_type", "id_type"),
    paper_number=("证件号码", "paper_number", "证件号", "id_number", "身份证号码"),
)
ENTRY = (
    Column(
        "list", ("名单类型", "list", "名单类别", "名单"), one_of(ListKind, 守信="red", 失信="black")
    ),
    Column("department", ("认定部门", "department", "认定单位", "列入部门"), text(100)),
    Column("reference", ("部门编号", "reference", "记录编号"), text(100)),
    Column(
        "ground", ("认定理由", "ground", "认定事由", "列入事由", "事由", "理由", "reason"), text()
    ),
    Column("basis", ("认定依据", "basis", "列入依据", "依据"), text(200)),
    Column("recognised_on", ("认定日期", "recognised_on", "列入日期", "recognition_date"), day),
    Column(
        "visible_until",
        ("有效期至", "visible_until", "有效期", "期限止", "期限截止", "valid_until", "term_end"),
        day,
    ),
)
DOCUMENT_COLUMNS = (
    Column("document_number", ("文书文号", "document_number", "文书号", "决定书文号"), text(128)),
    Column("document_kind", ("文书种类", "document_kind", "文书类型"), text(60)),
    Column("document_organ", ("作出机关", "document_organ", "文书机关"), text(200)),
    Column("document_date", ("文书日期", "document_date", "决定日期"), day),
    Column("misconduct", ("失信行为代码", "misconduct", "失信行为"), text(60)),
    Column("degree", ("失信程度", "degree", "程度", "严重程度"), one_of(Degree)),
    Column("term_from", ("期限起", "term_from", "term_start"), day),
    Column("removed_on", ("移出日期", "removed_on", "退出日期"), day),
    Column("removal_reason", ("移出原因", "removal_reason", "退出原因"), text()),
    Column("removal_document", ("移出文书", "removal_document", "退出文书"), text(128)),
)
STAGED = {
    "reference": "text",
    "ground": "text",
    "basis_id": "bigint",
    "basis_article": "text",
    "visible_until": "date",
    "document_number": "text",
    "document_kind": "text",
    "document_organ": "text",
    "document_date": "date",
    "degree": "text",
    "details": "jsonb",
    "bigrams": "text[]",
    "digest": "bytea",
}
# What the file's columns decide about an entry: column of the file → columns of the entry.
DECIDES = {
    "reference": ("reference",),
    "ground": ("ground",),
    "basis": ("basis_id", "basis_article"),
    "visible_until": ("visible_until",),
    "document_number": ("document_number",),
    "document_kind": ("document_kind",),
    "document_organ": ("document_organ",),
    "document_date": ("document_date",),
    "degree": ("degree",),
}
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


@dataclass(frozen=True)
class Steps:
    """What one list adds to a file: its columns, their staged form, and where they are kept.

    `stage(values, problems)` returns the staged columns of `staged`; `given` is SQL that is
    true where a staged row `s` has them; `columns_kept` are columns of `table`.
    """

    columns: tuple[Column, ...]
    staged: dict[str, str]
    stage: callable
    table: str
    given: str
    publish: callable  # (drafts, *, actor, today) -> (keys published, {pk: (code, message)})


@dataclass(frozen=True)
class Task:
    """One import: whose rows, under which category, by whom, on which day."""

    category: object
    department: object
    actor: object
    today: object
    steps: Steps

    @property
    def is_red(self):
        return self.category.kind == ListKind.RED


@transaction.atomic
def import_listings(path, task, *, approver=None, rejected_to=None, dry_run=False, progress=None):
    """Take a file of entries into drafts; returns its summary and its problems.

    With `approver` (an Actor) those drafts are published that lack nothing; the others
    stay drafts, and the problems say why. The same file again changes nothing. Raises
    UnreadableFile, PermissionDenied, ValidationError.
    """
    _may(task, approver)
    prefetch_related_objects([task.category], "fields")
    layout = _layout(task)
    staging = Staging(Path(path), layout, progress)
    one_at_a_time(task.department)
    staging.load()
    subjects.make_missing()
    _decide(task, staging.present)
    title = subjects.titles(layout.columns)
    for fate, (name, message) in MESSAGES.items():
        staging.refuse(fate, title(name), message)
    _write(task, staging)
    published = _publish(task, staging, approver) if approver else {}
    summary, _batch = staging.finish(
        ImportBatch.Kind.LISTINGS,
        department=task.department,
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


def _layout(task):
    own = tuple(
        Column(f"own_{field.code}", (field.title, field.code), text())
        for field in task.category.fields.all()
    )
    columns = (*SUBJECT, *ENTRY, *(() if task.is_red else DOCUMENT_COLUMNS), *task.steps.columns)
    taken = {title for column in columns for title in column.titles}
    own = tuple(Column(c.name, tuple(t for t in c.titles if t not in taken), c.read) for c in own)
    needed = [("name",), ("code", "paper_number")]
    if not task.is_red:
        needed.append(("document_number",))
    return Layout(
        columns=(*columns, *own),
        one_of=tuple(needed),
        staged={**subjects.STAGED, **STAGED, **task.steps.staged},
        stage=Row(task, columns).stage,
    )


class Row:
    """How a row of the file becomes a staged row under one task."""

    def __init__(self, task, columns):
        self.task = task
        self.title = subjects.titles(columns)
        self.fields = list(task.category.fields.all())
        self.required = any(field.required for field in self.fields)
        self.titles = {field.code: field.title for field in self.fields}
        self.bases = self._bases()
        self.sample = Listing(category=task.category)
        department = task.department
        self.names = {department.code, department.name, department.short_name}

    def _bases(self):
        found = {}
        for basis in LegalBasis.objects.in_force(self.task.today):
            found |= {basis.code: basis.pk, basis.name: basis.pk, f"《{basis.name}》": basis.pk}
        return found

    def stage(self, values, problems):
        staged = subjects.stage(values, problems, today=self.task.today, title=self.title)
        for check in (self.list, self.department, self.misconduct, self.dates, self.removal):
            check(values, problems)
        basis_id, article = self.basis(values, problems)
        details = self.details(values, problems)
        steps = self.task.steps.stage(values, problems)
        if any(problem.fatal for problem in problems):
            return {}
        entry = {name: values.get(name) or "" for name in DECIDES if name in STAGED}
        entry |= {
            "visible_until": values.get("visible_until"),
            "document_date": values.get("document_date"),
            "basis_id": basis_id,
            "basis_article": article,
            "details": json.dumps(details, ensure_ascii=False, sort_keys=True),
        }
        told = "\x1f".join(map(str, (staged["name_normalised"], *entry.values(), *steps.values())))
        person = staged["subject_kind"] == "person"
        return {
            **staged,
            **entry,
            **steps,
            "bigrams": [] if person else identity.bigrams(staged["name"]),
            "digest": hashlib.sha256(told.encode()).digest(),
        }

    def refuse(self, problems, name, code, message):
        problems.append(Problem(self.title(name), code, message))

    def list(self, values, problems):
        if values.get("list") and values["list"] != self.task.category.kind:
            self.refuse(problems, "list", "other_list", _("是另一个名单的记录"))

    def department(self, values, problems):
        if values.get("department") and values["department"] not in self.names:
            self.refuse(problems, "department", "other_department", _("是别的部门认定的"))

    def misconduct(self, values, problems):
        known = self.task.category.misconduct
        given = values.get("misconduct")
        if given and known and given not in {known.code, known.name}:
            self.refuse(problems, "misconduct", "misconduct_differs", _("与导入的类别不符"))

    def dates(self, values, problems):
        for name in ("document_date", "recognised_on"):
            if values.get(name) and values[name] > self.task.today:
                self.refuse(problems, name, "future_date", _("不能晚于今天"))
        start, end = values.get("term_from"), values.get("visible_until")
        if start and end and end < start:
            self.refuse(problems, "visible_until", "bad_term", _("早于期限的开始"))
        known = {problem.column for problem in problems}
        if not (self.task.is_red or values.get("document_number")) and (
            self.title("document_number") not in known
        ):
            self.refuse(problems, "document_number", "no_document", _("没有填写"))

    def removal(self, values, problems):
        for name in ("removed_on", "removal_reason", "removal_document"):
            if values.get(name):
                self.refuse(problems, name, "removed", _("已移出的记录不再导入"))

    def basis(self, values, problems):
        category = self.task.category
        given = values.get("basis")
        if given is None:
            own = not category.needs_basis
            return (category.basis_id, category.basis_article) if own else (None, "")
        if given not in self.bases:
            self.refuse(problems, "basis", "unknown_basis", _("不是现行依据的代码或全称"))
            return None, ""
        found = self.bases[given]
        return found, category.basis_article if found == category.basis_id else ""

    def details(self, values, problems):
        given = {field.code: values.get(f"own_{field.code}") for field in self.fields}
        if not (self.required or any(given.values())):
            return {}
        given |= {c: _detail(v, f) for f in self.fields for c, v in [(f.code, given[f.code])] if v}
        details, errors = checked_details(self.sample, given)
        for name, error in errors.items():
            title = self.titles[name.removeprefix("details.")]
            missing = getattr(error, "code", "") == "required"
            code, message = (
                ("required", _("没有填写")) if missing else ("bad_detail", _("格式不对"))
            )
            problems.append(Problem(title, code, message))
        return details


def _detail(value, field):
    """A category field's date in ISO form; other values as they are."""
    if field.type != CategoryField.Type.DATE:
        return value
    try:
        return day(value).isoformat()
    except Refused:
        return value


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


def _fates(task, present):
    return f"""
CREATE TEMP TABLE fates ON COMMIT DROP AS
WITH known AS ({subjects.KNOWN}), counted AS (
    SELECT *, row_number() OVER same AS nth, first_value(digest) OVER same AS first_digest,
           CASE WHEN reference <> '' THEN row_number() OVER named END AS nth_named
    FROM known
    WINDOW same AS (PARTITION BY subject_id, document_number, name_differs,
                    CASE WHEN document_number = '' THEN reference END ORDER BY line),
           named AS (PARTITION BY reference, name_differs ORDER BY line)
), matched AS (
    SELECT c.*, coalesce(r.id, d.id) AS old_id,
           r.id <> d.id OR r.category_id <> %(category)s AS used_elsewhere
    FROM counted c
    LEFT JOIN listings_listing r ON c.reference <> '' AND r.reference <> ''
         AND r.department_id = %(department)s AND r.reference = c.reference
    LEFT JOIN {_known_by_document(task)}
), compared AS (
    SELECT s.*, l.status AS old_status, {_differs(task, present)} AS differs
    FROM matched s LEFT JOIN listings_listing l ON l.id = s.old_id
    LEFT JOIN {task.steps.table} k ON k.listing_id = l.id
), decided AS (
    SELECT *, CASE
        WHEN name_differs THEN 'name_differs'
        WHEN nth > 1 AND digest = first_digest THEN 'repeated'
        WHEN nth > 1 OR nth_named > 1 THEN 'duplicate_in_file'
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
       CASE WHEN fate = 'created' THEN nextval(pg_get_serial_sequence('listings_listing', 'id'))
            ELSE old_id END AS listing_id
FROM decided
"""  # noqa: S608 - constant text and column names of our own


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
            f"listings_listing d ON {same} AND d.document_number = c.document_number"
            " AND d.document_number <> ''"
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
    """SQL: does the entry `l`, with its steps `k`, say something else than the staged row `s`?"""
    terms = ["l.subject_id <> s.subject_id"]
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
                "kind": category.kind,
                "origin": settings.REGION,
                "category": category.pk,
                "misconduct": category.misconduct_id,
                "department": task.department.pk,
                "term": category.term_months,
                "rule_version": category.version,
            },
        )
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
    for fate, action in (("created", "create"), ("updated", "edit")):
        record_many(Listing, _keys(fate), action, actor=task.actor, note=staging.path.name)


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
SELECT f.listing_id, gen_random_uuid(), 'draft', 1, %(now)s, %(kind)s, %(origin)s, f.subject_id,
    %(category)s, %(misconduct)s, s.degree, %(department)s, s.reference, s.document_number,
    s.document_kind, s.document_organ, s.document_date, s.ground, s.basis_id, s.basis_article,
    s.details, '{}', %(term)s, s.visible_until, '', false, %(rule_version)s, s.bigrams
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


def _publish(task, staging, approver):
    """Publish what lacks nothing; the rest is remarked upon. {published, held} for the summary."""
    drafts = Listing.objects.filter(
        pk__in=_keys("created", "updated", "unchanged"), status=Listing.Status.DRAFT
    )
    published, held = task.steps.publish(drafts, actor=approver, today=task.today)
    by_reason = {}
    for pk, reason in held.items():
        by_reason.setdefault(reason, []).append(pk)
    for (code, message), pks in by_reason.items():
        staging.hold(pks, "", message, code)
    return {"published": len(published), "held": len(held)}

"""A row of a file in the provincial layout: its columns, and how each is read and checked."""

import json
from dataclasses import dataclass

from django.utils.translation import gettext as _

from listings.models import Listing
from listings.services.draft import checked_details
from listings.services.imports import subjects
from listings.services.imports.cells import Column, Problem, Refused, day, one_of, text
from listings.services.imports.staging import Layout
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
}
WRITES = (
    "parties_subject",
    "listings_listing",
    "listings_change",
    "listings_changebody",
    "listings_listingversion",
    "casework_event",
)
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
TEXTS = [name for name in DECIDES if STAGED.get(name) == "text"]


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
    publish: callable  # (drafts, *, actor, today, attested) -> (keys, {pk: (code, message)})


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


def layout(task):
    """The columns that a file of this task may have, and which of them it must."""
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
        writes=(*WRITES, task.steps.table),
        each_chunk=subjects.MAKE_MISSING,
    )


class Row:
    """How a row of the file becomes a staged row under one task."""

    def __init__(self, task, columns):
        self.task = task
        self.title = subjects.titles(columns)
        self.fields = list(task.category.fields.all())
        self.required = any(field.required for field in self.fields)
        self.titles = {field.code: field.title for field in self.fields}
        self.owns = [(field.code, f"own_{field.code}") for field in self.fields]
        self.bases = self._bases()
        self.sample = Listing(category=task.category)
        department = task.department
        self.names = {department.code, department.name, department.short_name}
        self.checks = ()  # known with the first row

    def _bases(self):
        found = {}
        for basis in LegalBasis.objects.in_force(self.task.today):
            found |= {basis.code: basis.pk, basis.name: basis.pk, f"《{basis.name}》": basis.pk}
        return found

    def stage(self, values, problems):
        staged = subjects.stage(values, problems, today=self.task.today, title=self.title)
        for check in self.checks or self._checks_of(values):
            check(values, problems)
        basis_id, article = self.basis(values, problems)
        details = self.details(values, problems)
        steps = self.task.steps.stage(values, problems)
        if problems and any(problem.fatal for problem in problems):
            return {}
        person = staged["subject_kind"] == "person"
        for name in TEXTS:
            staged[name] = values.get(name) or ""
        staged |= {
            "visible_until": values.get("visible_until"),
            "document_date": values.get("document_date"),
            "basis_id": basis_id,
            "basis_article": article,
            "details": json.dumps(details, ensure_ascii=False) if details else "{}",
            "bigrams": [] if person else identity.pairs(staged["name_normalised"]),
        }
        staged |= steps
        return staged

    def _checks_of(self, values):
        """The checks whose columns the file has; every row of it has the same ones."""
        removal = ("removed_on", "removal_reason", "removal_document")
        asked = {
            self.list: "list" in values,
            self.department: "department" in values,
            self.misconduct: "misconduct" in values,
            self.dates: True,
            self.removal: any(name in values for name in removal),
        }
        self.checks = tuple(check for check, wanted in asked.items() if wanted)
        return self.checks

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
        given = {code: values.get(name) for code, name in self.owns}
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

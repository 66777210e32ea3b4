"""Who did what, over all the journals at once: acts, reads, rules, back office, checks.

Each journal is read by its own key, the newest first, and the lines are merged by time. A page
goes on where the last one ended in each of them, however many lines came since.
"""

import heapq
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import lru_cache, partial
from itertools import islice
from uuid import UUID

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.utils.timezone import get_current_timezone, localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from xlsxwriter import Workbook

from casework.models import Case, Event
from jointaction.models import Check
from listings.models import Listing
from listings.services.export import inert
from parties.models import CLOCK, PUBLIC, AccessLog, AccountEvent, Department, User
from rulebook.models import RuleVersion

PAGE = 50
CHUNK = 1_000  # lines read at once for a file
MOST = 100_000  # lines of a file
KINDS = {
    "act": gettext_lazy("办理"),
    "look": gettext_lazy("查阅个人信息"),
    "export": gettext_lazy("下载和导出"),
    "sign_in": gettext_lazy("登录"),
    "account": gettext_lazy("账号和密钥"),
    "check": gettext_lazy("查询"),
    "rule": gettext_lazy("修改规则"),
    "office": gettext_lazy("后台改动"),
}
EXPORTS, SIGN_INS = ("download", "export"), ("sign_in", "sign_in_failed", "sign_out")
FLAGS = {1: gettext_lazy("新增"), 2: gettext_lazy("修改"), 3: gettext_lazy("删除")}
COLUMNS = (
    gettext_lazy("时间"), gettext_lazy("性质"), gettext_lazy("人员"), gettext_lazy("单位"),
    gettext_lazy("动作"), gettext_lazy("对象"), gettext_lazy("说明"),
)  # fmt: skip


@dataclass
class Line:
    """One line of any journal, in words."""

    source: str
    pk: int
    at: datetime
    kind: str
    by: str
    department: str
    action: str
    about: str
    note: str

    @property
    def kind_label(self):
        return KINDS[self.kind]

    @property
    def cells(self):
        at = localtime(self.at).strftime("%Y-%m-%d %H:%M:%S")
        told = (self.by, self.department, self.action, self.about, self.note)
        return [at, str(self.kind_label), *told]


@dataclass(frozen=True)
class Asked:
    """What the auditor asks for; what is empty narrows nothing."""

    kind: str = ""
    person: str = ""
    department: Department | None = None
    since: object = None
    until: object = None
    matter: str = ""
    titles: dict = field(default_factory=dict)  # {model's label: {action: in words}}

    @property
    def words(self):
        """The question as the journal keeps it."""
        kind = KINDS.get(self.kind, "")
        unit = self.department.name if self.department else ""
        days = f"{self.since or ''}–{self.until or ''}"
        return " ".join(str(part) for part in (kind, self.person, unit, days, self.matter) if part)


class Journal:
    """The lines that `asked` for, the newest first, from `cursor` on.

    `cursor` is {source: key of its last line shown}.
    """

    def __init__(self, asked, cursor=None):
        self.asked = asked
        self.cursor = dict(cursor or {})
        self.matter = _found(asked.matter) if asked.matter else None
        self.people = _people(asked.person) if asked.person else None

    def page(self, size=PAGE):
        """(lines, whether there are more); the cursor moves on behind them."""
        streams = [list(self._stream(source, size + 1)) for source in self._sources()]
        for source, stream in zip(self._sources(), streams, strict=True):
            # a journal with no line on this page is gone on with from here, not from what comes
            self.cursor.setdefault(source.name, stream[0][1].pk + 1 if stream else 1)
        merged = heapq.merge(*streams, key=lambda found: found[1].at_of, reverse=True)
        found = list(islice(merged, size + 1))
        for source, row in found[:size]:
            self.cursor[source.name] = row.pk
        return self._told(found[:size]), len(found) > size

    def lines(self):
        """Every line, a chunk at a time, at most MOST."""
        left, more = MOST, True
        while more and left > 0:
            lines, more = self.page(min(CHUNK, left))
            left -= len(lines)
            yield from lines

    def _sources(self):
        return [
            source for source in SOURCES if not self.asked.kind or self.asked.kind in source.kinds
        ]

    def _stream(self, source, size):
        rows = source.narrow(source.rows(self.asked.kind), self)
        if (before := self.cursor.get(source.name)) is not None:
            rows = rows.filter(pk__lt=before)
        for row in rows.order_by("-pk")[:size]:
            row.at_of = getattr(row, source.at)
            yield source, row

    def _told(self, found):
        """The lines in words; what they are about is read once per kind of matter."""
        labels = _labels(row for source, row in found if source.name == "event")
        return [source.line(row, labels, self.asked.titles) for source, row in found]


@dataclass(frozen=True)
class Source:
    """One journal: where its lines are, who acted, and how a line is told."""

    name: str
    model: type
    at: str
    user: str
    kinds: tuple
    line: object
    about: object  # (rows, matter) → the rows about it
    joins: tuple

    def rows(self, kind):
        rows = self.model._default_manager.select_related(*self.joins)
        return _of_kind(rows, kind) if self.name == "event" else rows

    def narrow(self, rows, journal):
        asked = journal.asked
        if journal.people is not None:
            rows = self._by(rows, journal.people)
        if asked.department:
            rows = rows.filter(**{f"{self.user}__department": asked.department})
        if asked.since:
            rows = rows.filter(**{f"{self.at}__gte": _midnight(asked.since)})
        if asked.until:
            rows = rows.filter(**{f"{self.at}__lt": _midnight(asked.until + timedelta(days=1))})
        return rows if journal.matter is None else self.about(rows, journal.matter)

    def _by(self, rows, people):
        known, labels = people
        found = Q(**{f"{self.user}__in": known})
        if self.user == "by_user" and labels:
            found |= Q(by_user=None, by_label__in=labels)
        return rows.filter(found)


def _midnight(day):
    return datetime.combine(day, time.min, get_current_timezone())


def _of_kind(rows, kind):
    if kind == "export":
        return rows.filter(action__in=EXPORTS)
    if kind == "sign_in":
        return rows.filter(action__in=SIGN_INS)
    return rows.exclude(action__in=EXPORTS + SIGN_INS) if kind == "act" else rows


def _people(text):
    """(users called so, labels of those without an account)."""
    text = text.strip()
    users = User.objects.filter(Q(username__iexact=text) | Q(full_name__contains=text))
    nobody = {_("系统"): CLOCK.label, _("申请人"): PUBLIC.label}
    labels = [label for words, label in nobody.items() if text in {words, label}]
    return list(users.order_by("pk").values_list("pk", flat=True)[:100]), labels


# ── matters ───────────────────────────────────────────────────────────────────────────────────


@dataclass
class Matter:
    """What a number or an id stands for: rows of the journal, and of the log of sealed values."""

    events: list  # [(content type's key, key)]
    ids: set  # public ids as text


def _found(text):
    """The matter with this number or public id; of none, one that no line is about."""
    text, events, ids = text.strip(), [], set()
    public_id = _uuid(text)
    for model in apps.get_models():
        where = _where(model, text, public_id)
        if where is None:
            continue
        for row in model._default_manager.filter(where)[:10]:
            events.append((ContentType.objects.get_for_model(model).pk, row.pk))
            ids |= {str(row.public_id)} | _subject_of(row)
    if public_id:
        ids.add(str(public_id))
    return Matter(events, ids)


def _where(model, text, public_id):
    if model._meta.proxy or not hasattr(model, "public_id"):
        return None
    if public_id:
        return Q(public_id=public_id)
    number = "document_number" if model is Listing else "number"
    has = any(column.name == number for column in model._meta.concrete_fields)
    return Q(**{number: text}) if has and issubclass(model, Case) and len(text) <= 80 else None


def _subject_of(row):
    """The public id of whom an entry is about: reading that paper is about the entry as well."""
    return {str(row.subject.public_id)} if isinstance(row, Listing) else set()


def _uuid(text):
    try:
        return UUID(text)
    except ValueError:
        return None


def _labels(events):
    """{(content type's key, key): what the line is about, in words}: a query per kind of matter."""
    wanted, labels = {}, {}
    for event in events:
        wanted.setdefault(event.content_type, set()).add(event.object_id)
    for kind, pks in wanted.items():
        model = kind.model_class()
        if model is None:
            continue
        # never a name, which may be a person's
        known = ("number", "username", "code", "public_id")
        name = next((name for name in known if _has(model, name)), "pk")
        for pk, value in model._default_manager.filter(pk__in=pks).values_list("pk", name):
            labels[kind.pk, pk] = f"{model._meta.verbose_name} {value or pk}"
    return labels


def _has(model, name):
    return any(column.name == name for column in model._meta.concrete_fields)


# ── each journal ──────────────────────────────────────────────────────────────────────────────


def _unit(user):
    return user.department.short_name if user and user.department else ""


NOBODY = {CLOCK.label: gettext_lazy("系统"), PUBLIC.label: gettext_lazy("申请人")}
ACTIONS = {
    "download": gettext_lazy("下载"),
    "export": gettext_lazy("导出"),
    "sign_in": gettext_lazy("登录"),
    "sign_in_failed": gettext_lazy("登录未成功"),
    "sign_out": gettext_lazy("退出"),
}


def _event_line(row, labels, titles):
    kind = row.content_type
    own = titles.get(f"{kind.app_label}.{kind.model}", {})
    action = own.get(row.action) or ACTIONS.get(row.action) or _anywhere(row.action, titles)
    what = "export" if row.action in EXPORTS else "sign_in" if row.action in SIGN_INS else "act"
    by = str(NOBODY.get(row.by_label, row.by_label))
    about = labels.get((kind.pk, row.object_id), f"{kind.name} {row.object_id}")
    return Line("event", row.pk, row.at, what, by, _unit(row.by_user), str(action), about, row.note)


def _anywhere(action, titles):
    """An action in the words of another kind of matter, or as it is."""
    return next((words[action] for words in titles.values() if action in words), action)


def _look_line(row, _labels, _titles):
    model = _model_of(row.table)
    name = model._meta.verbose_name if model else row.table
    by = str(NOBODY.get(row.by_label, row.by_label))
    return Line(
        "look", row.pk, row.at, "look", by, _unit(row.by_user), _("读取 %(field)s")
        % {"field": row.field}, f"{name} {row.row}", row.purpose,
    )  # fmt: skip


def _account_line(row, _labels, _titles):
    by = str(NOBODY.get(row.by_label, row.by_label))
    about = " ".join(filter(None, [str(row.account), row.key_prefix]))
    return Line(
        "account", row.pk, row.at, "account", by, _unit(row.by_user), row.get_action_display(),
        about, row.note,
    )  # fmt: skip


def _rule_line(row, _labels, _titles):
    model = apps.get_model("rulebook", row.rule)
    action = _("第 %(version)s 版，%(day)s 起用") % {
        "version": row.version,
        "day": row.in_force_from,
    }
    by = str(NOBODY.get(row.by_label, row.by_label))
    return Line(
        "rule", row.pk, row.at, "rule", by, _unit(row.by_user), action,
        f"{model._meta.verbose_name} {row.code}", row.reason,
    )  # fmt: skip


def _office_line(row, _labels, _titles):
    name = row.content_type.name if row.content_type else ""
    return Line(
        "office", row.pk, row.action_time, "office", str(row.user), _unit(row.user),
        str(FLAGS.get(row.action_flag, "")), f"{name} {row.object_repr}", row.get_change_message(),
    )  # fmt: skip


def _check_line(row, _labels, _titles):
    action = _("查询 %(n)s 个，命中 %(hits)s 个") % {"n": row.subjects, "hits": row.hits}
    return Line(
        "check", row.pk, row.at, "check", row.by_label, row.unit.short_name, action, row.number,
        f"{row.purpose} {row.reference}",
    )  # fmt: skip


@lru_cache
def _model_of(table):
    return next((model for model in apps.get_models() if model._meta.db_table == table), None)


def _events_about(rows, matter):
    found = Q(pk=None)
    for kind, pk in matter.events:
        found |= Q(content_type=kind, object_id=pk)
    return rows.filter(found)


def _looks_about(rows, matter):
    return rows.filter(row__in=matter.ids)


def _none_about(rows, _matter):
    return rows.none()


SOURCES = (
    Source("event", Event, "at", "by_user", ("act", "export", "sign_in"), _event_line,
           _events_about, ("content_type", "by_user__department")),
    Source("look", AccessLog, "at", "by_user", ("look",), _look_line, _looks_about,
           ("by_user__department",)),
    Source("account", AccountEvent, "at", "by_user", ("account",), _account_line, _none_about,
           ("by_user__department", "account")),
    Source("rule", RuleVersion, "at", "by_user", ("rule",), _rule_line, _none_about,
           ("by_user__department",)),
    Source("office", LogEntry, "action_time", "user", ("office",), _office_line, _none_about,
           ("content_type", "user__department")),
    Source("check", Check, "at", "by_user", ("check",), _check_line, _none_about,
           ("unit", "by_user__department")),
)  # fmt: skip


# ── as a file ─────────────────────────────────────────────────────────────────────────────────


class JournalTable:
    """A journal as `csv_parts` writes tables."""

    def __init__(self, journal):
        self.titles = [str(title) for title in COLUMNS]
        self.journal = journal

    def lines(self):
        for line in self.journal.lines():
            yield line.cells


def journal_book(table):
    """The table as a workbook, from a temporary file."""
    with tempfile.TemporaryFile() as file:
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        with Workbook(file, options) as book:
            sheet = book.add_worksheet(_("办理记录"))
            sheet.freeze_panes(1, 1)
            sheet.set_column(0, len(table.titles) - 1, 18)
            for number, line in enumerate([table.titles, *table.lines()]):
                for column, cell in enumerate(map(inert, line)):
                    sheet.write_string(number, column, cell[:32_767])
        file.seek(0)
        yield from iter(partial(file.read, 1 << 16), b"")

"""The public lists as files and as a feed: what the pages show, however many rows there are."""

import csv
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import partial

from django.conf import settings
from django.db.models import DateField, F, Func, Max, Value
from django.db.models.lookups import LessThan
from django.utils.feedgenerator import Atom1Feed
from django.utils.timezone import get_current_timezone, localtime
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from xlsxwriter import Workbook

from listings.models import Audience, Change, MeasureSet, shown_details
from parties.models import Department
from rulebook.models import Measure

CHUNK = 2_000  # rows that are in memory at once
NEWS = 100  # entries of the feed
SHEET_ROWS = 100_000  # a sheet is written before its first byte is sent; longer lists are CSV
LICENCE = gettext_lazy(
    "可以免费使用，请注明来源和下载日期。记录到期、修复或更正后即撤下，使用时以本站当日公布的为准。"
)


@dataclass(frozen=True)
class Column:
    """A column under the name that programs know it by and the title that people read."""

    name: str
    title: str
    read: Callable
    join: str = ""  # what must be loaded with the entry for it


def address_of(row):
    """The address of an entry's page, for use outside the portal."""
    return f"{settings.BASE_URL}/{row.kind}/{row.public_id}/"


COLUMNS = (
    Column("name", gettext_lazy("名称"), lambda row: row.subject.display_name),
    Column("code", gettext_lazy("统一社会信用代码"), lambda row: row.subject.code),
    Column("list", gettext_lazy("名单"), lambda row: row.get_kind_display()),
    Column("category", gettext_lazy("类别"), lambda row: str(row.category)),
    Column("category_code", gettext_lazy("类别代码"), lambda row: row.category.code),
    Column("degree", gettext_lazy("程度"), lambda row: row.get_degree_display()),
    Column("department", gettext_lazy("认定部门"), lambda row: row.department.name),
    Column("ground", gettext_lazy("事实和理由"), lambda row: row.ground),
    Column("document_kind", gettext_lazy("文书种类"), lambda row: row.document_kind),
    Column("document_number", gettext_lazy("文书文号"), lambda row: row.document_number),
    Column("document_organ", gettext_lazy("作出机关"), lambda row: row.document_organ),
    Column("document_date", gettext_lazy("文书日期"), lambda row: row.document_date),
    Column("basis", gettext_lazy("法律依据"), lambda row: str(row.basis or "")),
    Column("basis_article", gettext_lazy("条款"), lambda row: row.basis_article),
    Column("measures", gettext_lazy("措施"), lambda row: row.measures_in_words),
    Column("published_on", gettext_lazy("公布日"), lambda row: row.published_on),
    Column("visible_until", gettext_lazy("最后公布日"), lambda row: row.visible_until),
    Column("disputed", gettext_lazy("异议处理中"), lambda row: row.disputed),
    Column("origin", gettext_lazy("来源城市"), lambda row: row.origin),
    Column("id", gettext_lazy("记录编号"), lambda row: str(row.public_id)),
    Column("url", gettext_lazy("网址"), address_of),
)


PARTS = ("subject", "category", "department", "basis")


class Table:
    """Entries that anyone may see, with their columns; of one category its own fields as well.

    `entries` is a queryset of public entries; they come the newest first.
    """

    def __init__(self, entries, *, category=None, extra=()):
        self.columns = [*COLUMNS, *extra, *_own_columns(category)]
        joins = {column.join for column in extra if column.join}
        entries = entries.select_related(None).select_related(*PARTS, *joins).defer("bigrams")
        self.entries = entries.order_by("-published_on", "-pk")
        self.words = _MeasureWords()

    @property
    def titles(self):
        return [str(column.title) for column in self.columns]

    def lines(self):
        """The values of each row, in the order of the columns."""
        for row in self._rows():
            yield [column.read(row) for column in self.columns]

    def _rows(self):
        """A chunk at a time, each beginning after the last: no cursor is held for a slow reader."""
        rows = self.entries
        while chunk := list(rows[:CHUNK]):
            self.words.tell(chunk)
            rows, full = self.entries.filter(_after(chunk[-1])), len(chunk) == CHUNK
            yield from chunk
            if not full:
                return
            del chunk  # before the next one is read


def _after(row):
    places = _pair(F("published_on"), F("pk"))
    return LessThan(places, _pair(Value(row.published_on), Value(row.pk)))


def _pair(*parts):
    return Func(*parts, function="ROW", output_field=DateField())


def _own_columns(category):
    if category is None:
        return []
    fields = [field for field in category.fields.all() if field.disclosure in Audience.PUBLIC.value]
    known = {category.pk: fields}
    return [
        Column(f"details.{field.code}", str(field), partial(_own_value, field=field, fields=known))
        for field in fields
    ]


def _own_value(row, *, field, fields):
    shown = shown_details(row, Audience.PUBLIC, fields)
    return next((value for found, value in shown if found == field), "")


class _MeasureWords:
    """Which unit is asked for what, in words; sets that entries share are read once."""

    def __init__(self):
        self.known = {None: ""}
        self.names = None

    def tell(self, rows):
        """Give every row its `measures_in_words`."""
        missing = {row.measure_set_id for row in rows} - self.known.keys()
        if missing:
            self.known |= {
                pk: self._words(found) for pk, found in MeasureSet.objects.in_bulk(missing).items()
            }
        for row in rows:
            row.measures_in_words = self.known[row.measure_set_id]

    def _words(self, found):
        if self.names is None:
            self.names = (
                Measure.objects.in_bulk(field_name="code"),
                Department.objects.in_bulk(field_name="code"),
            )
        measures, units = self.names
        asked = {}
        for row in found.measures:
            asked.setdefault(row["code"], []).append(units[row["unit"]].in_brief)
        return _("；").join(
            _("%(measure)s（%(units)s）") % {"measure": measures[code], "units": _("、").join(who)}
            for code, who in asked.items()
        )


# ── the three forms ───────────────────────────────────────────────────────────────────────────

# Signs with which a cell becomes a formula; the spreadsheets of our readers take wide ones too.
FORMULA = set("=+-@\t\r\n＝＋－＠")


def inert(value):
    """A value as a cell that no spreadsheet computes."""
    if isinstance(value, bool):
        return _("是") if value else ""
    text = str(value) if value is not None else ""
    return f"'{text}" if text[:1] in FORMULA else text


class _Echo:
    """A file that hands each line on instead of keeping it."""

    def write(self, line):
        return line


def csv_parts(table):
    """The table as CSV, marked as UTF-8 so that a spreadsheet opens it as it is."""
    writer = csv.writer(_Echo())
    first, *rest = table.titles
    yield writer.writerow([f"\ufeff{first}", *rest])
    for line in table.lines():
        yield writer.writerow(map(inert, line))


def json_parts(table, *, today):
    """The table as one JSON object: licence, day, entries."""
    head = json.dumps({"licence": str(LICENCE), "date": today.isoformat()}, ensure_ascii=False)
    yield f'{head[:-1]}, "entries": ['
    names = [column.name for column in table.columns]
    before = "\n"
    for line in table.lines():
        entry = dict(zip(names, map(_plain, line), strict=True))
        yield before + json.dumps(entry, ensure_ascii=False)
        before = ",\n"
    yield "\n]}\n"


def _plain(value):
    return value.isoformat() if isinstance(value, date) else value


def xlsx_parts(table, *, today):
    """The table as a workbook, from a temporary file; at most SHEET_ROWS rows, and it says so."""
    with tempfile.TemporaryFile() as file:
        _write_book(file, table, today)
        file.seek(0)
        yield from iter(partial(file.read, 1 << 16), b"")


def atom(table, *, title, page):
    """The newest of the table as an Atom feed; `page` is the address of the list."""
    feed = Atom1Feed(
        title=title,
        link=page,
        description=str(LICENCE),
        language=get_language(),
        author_name=settings.SITE_HOST,
        feed_url=f"{page}?format=atom",
        feed_guid=page,
    )
    rows = list(table.entries[:NEWS])
    changed = Change.objects.filter(listing__in=rows).values_list("listing").order_by()
    changed = dict(changed.annotate(Max("at")))
    for row in rows:
        published = datetime.combine(row.published_on, time.min, get_current_timezone())
        feed.add_item(
            title=_("%(name)s：%(category)s")
            % {"name": row.subject.display_name, "category": row.category},
            link=address_of(row),
            unique_id=f"urn:uuid:{row.public_id}",
            description=_("%(unit)s认定，公布到%(day)s")
            % {"unit": row.department.in_brief, "day": row.visible_until},
            pubdate=published,
            updateddate=localtime(changed.get(row.pk, published)),
            categories=(row.category.code,),
        )
    return feed.writeString("utf-8")


def _write_book(file, table, today):
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(file, options) as book:
        sheet = book.add_worksheet(_("名单"))
        sheet.freeze_panes(1, 1)
        sheet.set_column(0, len(table.titles) - 1, 18)
        _write(sheet, 0, table.titles)
        whole = True
        for number, line in enumerate(table.lines(), start=1):
            whole = number <= SHEET_ROWS
            if not whole:
                break
            _write(sheet, number, map(inert, line))
        notes = book.add_worksheet(_("说明"))
        notes.set_column(0, 0, 100)
        for number, words in enumerate(_notes(today, whole=whole)):
            _write(notes, number, [words])


def _notes(today, *, whole):
    words = [_("%(day)s有效的记录，最新的在前。") % {"day": today.isoformat()}, str(LICENCE)]
    if not whole:
        told = {"n": SHEET_ROWS}
        words.append(_("只列最新的 %(n)s 条，全部记录请下载 CSV 或 JSON。") % told)
    return words


def _write(sheet, row, texts):
    for column, text in enumerate(texts):
        if text:
            sheet.write_string(row, column, text[:32_767])

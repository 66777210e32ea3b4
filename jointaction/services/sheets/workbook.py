"""What the unit gets: the same rows back with their answers, and a table to fill in."""

import io

from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from xlsxwriter import Workbook

from jointaction.services.sheets.upload import COLUMNS, MOST_ROWS
from listings.models import Listing, ResponsiblePerson
from listings.services import measures_of
from listings.services.export import inert
from listings.services.imports.files import SHEET_CELL, SHEET_ROWS
from parties.models import PaperType

OPTIONS = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
OUTCOMES = {
    "listed": gettext_lazy("在名单上"),
    "clear": gettext_lazy("没有命中"),
    "invalid": gettext_lazy("不能查询"),
    "repeated": gettext_lazy("重复"),
}
TITLES = (  # and how wide
    (gettext_lazy("原行号"), 8),
    (gettext_lazy("统一社会信用代码"), 22),
    (gettext_lazy("名称"), 30),
    (gettext_lazy("结果"), 12),
    (gettext_lazy("说明"), 30),
    (gettext_lazy("名单"), 10),
    (gettext_lazy("类别"), 20),
    (gettext_lazy("文书文号"), 28),
    (gettext_lazy("本单位的措施"), 60),
    (gettext_lazy("最迟反馈"), 12),
    (gettext_lazy("命中身份"), 12),
    (gettext_lazy("名称不符"), 10),
    (gettext_lazy("查询编号"), 14),
)
BLANK = ("",) * 6  # list, category, document, measures, feedback, matched as


def result(sheet, *, today):
    """The workbook of a table whose rows are all checked, as bytes; memory holds a part of it.

    Of entries it says what is so now: of one that has ended since, the list and no more.
    """
    file = io.BytesIO()
    with Workbook(file, OPTIONS) as book:
        page = book.add_worksheet(_("查询结果"))
        page.freeze_panes(1, 3)
        for column, (_title, width) in enumerate(TITLES):
            page.set_column(column, column, width)
        _write(page, 0, [title for title, _width in TITLES])
        row = 0
        for part in sheet.parts.values_list("pk", flat=True):
            for line in _lines(sheet.parts.get(pk=part), sheet.unit, today):
                row += 1
                if row < SHEET_ROWS:
                    _write(page, row, line)
        _write_notes(book, _("说明"), _notes(sheet, today))
    return file.getvalue()


def _notes(sheet, today):
    told = {
        "rows": sheet.rows,
        "listed": sheet.listed,
        "clear": sheet.clear,
        "invalid": sheet.invalid,
        "repeated": sheet.repeated,
    }
    counts = _(
        "共 %(rows)s 行：在名单上 %(listed)s 行，没有命中 %(clear)s 行，不能查询 %(invalid)s 行，"
        "重复 %(repeated)s 行。"
    )
    return [
        f"{sheet.number}　{sheet.unit}　{sheet.purpose}　{sheet.reference}",
        _("%(day)s的情况，以查询时为准；以后有变化的，请重新查询。") % {"day": today.isoformat()},
        counts % told,
        _("一行命中几条记录的，写成几行，原行号相同。原行号是上传的表格里的行号。"),
        _("没有命中只说明查询时不在名单上，不是信用评价。"),
        _("命中的要在平台反馈处理结果；查询编号是查询的回执号。"),
        _("表里没有证件号码；不能确定是单位的，名称只留第一个字。"),
    ]


def _lines(part, unit, today):
    """The cells of each line of a part: a line for each entry met, one for a row without any."""
    entries = Listing.objects.with_parts().in_bulk(part.listings)
    about = {
        "entries": {pk: row for pk, row in entries.items() if row.is_public(today)},
        "measures": {
            pk: [row for row in rows if row["unit"] == unit.code]
            for pk, rows in measures_of(entries.values()).items()
        },
        "answering": _answering(part, today),
        "due": str(part.feedback_due or ""),
    }
    number = part.number if part.check_id else ""
    for line in part.lines:
        asked = line["outcome"] in {"listed", "clear"}
        begin = (str(line["row"]), line["code"], line["name"])
        said = (str(OUTCOMES[line["outcome"]]), line["reason"])
        end = (_("是") if line["name_differs"] else "", number if asked else "")
        if not line["matches"]:
            yield (*begin, *said, *BLANK, *end)
        for match in line["matches"]:
            yield (*begin, *_met(line, match, entries, about), *end)


def _answering(part, today):
    """(person, entry) of those responsible persons that still answer, by merged records as well."""
    if not any(match["as"] != "subject" for line in part.lines for match in line["matches"]):
        return set()
    persons = ResponsiblePerson.objects.answerable(today).filter(listing__in=part.listings)
    found = persons.values_list("person_id", "person__merged", "listing_id")
    return {(pk, listing) for person, merged, listing in found for pk in (person, merged)}


def _met(line, match, entries, about):
    """What a line says of one entry: outcome, words, list, and the rest while it is in force."""
    pk = match["listing"]
    kind, entry = entries[pk].get_kind_display(), about["entries"].get(pk)
    person = match["as"] != "subject"
    if entry is None or (person and (line["subject"], pk) not in about["answering"]):
        return (_("已不在名单上"), "", kind, *BLANK[1:])
    paused = match["paused"]
    measures = [row for row in about["measures"][pk] if row["code"] in match["until"]]
    return (
        str(OUTCOMES["listed"]),
        _("因在黑名单上，激励暂停") if paused else "",
        kind,
        str(entry.category),
        entry.document_number,
        _("；").join(_measure(row, match["until"][row["code"]]) for row in measures),
        "" if paused else about["due"],
        _("责任人员") if person else _("本身"),
    )


def _measure(row, until):
    """A measure in words, until its present end or the one that a person was found with."""
    told = {
        "name": row["name"],
        "memorandum": row["memorandum"],
        "article": row["article"],
        "day": min(row["until"], parse_date(until)).isoformat(),
        "force": _("，供参考") if row["advisory"] else "",
    }
    return _("%(name)s（%(memorandum)s%(article)s，到 %(day)s%(force)s）") % told


def template():
    """A table to fill in, as the bytes of an xlsx. Every cell is text: no number loses digits."""
    file = io.BytesIO()
    with Workbook(file, {**OPTIONS, "constant_memory": False}) as book:
        page = book.add_worksheet(_("批量查询"))
        text = book.add_format({"num_format": "@"})
        page.set_column(0, len(COLUMNS) - 1, 26, text)
        page.freeze_panes(1, 0)
        _write(page, 0, [column.title for column in COLUMNS])
        kinds = [str(label) for label in PaperType.labels]
        page.data_validation(1, 2, MOST_ROWS, 2, {"validate": "list", "source": kinds})
        _write_notes(
            book,
            _("说明"),
            [
                _("单位填统一社会信用代码，名称可以不填。"),
                _(
                    "自然人填姓名、证件类型和证件号码，不填统一社会信用代码；证件类型不填的按居民身份证。"
                ),
                _("一次最多 %(most)s 行。其他列不读取，也不带回。") % {"most": f"{MOST_ROWS:,}"},
            ],
        )
    return file.getvalue()


def _write_notes(book, title, notes):
    page = book.add_worksheet(title)
    page.set_column(0, 0, 100)
    for row, words in enumerate(notes):
        _write(page, row, [words])


def _write(page, row, texts):
    for column, text in enumerate(texts):
        if text:
            page.write_string(row, column, inert(text)[:SHEET_CELL])

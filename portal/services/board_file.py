"""The supervisor's board as a table (xlsx) and as a text to send on (docx)."""

import hashlib
import io

from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from docx import Document
from docx.oxml.ns import qn
from docx.shared import Pt
from xlsxwriter import Workbook

from portal.models import BoardExport
from portal.services.board import TARGET, board

COLUMNS = (  # (title, what a line says)
    (gettext_lazy("单位"), lambda line: line.unit.name),
    (gettext_lazy("推送"), lambda line: line.pushed),
    (gettext_lazy("已签收"), lambda line: line.acknowledged),
    (gettext_lazy("有执行"), lambda line: line.acted),
    (gettext_lazy("已反馈"), lambda line: line.answered),
    (gettext_lazy("按期率"), lambda line: line.in_time.value),
    (gettext_lazy("逾期"), lambda line: line.overdue),
    (gettext_lazy("撤回确认"), lambda line: _of(line.recalls)),
    (gettext_lazy("异议按期"), lambda line: _of(line.objections)),
    (gettext_lazy("修复按期"), lambda line: _of(line.repairs)),
)
RATE = 5  # the column of the rate
SMALL = Pt(9)


def export_board(year, form, *, actor, today):
    """The board of a year as a file, and a row that tells who took it; returns the bytes.

    `form` is one of BoardExport.Form. Raises PermissionDenied for who does not see every
    department's matters.
    """
    if not (actor.user and actor.user.sees_all):
        raise PermissionDenied
    figures = board(today, year)
    made = {"xlsx": _book, "docx": _text}[form](year, today, figures)
    BoardExport.objects.create(
        year=year,
        form=form,
        at=timezone.now(),
        sha256=hashlib.sha256(made).hexdigest(),
        **actor.columns,
    )
    return made


def _of(share):
    return f"{share.part}/{share.whole}" if share.whole else "—"


def _shown(value):
    """As people read it; without any push there is no rate."""
    return "—" if value is None else str(value)


def _plain(text):
    """Without the signs that a document may not hold."""
    return "".join(sign for sign in str(text) if sign.isprintable())


def _title(year):
    return _("联合奖惩督办情况（%(year)s年）") % {"year": year}


def _headline(figures):
    total = figures["total"]
    told = {
        "pushed": total["pushed"],
        "units": total["units"],
        "rate": total["in_time"].percent or "—",
        "target": TARGET,
        "overdue": total["overdue"],
    }
    words = _(
        "推送 %(pushed)s 件，%(units)s 个单位；按期反馈 %(rate)s，目标 %(target)s%%；"
        "逾期未反馈 %(overdue)s 件。"
    )
    return words % told


def _counted_on(today):
    words = _("统计到 %(day)s。推送不计已被后来的推送代替的；按期率不计只供参考的。")
    return words % {"day": today.isoformat()}


def _late_rows(figures):
    """(unit, what, until when) of all that is past its day."""
    withdrawals = [
        (row.listing.department.name, _("文书已撤销，记录未撤下"), row.due_on)
        for row in figures["withdrawals"]
        if row.late
    ]
    return [
        *withdrawals,
        *((row.department.name, row.number, row.due_on) for row in figures["late"]),
    ]


# --- table -----------------------------------------------------------------


def _book(year, today, figures):
    file, lines = io.BytesIO(), figures["lines"]
    with Workbook(file, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        sheet = book.add_worksheet(_("各单位"))
        sheet.write_string(0, 0, _title(year), bold)
        sheet.write_string(1, 0, _headline(figures))
        sheet.write_string(2, 0, _counted_on(today))
        sheet.set_column(0, 0, 30)
        for place, (title, _read) in enumerate(COLUMNS):
            sheet.write_string(4, place, str(title), bold)
        for row, line in enumerate(lines, start=5):
            for place, (_name, read) in enumerate(COLUMNS):
                sheet.write(row, place, read(line))
        sheet.freeze_panes(5, 1)
        if lines:
            _add_chart(book, sheet, len(lines))
        _add_late(book, bold, figures)
    return file.getvalue()


def _add_chart(book, sheet, count):
    """How much each unit answers in time, lying bars in the order of the table."""
    chart = book.add_chart({"type": "bar"})
    name, first, last = sheet.get_name(), 5, 4 + count
    chart.add_series(
        {
            "name": str(COLUMNS[RATE][0]),
            "categories": [name, first, 0, last, 0],
            "values": [name, first, RATE, last, RATE],
            "data_labels": {"value": True},
            "fill": {"color": "#12524A"},
        }
    )
    chart.set_title({"name": _("按期率（%%），目标 %(target)s%%") % {"target": TARGET}})
    chart.set_legend({"none": True})
    chart.set_x_axis({"min": 0, "max": 100})
    chart.set_y_axis({"reverse": True})
    chart.set_size({"width": 760, "height": max(240, 60 + 24 * count)})
    sheet.insert_chart(6 + count, 0, chart)


def _add_late(book, bold, figures):
    sheet = book.add_worksheet(_("逾期未办结"))
    sheet.set_column(0, 1, 30)
    for place, title in enumerate((_("单位"), _("事项"), _("办理期限"))):
        sheet.write_string(0, place, title, bold)
    for row, (unit, what, day) in enumerate(_late_rows(figures), start=1):
        for place, text in enumerate((unit, what, day.isoformat())):
            sheet.write_string(row, place, text)


# --- text ------------------------------------------------------------------


def _text(year, today, figures):
    document = Document()
    _set_font(document)
    document.add_heading(_title(year), level=1)
    document.add_paragraph(_headline(figures))
    document.add_paragraph(_counted_on(today))
    document.add_heading(_("各单位"), level=2)
    rows = [[_plain(_shown(read(line))) for _name, read in COLUMNS] for line in figures["lines"]]
    _add_table(document, [str(title) for title, _read in COLUMNS], rows)
    document.add_heading(_("逾期未办结的异议、修复和撤下"), level=2)
    late = [
        [_plain(unit), _plain(what), day.isoformat()] for unit, what, day in _late_rows(figures)
    ]
    if late:
        _add_table(document, [_("单位"), _("事项"), _("办理期限")], late)
    else:
        document.add_paragraph(_("没有。"))
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _set_font(document):
    """Song for Chinese, as official papers have it; a reader without it takes its own."""
    style = document.styles["Normal"]
    style.font.name = "Times New Roman"
    style.element.rPr.rFonts.set(qn("w:eastAsia"), "宋体")


def _add_table(document, titles, rows):
    """A table filled by rows of cells: asking one cell after another is quadratic."""
    table = document.add_table(rows=1 + len(rows), cols=len(titles), style="Table Grid")
    for row, texts in zip(table.rows, [titles, *rows], strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            run = cell.paragraphs[0].add_run(text)
            run.font.size = SMALL

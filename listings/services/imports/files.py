"""Tables as departments send them: CSV in any usual encoding, xlsx; and the rows sent back."""

import csv
import io
import re
import unicodedata
import zipfile
from datetime import date, datetime
from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from python_calamine import CalamineError, CalamineWorkbook
from xlsxwriter import Workbook

ENCODINGS = ("utf-8-sig", "gb18030")
LONGEST_CELL = 1_000_000  # characters; a quote left open would swallow the whole file
LARGEST_SHEET = 1_500_000_000  # bytes unpacked; a sheet is held in memory
MOST_SHEET_ROWS = 200_000  # for the same reason; a CSV is read row by row and has no limit
HEADINGS = 6  # title, remarks, header and codes above the rows
SHEET_ROWS, SHEET_CELL = 1_048_576, 32_767  # what a sheet can hold


UNKNOWN_ENCODING = gettext_lazy("认不出文字编码，请另存为 UTF-8 或 GB18030 的 CSV，或者 xlsx。")


class UnreadableFile(ValueError):  # noqa: N818 - says what it is about
    """The file as a whole can't be taken; the message says why."""


def read(source):
    """Yield (row number as a spreadsheet shows it, cells as stripped text), blank rows left out.

    `source` is a path, or the bytes of a file that lies nowhere in clear.
    """
    source = source if isinstance(source, bytes) else Path(source)
    try:
        with _open(source) as file:
            start = file.read(8)
    except OSError as error:
        raise UnreadableFile(_("打不开文件：%(why)s") % {"why": error.strerror}) from error
    workbook = start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0"))
    for number, cells in enumerate(_sheet(source) if workbook else _csv(source), start=1):
        texts = [cell.strip() for cell in cells]
        if any(texts):
            yield number, texts


def _open(source):
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def _csv(source):
    encoding = _encoding(source)
    csv.field_size_limit(LONGEST_CELL)
    with io.TextIOWrapper(_open(source), encoding=encoding, newline="") as file:
        try:
            head = file.read(4096)
            file.seek(0)
            first = head.lstrip("\ufeff\r\n").partition("\n")[0]
            delimiter = max(",\t;", key=first.count)
            yield from csv.reader(file, delimiter=delimiter)
        except UnicodeDecodeError as error:  # marked as UTF-16, and none
            raise UnreadableFile(UNKNOWN_ENCODING) from error
        except csv.Error as error:
            raise UnreadableFile(
                _("不是完好的 CSV 文件（也许有引号没有配对）：%(why)s") % {"why": error}
            ) from error


def _encoding(source):
    """The first of the usual encodings in which every byte of the file makes sense."""
    with _open(source) as file:
        if file.read(2) in {b"\xff\xfe", b"\xfe\xff"}:
            return "utf-16"
    for encoding in ENCODINGS:
        try:
            with io.TextIOWrapper(_open(source), encoding=encoding) as file:
                while file.read(1 << 20):
                    pass
        except UnicodeDecodeError:
            continue
        return encoding
    raise UnreadableFile(UNKNOWN_ENCODING)


def _sheet(source):
    """The first sheet. Formulas are never computed: their stored value is what is read."""
    try:
        with _open(source) as file:
            if zipfile.is_zipfile(file):
                with zipfile.ZipFile(file) as packed:
                    size = sum(item.file_size for item in packed.infolist())
                if size > LARGEST_SHEET:
                    raise UnreadableFile(_("表格太大，请分成几份，或者改用 CSV。"))
        with _workbook(source) as workbook:
            rows = workbook.get_sheet_by_index(0)
            if rows.height > MOST_SHEET_ROWS + HEADINGS:
                message = _("表格超过 %(most)s 行，请分成几份，或者改用 CSV（没有行数限制）。")
                raise UnreadableFile(message % {"most": f"{MOST_SHEET_ROWS:,}"})
            for row in rows.iter_rows():
                yield [_text(cell) for cell in row]
    except (CalamineError, zipfile.BadZipFile, IndexError) as error:
        raise UnreadableFile(_("不是完好的表格文件：%(why)s") % {"why": error}) from error


def _workbook(source):
    if isinstance(source, bytes):
        return CalamineWorkbook.from_filelike(io.BytesIO(source))
    return CalamineWorkbook.from_path(str(source))


def _text(cell):
    if isinstance(cell, str):
        return cell
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time().isoformat() == "00:00:00" else str(cell)
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float):
        return format(cell, ".15g") if cell != int(cell) else str(int(cell))
    return str(cell)


def plain(title):
    """A column's title without width, blanks, case, brackets and marks of obligation."""
    title = unicodedata.normalize("NFKC", title).lower()
    return re.sub(r"[\s*()\[\]:_、,/\-]", "", title)


def write_rejected(path, header, rows):
    """Write rejected rows with their reasons as an xlsx, for its sender's eyes only.

    `rows` yields (row number, cells, reasons). Everything is text: nothing in the file
    is a formula or a link, whatever the sender wrote.
    """
    path = Path(path)
    path.touch(mode=0o600)
    path.chmod(0o600)
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(str(path), options) as book:
        sheet = book.add_worksheet(_("退回的行"))
        sheet.freeze_panes(1, 2)
        sheet.set_column(0, 0, 8)
        sheet.set_column(1, 1, 60)
        _write(sheet, 0, (_("原行号"), _("退回原因"), *header))
        for index, (number, cells, reasons) in enumerate(rows, start=1):
            if index < SHEET_ROWS:
                _write(sheet, index, (str(number), reasons, *cells))
    return path


def _write(sheet, row, texts):
    for column, text in enumerate(texts):
        if text:
            sheet.write_string(row, column, text[:SHEET_CELL])

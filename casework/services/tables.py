"""Uploaded tables: taken in by their content, before anything reads their rows."""

import io
import re
import struct
import zipfile
import zlib

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from casework import documents
from casework.documents import Checked, Unfit

MOST_CELLS = 2_000_000  # of a sheet from its first cell to its last: a reader holds them all
MOST_IMPORTED = 20_000_000  # of a file of entries, which may have many rows and columns
CSV = "text/csv"
MARKS = (b"\xff\xfe", b"\xfe\xff")  # of UTF-16, in which every letter has a zero beside it
OTHERS = (*documents.PROGRAMS, b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8")
CELL = re.compile(rb"<(?:\w+:)?c\s[^>]*?\br\s*=\s*[\"']([A-Za-z]{1,3})(\d{1,7})[\"'][^>]*(?<!/)>")


def check_table(upload):
    """The uploaded file as `documents.Checked`, once its content is an xlsx or may be a CSV.

    Whether its rows make sense is seen when they are read. Raises ValidationError.
    """
    name = documents.plain_name(upload.name)
    if not 0 < upload.size <= documents.LARGEST:
        raise ValidationError(_("“%(name)s”是空的，或者超过 10 MB。") % {"name": name})
    content = upload.read()
    try:
        found = _kind(content)
    except (Unfit, zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError) as error:
        words = _("“%(name)s”不能上传：表格已损坏、加密、过大，或者含有宏。") % {"name": name}
        raise ValidationError(words, code="unfit") from error
    if found is None:
        words = _("“%(name)s”不是 xlsx 或 CSV，请另存为其中一种再传。") % {"name": name}
        raise ValidationError(words, code="unknown_type")
    return Checked(name, found, content)


def _kind(content):
    """The media type of what may be taken, or None; raises Unfit for what may not."""
    if content.startswith(b"PK\x03\x04"):
        return _workbook(content)
    binary = b"\0" in content and not content.startswith(MARKS)
    return None if binary or content.startswith(OTHERS) else CSV


def _workbook(content):
    """Whether a zip is a workbook without macros, entities and cells far out; else None."""
    names = set()
    for name, part in documents.parts_of(content):
        names.add(name)
        if name.lower().endswith((".xml", ".rels")):
            _refuse_part(part)
    return documents.XLSX if {"[Content_Types].xml", "xl/workbook.xml"} <= names else None


def _refuse_part(part):
    plain = part.replace(b"\0", b"")  # as UTF-16 it says the same
    text = plain.upper()
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text or b"MACROENABLED" in text:
        raise Unfit
    if b"<SHEETDATA" in text or b":SHEETDATA" in text:
        _refuse_wide(plain)


def reaches_far(content):
    """Whether a workbook's cells lie so far out that a reader would hold too many empty ones.

    The caller has seen that the workbook is not too large to be unpacked.
    """
    if not content.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = [name for name in packed.namelist() if name.lower().endswith(".xml")]
            sheets = (packed.read(name).replace(b"\0", b"") for name in parts)
            return any(_reach(sheet) > MOST_IMPORTED for sheet in sheets)
    except (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError):
        return False  # whoever reads it will say so


def _refuse_wide(sheet):
    """One cell in the last corner would have a reader hold all the empty ones before it."""
    if _reach(sheet) > MOST_CELLS:
        raise Unfit


def _reach(sheet):
    """The cells of a sheet from the first to the last row and column that is named."""
    wide = high = 0
    for letters, digits in CELL.findall(sheet):
        column = 0
        for letter in letters.upper():
            column = column * 26 + letter - 64
        wide, high = max(wide, column), max(high, int(digits))
    return wide * high

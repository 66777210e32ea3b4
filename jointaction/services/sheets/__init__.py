"""Checks by table: upload, rows checked by the clock, result."""

from jointaction.services.sheets.result import fetch_result, forget_sheets
from jointaction.services.sheets.run import check_sheets
from jointaction.services.sheets.upload import MOST_ROWS, receive_sheet
from jointaction.services.sheets.workbook import template

__all__ = [
    "MOST_ROWS",
    "check_sheets",
    "fetch_result",
    "forget_sheets",
    "receive_sheet",
    "template",
]

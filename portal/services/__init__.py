"""What the whole portal can say about itself: is it ready, and its figures."""

from portal.services.board import board
from portal.services.board_file import export_board
from portal.services.figures import home_figures, statistics
from portal.services.genuine import issued
from portal.services.handover import open_work
from portal.services.health import beat, heartbeat_age, readiness, swept
from portal.services.journal import Asked, Journal, JournalTable, journal_book
from portal.services.matters import Matters
from portal.services.measures import measures
from portal.services.report import credit_report, erase_reports, report_file, still_true
from portal.services.saved import forget_view, keep_view, open_with
from portal.services.sign_in import locked_until, seconds_to_wait, sign_in_failed, signed_in

__all__ = [
    "Asked",
    "Journal",
    "JournalTable",
    "Matters",
    "beat",
    "board",
    "credit_report",
    "erase_reports",
    "export_board",
    "forget_view",
    "heartbeat_age",
    "home_figures",
    "issued",
    "journal_book",
    "keep_view",
    "locked_until",
    "measures",
    "open_with",
    "open_work",
    "readiness",
    "report_file",
    "seconds_to_wait",
    "sign_in_failed",
    "signed_in",
    "statistics",
    "still_true",
    "swept",
]

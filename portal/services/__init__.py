"""What the whole portal can say about itself: is it ready, and its figures."""

from portal.services.board import board
from portal.services.board_file import export_board
from portal.services.figures import home_figures, measures, statistics
from portal.services.genuine import issued
from portal.services.health import beat, heartbeat_age, readiness
from portal.services.matters import Matters
from portal.services.report import credit_report, erase_reports, report_file, still_true
from portal.services.saved import forget_view, keep_view, open_with

__all__ = [
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
    "keep_view",
    "measures",
    "open_with",
    "readiness",
    "report_file",
    "statistics",
    "still_true",
]

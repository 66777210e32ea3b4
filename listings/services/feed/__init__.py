"""The lists for other systems: changes in order, the whole as of a moment, a file a day."""

from listings.services.feed.changes import changes
from listings.services.feed.daily import (
    FORMS,
    files_of,
    handed_out,
    lists_of,
    make_daily_file,
    read_signed,
    signed_text,
)
from listings.services.feed.snapshot import Snapshot, State, position, state

__all__ = [
    "FORMS",
    "Snapshot",
    "State",
    "changes",
    "files_of",
    "handed_out",
    "lists_of",
    "make_daily_file",
    "position",
    "read_signed",
    "signed_text",
    "state",
]

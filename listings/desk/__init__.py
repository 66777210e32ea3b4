"""The desk of both lists, and of the subjects that the entries are about."""

from listings.desk.drafts import draft_page, edit_page
from listings.desk.entries import (
    entry_of,
    entry_page,
    publish_page,
    refused_page,
    url_of,
)

__all__ = [
    "draft_page",
    "edit_page",
    "entry_of",
    "entry_page",
    "publish_page",
    "refused_page",
    "url_of",
]

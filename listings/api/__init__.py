"""Entries for machines: the Listing object, bodies of drafts, endpoints."""

from listings.api.doors import (
    Approve,
    Correct,
    History,
    ListingDetail,
    ListingDoor,
    Listings,
    Persons,
    Reject,
    ReleasePerson,
    Withdraw,
    refuse_off_list,
)
from listings.api.drafts import (
    BlackFields,
    Choice,
    CorrectionFields,
    DraftFields,
    columns_of,
    correction_of,
    subject_of,
)
from listings.api.entries import LISTING, MEASURE, ended, shown
from listings.api.feed import Changes, Daily, DailyDetail, SnapshotDigest, SnapshotLines
from listings.services.told import measure_shown

__all__ = [
    "LISTING",
    "MEASURE",
    "Approve",
    "BlackFields",
    "Changes",
    "Choice",
    "Correct",
    "CorrectionFields",
    "Daily",
    "DailyDetail",
    "DraftFields",
    "History",
    "ListingDetail",
    "ListingDoor",
    "Listings",
    "Persons",
    "Reject",
    "ReleasePerson",
    "SnapshotDigest",
    "SnapshotLines",
    "Withdraw",
    "columns_of",
    "correction_of",
    "ended",
    "measure_shown",
    "refuse_off_list",
    "shown",
    "subject_of",
]

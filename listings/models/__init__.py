"""The entry on a list, its ledger, the credit file's adverse records, and what is public when.

And the other cities whose entries stand here as well.
"""

from listings.models.copies import DailyFile, EntryDigest
from listings.models.disclosure import (
    DISCLOSURE,
    Audience,
    holds_undisclosed,
    own_fields,
    shown_details,
    shown_value,
)
from listings.models.entry import SEARCH_LIMIT, Listing, ListingQuerySet, MeasureSet
from listings.models.exchange import ExchangeFile, PartnerCity
from listings.models.history import (
    Change,
    ChangeBody,
    ChangeQuerySet,
    LedgerCheckpoint,
    LedgerHead,
    ListingVersion,
)
from listings.models.parts import (
    Proposal,
    ProposalQuerySet,
    ResponsiblePerson,
    ResponsiblePersonQuerySet,
    SubjectChange,
    SubjectChangeQuerySet,
)
from listings.models.records import AdverseRecord, ImportBatch

__all__ = [
    "DISCLOSURE",
    "SEARCH_LIMIT",
    "AdverseRecord",
    "Audience",
    "Change",
    "ChangeBody",
    "ChangeQuerySet",
    "DailyFile",
    "EntryDigest",
    "ExchangeFile",
    "ImportBatch",
    "LedgerCheckpoint",
    "LedgerHead",
    "Listing",
    "ListingQuerySet",
    "ListingVersion",
    "MeasureSet",
    "PartnerCity",
    "Proposal",
    "ProposalQuerySet",
    "ResponsiblePerson",
    "ResponsiblePersonQuerySet",
    "SubjectChange",
    "SubjectChangeQuerySet",
    "holds_undisclosed",
    "own_fields",
    "shown_details",
    "shown_value",
]

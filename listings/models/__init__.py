"""The entry on a list, its ledger, the credit file's adverse records, and what is public when."""

from listings.models.entry import SEARCH_LIMIT, Listing, ListingQuerySet, MeasureSet
from listings.models.history import Change, ChangeBody, ChangeQuerySet, LedgerHead, ListingVersion
from listings.models.parts import (
    Proposal,
    ProposalQuerySet,
    ResponsiblePerson,
    ResponsiblePersonQuerySet,
)
from listings.models.records import AdverseRecord, ImportBatch

__all__ = [
    "SEARCH_LIMIT",
    "AdverseRecord",
    "Change",
    "ChangeBody",
    "ChangeQuerySet",
    "ImportBatch",
    "LedgerHead",
    "Listing",
    "ListingQuerySet",
    "ListingVersion",
    "MeasureSet",
    "Proposal",
    "ProposalQuerySet",
    "ResponsiblePerson",
    "ResponsiblePersonQuerySet",
]

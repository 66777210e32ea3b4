from django.contrib import admin

from listings.models import (
    AdverseRecord,
    Change,
    ExchangeFile,
    ImportBatch,
    Listing,
    PartnerCity,
    Proposal,
    SubjectChange,
)
from parties.admin import ReadOnlyAdmin


@admin.register(Listing)
class ListingAdmin(ReadOnlyAdmin):
    """Both lists, drafts and ended entries too."""

    list_display = [
        "subject",
        "kind",
        "category",
        "department",
        "status",
        "published_on",
        "visible_until",
    ]
    list_filter = ["kind", "status", "department"]
    list_select_related = ["subject", "category", "department"]
    search_fields = ["subject__code", "document_number", "reference"]
    ordering = ["-pk"]
    show_full_result_count = False


@admin.register(Proposal)
class ProposalAdmin(ReadOnlyAdmin):
    list_display = ["listing", "action", "status", "proposed_by", "created_at"]
    list_filter = ["status", "action"]
    list_select_related = ["listing__subject", "proposed_by"]
    ordering = ["-pk"]


@admin.register(SubjectChange)
class SubjectChangeAdmin(ReadOnlyAdmin):
    list_display = ["subject", "action", "status", "proposed_by", "created_at"]
    list_filter = ["status", "action"]
    list_select_related = ["subject", "proposed_by"]
    ordering = ["-pk"]


@admin.register(Change)
class ChangeAdmin(ReadOnlyAdmin):
    """The ledger: its content is read through the feed, here only its order."""

    list_display = fields = ["seq", "listing", "version", "action", "at"]
    list_filter = ["action"]
    list_select_related = ["listing__subject"]
    ordering = ["-seq"]
    show_full_result_count = False


@admin.register(AdverseRecord)
class AdverseRecordAdmin(ReadOnlyAdmin):
    list_display = ["subject", "document_number", "department", "decided_on", "state"]
    list_filter = ["state", "department"]
    list_select_related = ["subject", "department"]
    search_fields = ["subject__code", "document_number"]
    ordering = ["-pk"]
    show_full_result_count = False


@admin.register(ImportBatch)
class ImportBatchAdmin(ReadOnlyAdmin):
    list_display = ["at", "kind", "department", "file_name", "rows", "created", "rejected"]
    list_filter = ["kind", "department"]
    list_select_related = ["department"]


@admin.register(PartnerCity)
class PartnerCityAdmin(ReadOnlyAdmin):
    """Changed at the desk, where it leaves a journal line."""

    list_display = ["code", "name", "status", "url", "position", "taken_at"]


@admin.register(ExchangeFile)
class ExchangeFileAdmin(ReadOnlyAdmin):
    list_display = ["at", "city", "state", "file_name", "created", "changed", "ended"]
    list_filter = ["state", "city"]
    list_select_related = ["city"]

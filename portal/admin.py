from django.contrib import admin

from parties.admin import ReadOnlyAdmin
from portal.models import BoardExport, CreditReport


@admin.register(CreditReport)
class CreditReportAdmin(ReadOnlyAdmin):
    """Which reports were made; what they say is read through their code, for a day."""

    fields = list_display = ["number", "code", "made_at", "valid_until"]
    search_fields = ["number", "=code"]
    ordering = ["-pk"]
    show_full_result_count = False


@admin.register(BoardExport)
class BoardExportAdmin(ReadOnlyAdmin):
    """Who took the figures of the supervisor's board away."""

    list_display = ["at", "year", "form", "by_label", "sha256"]
    list_filter = ["form"]

from django.contrib import admin

from parties.admin import ReadOnlyAdmin
from repair.models import Repair


@admin.register(Repair)
class RepairAdmin(ReadOnlyAdmin):
    """Who applies is for the department that decides, on its desk."""

    exclude = ["applicant_name", "agent_name", "committed_by"]
    list_display = ["number", "department", "status", "received_on", "due_on", "outcome"]
    list_filter = ["status", "outcome", "department"]
    list_select_related = ["department"]
    search_fields = ["number"]
    ordering = ["-pk"]

from django.contrib import admin

from objections.models import Objection
from parties.admin import ReadOnlyAdmin


@admin.register(Objection)
class ObjectionAdmin(ReadOnlyAdmin):
    """Who objects is for the department that decides, on its desk."""

    exclude = ["applicant_name", "agent_name"]
    list_display = ["number", "department", "status", "received_on", "due_on", "outcome"]
    list_filter = ["status", "outcome", "department"]
    list_select_related = ["department"]
    search_fields = ["number"]
    ordering = ["-pk"]

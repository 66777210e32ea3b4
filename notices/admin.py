from django.contrib import admin

from notices.models import Notice
from parties.admin import ReadOnlyAdmin


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    """What was told to whom; an applicant's address is shown to nobody here."""

    list_display = ["created_at", "department", "title", "read_at", "sent_at", "tries"]
    fields = ["created_at", "department", "title", "text", "link", "read_at", "sent_at", "tries"]
    list_filter = ["department"]
    list_select_related = ["department"]
    ordering = ["-pk"]
    show_full_result_count = False

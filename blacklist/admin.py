from django.contrib import admin

from blacklist.models import PriorNotice
from parties.admin import ReadOnlyAdmin


@admin.register(PriorNotice)
class PriorNoticeAdmin(ReadOnlyAdmin):
    list_display = ["listing", "served_on", "means", "defence_until", "defence_received_on"]
    list_filter = ["means"]
    list_select_related = ["listing__subject"]
    ordering = ["-pk"]

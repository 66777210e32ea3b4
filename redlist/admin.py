from django.contrib import admin

from parties.admin import ReadOnlyAdmin
from redlist.models import Nomination, Review, Screening


@admin.register(Nomination)
class NominationAdmin(ReadOnlyAdmin):
    list_display = ["listing", "source", "nominator", "notice_from", "notice_until"]
    list_filter = ["source"]
    list_select_related = ["listing__subject"]
    ordering = ["-pk"]


@admin.register(Screening)
class ScreeningAdmin(ReadOnlyAdmin):
    list_display = ["listing", "at", "clear", "found"]
    list_filter = ["clear"]
    list_select_related = ["listing__subject"]


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    list_display = ["listing", "black", "status", "due_on"]
    list_filter = ["status"]
    list_select_related = ["listing__subject", "black__subject"]
    ordering = ["-pk"]

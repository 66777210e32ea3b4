from django.contrib import admin

from jointaction.models import Check, Delivery, Endpoint, Feedback, Hit, Push, Sheet
from parties.admin import ReadOnlyAdmin


@admin.register(Push)
class PushAdmin(ReadOnlyAdmin):
    list_display = ["number", "listing", "unit", "kind", "status", "feedback_due"]
    list_filter = ["status", "kind", "unit"]
    list_select_related = ["listing__subject", "unit"]
    ordering = ["-pk"]
    show_full_result_count = False


@admin.register(Feedback)
class FeedbackAdmin(ReadOnlyAdmin):
    list_display = ["at", "measure", "outcome", "by_label", "remark"]
    list_filter = ["outcome"]
    ordering = ["-pk"]
    show_full_result_count = False


@admin.register(Check)
class CheckAdmin(ReadOnlyAdmin):
    """Who asked, when and why; whom they asked about is not kept."""

    exclude = ["code", "receipt", "signature"]
    list_display = ["at", "unit", "purpose", "reference", "subjects", "hits", "by_label"]
    list_filter = ["unit"]
    list_select_related = ["unit"]
    ordering = ["-pk"]
    show_full_result_count = False

    def get_queryset(self, request):
        return super().get_queryset(request).defer("receipt")  # of a batch it is long


@admin.register(Hit)
class HitAdmin(ReadOnlyAdmin):
    list_display = ["number", "listing", "unit", "feedback_due", "answered_at", "handling"]
    list_filter = ["handling", "unit"]
    list_select_related = ["listing__subject", "unit"]
    ordering = ["-pk"]
    show_full_result_count = False


@admin.register(Sheet)
class SheetAdmin(ReadOnlyAdmin):
    """Who had whom checked by table, when and why; whom they asked about is not kept."""

    list_display = ["number", "unit", "purpose", "reference", "status", "rows", "listed"]
    list_filter = ["status", "unit"]
    list_select_related = ["unit"]


@admin.register(Endpoint)
class EndpointAdmin(ReadOnlyAdmin):
    list_display = ["url", "department", "status", "disabled_reason", "failing_since"]
    list_filter = ["status", "department"]
    list_select_related = ["department"]
    ordering = ["-pk"]
    show_full_result_count = False


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ["event", "endpoint", "status", "attempts", "http_status", "fault", "tried_at"]
    list_filter = ["status"]
    list_select_related = ["endpoint"]
    ordering = ["-pk"]
    show_full_result_count = False

from django.contrib import admin
from django.db.models import F
from django.utils.translation import gettext

from casework.models import CalendarYear, Event, Letter, SpecialDay
from casework.moves import record
from parties.admin import ReadOnlyAdmin, ReasonedAdmin
from parties.models import Actor


@admin.register(CalendarYear)
class CalendarYearAdmin(ReasonedAdmin):
    """A year stays: due dates tell by its version whether they are still right."""

    list_display = ["year", "status", "source", "version"]

    def get_readonly_fields(self, request, obj=None):
        fixed = ["year"] if obj else []
        return [*super().get_readonly_fields(request, obj), "version", *fixed]

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        if change and form.touched:
            _renew(form.instance.pk, request.user, form.cleaned_data["reason"])

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(SpecialDay)
class SpecialDayAdmin(ReasonedAdmin):
    """A day may go, for a notice can be taken back; the journal of its year goes on telling."""

    list_display = ["day", "year", "kind", "name", "name_en"]
    list_filter = ["year", "kind"]

    def get_readonly_fields(self, request, obj=None):
        return ["day", "year"] if obj else []

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        reason = form.cleaned_data["reason"] or gettext("新增")
        _renew(obj.year_id, request.user, _told(obj, reason))

    def delete_model(self, request, obj):
        _renew(obj.year_id, request.user, _told(obj, gettext("删除")))
        super().delete_model(request, obj)

    def delete_queryset(self, request, queryset):
        for day in queryset:
            _renew(day.year_id, request.user, _told(day, gettext("删除")))
        super().delete_queryset(request, queryset)


def _told(day, reason):
    words = gettext("%(day)s %(kind)s %(name)s：%(reason)s")
    kind = day.get_kind_display()
    return words % {"day": day.day, "kind": kind, "name": day.name, "reason": reason}


def _renew(year, user, note):
    """The year changed: what was made under the old version can tell, and its journal says why."""
    CalendarYear.objects.filter(pk=year).update(version=F("version") + 1)
    record(CalendarYear.objects.get(pk=year), "edit", actor=Actor.of(user), note=note)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = fields = [
        "at",
        "content_type",
        "object_id",
        "action",
        "status",
        "version",
        "by_label",
        "note",
    ]
    list_filter = ["content_type", "action"]
    list_select_related = ["content_type"]
    ordering = ["-pk"]
    show_full_result_count = False


@admin.register(Letter)
class LetterAdmin(ReadOnlyAdmin):
    """Which letters went out; what they say is for those whom they are about."""

    exclude = ["content", "verify_code", "document"]
    list_display = ["number", "kind", "department", "issued_on", "served_on"]
    list_filter = ["kind", "department"]
    list_select_related = ["department"]
    search_fields = ["number"]
    ordering = ["-pk"]
    show_full_result_count = False

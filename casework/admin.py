from django.contrib import admin
from django.db.models import F

from casework.models import CalendarYear, Event, Letter, SpecialDay
from parties.admin import ReadOnlyAdmin


def raise_version(rows):
    """The rows changed: what was made under the old version can tell."""
    rows.update(version=F("version") + 1)


class VersionedAdmin(admin.ModelAdmin):
    """Saving a change, here or in an inline, raises the version of the row."""

    def get_readonly_fields(self, request, obj=None):
        return [*super().get_readonly_fields(request, obj), "version"]

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        if change and any(part.has_changed() for part in [form, *formsets]):
            raise_version(self.model.objects.filter(pk=form.instance.pk))


@admin.register(CalendarYear)
class CalendarYearAdmin(VersionedAdmin):
    """A year stays: due dates tell by its version whether they are still right."""

    list_display = ["year", "status", "source", "version"]

    def get_readonly_fields(self, request, obj=None):
        return [*super().get_readonly_fields(request, obj), *(["year"] if obj else [])]

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(SpecialDay)
class SpecialDayAdmin(admin.ModelAdmin):
    list_display = ["day", "year", "kind", "name", "name_en"]
    list_filter = ["year", "kind"]

    def get_readonly_fields(self, request, obj=None):
        return ["day", "year"] if obj else []

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        raise_version(CalendarYear.objects.filter(pk=obj.year_id))

    def delete_model(self, request, obj):
        super().delete_model(request, obj)
        raise_version(CalendarYear.objects.filter(pk=obj.year_id))

    def delete_queryset(self, request, queryset):
        years = set(queryset.values_list("year_id", flat=True))
        super().delete_queryset(request, queryset)
        raise_version(CalendarYear.objects.filter(pk__in=years))


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

from django.contrib import admin

from casework.admin import VersionedAdmin
from parties.admin import LastingAdmin
from rulebook.models import (
    CategoryField,
    DegreeTerm,
    LegalBasis,
    ListCategory,
    Measure,
    Memorandum,
    MemorandumMeasure,
    Misconduct,
    Parameter,
)


@admin.register(LegalBasis)
class LegalBasisAdmin(LastingAdmin):
    list_display = ["code", "name", "document_number", "level", "in_force_from", "in_force_to"]
    list_filter = ["level"]
    search_fields = ["code", "name", "document_number"]


@admin.register(Misconduct)
class MisconductAdmin(LastingAdmin):
    list_display = ["code", "name", "domain", "needs_basis"]
    list_filter = ["domain"]
    search_fields = ["code", "name"]


@admin.register(Measure)
class MeasureAdmin(LastingAdmin):
    list_display = ["code", "name", "group", "advisory", "needs_end_date", "refusal_only"]
    list_filter = ["group", "advisory"]
    search_fields = ["code", "name"]
    filter_horizontal = ["relevant_to"]


class CategoryFieldInline(admin.TabularInline):
    model = CategoryField
    extra = 0


@admin.register(ListCategory)
class ListCategoryAdmin(LastingAdmin, VersionedAdmin):
    list_display = ["code", "name", "kind", "basis", "term_months", "active", "version"]
    list_filter = ["kind", "active", "departments"]
    list_select_related = ["basis"]
    search_fields = ["code", "name"]
    filter_horizontal = ["departments"]
    inlines = [CategoryFieldInline]


@admin.register(DegreeTerm)
class DegreeTermAdmin(admin.ModelAdmin):
    list_display = ["degree", "minimum_months", "maximum_months"]


@admin.register(Parameter)
class ParameterAdmin(admin.ModelAdmin):
    list_display = ["code", "name", "value", "unit", "in_force_from", "source"]
    search_fields = ["code", "name"]


class MemorandumMeasureInline(admin.TabularInline):
    model = MemorandumMeasure
    extra = 0
    autocomplete_fields = ["unit", "measure"]


@admin.register(Memorandum)
class MemorandumAdmin(LastingAdmin):
    list_display = ["code", "name", "kind", "lead", "signed_on", "in_force_from", "in_force_to"]
    list_filter = ["kind"]
    list_select_related = ["lead"]
    filter_horizontal = ["categories"]
    inlines = [MemorandumMeasureInline]

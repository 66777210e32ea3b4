"""The rules in the back office: each change has a reason and becomes a version."""

from itertools import pairwise
from urllib.parse import urlencode

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from parties.admin import LastingAdmin, ReadOnlyAdmin
from parties.models import Actor
from rulebook.forms import FieldFormSet, RuleForm
from rulebook.models import (
    CategoryField,
    CategoryTerm,
    DegreeTerm,
    LegalBasis,
    ListCategory,
    Measure,
    Memorandum,
    MemorandumMeasure,
    Misconduct,
    Parameter,
    RuleVersion,
    rule_code,
)
from rulebook.services import VERSIONED, differences, record_version

NAMES = {model._meta.model_name: model for model in VERSIONED}


def _changes(model, old, new):
    """What a version changed, a line each: 期限（月）：12 → 18."""
    told = differences(model, old.content if old else {}, new.content)
    return format_html_join("", "<div>{}：{} → {}</div>", told)


class RuleAdmin(LastingAdmin):
    """A rule is never deleted and changes for a reason; its versions are told below it.

    `LASTING` are the columns that may be given once and not changed.
    """

    form = RuleForm
    LASTING = ("code",)

    def get_readonly_fields(self, request, obj=None):
        fixed = [*self.LASTING, "versions"] if obj else []
        return [*self.readonly_fields, *fixed]

    def save_related(self, request, form, formsets, change):
        """With the parts saved the rule is whole; the request is one transaction."""
        super().save_related(request, form, formsets, change)
        record_version(
            form.instance,
            actor=Actor.of(request.user),
            reason=form.cleaned_data["reason"] or gettext("新增"),
            today=timezone.localdate(),
        )

    @admin.display(description=_("历次版本"))
    def versions(self, rule):
        """The latest first: number, day, who, why, what."""
        kept = list(RuleVersion.objects.of(rule))
        lines = [
            (
                reverse("admin:rulebook_ruleversion_change", args=[new.pk]),
                new.version,
                new.in_force_from,
                new.by_label,
                new.reason,
                _changes(type(rule), old, new) if old else "",
            )
            for old, new in pairwise([None, *kept])
        ]
        asked = urlencode({"rule": rule._meta.model_name, "q": rule_code(rule)})
        return format_html(
            '<ul>{}</ul><a href="{}?{}">{}</a>',
            format_html_join("", '<li><a href="{}">{}</a> {} {}：{}{}</li>', reversed(lines)),
            reverse("admin:rulebook_ruleversion_changelist"),
            asked,
            gettext("在历次版本中查看"),
        )


@admin.register(LegalBasis)
class LegalBasisAdmin(RuleAdmin):
    list_display = ["code", "name", "document_number", "level", "in_force_from", "in_force_to"]
    list_filter = ["level"]
    search_fields = ["code", "name", "document_number"]


@admin.register(Misconduct)
class MisconductAdmin(RuleAdmin):
    list_display = ["code", "name", "domain", "needs_basis"]
    list_filter = ["domain"]
    search_fields = ["code", "name"]


@admin.register(Measure)
class MeasureAdmin(RuleAdmin):
    list_display = ["code", "name", "group", "advisory", "needs_end_date", "refusal_only"]
    list_filter = ["group", "advisory"]
    search_fields = ["code", "name"]
    filter_horizontal = ["relevant_to"]


class CategoryFieldInline(admin.TabularInline):
    model = CategoryField
    formset = FieldFormSet
    extra = 0


class CategoryTermInline(admin.TabularInline):
    model = CategoryTerm
    extra = 0


@admin.register(ListCategory)
class ListCategoryAdmin(RuleAdmin):
    list_display = ["code", "name", "kind", "basis", "term_months", "active", "version"]
    list_filter = ["kind", "active", "departments"]
    list_select_related = ["basis"]
    search_fields = ["code", "name"]
    filter_horizontal = ["departments"]
    inlines = [CategoryTermInline, CategoryFieldInline]
    readonly_fields = ["version"]
    LASTING = ("code", "kind", "misconduct")


@admin.register(DegreeTerm)
class DegreeTermAdmin(RuleAdmin):
    list_display = ["degree", "minimum_months", "maximum_months"]
    LASTING = ("degree",)


@admin.register(Parameter)
class ParameterAdmin(RuleAdmin):
    """A new number from a new day on is a new row; the day of a row stays."""

    list_display = ["code", "name", "value", "unit", "in_force_from", "source"]
    search_fields = ["code", "name"]
    LASTING = ("code", "in_force_from", "unit")


class MemorandumMeasureInline(admin.TabularInline):
    model = MemorandumMeasure
    extra = 0
    autocomplete_fields = ["unit", "measure"]


@admin.register(Memorandum)
class MemorandumAdmin(RuleAdmin):
    list_display = ["code", "name", "kind", "lead", "signed_on", "in_force_from", "in_force_to"]
    list_filter = ["kind"]
    list_select_related = ["lead"]
    filter_horizontal = ["signatories", "categories"]
    inlines = [MemorandumMeasureInline]
    LASTING = ("code", "kind")


class KindFilter(admin.SimpleListFilter):
    title = _("规则")
    parameter_name = "rule"

    def lookups(self, request, model_admin):
        return [(name, model._meta.verbose_name) for name, model in NAMES.items()]

    def queryset(self, request, queryset):
        return queryset.filter(rule=self.value()) if self.value() else queryset


@admin.register(RuleVersion)
class RuleVersionAdmin(ReadOnlyAdmin):
    list_display = ["at", "kind", "code", "version", "in_force_from", "by_label", "reason"]
    fields = [*list_display, "changes", "content"]
    list_filter = [KindFilter]
    search_fields = ["=code", "reason", "by_label"]
    ordering = ["-pk"]

    @admin.display(description=_("规则"))
    def kind(self, version):
        return NAMES[version.rule]._meta.verbose_name

    @admin.display(description=_("改了什么"))
    def changes(self, version):
        """Against the version before; the first one says everything."""
        older = RuleVersion.objects.filter(rule=version.rule, code=version.code)
        old = older.filter(version__lt=version.version).last()
        return _changes(NAMES[version.rule], old, version)

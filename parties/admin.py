from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework_api_key.admin import APIKeyModelAdmin
from rest_framework_api_key.models import APIKey as StockApiKey

from parties import services
from parties.models import AccessLog, ApiKey, Department, Role, SigningKey, Subject, User

admin.site.unregister(StockApiKey)  # keys belong to an officer: only ours are made here


class ReadOnlyAdmin(admin.ModelAdmin):
    """For what is written by services alone: looked at here, never touched."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class LastingAdmin(admin.ModelAdmin):
    """For what published entries name by its code: the code stays, and so does the row."""

    def get_readonly_fields(self, request, obj=None):
        fixed = ["code"] if obj else []
        return [*super().get_readonly_fields(request, obj), *fixed]

    def has_delete_permission(self, request, obj=None):
        return False


class ReasonForm(forms.ModelForm):
    """Asks why a row that others rest on is changed; a new row explains itself."""

    reason = forms.CharField(
        label=_("修改原因"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("写明依据和原因。会记入修改历史，不能再改。"),
        error_messages={"required": _("请写明修改原因。")},
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = not self.instance._state.adding

    @property
    def touched(self):
        """The names of the columns that were changed."""
        return [name for name in self.changed_data if name != "reason"]


class ReasonedAdmin(admin.ModelAdmin):
    """For reference data without versions of its own: the history tells what changed and why."""

    form = ReasonForm

    def construct_change_message(self, request, form, formsets, add=False):  # noqa: FBT002 - Django's own
        if add:
            return super().construct_change_message(request, form, formsets, add)
        names = gettext("、").join(str(form.fields[name].label) for name in form.touched)
        told = {"names": names or "—", "reason": form.cleaned_data["reason"]}
        return gettext("修改：%(names)s。原因：%(reason)s") % told


def _several(choices, db_field, *, required):
    return forms.MultipleChoiceField(
        choices=choices,
        label=db_field.verbose_name,
        required=required,
        widget=forms.CheckboxSelectMultiple,
    )


@admin.register(Department)
class DepartmentAdmin(ReasonedAdmin, LastingAdmin):
    """A department that is gone is out of use; its matters stay."""

    list_display = ["code", "name", "kind", "region", "active"]
    list_filter = ["kind", "active"]
    search_fields = ["code", "name", "short_name"]


@admin.register(User)
class UserAdmin(StockUserAdmin):
    list_display = ["username", "full_name", "department", "roles", "is_active", "is_staff"]
    list_filter = ["department", "is_active", "is_staff"]
    list_select_related = ["department"]
    search_fields = ["username", "full_name"]
    ordering = ["username"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("人员"), {"fields": ["full_name", "email", "department", "roles"]}),
        (_("权限"), {"fields": ["is_active", "is_staff", "is_superuser", "user_permissions"]}),
        (_("日期"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        *StockUserAdmin.add_fieldsets,
        (_("人员"), {"fields": ["full_name", "department", "roles"]}),
    ]

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name == "roles":
            return _several(Role.choices, db_field, required=False)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def has_delete_permission(self, request, obj=None):
        return False  # who acted stays known; an account is switched off


@admin.register(ApiKey)
class ApiKeyAdmin(APIKeyModelAdmin):
    list_display = ["prefix", "name", "officer", "scopes", "created", "expiry_date", "revoked"]
    list_select_related = ["officer"]
    search_fields = ["name", "prefix", "officer__username"]

    def has_delete_permission(self, request, obj=None):
        return False  # what a key did stays known as its own; it is revoked

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name == "scopes":
            return _several(ApiKey.Scope.choices, db_field, required=True)
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(Subject)
class SubjectAdmin(ReadOnlyAdmin):
    """Persons show masked and are not found by name, here as everywhere.

    Found by the whole code, or by a part of an organisation's present or former name.
    """

    list_display = ["code", "display_name", "kind", "region", "merged_into", "created_at"]
    fields = [*list_display, "former_names", "merged"]
    readonly_fields = ["former_names", "merged"]
    list_filter = ["kind"]
    list_select_related = ["merged_into"]
    search_fields = ["code"]  # what is searched for is up to get_search_results
    search_help_text = _("统一社会信用代码，或者单位名称的一部分")
    ordering = ["-pk"]
    show_full_result_count = False

    def get_search_results(self, request, queryset, search_term):
        if not search_term.strip():
            return queryset, False
        found = services.called(search_term) | services.formerly_called(search_term)
        return queryset.filter(pk__in=found.values("pk")), False

    @admin.display(description=_("曾用名"))
    def former_names(self, subject):
        words = [f"{name}（{name.until}）" for name in subject.former_names.all()]
        return "、".join(words) or "—"

    @admin.display(description=_("并入的主体"))
    def merged(self, subject):
        rows = subject.merged.order_by("pk")
        return "、".join(row.code or str(row.public_id) for row in rows) or "—"


@admin.register(AccessLog)
class AccessLogAdmin(ReadOnlyAdmin):
    list_display = ["at", "by_label", "table", "row", "field", "purpose"]
    list_filter = ["table"]
    date_hierarchy = "at"
    ordering = ["-pk"]
    show_full_result_count = False


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyAdmin):
    list_display = ["key_id", "holder", "since"]

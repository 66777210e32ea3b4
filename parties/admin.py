"""The back office of accounts, keys, departments and subjects."""

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp import admin as device_admin
from rest_framework_api_key.admin import APIKeyModelAdmin
from rest_framework_api_key.models import APIKey as StockApiKey

from parties import services
from parties.forms import DelegationForm, ReasonForm
from parties.models import (
    AccessLog,
    AccountEvent,
    Actor,
    ApiKey,
    Delegation,
    Department,
    Role,
    SigningKey,
    SignInRecord,
    Subject,
    User,
)

admin.site.unregister(StockApiKey)  # keys belong to an officer: only ours are made here
# the secret of a phone is its owner's: a device is taken away here, never looked at or made
admin.site.unregister(device_admin.TOTPDevice)


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


class ReasonedForm(forms.ModelForm):
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

    form = ReasonedForm

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


def _reason():
    return forms.CharField(
        label=_("理由"), max_length=200, help_text=_("记入经过，如“调入，局办通知示例1号”。")
    )


class AccountForm(UserChangeForm):
    reason = _reason()


class NewAccountForm(AdminUserCreationForm):
    reason = _reason()


def _changed(form):
    """What a form changed, in words: 角色：clerk → reviewer."""
    told = (
        f"{form.fields[name].label}：{form.initial.get(name)} → {form.cleaned_data.get(name)}"
        for name in form.changed_data
        if name != "reason"
    )
    return "；".join(told)


@admin.register(User)
class UserAdmin(StockUserAdmin):
    """Each change has a reason and leaves a line; who acted stays known, so nothing is deleted."""

    form = AccountForm
    add_form = NewAccountForm
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
        (_("经过"), {"fields": ["reason"]}),
    ]
    add_fieldsets = [
        *StockUserAdmin.add_fieldsets,
        (_("人员"), {"fields": ["full_name", "department", "roles", "reason"]}),
    ]
    change_form_template = "parties/office_account.html"

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name == "roles":
            return _several(Role.choices, db_field, required=False)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def has_delete_permission(self, request, obj=None):
        return False

    def get_urls(self):
        return [
            path("<int:pk>/factor/", self._page(self.reset_factor), name="parties_user_factor"),
            path("<int:pk>/absence/", self._page(self.absence), name="parties_user_absence"),
            *super().get_urls(),
        ]

    def _page(self, view):
        """A page about one account, for whoever may change it here."""

        def inner(request, pk):
            account = get_object_or_404(User.objects.select_related("department"), pk=pk)
            if not self.has_change_permission(request, account):
                raise PermissionDenied
            return view(request, account)

        return self.admin_site.admin_view(inner)

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        actor, reason = Actor.of(request.user), form.cleaned_data["reason"]
        if change:
            action, what = AccountEvent.Action.CHANGE, _changed(form)
            services.account_changed(obj, action, actor=actor, reason=reason, what=what)
        else:
            request.enrolment_code = services.open_account(obj, actor=actor, reason=reason)

    def response_add(self, request, obj, post_url_continue=None):
        return self._code_page(request, obj, request.enrolment_code)

    def _code_page(self, request, account, code):
        """The enrolment code stands on this answer alone: in no message, in no address."""
        context = self._context(request, account, _("开通码")) | {"code": code}
        return TemplateResponse(request, "parties/office_code.html", context)

    def _context(self, request, account, title):
        each = self.admin_site.each_context(request)
        return each | {"title": title, "account": account, "opts": self.opts}

    def _form_page(self, request, account, title, form, *, page="parties/office_form.html", **told):
        context = self._context(request, account, title) | {"form": form, **told}
        return TemplateResponse(request, page, context, status=form.status)

    def reset_factor(self, request, account):
        """Take the device away; the owner binds another one with the code that is told here."""
        form = ReasonForm(request.POST or None)

        def act():
            actor = Actor.of(request.user)
            return services.reset_second_factor(account, actor=actor, **form.cleaned_data)

        if request.method == "POST" and form.carry_out(act):
            return self._code_page(request, account, form.result)
        return self._form_page(request, account, _("重置动态口令"), form)

    def absence(self, request, account):
        """Let a colleague stand in for somebody who can't say so any more."""
        colleagues = User.objects.colleagues(account)
        form = DelegationForm(request.POST or None, colleagues=colleagues)

        def act():
            return services.delegate(account, actor=Actor.of(request.user), **form.cleaned_data)

        if request.method == "POST" and form.carry_out(act):
            messages.success(request, gettext("已登记，到日子自动生效、自动结束。"))
            return redirect("admin:parties_user_change", account.pk)
        return self._form_page(request, account, _("委托代办"), form)

    def user_change_password(self, request, id, form_url=""):
        answer = super().user_change_password(request, id, form_url)
        others = str(id) != str(request.user.pk)
        if request.method == "POST" and answer.status_code == 302 and others:
            account = User.objects.get(pk=id)
            actor, reason = Actor.of(request.user), gettext("后台设置密码")
            services.password_given(account, actor=actor, reason=reason)
        return answer


class KeyReasonForm(forms.ModelForm):
    reason = _reason()


@admin.register(ApiKey)
class ApiKeyAdmin(APIKeyModelAdmin):
    """Any department's keys, for the operator; a key that is not wanted any more is revoked."""

    form = KeyReasonForm
    list_display = ["prefix", "name", "officer", "scopes", "expiry_date", "last_used_on", "revoked"]
    list_select_related = ["officer"]
    search_fields = ["name", "prefix", "officer__username"]

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name == "scopes":
            return _several(ApiKey.Scope.choices, db_field, required=True)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def has_delete_permission(self, request, obj=None):
        return False  # what a key did stays known as its own; it is revoked

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        actions = AccountEvent.Action
        action = actions.KEY_CHANGE if change else actions.KEY_CREATE
        if change and "revoked" in form.changed_data:
            action = actions.KEY_REVOKE
        told = [f"{obj.name}（{obj.prefix}）", _changed(form) if change else ""]
        told.append(form.cleaned_data["reason"])
        note = "；".join(filter(None, told))
        services.note(obj.officer, action, actor=Actor.of(request.user), note=note, key=obj)


@admin.register(Delegation)
class DelegationAdmin(ReadOnlyAdmin):
    list_display = ["from_user", "to_user", "starts", "ends", "why", "ended_at"]
    list_select_related = ["from_user", "to_user"]
    search_fields = ["from_user__username", "to_user__username"]
    date_hierarchy = "starts"
    ordering = ["-starts", "-pk"]
    actions = ["end_now"]

    @admin.action(description=_("现在结束"))
    def end_now(self, request, queryset):
        """End what is still open of the chosen ones; what is over stays as it is."""
        actor, open_ = Actor.of(request.user), queryset.open(timezone.localdate())
        for delegation in open_:
            services.end_delegation(delegation, actor=actor, reason=gettext("管理员结束"))
        messages.success(request, gettext("代办已结束。"))


@admin.register(AccountEvent)
class AccountEventAdmin(ReadOnlyAdmin):
    list_display = ["at", "by_label", "action", "account", "key_prefix", "note"]
    list_filter = ["action", "department"]
    list_select_related = ["account"]
    search_fields = ["=account__username", "=key_prefix", "by_label"]
    ordering = ["-pk"]
    show_full_result_count = False


@admin.register(SignInRecord)
class SignInRecordAdmin(ReadOnlyAdmin):
    list_display = ["at", "user", "outcome", "address", "browser"]
    list_filter = ["outcome"]
    list_select_related = ["user"]
    search_fields = ["=user__username", "=address"]
    ordering = ["-pk"]
    show_full_result_count = False


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

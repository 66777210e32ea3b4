"""In the back office an officer's leaving is a matter of the whole portal."""

from django.contrib import admin
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _

from parties import admin as office
from parties import services as parties
from parties.forms import PersonField, ReasonForm
from parties.models import Actor, User
from portal import services
from portal.models import BoardExport, CreditReport

admin.site.unregister(User)


class LeaveForm(ReasonForm):
    heir = PersonField(label=_("接手密钥的人"), required=False, help_text=_("不选则密钥全部停用。"))

    field_order = ("heir", "reason")

    def __init__(self, *args, colleagues, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["heir"].queryset = colleagues


@admin.register(User)
class StaffAdmin(office.UserAdmin):
    """With a page on which an officer who leaves is handed over."""

    def get_urls(self):
        leave = path("<int:pk>/leave/", self._page(self.leave), name="parties_user_leave")
        return [leave, *super().get_urls()]

    def leave(self, request, account):
        """What lies open under the officer's name; then the account is closed."""
        form = LeaveForm(request.POST or None, colleagues=User.objects.colleagues(account))

        def act():
            return parties.leave(account, actor=Actor.of(request.user), **form.cleaned_data)

        told = {"open": services.open_work(account), **parties.held_by(account)}
        if request.method == "POST" and form.carry_out(act):
            context = self._context(request, account, _("离职交接")) | told | {"left": form.result}
            return TemplateResponse(request, "portal/office_left.html", context)
        page = "portal/office_leave.html"
        return self._form_page(request, account, _("离职交接"), form, page=page, **told)


@admin.register(CreditReport)
class CreditReportAdmin(office.ReadOnlyAdmin):
    """Which reports were made; what they say is read through their code, for a day."""

    fields = list_display = ["number", "code", "made_at", "valid_until"]
    search_fields = ["number", "=code"]
    ordering = ["-pk"]
    show_full_result_count = False


@admin.register(BoardExport)
class BoardExportAdmin(office.ReadOnlyAdmin):
    """Who took the figures of the supervisor's board away."""

    list_display = ["at", "year", "form", "by_label", "sha256"]
    list_filter = ["form"]

from datetime import timedelta
from itertools import groupby
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.signals import user_login_failed
from django.utils.translation import gettext_lazy as _

from casework.forms import ActForm, DateInput
from casework.services import storable
from listings.models import ImportBatch
from parties.models import Department
from parties.services import second_factor
from portal.services import seconds_to_wait
from portal.services.journal import KINDS
from portal.services.matters import GROUPS, MINE, STATES, TABS
from rulebook.models import ListKind

ANY = ("", _("全部"))


class SignInForm(AuthenticationForm):
    """Account, password and one-time code together; which of the three was wrong is not said.

    `wait` is the number of seconds to wait where too many tried, and nothing was looked at then;
    `outcome` says what stood in the place of the one-time code.
    """

    error_messages = {
        "invalid_login": _("账号、密码或动态口令不对，请核对后重新填写"),
        "inactive": _("账号、密码或动态口令不对，请核对后重新填写"),
    }

    otp_token = forms.CharField(
        label=_("动态口令"),
        help_text=_("手机令牌上的 6 位数字；没有手机时填备用码，第一次登录填开通码。"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "spellcheck": "false"}),
        error_messages={"required": _("填写动态口令")},
    )
    wait = 0
    outcome = ""
    tried = False

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("账号")
        self.fields["username"].error_messages["required"] = _("填写账号")
        self.fields["username"].widget.attrs.pop("autofocus", None)
        self.fields["password"].label = _("密码")
        self.fields["password"].error_messages["required"] = _("填写密码")

    def clean(self):
        if self.errors:  # nothing is tried, or counted against the account, until all is filled in
            return self.cleaned_data
        username, address = self.cleaned_data["username"], self.request.META.get("REMOTE_ADDR", "")
        self.wait = seconds_to_wait(username, address)
        if self.wait:
            raise self.get_invalid_login_error()
        self.tried = True
        super().clean()
        user = self.get_user()
        self.outcome, user.otp_device = second_factor(user, self.cleaned_data["otp_token"])
        if not self.outcome:
            self._count_failure()
            raise self.get_invalid_login_error()
        return self.cleaned_data

    def _count_failure(self):
        """A wrong code counts towards the lock just as a wrong password does."""
        user_login_failed.send(
            sender=type(self),
            credentials={"username": self.cleaned_data["username"]},
            request=self.request,
        )


class MattersForm(forms.Form):
    """Which matters are asked for, and in which order."""

    kind = forms.ChoiceField(
        label=_("类型"),
        required=False,
        choices=[ANY, *TABS.items()],
        widget=forms.HiddenInput,
    )
    q = forms.CharField(label=_("主体或编号"), required=False, max_length=100)
    due = forms.ChoiceField(label=_("期限"), required=False, choices=[ANY, *GROUPS.items()])
    state = forms.ChoiceField(label=_("状态"), required=False, choices=[ANY, *STATES.items()])
    who = forms.ChoiceField(
        label=_("由谁办"),
        required=False,
        choices=[("", _("本单位全部")), (MINE, _("我办过的和待我审核的"))],
    )
    sort = forms.ChoiceField(
        label=_("顺序"),
        required=False,
        choices=[("", _("先到期的在前")), ("late", _("后到期的在前")), ("kind", _("按类型"))],
    )

    @property
    def asked(self):
        """What was asked for, by field; of what can't be asked for, nothing."""
        self.is_valid()
        return {name: self.cleaned_data.get(name, "") for name in self.fields}

    @property
    def chosen(self):
        return [self[name] for name in ("due", "state", "who", "sort")]

    @property
    def narrows(self):
        return any(value for name, value in self.asked.items() if name != "sort")

    @property
    def query(self):
        """The same question as the end of an address."""
        return urlencode({name: value for name, value in self.asked.items() if value})


class ViewForm(ActForm):
    """Under which name the question is kept, and whether the desk opens with it."""

    name = forms.CharField(
        label=_("名称"), max_length=40, error_messages={"required": _("给视图取个名称")}
    )
    default = forms.BooleanField(label=_("打开工作台就用它"), required=False)


class YearForm(forms.Form):
    """The year of the supervisor's board; this one where none or an unknown one is asked for."""

    YEARS = 5

    year = forms.TypedChoiceField(label=_("年份"), required=False, coerce=int)

    def __init__(self, data, *, today):
        years = range(today.year, today.year - self.YEARS, -1)
        super().__init__({"year": data.get("year", today.year)})
        self.fields["year"].choices = [(year, year) for year in years]
        self.today = today

    @property
    def chosen(self):
        return (self.is_valid() and self.cleaned_data["year"]) or self.today.year


class JournalForm(forms.Form):
    """What the auditor asks the journals; without any day of the last thirty."""

    DAYS = 30

    kind = forms.ChoiceField(
        label=_("性质"), required=False, choices=[("", _("全部")), *KINDS.items()]
    )
    person = forms.CharField(label=_("人员"), required=False, max_length=100)
    department = forms.ModelChoiceField(
        Department.objects.all(),
        label=_("单位"),
        required=False,
        to_field_name="code",
        empty_label=_("全部"),
    )
    since = forms.DateField(label=_("从"), required=False, widget=DateInput)
    until = forms.DateField(label=_("到"), required=False, widget=DateInput)
    matter = forms.CharField(label=_("编号"), required=False, max_length=100)

    def __init__(self, data, *, today):
        asked = {name: data.get(name, "") for name in self.base_fields}
        if not any(value for name, value in asked.items() if name not in {"kind", "department"}):
            asked["since"] = (today - timedelta(days=self.DAYS)).isoformat()
        super().__init__(asked)

    def clean_since(self):
        return self._possible("since")

    def clean_until(self):
        return self._possible("until")

    def _possible(self, name):
        """A day whose midnight is an instant: the calendar's ends are none."""
        day = self.cleaned_data[name]
        if day and not 1970 <= day.year <= 2200:
            raise forms.ValidationError(_("年份应在 1970 到 2200 之间。"))
        return day

    def clean_matter(self):
        if not storable(self.cleaned_data["matter"]):
            raise forms.ValidationError(_("编号里有不能使用的字符。"))
        return self.cleaned_data["matter"]


class ImportForm(ActForm):
    """Which file, and what its rows are: penalties, or entries of one category."""

    RECORDS = "records"

    what = forms.ChoiceField(
        label=_("文件里是什么"), error_messages={"required": _("选择文件里是什么")}
    )
    file = forms.FileField(
        label=_("文件"),
        help_text=_("CSV 或 xlsx，不超过 20 MB；第一行是列名。"),
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx"}),
        error_messages={"required": _("选择文件"), "empty": _("文件是空的，请重新选择")},
    )

    def __init__(self, *args, categories, **kwargs):
        super().__init__(*args, **kwargs)
        self.categories = {row.code: row for row in categories}
        by_list = groupby(self.categories.values(), key=lambda row: row.kind)
        self.fields["what"].choices = [
            ("", _("请选择")),
            (self.RECORDS, _("行政处罚（双公示），记入信用档案")),
            *(
                (ListKind(kind).label, [(row.code, f"{row.code} {row}") for row in rows])
                for kind, rows in by_list
            ),
        ]

    @property
    def chosen(self):
        """The kind of the batch, and its category or None."""
        category = self.categories.get(self.cleaned_data["what"])
        kinds = ImportBatch.Kind
        return {"kind": kinds.LISTINGS if category else kinds.RECORDS, "category": category}

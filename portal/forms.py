from itertools import groupby
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.signals import user_login_failed
from django.utils.translation import gettext_lazy as _
from django_otp import match_token

from casework.forms import ActForm
from listings.models import ImportBatch
from portal.services.matters import GROUPS, MINE, STATES, TABS
from rulebook.models import ListKind

ANY = ("", _("全部"))


class SignInForm(AuthenticationForm):
    """Account, password and one-time code together; which of the three was wrong is not said."""

    error_messages = {
        "invalid_login": _("账号、密码或动态口令不对，请核对后重新填写"),
        "inactive": _("账号、密码或动态口令不对，请核对后重新填写"),
    }

    otp_token = forms.CharField(
        label=_("动态口令"),
        help_text=_("手机令牌上的 6 位数字"),
        max_length=8,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
        error_messages={"required": _("填写动态口令")},
    )

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
        super().clean()
        user = self.get_user()
        user.otp_device = match_token(user, self.cleaned_data["otp_token"])
        if user.otp_device is None:
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

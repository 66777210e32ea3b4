"""A form for one act of a service, and the forms of accounts, keys and standing in."""

from datetime import timedelta

from django import forms
from django.contrib.auth import authenticate
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parties.models import ApiKey, check_network

LONGEST_KEY = timedelta(days=5 * 366)


class ServiceForm(forms.Form):
    """Asks for what one act needs, and says in words what the service refused.

    `status` is the answer's HTTP status: 403 after a refusal, 400 for bad fields, else 200. A
    service's dotted key `prior_notice.means` belongs to the field `prior_notice_means`; a key
    without a field is told above the form.
    """

    refused = None

    def carry_out(self, act, *args, **kwargs):
        """Whether the service did it. Its answer is then in `result`."""
        if not self.is_valid():
            return False
        try:
            self.result = act(*args, **kwargs)
        except ValidationError as refusal:
            self._tell(refusal)
        except PermissionDenied:
            self.refuse(403, _("您没有办这件事的权限，须由别人来办。"))
        return not self.errors

    @property
    def status(self):
        return self.refused or (400 if self.is_bound and self.errors else 200)

    def field_for(self, key):
        """The name of the form's field that a service's key means, or None."""
        name = key.replace(".", "_")
        return name if name in self.fields else None

    def refuse(self, status, words):
        self.refused = status
        self.add_error(None, words)

    def _tell(self, refusal):
        told = refusal.error_dict if hasattr(refusal, "error_dict") else {"": refusal.error_list}
        for key, errors in told.items():
            for error in errors:
                self.add_error(self.field_for(key), error)


class DateInput(forms.DateInput):
    """A day in the browser's own control, which wants ISO dates whatever the language."""

    input_type = "date"

    def __init__(self, **kwargs):
        super().__init__(format="%Y-%m-%d", **kwargs)


def password_field(label, autocomplete, **kwargs):
    """A password as it is typed: blanks count, and it is never put back on the page."""
    return forms.CharField(
        label=label,
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
        **kwargs,
    )


def token_field(**kwargs):
    return forms.CharField(
        label=_("动态口令"),
        max_length=8,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
        error_messages={"required": _("填写动态口令")},
        **kwargs,
    )


class OwnPasswordForm(ServiceForm):
    """Asks for the person's own password; a wrong one counts towards the lock, as at sign-in."""

    old_password = password_field(
        _("现在的密码"), "current-password", error_messages={"required": _("填写现在的密码")}
    )

    def __init__(self, *args, request, **kwargs):
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_old_password(self):
        given = self.cleaned_data["old_password"]
        username = self.request.user.get_username()
        if authenticate(self.request, username=username, password=given) is None:
            raise ValidationError(_("现在的密码不对"))
        return given


class PasswordForm(OwnPasswordForm):
    password = password_field(
        _("新密码"),
        "new-password",
        help_text=_("至少 10 个字符，不能全是数字，不能是常见的密码，不能用最近 5 次用过的。"),
        error_messages={"required": _("填写新密码")},
    )
    again = password_field(
        _("再写一遍新密码"), "new-password", error_messages={"required": _("再写一遍新密码")}
    )

    def clean(self):
        super().clean()
        given = self.cleaned_data
        if {"password", "again"} <= given.keys() and given["password"] != given["again"]:
            self.add_error("again", _("两遍写的新密码不一样"))
        return given


class CodesForm(OwnPasswordForm):
    """The own password and a one-time code, for new recovery codes."""

    otp_token = token_field(help_text=_("手机令牌上的 6 位数字"))


class EnrolForm(ServiceForm):
    otp_token = token_field(help_text=_("扫码以后，手机上显示的 6 位数字"))


class ReasonForm(ServiceForm):
    reason = forms.CharField(
        label=_("理由"), max_length=200, error_messages={"required": _("写明理由")}
    )


class PersonField(forms.ModelChoiceField):
    def __init__(self, **kwargs):
        super().__init__(queryset=None, empty_label=_("请选择"), **kwargs)

    def label_from_instance(self, user):
        roles = "、".join(str(label) for label in user.role_labels)
        return f"{user}（{roles}）" if roles else str(user)


class DelegationForm(ServiceForm):
    """Who stands in, from when to when, why."""

    to_user = PersonField(label=_("由谁代办"), error_messages={"required": _("选择由谁代办")})
    starts = forms.DateField(
        label=_("从哪天起"),
        widget=DateInput(),
        error_messages={"required": _("填写从哪天起")},
    )
    ends = forms.DateField(
        label=_("到哪天止"),
        widget=DateInput(),
        help_text=_("这一天也算在内。"),
        error_messages={"required": _("填写到哪天止")},
    )
    why = forms.CharField(
        label=_("事由"),
        max_length=200,
        help_text=_("如出差、休假；本单位的人和平台管理员看得到。"),
        error_messages={"required": _("填写事由")},
    )

    def __init__(self, *args, colleagues, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["to_user"].queryset = colleagues


class AddressesField(forms.CharField):
    """Addresses and networks apart by blanks, commas or lines: a list of each once."""

    MOST = 50

    widget = forms.Textarea(attrs={"rows": 3})

    def to_python(self, value):
        words = super().to_python(value).replace(",", " ").replace("，", " ").split()
        return list(dict.fromkeys(words))

    def validate(self, value):
        super().validate(value)
        if len(value) > self.MOST:
            raise ValidationError(_("最多写 %(n)s 个地址"), params={"n": self.MOST})

    def run_validators(self, value):
        for address in value:
            check_network(address)


class KeyForm(ServiceForm):
    """What a new key is for, who answers for it, what it may and until when."""

    name = forms.CharField(
        label=_("名称"),
        max_length=50,
        help_text=_("哪个系统用，如“行政审批系统”。"),
        error_messages={"required": _("填写名称")},
    )
    officer = PersonField(label=_("负责人"), error_messages={"required": _("选择负责人")})
    scopes = forms.MultipleChoiceField(
        label=_("权限范围"),
        choices=ApiKey.Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("至少选一项权限")},
    )
    addresses = AddressesField(
        label=_("允许的地址"),
        required=False,
        max_length=3_000,
        help_text=_("地址或网段（如 192.0.2.0/24），一行一个；不填则不限。"),
    )
    last_day = forms.DateField(
        label=_("用到哪天"),
        required=False,
        widget=DateInput(),
        help_text=_("这一天也能用；不填则一直有效。"),
    )

    def __init__(self, *args, officers, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["officer"].queryset = officers

    def clean_last_day(self):
        day, today = self.cleaned_data["last_day"], timezone.localdate()
        if day is not None and not today <= day <= today + LONGEST_KEY:
            raise ValidationError(_("从今天起，五年以内"))
        return day


class RotateForm(ServiceForm):
    until = forms.DateField(
        label=_("旧密钥用到哪天"),
        widget=DateInput(),
        help_text=_("这一天也能用，最多 7 天。"),
        error_messages={"required": _("填写旧密钥用到哪天")},
    )


class MoveKeyForm(ReasonForm):
    officer = PersonField(label=_("新的负责人"), error_messages={"required": _("选择新的负责人")})

    field_order = ("officer", "reason")

    def __init__(self, *args, officers, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["officer"].queryset = officers

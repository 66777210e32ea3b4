"""What a reporter fills in, what a handler does, what a vault officer is asked."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from casework import documents
from casework.forms import ActForm, DateInput, FilesField, FilesInput, WordsField
from parties.models import Department
from tipoffs import policies
from tipoffs.models import Report

ACCEPT = ",".join(sign for kind in documents.IMAGES for sign in documents.SUFFIXES[kind])


# ── for reporters ─────────────────────────────────────────────────────────────────────────────


class PicturesField(FilesField):
    """Pictures only: they are drawn anew, so that nothing in a file says who made it.

    A PDF or DOCX names its author in places that can't be cleaned for sure.
    """

    def __init__(self, **kwargs):
        words = _("JPG、PNG，每张不超过 10 MB，一次最多 10 张。")
        super().__init__(help_text=words, required=False, **kwargs)

    widget = FilesInput

    def widget_attrs(self, widget):
        return {**super().widget_attrs(widget), "accept": ACCEPT}

    def clean(self, data, initial=None):
        checked = super().clean(data, initial)
        wrong = [file.name for file in checked if file.media_type not in documents.IMAGES]
        if wrong:
            words = _("“%(name)s”不是图片。别的文件会带作者等信息，请拍照或者截图再传。")
            raise ValidationError([ValidationError(words % {"name": name}) for name in wrong])
        return checked


class FormKey(forms.UUIDField):
    """Tells one form from another, so that one sent twice counts once."""

    def __init__(self):
        super().__init__(required=False, widget=forms.HiddenInput())


class ReportForm(ActForm):
    """What happened, whom it is about, and, only if the reporter wants, who tells it."""

    facts = WordsField(
        label=_("举报什么事"),
        at_least=10,
        at_most=5_000,
        help_text=_(
            "什么时候、在哪里、谁、做了什么。承办部门看得到，不想让人认出您的话不要写在这里。"
        ),
        error_messages={"required": _("写明举报的事")},
    )
    about = forms.CharField(
        label=_("举报谁"),
        max_length=200,
        help_text=_("单位写全称，个人写姓名和单位。"),
        error_messages={"required": _("写明举报谁")},
    )
    code = forms.CharField(
        label=_("它的统一社会信用代码"),
        max_length=30,
        required=False,
        help_text=_("知道的话填，能更快找到主管部门。"),
    )
    pictures = PicturesField(label=_("证据图片"))
    named = forms.ChoiceField(
        label=_("怎样举报"),
        choices=[
            ("anonymous", _("匿名：不留任何身份信息，凭回执码查结果")),
            ("named", _("实名：身份单独加密保管，办案的人看不到")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("选择匿名或者实名")},
    )
    name = forms.CharField(label=_("您的姓名"), max_length=100, required=False)
    phone = forms.CharField(
        label=_("联系电话"),
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel"}),
    )
    email = forms.EmailField(label=_("电子邮箱"), required=False)
    form_key = FormKey()

    @property
    def reporter(self):
        """Who reports; of an anonymous report nothing, whatever else was typed."""
        if self.cleaned_data["named"] != "named":
            return None
        return {name: self.cleaned_data[name] for name in ("name", "phone", "email")}


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("回执码"),
        max_length=60,
        help_text=_("提交时显示的 28 位字母和数字。"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("填写回执码")},
    )


class AddForm(ActForm):
    """What the reporter adds or asks."""

    text = WordsField(label=_("补充或者提问"), required=False)
    pictures = PicturesField(label=_("证据图片"))
    form_key = FormKey()


# ── for handlers ──────────────────────────────────────────────────────────────────────────────


class UnitForm(ActForm):
    """Which department looks into it."""

    department = forms.ModelChoiceField(
        Department.objects.none(),
        label=_("转给哪个单位"),
        empty_label=_("请选择"),
        error_messages={"required": _("选择单位")},
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        units = Department.objects.filter(active=True, kind__in=policies.INVESTIGATORS)
        self.fields["department"].queryset = units.order_by("name")


class AssignForm(UnitForm):
    text = WordsField(label=_("给承办单位的话"), required=False, help_text=_("举报人看不到。"))


class ReferForm(UnitForm):
    text = WordsField(
        label=_("转办的理由"),
        help_text=_("举报人看不到。"),
        error_messages={"required": _("写明转办的理由")},
    )


class SendBackForm(ActForm):
    text = WordsField(
        label=_("退回的理由"),
        help_text=_("举报人看不到。"),
        error_messages={"required": _("写明退回的理由")},
    )


class TellForm(ActForm):
    """Words that the reporter reads on the tracking page."""

    text = WordsField(
        label=_("告诉举报人"),
        help_text=_("举报人凭回执码看得到。"),
        error_messages={"required": _("写明告诉举报人的话")},
    )


class WriteForm(TellForm):
    form_key = FormKey()


class PlainForm(ActForm):
    """Nothing to fill in: the button is the act."""


class ConcludeForm(ActForm):
    outcome = forms.ChoiceField(
        label=_("结论"),
        choices=Report.Outcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("选择结论")},
    )
    findings = WordsField(
        label=_("核查情况"),
        at_least=10,
        at_most=5_000,
        help_text=_("内部留存，举报人看不到。"),
        error_messages={"required": _("写明核查情况")},
    )


class LitigateForm(ActForm):
    organ = forms.CharField(
        label=_("检察机关"), max_length=100, error_messages={"required": _("填写检察机关")}
    )
    document_number = forms.CharField(
        label=_("移送文号"), max_length=80, error_messages={"required": _("填写移送文号")}
    )
    referred_on = forms.DateField(
        label=_("移送日期"), widget=DateInput(), error_messages={"required": _("填写移送日期")}
    )


class FindForm(forms.Form):
    """Reports are found by their number alone."""

    q = forms.CharField(label=_("举报编号"), required=False, max_length=30)

    def narrow(self, rows):
        text = self.cleaned_data["q"].strip()
        return rows.filter(number__iexact=text) if text else rows


# ── for vault officers ────────────────────────────────────────────────────────────────────────


def _passphrase(label, **kwargs):
    return forms.CharField(
        label=label,
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("填写口令")},
        **kwargs,
    )


class OpenForm(ActForm):
    purpose = forms.CharField(
        label=_("查看事由"),
        max_length=200,
        help_text=_("记入查阅记录，督办和审计看得到。"),
        error_messages={"required": _("填写查看事由")},
    )
    passphrase = _passphrase(_("保险箱口令"))


class GrantForm(ActForm):
    passphrase = _passphrase(_("您的保险箱口令"))


class NewPassphraseForm(ActForm):
    """A passphrase, typed twice: nobody can ever look it up."""

    passphrase = _passphrase(
        _("新口令"), help_text=_("至少 12 个字符，和登录密码不同。忘记了谁也找不回来。")
    )
    again = _passphrase(_("再输一遍"))

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("passphrase") and cleaned.get("again") not in (None, cleaned["passphrase"]):
            self.add_error("again", _("两次输入的口令不一样"))
        return cleaned


class ChangeForm(NewPassphraseForm):
    old = _passphrase(_("现在的口令"))
    field_order = ["old"]

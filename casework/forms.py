"""A form for one act of a service: what the service refuses is said on the form, in words.

And what such forms are made of: days, words in several lines, files, applicants.
"""

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from casework import documents
from casework.models import ServiceMeans
from casework.moves import IllegalMove, StaleVersion
from parties.forms import DateInput, ServiceForm


class ActForm(ServiceForm):
    """Asks for what one act on a matter needs, and says in words what the service refused.

    `status` is 409 or 412 besides, after a refusal of the mover.
    """

    def clean(self):
        """All files of a form count together, whatever field each is for."""
        super().clean()
        uploads = [one for name in self.files for one in self.files.getlist(name)]
        size = sum(one.size for one in uploads)
        if len(uploads) > documents.MOST_OF_FORM or size > documents.MOST_TOGETHER:
            told = {"files": documents.MOST_OF_FORM, "mb": documents.MOST_TOGETHER // documents.MB}
            self.add_error(None, _("全部文件合计最多 %(files)s 个、%(mb)s MB。") % told)
        return self.cleaned_data

    def carry_out(self, act, *args, **kwargs):
        """Whether the service did it. Its answer is then in `result`."""
        try:
            return super().carry_out(act, *args, **kwargs)
        except IllegalMove as refusal:
            self.refuse(409, str(refusal))
        except StaleVersion as refusal:
            self.refuse(412, str(refusal))
        return False


class WordsField(forms.CharField):
    """Words in several lines; the end of a line is one sign, whatever the browser sends."""

    widget = forms.Textarea(attrs={"rows": 5})

    def __init__(self, *, at_least=0, at_most=2_000, **kwargs):
        self.at_least, self.at_most = at_least, at_most
        super().__init__(**kwargs)

    def to_python(self, value):
        return super().to_python(value).replace("\r\n", "\n")

    def validate(self, value):
        super().validate(value)
        told = {"label": self.label, "now": len(value)}
        if value and len(value) < self.at_least:
            told["least"] = self.at_least
            raise ValidationError(_("%(label)s至少写 %(least)s 个字，现在 %(now)s 个字") % told)
        if len(value) > self.at_most:
            told["most"] = self.at_most
            raise ValidationError(_("%(label)s最多 %(most)s 个字，现在 %(now)s 个字") % told)


class FilesInput(forms.FileInput):
    allow_multiple_selected = True

    def __init__(self):
        super().__init__(attrs={"accept": documents.ACCEPT, "multiple": True})


FILES_HINT = _(
    "JPG、PNG、PDF、OFD、DOCX，每个不超过 10 MB，最多 10 个，合计不超过 50 MB，一次选齐。"
)


class FilesField(forms.FileField):
    """Up to ten files, each judged by its content; clean gives `documents.Checked` ones.

    Asking stores nothing, so a form that is refused leaves no file behind.
    """

    widget = FilesInput

    def __init__(self, *, help_text=FILES_HINT, **kwargs):
        super().__init__(help_text=help_text, **kwargs)

    def clean(self, data, initial=None):
        uploads = data or []
        if self.required and not uploads:
            raise ValidationError(self.error_messages["required"], code="required")
        return documents.check_all(uploads)


class ApplicantForm(ActForm):
    """Who files a matter, and how to reach them."""

    applicant_name = forms.CharField(
        label=_("姓名或者单位名称"),
        max_length=200,
        help_text=_("答复写给谁，就写谁。"),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": _("填写姓名或者单位名称")},
    )
    applicant_phone = forms.CharField(
        label=_("联系电话"),
        max_length=30,
        help_text=_("只有承办单位看得到，每次查看都有记录。"),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
        validators=[RegexValidator(r"^[\d+() 转-]{5,}$", _("电话号码写成 0435-0000000 这样"))],
        error_messages={"required": _("填写联系电话")},
    )
    applicant_email = forms.EmailField(
        label=_("电子邮箱"),
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={"invalid": _("电子邮箱写成 name@example.com 这样")},
    )

    @property
    def applicant(self):
        return {name: self.cleaned_data[f"applicant_{name}"] for name in ("name", "phone", "email")}


class TrackForm(forms.Form):
    """The two things that open a matter to its applicant."""

    number = forms.CharField(
        label=_("受理编号"), max_length=30, error_messages={"required": _("填写受理编号")}
    )
    query_code = forms.CharField(
        label=_("查询码"),
        max_length=30,
        help_text=_("提交时当场给您的 10 位字母和数字。"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("填写查询码")},
    )


class AskForm(ActForm):
    """All that is missing, at once, and until when."""

    text = WordsField(
        label=_("要补充什么"),
        at_least=10,
        at_most=1_000,
        help_text=_("一次说全，一行写一项，写入补正通知书。"),
        error_messages={"required": _("写明要补充什么")},
    )
    by = forms.DateField(
        label=_("最迟哪天补充"),
        widget=DateInput(),
        error_messages={"required": _("填写补正期限")},
    )


class ExtendForm(ActForm):
    """By how many working days, and why."""

    days = forms.IntegerField(
        label=_("延长几个工作日"),
        min_value=1,
        error_messages={"required": _("填写延长几个工作日")},
    )
    reasons = WordsField(
        label=_("延长的理由"),
        at_least=10,
        at_most=500,
        help_text=_("申请人查进度时看得到。"),
        error_messages={"required": _("写明延长的理由")},
    )


class ReturnForm(ActForm):
    note = WordsField(
        label=_("退回的理由"), at_most=500, error_messages={"required": _("写明退回的理由")}
    )


class ApproveForm(ActForm):
    """Nothing to fill in: the button is the act."""


class ServeForm(ActForm):
    """How and when a letter reached whom it is for."""

    means = forms.ChoiceField(
        label=_("送达方式"),
        choices=[("", _("请选择")), *ServiceMeans.choices],
        error_messages={"required": _("选择送达方式")},
    )
    served_on = forms.DateField(
        label=_("送达日期"),
        widget=DateInput(),
        error_messages={"required": _("填写送达日期")},
    )


class NoteForm(ActForm):
    note = WordsField(label=_("说明"), error_messages={"required": _("填写说明")})


class PurposeForm(ActForm):
    """Why a sealed value is read; it goes into the access log."""

    purpose = forms.CharField(
        label=_("查看事由"), max_length=200, error_messages={"required": _("填写查看事由")}
    )


class KeepForm(ActForm):
    """What a page that is filled in says of itself: see `KeptForm`."""

    stamp = forms.IntegerField(required=False, min_value=0)
    version = forms.IntegerField(required=False, min_value=0, max_value=2**31 - 1)


class UnshownInput(forms.TextInput):
    """For the number of a person's paper: what was typed is never put back on the page."""

    def __init__(self):
        super().__init__(attrs={"autocomplete": "off"})

    def format_value(self, value):
        return None


# --- forms that are kept while they are filled in ---------------------------


def typed_in(fields, data):
    """{name: [texts]} of what was typed; never the number of a person's paper."""
    names = [one.html_name for one in fields if not isinstance(one.field.widget, UnshownInput)]
    return {name: data.getlist(name) for name in names if name in data}


def put_back(fields, kept):
    """Show in the fields of unbound forms what was typed into them before.

    `kept` is as `typed_in` gave it. A field that it does not name was empty, or is not kept.
    """
    for one in fields:
        if not isinstance(one.field.widget, UnshownInput):
            texts = kept.get(one.html_name, [])
            several = isinstance(one.field, forms.MultipleChoiceField)
            one.form.initial[one.name] = texts if several else "".join(texts[-1:])


def differing(fields, kept):
    """The labels of the fields whose value, as the forms show it, is not what was typed."""
    return [one.label for one in fields if _shown(one) != _typed(one, kept)]


def _shown(one):
    """Asked of the form, since a bound field remembers what it was asked first."""
    value = one.field.prepare_value(one.form.get_initial_for_field(one.field, one.name))
    texts = value if isinstance(value, (list, tuple)) else [value]
    return [_words(text) for text in texts if text not in (None, "")]


def _typed(one, kept):
    return [_words(text) for text in kept.get(one.html_name, []) if text]


def _words(text):
    return str(text).replace("\r\n", "\n").strip()

"""Other cities: whom we trust, and the files that they send."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from casework.forms import ActForm, WordsField


class CityForm(ActForm):
    """What is known of another city's portal; of one that is registered its code stays."""

    code = forms.CharField(
        label=_("行政区划代码"),
        max_length=6,
        help_text=_("六位数字（GB/T 2260），例如 220600。"),
        error_messages={"required": _("填写行政区划代码")},
    )
    name = forms.CharField(
        label=_("名称"), max_length=40, error_messages={"required": _("填写名称")}
    )
    name_en = forms.CharField(
        label=_("英文名称"), max_length=80, error_messages={"required": _("填写英文名称")}
    )
    url = forms.CharField(
        label=_("平台网址"),
        max_length=200,
        help_text=_("异议和修复指到这里，例如 https://credit.example.gov.cn。"),
        error_messages={"required": _("填写平台网址")},
    )
    public_key = forms.CharField(
        label=_("公钥"),
        max_length=64,
        help_text=_("对方平台的 Ed25519 公钥，64 位十六进制，当面或者以公函核对。"),
        error_messages={"required": _("填写公钥")},
    )
    agreement = forms.CharField(
        label=_("区域合作协议"),
        max_length=200,
        required=False,
        help_text=_("写了名称和文号，本市备忘录的措施才用于它的记录；没有协议的只供参考。"),
    )
    note = WordsField(
        label=_("依据"),
        at_most=500,
        help_text=_("怎样核对的公钥，根据哪份文件。"),
        error_messages={"required": _("填写依据")},
    )

    def __init__(self, *args, city=None, **kwargs):
        super().__init__(*args, **kwargs)
        if city:
            del self.fields["code"]
            for name in self.fields.keys() - {"note"}:
                self.fields[name].initial = getattr(city, name)


class CityNoteForm(ActForm):
    note = WordsField(label=_("理由"), at_most=500, error_messages={"required": _("填写理由")})


class ExchangeFileForm(ActForm):
    """A file that another city's portal wrote and signed."""

    LARGEST = 20 * 1024 * 1024

    file = forms.FileField(
        label=_("交换文件"),
        help_text=_("对方平台导出并签名的文件，不超过 20 MB；更大的由管理员用命令接收。"),
        widget=forms.FileInput(attrs={"accept": ".ndjson,.jsonl"}),
        error_messages={"required": _("选择文件"), "empty": _("文件是空的，请重新选择")},
    )

    def clean_file(self):
        upload = self.cleaned_data["file"]
        if upload.size > self.LARGEST:
            raise ValidationError(_("文件不能超过 20 MB。"), code="too_large")
        return upload

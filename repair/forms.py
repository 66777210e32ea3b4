"""What a person fills in to apply for repair, and what an officer fills in to decide it."""

from django import forms
from django.db.models import Q
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from casework.forms import ActForm, ApplicantForm, DateInput, FilesField, WordsField
from parties import services as parties
from repair.models import Repair

COMMITMENT = _(
    "所交材料真实、完整；失信行为已经纠正，今后依法诚信经营；"
    "如有虚假，愿意承担法律责任，并同意撤销修复。"
)


class ApplyForm(ApplicantForm):
    """What was put right, with which papers, and the commitment."""

    statement = WordsField(
        label=_("怎样改正的"),
        at_least=10,
        help_text=_("写清楚做了什么、什么时候做完的，最多 2000 字。"),
        error_messages={"required": _("写明怎样改正的")},
    )
    evidence_kinds = forms.MultipleChoiceField(
        label=_("交了哪些材料"),
        help_text=_("逐项勾选，并在下面上传。"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("逐项勾选，并在下面上传。")},
    )
    evidence = FilesField(
        label=_("上传材料"),
        help_text=_("JPG、PNG、PDF，每个不超过 10 MB，最多 10 个，一次选齐。"),
        error_messages={"required": _("上传证明材料")},
    )
    commitment = forms.BooleanField(
        error_messages={"required": _("请勾选信用承诺")},
    )
    field_order = ["statement", "evidence_kinds", "evidence", "commitment"]

    def __init__(self, *args, asked, **kwargs):
        """`asked` are the papers that the entry's rule asks for."""
        super().__init__(*args, **kwargs)
        promise = format_html("{}<small>{}</small>", _("我（单位）承诺"), COMMITMENT)
        self.fields["commitment"].label = promise
        self.fields["evidence_kinds"].choices = [(kind, kind) for kind in asked]
        self.fields["evidence"].required = bool(asked)
        if not asked:
            del self.fields["evidence_kinds"]

    @property
    def application(self):
        return {
            "applicant": self.applicant,
            "statement": self.cleaned_data["statement"],
            "commitment": str(COMMITMENT),
        }

    def papers(self, documents):
        """What was handed in, as `services.apply` takes it."""
        kinds = self.cleaned_data.get("evidence_kinds", [])
        return [*((kind, None) for kind in kinds), *((_("材料"), one) for one in documents)]


class PaperForm(ApplyForm):
    received_on = forms.DateField(
        label=_("收到日期"),
        widget=DateInput(),
        error_messages={"required": _("填写收到日期")},
    )
    field_order = ["received_on", *ApplyForm.field_order]


class AcceptForm(ActForm):
    note = WordsField(label=_("说明"), required=False, at_most=500)


class NotAcceptForm(ActForm):
    reasons = WordsField(
        label=_("不予受理的理由"),
        at_least=10,
        help_text=_("申请人看得到。"),
        error_messages={"required": _("写明不予受理的理由")},
    )


def outcomes():
    """The two decisions, each with what it does; asked anew for each form, in its language."""
    does = {
        Repair.Outcome.GRANTED: _("记录撤下，逐家通知解除措施"),
        Repair.Outcome.REFUSED: _("记录继续公布到原定日期"),
    }
    return [
        (outcome.value, format_html("{}<small>{}</small>", outcome.label, words))
        for outcome, words in does.items()
    ]


class DecisionForm(ActForm):
    outcome = forms.ChoiceField(
        label=_("决定"),
        widget=forms.RadioSelect,
        choices=outcomes,
        error_messages={"required": _("选择决定")},
    )
    verification = WordsField(
        label=_("怎样核实的"),
        help_text=_("核实的方式、时间和结果，申请人看不到。"),
        error_messages={"required": _("写明核实的方式和情况")},
    )
    reasons = WordsField(
        label=_("理由"),
        at_least=10,
        help_text=_("申请人看得到。"),
        error_messages={"required": _("写明理由")},
    )


class ReturnForm(ActForm):
    note = WordsField(
        label=_("退回的理由"), at_most=500, error_messages={"required": _("写明退回的理由")}
    )


class ApproveForm(ActForm):
    """Nothing to fill in: the button is the act."""


class FindForm(forms.Form):
    """Which of the department's matters to show."""

    q = forms.CharField(label=_("受理编号、主体或信用代码"), required=False, max_length=100)

    def narrow(self, rows):
        text = self.cleaned_data["q"].strip()
        if not text:
            return rows
        named = Q(listing__subject__in=parties.called(text))
        return rows.filter(Q(number__iexact=text) | named)


class TargetForm(forms.Form):
    """Which of the department's entries a paper application is about."""

    code = forms.CharField(
        label=_("统一社会信用代码，或者文书文号"),
        max_length=128,
        error_messages={"required": _("填写统一社会信用代码，或者文书文号")},
    )

    def narrow(self, rows):
        text = self.cleaned_data["code"].strip()
        return rows.filter(parties.of_code("subject", text) | Q(document_number=text))

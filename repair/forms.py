"""What a person fills in to apply for repair, and what an officer fills in to decide it."""

from django import forms
from django.db.models import Q
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from casework import documents
from casework.forms import ActForm, ApplicantForm, DateInput, FilesField, WordsField
from parties import services as parties
from parties.models import Department
from repair.models import Repair, Verification

COMMITMENT = _(
    "所交材料真实、完整；失信行为已经纠正，今后依法诚信经营；"
    "如有虚假，愿意承担法律责任，并同意撤销修复。"
)
OTHER_PAPERS = "其他材料"  # a kind is kept in Chinese, as the rules name the others
UPLOAD = {"accept": documents.ACCEPT}


class PapersForm(ActForm):
    """Uploads: a field per kind of paper that the rule asks for, and one for others.

    Where `every`, each kind needs a file. At the counter originals are ticked instead, and a
    scan is welcome.
    """

    every = at_counter = False

    def __init__(self, *args, asked, **kwargs):
        """`asked` are the kinds that the entry's rule asks for."""
        super().__init__(*args, **kwargs)
        self.kinds = {f"paper_{index}": kind for index, kind in enumerate(asked)}
        if self.at_counter and asked:
            self.fields["evidence_kinds"] = forms.MultipleChoiceField(
                label=_("收到的原件"),
                help_text=_("交来的纸质材料逐项勾选；扫描件在下面上传。"),
                widget=forms.CheckboxSelectMultiple,
                choices=[(kind, kind) for kind in asked],
                required=False,
            )
        for name, kind in self.kinds.items():
            self.fields[name] = FilesField(
                label=kind,
                required=self.every,
                error_messages={"required": _("上传“%(kind)s”") % {"kind": kind}},
            )
        self.fields["paper_more"] = FilesField(label=_("其他材料"), required=False)
        self.kinds["paper_more"] = OTHER_PAPERS

    @property
    def uploads(self):
        return [self[name] for name in self.kinds]

    def papers(self, actor):
        """What was handed in, as the services take it; nothing is stored before they ask."""
        given = self.cleaned_data
        originals = [(kind, None) for kind in given.get("evidence_kinds", [])]
        files = [
            (kind, lambda file=file: next(documents.keep_all([file], actor=actor)))
            for name, kind in self.kinds.items()
            for file in given[name]
        ]
        scanned = {kind for kind, _file in files}
        return [pair for pair in originals if pair[0] not in scanned] + files

    def field_for(self, key):
        return super().field_for("evidence_kinds" if key == "evidence" else key)


class ApplyForm(PapersForm, ApplicantForm):
    """What was put right, with which papers, who asks for it, and the commitment, signed."""

    every = True

    statement = WordsField(
        label=_("怎样改正的"),
        at_least=10,
        help_text=_("写清楚做了什么、什么时候做完的，最多 2000 字。"),
        error_messages={"required": _("写明怎样改正的")},
    )
    applicant_agent = forms.CharField(
        label=_("代理人姓名"),
        max_length=200,
        required=False,
        help_text=_("由别人代办的填写，并在“其他材料”上传授权委托书。"),
    )
    national_number = forms.CharField(
        label=_("全国统一办件编号"),
        max_length=60,
        required=False,
        help_text=_("在“信用中国”提交过的，填写那里给的编号。"),
    )
    commitment = forms.BooleanField(
        error_messages={"required": _("请勾选信用承诺")},
    )
    committed_by = forms.CharField(
        label=_("承诺人签名"),
        max_length=200,
        help_text=_("填写申请人或者代理人的姓名、名称，和上面写的一致。填写就是签名。"),
        error_messages={"required": _("填写承诺人签名")},
    )
    LAST = (
        "applicant_name",
        "applicant_phone",
        "applicant_email",
        "applicant_agent",
        "national_number",
        "commitment",
        "committed_by",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        promise = format_html("{}<small>{}</small>", _("我（单位）承诺"), COMMITMENT)
        self.fields["commitment"].label = promise
        first = [name for name in self.fields if name not in self.LAST]
        self.order_fields([*first, *self.LAST])

    @property
    def application(self):
        given = self.cleaned_data
        return {
            "applicant": {**self.applicant, "agent": given["applicant_agent"]},
            "statement": given["statement"],
            "commitment": str(COMMITMENT),
            "committed_by": given["committed_by"],
            "national_number": given["national_number"],
        }


class PaperForm(ApplyForm):
    """The same from paper, at the counter: also for a responsible person of the entry alone."""

    every, at_counter = False, True

    received_on = forms.DateField(
        label=_("收到日期"),
        widget=DateInput(),
        error_messages={"required": _("填写收到日期")},
    )
    responsible_person = forms.ModelChoiceField(
        label=_("只解除一名责任人员"),
        queryset=None,
        required=False,
        empty_label=_("不是，修复整条记录"),
        help_text=_("责任人员为本人申请的，先核对身份证件。准予以后只解除这个人，记录不撤下。"),
    )
    committed_on = forms.DateField(
        label=_("承诺书上的日期"),
        widget=DateInput(),
        error_messages={"required": _("填写承诺书上的日期")},
    )
    LAST = (*ApplyForm.LAST, "committed_on")
    field_order = ["received_on", "responsible_person", "statement"]

    def __init__(self, *args, persons, **kwargs):
        """`persons` are who answers for the entry."""
        super().__init__(*args, **kwargs)
        self.fields["responsible_person"].queryset = persons
        self.fields["responsible_person"].label_from_instance = _named
        if not persons:
            del self.fields["responsible_person"]

    @property
    def application(self):
        given = self.cleaned_data
        return {
            **super().application,
            "received_on": given["received_on"],
            "committed_on": given["committed_on"],
            "responsible_person": given.get("responsible_person"),
        }


def _named(row):
    return f"{row.person.display_name}　{row.get_role_display()}"


class SupplementForm(PapersForm):
    """What an applicant adds who was asked for more."""

    text = WordsField(
        label=_("补充说明"),
        required=False,
        help_text=_("说明和材料至少有一样。"),
    )
    field_order = ["text"]


class CounterSupplementForm(SupplementForm):
    at_counter = True


class AcceptForm(ActForm):
    note = WordsField(label=_("说明"), required=False, at_most=500)


class NotAcceptForm(ActForm):
    reasons = WordsField(
        label=_("不予受理的理由"),
        at_least=10,
        help_text=_("申请人看得到。"),
        error_messages={"required": _("写明不予受理的理由")},
    )


class OneFileField(forms.FileField):
    """One file, judged by its content; clean gives a `documents.Checked` one, or None."""

    widget = forms.FileInput(attrs=UPLOAD)

    def clean(self, data, initial=None):
        file = super().clean(data, initial)
        return documents.check(file) if file else None


class VerifyForm(ActForm):
    """One thing that was done to see whether it was put right, and what was found."""

    means = forms.ChoiceField(
        label=_("核实方式"),
        widget=forms.RadioSelect,
        choices=Verification.Means.choices,
        error_messages={"required": _("选择核实方式")},
    )
    done_on = forms.DateField(
        label=_("核实日期"),
        widget=DateInput(),
        error_messages={"required": _("填写核实日期")},
    )
    unit = forms.ModelChoiceField(
        label=_("出具意见的单位"),
        queryset=Department.objects.order_by("name"),
        required=False,
        empty_label="—",
        help_text=_("核实方式是“有关单位意见”的，要选。"),
    )
    findings = WordsField(
        label=_("核实情况"),
        help_text=_("申请人看不到。"),
        error_messages={"required": _("写明核实的情况")},
    )
    document = OneFileField(
        label=_("核实材料"),
        required=False,
        help_text=_("意见、照片或者笔录，一个文件，不超过 10 MB。"),
    )


def outcomes(alone):
    """The two decisions, each with what it does to the entry, or to one person `alone`."""
    granted = _("记录撤下，逐家通知解除措施")
    does = {
        Repair.Outcome.GRANTED: _("解除这名责任人员，记录不撤下") if alone else granted,
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
        error_messages={"required": _("选择决定")},
    )
    reasons = WordsField(
        label=_("理由"),
        at_least=10,
        help_text=_("申请人看得到。"),
        error_messages={"required": _("写明理由")},
    )
    retry_from = forms.DateField(
        label=_("最早再次申请日"),
        widget=DateInput(),
        required=False,
        help_text=_("只在不予修复时填写；不填的，改正以后随时可以再申请。"),
    )

    def __init__(self, *args, alone, **kwargs):
        """`alone`: the application is of one responsible person."""
        super().__init__(*args, **kwargs)
        self.fields["outcome"].choices = outcomes(alone)


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

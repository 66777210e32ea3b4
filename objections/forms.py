"""What a person fills in to object, and what an officer fills in to handle and answer it."""

from dataclasses import replace
from itertools import chain

from django import forms
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from casework.forms import ActForm, ApplicantForm, DateInput, FilesField, WordsField
from listings.forms import CorrectForm
from listings.models import AdverseRecord, Listing, ResponsiblePerson
from objections import policies
from objections.models import Objection
from objections.services.file import FIELDS
from parties import services as parties
from parties.models import Department
from rulebook.models import CategoryField, ListKind

Outcome = Objection.Outcome
EMPTY = ("", None)
SHOWN = 60  # signs of a published value beside an option


class ObjectionForm(ApplicantForm):
    """What is wrong with `target`, why, with which evidence, and who says so."""

    fields = forms.MultipleChoiceField(
        label=_("您认为哪一项有错"),
        help_text=_("可选多项"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("选择哪一项有错")},
    )
    grounds = WordsField(
        label=_("理由"),
        at_least=10,
        help_text=_("写清楚哪一处不对、实际是怎样，最多 2000 字。不要写身份证号、银行账号。"),
        error_messages={"required": _("写明理由")},
    )
    evidence = FilesField(
        label=_("证据"),
        required=False,
        help_text=_("JPG、PNG、PDF，每个不超过 10 MB，最多 10 个，一次选齐。"),
    )
    agent = forms.CharField(
        label=_("代理人姓名"),
        max_length=200,
        required=False,
        help_text=_("自己提出的不填。"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    authorisation = FilesField(
        label=_("授权委托书"),
        required=False,
        help_text=_("有代理人的，必须上传；格式和大小同上。"),
    )
    national_number = forms.CharField(
        label=_("全国统一办件编号"),
        max_length=60,
        required=False,
        help_text=_("已经在“信用中国”提出过的，填那里给的编号。"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    field_order = ["fields", "grounds", "evidence"]

    def __init__(self, *args, target, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["fields"].choices = choices_for(target)

    def clean(self):
        super().clean()
        if self.cleaned_data.get("agent") and not self.cleaned_data.get("authorisation", True):
            self.add_error("authorisation", gettext("有代理人的，请上传授权委托书"))

    @property
    def applicant(self):
        return {**super().applicant, "agent": self.cleaned_data["agent"]}

    @property
    def papers(self):
        """All files to keep; an authorisation says in its name what it is."""
        named = (
            replace(file, name=f"授权委托书_{file.name}"[-200:])
            for file in self.cleaned_data["authorisation"]
        )
        return chain(self.cleaned_data["evidence"], named)


class PersonChoice(forms.ModelChoiceField):
    """The persons of an entry as the desk may see them: masked, told apart by role and fact."""

    def label_from_instance(self, person):
        fact = Truncator(person.fact).chars(SHOWN)
        return f"{person.person.display_name}，{person.get_role_display()}：{fact}"


class PaperForm(ObjectionForm):
    """The same as it came on paper, on a day that may be past."""

    received_on = forms.DateField(
        label=_("收到日期"),
        widget=DateInput(),
        help_text=_("办理期限从这一天的次日起算。"),
        error_messages={"required": _("填写收到日期")},
    )
    responsible_person = PersonChoice(
        ResponsiblePerson.objects.none(),
        label=_("申请人是责任人员本人"),
        required=False,
        empty_label=_("不是"),
        help_text=_("已核对身份的才选；选了，只办理这个人自己的部分。"),
    )
    field_order = ["received_on", "responsible_person", "fields", "grounds", "evidence"]

    def __init__(self, *args, target, **kwargs):
        super().__init__(*args, target=target, **kwargs)
        if isinstance(target, Listing) and target.responsible_persons.exists():
            persons = target.responsible_persons.select_related("person")
            self.fields["responsible_person"].queryset = persons.order_by("pk")
        else:
            del self.fields["responsible_person"]


def choices_for(target):
    """What may be wrong, each with what is published now.

    Being named as a responsible person is offered where the entry names any; which of them
    the applicant is, nobody chooses from a list here: the page would tell who they are.
    """
    shown = shown_values(target)
    options = {code: _option(label, shown.get(code)) for code, label in FIELDS.items()}
    if isinstance(target, Listing) and target.responsible_persons.exists():
        words = _("责任人员只对自己的部分提出：下面写本人姓名，由认定部门核对身份，记录上不显示")
        own = FIELDS[Objection.PERSON]
        options[Objection.PERSON] = format_html("{}<small>{}</small>", own, words)
    else:
        del options[Objection.PERSON]
    return list(options.items())


def shown_values(target):
    """The published value behind each thing that may be objected to."""
    if not isinstance(target, Listing):
        return {"subject": target.subject.display_name, "ground": target.facts or target.content}
    return {
        "subject": target.subject.display_name,
        "ground": target.ground,
        "term": gettext("%(first)s至 %(last)s")
        % {"first": date_format(target.published_on), "last": date_format(target.visible_until)},
        "document": " ".join(filter(None, [target.document_kind, target.document_number])),
    }


def _option(label, shown):
    if not shown:
        return label
    now = gettext("现公布：%(value)s") % {"value": Truncator(shown).chars(SHOWN)}
    return format_html("{}<small>{}</small>", label, now)


RECORD_COLUMNS = ("facts", "content", "basis_text", "fine", "decided_on", "public_until")


def outcomes(*, person=False):
    """The outcomes, each with what it does; asked anew for each form, in its language.

    Of one `person` the naming stands or falls: nothing of it is corrected.
    """
    does = {
        Outcome.REJECTED: _("记录不变，加注取消"),
        Outcome.UPHELD_CORRECTED: _("按下面的新值改，通知收到过它的单位"),
        Outcome.UPHELD_WITHDRAWN: _("撤下记录，逐家召回"),
    }
    if person:
        del does[Outcome.UPHELD_CORRECTED]
        does[Outcome.UPHELD_WITHDRAWN] = _("解除这名责任人员，记录本身不变，通知收到过它的单位")
    return [
        (outcome.value, format_html("{}<small>{}</small>", outcome.label, words))
        for outcome, words in does.items()
    ]


class ReplyForm(ActForm):
    """The outcome with its reasons; for a correction, each value that is not as published."""

    outcome = forms.ChoiceField(
        label=_("结论"),
        widget=forms.RadioSelect,
        choices=outcomes,
        error_messages={"required": _("选择结论")},
    )
    reasons = WordsField(
        label=_("理由"),
        at_least=10,
        at_most=5_000,
        help_text=_("写入答复函，不写申请人的电话和证件号码。"),
        error_messages={"required": _("写明理由")},
    )
    findings = WordsField(
        label=_("核查意见"),
        required=False,
        at_most=5_000,
        help_text=_("只存入案卷，供审核人看，不写入答复函，申请人看不到。"),
    )

    def __init__(self, *args, objection, **kwargs):
        super().__init__(*args, **kwargs)
        self.target = objection.listing or objection.record
        if objection.responsible_person_id or objection.claims_person:
            self.details = []
            self.fields["outcome"].choices = outcomes(person=True)
            return
        for name in _columns_of(objection):
            self.fields[name] = _column(self.target, name)
        self.details = list(objection.listing.category.fields.all()) if objection.listing else []
        for field in self.details:
            self.fields[f"details_{field.code}"] = _detail(field, self.target.details)

    @property
    def values(self):
        """The fields that hold new values, for the page."""
        return [self[name] for name in self.fields if name not in self.base_fields]

    def clean(self):
        """A correction may replace a published value, not leave its place empty."""
        super().clean()
        if self.cleaned_data.get("outcome") == Outcome.UPHELD_CORRECTED:
            for bound in self.values:
                if bound.initial and self.cleaned_data.get(bound.name) in EMPTY:
                    self.add_error(bound.name, gettext("更正的，写新值；不更正的，保留原值"))

    @property
    def corrections(self):
        """{column: new value} of what was changed on the form, as JSON can hold it."""
        if self.cleaned_data["outcome"] != Outcome.UPHELD_CORRECTED:
            return {}
        changed = set(self.changed_data) - self.base_fields.keys()
        plain = {name: _plain(self.cleaned_data[name]) for name in changed}
        details = {
            field.code: plain.pop(f"details_{field.code}")
            for field in self.details
            if f"details_{field.code}" in plain
        }
        if details:
            plain["details"] = {**self.target.details, **details}
        return plain


def _columns_of(objection):
    """What a reply may correct, in the order of the entry's page."""
    if objection.record:
        return RECORD_COLUMNS
    return CorrectForm.COLUMNS if objection.listing.kind == ListKind.BLACK else CorrectForm.RED


def _column(target, name):
    """A form field for a column, filled with what is published."""
    column = target._meta.get_field(name)
    options = {"label": column.verbose_name, "required": False, "initial": getattr(target, name)}
    kind = column.get_internal_type()
    if kind == "DateField":
        return forms.DateField(widget=DateInput(), **options)
    if kind == "TextField":
        return WordsField(**options)
    if kind == "DecimalField":
        return forms.DecimalField(min_value=0, max_digits=18, decimal_places=6, **options)
    return forms.CharField(max_length=column.max_length, **options)


def _detail(field, details):
    unit = _("（万元）") if field.type == CategoryField.Type.AMOUNT else ""
    options = {
        "label": f"{field}{unit}",
        "required": False,
        "initial": details.get(field.code, ""),
    }
    if field.type == CategoryField.Type.DATE:
        return forms.DateField(widget=DateInput(), **options)
    return forms.CharField(max_length=2_000, **options)


def _plain(value):
    return "" if value is None else str(value)


class TargetForm(forms.Form):
    """Which of the department's entries and records a paper filing is about."""

    code = forms.CharField(
        label=_("统一社会信用代码，或者文书文号"),
        max_length=128,
        error_messages={"required": _("填写统一社会信用代码，或者文书文号")},
    )

    def found(self, department_id):
        """(entries, records) of the department under this code or document number."""
        text = self.cleaned_data["code"].strip()
        entries = Listing.objects.with_parts().exclude(status=Listing.Status.DRAFT)
        records = AdverseRecord.objects.select_related("subject", "department")
        return [
            rows.filter(parties.of_code("subject", text), department=department_id)
            | rows.filter(department=department_id, document_number=text)
            for rows in (entries, records)
        ]


class ForwardForm(ActForm):
    """Which department decides the objection, and why that one."""

    department = forms.ModelChoiceField(
        Department.objects.none(),
        label=_("转给哪个单位"),
        empty_label=_("请选择"),
        error_messages={"required": _("选择单位")},
    )
    reasons = WordsField(
        label=_("转办的理由"),
        at_most=500,
        help_text=_("申请人查进度时看得到。"),
        error_messages={"required": _("写明转办的理由")},
    )

    def __init__(self, *args, objection, **kwargs):
        super().__init__(*args, **kwargs)
        units = Department.objects.filter(active=True, kind__in=policies.DECIDERS)
        units = units.exclude(pk=objection.department_id).order_by("name")
        self.fields["department"].queryset = units


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


class SupplementForm(ActForm):
    """What the applicant adds: words, files, or both."""

    text = WordsField(label=_("补充说明"), required=False)
    evidence = FilesField(
        label=_("补充的材料"),
        required=False,
        help_text=_("JPG、PNG、PDF，每个不超过 10 MB，最多 10 个，一次选齐。"),
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


class AttachForm(ActForm):
    """Which responsible person of the entry the applicant is."""

    person = PersonChoice(
        ResponsiblePerson.objects.none(),
        label=_("申请人是哪一名责任人员"),
        empty_label=_("请选择"),
        error_messages={"required": _("选择责任人员")},
    )

    def __init__(self, *args, objection, **kwargs):
        super().__init__(*args, **kwargs)
        persons = ResponsiblePerson.objects.filter(listing=objection.listing_id)
        self.fields["person"].queryset = persons.select_related("person").order_by("pk")


class InvestigateForm(ActForm):
    note = WordsField(
        label=_("怎样核查"),
        help_text=_("申请人查进度时看得到。"),
        at_most=500,
        error_messages={"required": _("写明怎样核查")},
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
        named = parties.called(text)
        about = Q(listing__subject__in=named) | Q(record__subject__in=named)
        return rows.filter(Q(number__iexact=text) | about)

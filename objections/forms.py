"""What a person fills in to object, and what an officer fills in to answer."""

from django import forms
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from casework.forms import ActForm, ApplicantForm, DateInput, FilesField, WordsField
from listings.forms import CorrectForm
from listings.models import AdverseRecord, Listing
from objections.models import Objection
from objections.services.file import FIELDS
from parties import services as parties
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
    field_order = ["fields", "grounds", "evidence"]

    def __init__(self, *args, target, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["fields"].choices = choices_for(target)


class PaperForm(ObjectionForm):
    """The same as it came on paper, on a day that may be past."""

    received_on = forms.DateField(
        label=_("收到日期"),
        widget=DateInput(),
        help_text=_("办理期限从这一天的次日起算。"),
        error_messages={"required": _("填写收到日期")},
    )
    field_order = ["received_on", "fields", "grounds", "evidence"]


def choices_for(target):
    """What may be wrong, each with what is published now."""
    shown = shown_values(target)
    return [(code, _option(label, shown.get(code))) for code, label in FIELDS.items()]


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


def outcomes():
    """The three outcomes, each with what it does; asked anew for each form, in its language."""
    does = {
        Outcome.REJECTED: _("记录不变，加注取消"),
        Outcome.UPHELD_CORRECTED: _("按下面的新值改，通知收到过它的单位"),
        Outcome.UPHELD_WITHDRAWN: _("撤下记录，逐家召回"),
    }
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

    def __init__(self, *args, objection, **kwargs):
        super().__init__(*args, **kwargs)
        self.target = objection.listing or objection.record
        for name in _columns_of(objection):
            self.fields[name] = _column(self.target, name)
        self.details = list(objection.listing.category.fields.all()) if objection.listing else []
        for field in self.details:
            self.fields[f"details_{field.code}"] = _detail(field, self.target.details)

    @property
    def values(self):
        """The fields that hold new values, for the page."""
        return [self[name] for name in self.fields if name not in {"outcome", "reasons"}]

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
        changed = set(self.changed_data) - {"outcome", "reasons"}
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

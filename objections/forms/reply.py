"""What an officer fills in to answer an objection."""

from django import forms
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from casework.forms import ActForm, DateInput, WordsField
from listings.forms import CorrectForm
from objections.models import Objection
from rulebook.models import CategoryField, ListKind

Outcome = Objection.Outcome
EMPTY = ("", None)
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

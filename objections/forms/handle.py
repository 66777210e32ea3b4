"""What an officer fills in to handle an objection, and an applicant to add what is missing."""

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from casework.forms import ActForm, FilesField, WordsField
from listings.models import ResponsiblePerson
from objections import policies
from objections.forms.file import PersonChoice
from parties import services as parties
from parties.models import Department


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


class SupplementForm(ActForm):
    """What the applicant adds: words, files, or both."""

    text = WordsField(label=_("补充说明"), required=False)
    evidence = FilesField(
        label=_("补充的材料"),
        required=False,
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

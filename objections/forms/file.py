"""What a person fills in to object, and what an officer enters of what came on paper."""

from dataclasses import replace
from itertools import chain

from django import forms
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from casework.forms import ApplicantForm, DateInput, FilesField, WordsField
from listings.models import AdverseRecord, Listing, ResponsiblePerson
from objections import policies
from objections.models import Objection
from objections.services.file import FIELDS
from parties import services as parties

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


class TargetForm(forms.Form):
    """Which entry or record a paper filing is about."""

    code = forms.CharField(
        label=_("统一社会信用代码，或者文书文号"),
        max_length=128,
        error_messages={"required": _("填写统一社会信用代码，或者文书文号")},
    )

    def found(self, user, today):
        """(entries, records) under this code or document number, as far as the user may record."""
        text = self.cleaned_data["code"].strip()
        entries = Listing.objects.with_parts().exclude(status=Listing.Status.DRAFT)
        records = AdverseRecord.objects.select_related("subject", "department")
        return [
            rows.filter(parties.of_code("subject", text)) | rows.filter(document_number=text)
            for rows in (
                policies.recordable(entries, user, today),
                records.filter(department=user.department_id),
            )
        ]

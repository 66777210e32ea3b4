"""What a department is asked for: a draft, a correction, a withdrawal, a decision on either."""

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from casework.forms import ActForm, DateInput, UnshownInput, differing, put_back, typed_in
from listings import services
from listings.models import Listing
from parties import identity
from parties import services as parties
from parties.models import PaperType, Subject
from rulebook.models import CategoryField, LegalBasis, ListKind
from rulebook.services import rule_of

DETAIL_FIELDS = {
    CategoryField.Type.TEXT: forms.CharField,
    CategoryField.Type.DATE: forms.DateField,
    CategoryField.Type.AMOUNT: forms.DecimalField,
    CategoryField.Type.NUMBER: forms.IntegerField,
}
ANY = [("", _("全部"))]


class FindForm(forms.Form):
    """Which of the department's entries to show."""

    q = forms.CharField(label=_("主体、文号或部门编号"), required=False, max_length=100)
    list = forms.ChoiceField(label=_("名单"), required=False, choices=ANY + ListKind.choices)

    def narrow(self, rows):
        kind, text = self.cleaned_data["list"], self.cleaned_data["q"]
        if kind:
            rows = rows.filter(kind=kind)
        if text:
            named = Q(subject__in=parties.called(text))
            rows = rows.filter(named | Q(document_number__icontains=text) | Q(reference=text))
        return rows


def detail_fields(category, details):
    """The category's own fields as form fields: {"details_code": field}."""
    made = {}
    for row in category.fields.all():
        options = {"widget": DateInput()} if row.type == CategoryField.Type.DATE else {}
        made[f"details_{row.code}"] = DETAIL_FIELDS[row.type](
            label=str(row) + ("（万元）" if row.type == CategoryField.Type.AMOUNT else ""),
            required=row.required,
            initial=details.get(row.code),
            **options,
        )
    return made


class DetailsForm(ActForm):
    """Has the fields of the entry's category besides its own."""

    def __init__(self, *args, category, details, **kwargs):
        super().__init__(*args, **kwargs)
        self.own = detail_fields(category, details)
        self.fields.update(self.own)

    def details(self):
        """What was given, as services take it: {code: text}."""
        given = {name.removeprefix("details_"): self.cleaned_data[name] for name in self.own}
        return {code: str(value) for code, value in given.items() if value not in (None, "")}

    def part(self, *names):
        return [self[name] for name in names if name in self.fields]

    @property
    def details_part(self):
        return self.part(*self.own)


class EntryForm(DetailsForm):
    """A draft as far as both lists ask for the same; on a known draft the subject stays."""

    SUBJECT = ("kind", "code", "name", "id_type", "id_number")
    WRITTEN = ("reference", "ground", "basis", "basis_article", "term_months", "visible_until")

    OF_THE_PAGE = ("version", "stamp")

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    stamp = forms.IntegerField(widget=forms.HiddenInput, required=False, initial=0)
    kind = forms.ChoiceField(
        label=_("主体类别"), choices=Subject.Kind, widget=forms.RadioSelect, initial="organization"
    )
    code = forms.CharField(
        label=_("统一社会信用代码"), required=False, help_text=_("法人、非法人组织和个体工商户填写")
    )
    name = forms.CharField(label=_("名称或姓名"), max_length=200)
    id_type = forms.ChoiceField(
        label=_("证件类型"),
        required=False,
        choices=[("", _("请选择")), *PaperType.choices],
        help_text=_("自然人填写"),
    )
    id_number = forms.CharField(
        label=_("证件号码"),
        required=False,
        max_length=40,
        widget=UnshownInput,
        help_text=_("加密保存，不公布；页面退回时须重新填写"),
    )
    reference = forms.CharField(label=_("部门编号"), required=False, max_length=100)
    ground = forms.CharField(
        label=_("事实和理由"), required=False, widget=forms.Textarea(attrs={"rows": 5})
    )
    basis = forms.ModelChoiceField(
        label=_("法律依据"),
        required=False,
        queryset=LegalBasis.objects.none(),
        empty_label=_("按类别的规定"),
    )
    basis_article = forms.CharField(label=_("条款"), required=False, max_length=60)
    term_months = forms.IntegerField(
        label=_("期限（月）"),
        required=False,
        min_value=1,
        max_value=120,
        help_text=_("不填，就按类别和程度的规定"),
    )
    visible_until = forms.DateField(
        label=_("最后公布日"),
        required=False,
        widget=DateInput,
        help_text=_("文书另定了截止日才填"),
    )

    def __init__(self, *args, category, listing=None, **kwargs):
        self.category, self.listing = category, listing
        details = listing.details if listing else {}
        initial = self.initial_of(listing) if listing else self._usual()
        super().__init__(*args, category=category, details=details, initial=initial, **kwargs)
        self.fields["basis"].queryset = LegalBasis.objects.in_force(timezone.localdate())
        if listing:
            for name in self.SUBJECT:
                del self.fields[name]

    def _usual(self):
        """The term that the category gives an entry of the degree that the form begins with."""
        degree = self.base_fields["degree"].initial if "degree" in self.base_fields else ""
        return {"term_months": rule_of(self.category).term_for(degree)}

    def initial_of(self, listing):
        written = {name: getattr(listing, name) for name in self.WRITTEN}
        return {**written, "version": listing.version}

    def clean(self):
        cleaned = super().clean()
        if "kind" in self.fields:
            self._check_subject(cleaned)
        return cleaned

    def _check_subject(self, cleaned):
        person = cleaned.get("kind") == Subject.Kind.PERSON
        try:
            if person:
                paper = cleaned.get("id_type"), cleaned.get("id_number", "")
                identity.check_paper(*paper, timezone.localdate())
            else:
                identity.code_of_subject(cleaned.get("code"))
        except ValidationError as error:
            self.add_error("id_number" if person else "code", error)

    def subject(self):
        """The subject that was meant, made if it is new."""
        given = self.cleaned_data
        if given["kind"] == Subject.Kind.PERSON:
            return parties.person(given["name"], given["id_type"], given["id_number"])
        return parties.organisation(given["code"], given["name"], kind=given["kind"])

    def values(self):
        """What is given to the service that writes the draft."""
        written = {name: self.cleaned_data[name] for name in self.WRITTEN}
        return {**written, "details": self.details()}

    def field_for(self, key):
        return "code" if key == "subject" and "code" in self.fields else super().field_for(key)

    @property
    def filled_in(self):
        """The fields that a person fills in, to be kept while the draft is not saved."""
        return [field for field in self if field.name not in self.OF_THE_PAGE]

    def typed(self):
        return typed_in(self.filled_in, self.data)

    def restore(self, kept):
        """Show what was typed before; returns the labels of what the draft says otherwise."""
        differ = differing(self.filled_in, kept.values)
        put_back(self.filled_in, kept.values)
        self.initial["stamp"] = kept.stamp
        return differ

    @property
    def subject_part(self):
        return self.part(*self.SUBJECT)

    @property
    def written_part(self):
        return self.part("ground", "reference")

    @property
    def term_part(self):
        return self.part("basis", "basis_article", "term_months", "visible_until")


class PublishForm(ActForm):
    """Confirms publication; vouches for the content where the draft holds what is not public."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    attested = forms.BooleanField(
        label=_("已核对：公开内容不含国家秘密、商业秘密和个人隐私"), required=False
    )

    def __init__(self, *args, attest, **kwargs):
        super().__init__(*args, **kwargs)
        if not attest:
            del self.fields["attested"]


class CorrectForm(DetailsForm):
    """The published values, to be overwritten where they are wrong."""

    COLUMNS = (
        "ground", "document_number", "document_kind", "document_organ", "document_date",
        "basis_article", "visible_until",
    )  # fmt: skip
    RED = ("ground", "basis_article", "visible_until")

    ground = forms.CharField(label=_("事实和理由"), widget=forms.Textarea(attrs={"rows": 5}))
    document_number = forms.CharField(label=_("文书文号"), max_length=128)
    document_kind = forms.CharField(label=_("文书种类"), max_length=60)
    document_organ = forms.CharField(label=_("作出机关"), max_length=200)
    document_date = forms.DateField(label=_("文书日期"), widget=DateInput)
    basis_article = forms.CharField(label=_("条款"), required=False, max_length=60)
    visible_until = forms.DateField(
        label=_("最后公布日"), widget=DateInput, help_text=_("只能提前，不能延长")
    )
    note = forms.CharField(
        label=_("为什么更正"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args, listing, **kwargs):
        self.listing = listing
        columns = self.COLUMNS if listing.kind == ListKind.BLACK else self.RED
        initial = {name: getattr(listing, name) for name in columns}
        details = listing.details
        super().__init__(
            *args, category=listing.category, details=details, initial=initial, **kwargs
        )
        for name in set(self.COLUMNS) - set(columns):
            del self.fields[name]
        needed = services.required_details(listing)
        for name, field in self.own.items():
            field.required = name.removeprefix("details_") in needed
        self.order_fields([name for name in self.fields if name != "note"])

    def corrections(self):
        """The columns whose value was changed, with the new one."""
        changed = {
            name: self.cleaned_data[name]
            for name in self.COLUMNS
            if name in self.fields and self.cleaned_data[name] != getattr(self.listing, name)
        }
        if self.details() != self.listing.details:
            changed["details"] = self.details()
        return changed


QUASHED = Listing.EndReason.DOCUMENT_QUASHED


class WithdrawForm(ActForm):
    """Why an entry goes; a red one rests on no document that could be quashed."""

    reason = forms.ChoiceField(
        label=_("为什么撤下"),
        widget=forms.RadioSelect,
        choices=[(reason.value, reason.label) for reason in services.WITHDRAWAL_REASONS],
    )
    quashed_on = forms.DateField(
        label=_("文书撤销的日期"),
        required=False,
        widget=DateInput,
        help_text=_("文书被撤销或者变更的填写；不填，就按今天算。撤下期限从这一天起算"),
    )
    quashed_by = forms.CharField(
        label=_("撤销它的文书"),
        required=False,
        max_length=200,
        help_text=_("机关和文号，文书被撤销或者变更的填写"),
    )
    note = forms.CharField(
        label=_("说明"), max_length=2000, widget=forms.Textarea(attrs={"rows": 4})
    )

    def __init__(self, *args, kind=ListKind.BLACK, **kwargs):
        super().__init__(*args, **kwargs)
        if kind == ListKind.RED:
            del self.fields["quashed_on"], self.fields["quashed_by"]
            reasons = [row for row in self.fields["reason"].choices if row[0] != QUASHED]
            self.fields["reason"].choices = reasons


RELEASED = {
    Listing.EndReason.ERROR: _("认错了人，或者责任认定有误"),
    Listing.EndReason.DOCUMENT_QUASHED: _("对这个人的文书被撤销或者变更"),
    Listing.EndReason.REPAIRED: _("这个人的信用修复获准"),
    Listing.EndReason.RECOGNITION_WITHDRAWN: _("提前解除"),
}


class ReleaseForm(ActForm):
    """Why a responsible person's part ends before the entry's."""

    reason = forms.ChoiceField(
        label=_("为什么解除"),
        widget=forms.RadioSelect,
        choices=[(reason.value, RELEASED[reason]) for reason in services.RELEASE_REASONS],
    )
    note = forms.CharField(
        label=_("说明"), max_length=2000, widget=forms.Textarea(attrs={"rows": 4})
    )


class ApproveForm(ActForm):
    """Nothing to fill in: the button is the act."""


class RejectForm(ActForm):
    note = forms.CharField(
        label=_("不通过的理由"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )

"""What a unit is asked for: its answer to each measure, and whom it wants to check."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_date
from django.utils.translation import gettext_lazy as _

from casework.forms import ActForm, DateInput, UnshownInput, WordsField
from casework.services import check_table
from jointaction.models import Feedback, Occasion, Push
from jointaction.services import OUTCOMES
from parties import identity
from parties import services as parties
from parties.models import PaperType

Outcome = Feedback.Outcome


def outcome_field(kind, title):
    """The answers that are possible to a push of this kind, in the order of their table."""
    return forms.ChoiceField(
        label=title,
        required=False,
        widget=forms.RadioSelect,
        choices=[(value, label) for value, label in Outcome.choices if value in OUTCOMES[kind]],
    )


class FindForm(forms.Form):
    q = forms.CharField(label=_("主体名称或代码"), required=False, max_length=100)
    unit = forms.SlugField(required=False, widget=forms.HiddenInput)  # as the board's links ask

    def narrow(self, rows):
        text, unit = self.cleaned_data["q"], self.cleaned_data["unit"]
        if unit:
            rows = rows.filter(unit__code=unit)
        return rows.filter(listing__subject__in=parties.called(text)) if text else rows


class AnswerForm(ActForm):
    """One group of fields for each measure of a push; a measure left blank is not answered yet.

    An own decision that outlives the entry has a last day: asked where it can be answered.
    """

    PARTS = ("outcome", "applied_on", "until", "reference", "remark")

    def __init__(self, *args, push, **kwargs):
        super().__init__(*args, **kwargs)
        self.push = push
        stands = Outcome.STANDS in OUTCOMES[push.kind]
        self.parts = [part for part in self.PARTS if stands or part != "until"]
        for index, measure in enumerate(push.measures):
            self.fields |= {
                f"m{index}_outcome": outcome_field(push.kind, measure["name"]),
                f"m{index}_applied_on": forms.DateField(
                    label=_("执行日期"), required=False, widget=DateInput
                ),
                f"m{index}_until": forms.DateField(
                    label=_("继续执行到哪天"), required=False, widget=DateInput
                ),
                f"m{index}_reference": forms.CharField(
                    label=_("业务编号"), required=False, max_length=200
                ),
                f"m{index}_remark": forms.CharField(
                    label=_("处理结果；不执行、不适用的写理由"), required=False, max_length=2000
                ),
            }

    def rows(self):
        """Each measure with its newest answer and its fields."""
        return [
            {
                **measure,
                "until": parse_date(measure["until"] or ""),
                "fields": [self[f"m{index}_{part}"] for part in self.parts],
            }
            for index, measure in enumerate(self.push.answered_measures)
        ]

    def clean(self):
        cleaned = super().clean()
        for index, measure in enumerate(self.push.measures):
            said = any(cleaned.get(f"m{index}_{part}") for part in self.PARTS)
            if said and not cleaned.get(f"m{index}_outcome"):
                words = _("选择“%(measure)s”的处理。") % {"measure": measure["name"]}
                self.add_error(f"m{index}_outcome", words)
        return cleaned

    @property
    def sent(self):
        """The places of the measures that are answered now."""
        places = range(len(self.push.measures))
        return [index for index in places if self.cleaned_data.get(f"m{index}_outcome")]

    def answers(self):
        return [
            {
                "code": self.push.measures[index]["code"],
                **{part: self.cleaned_data[f"m{index}_{part}"] for part in self.parts},
            }
            for index in self.sent
        ]

    def field_for(self, key):
        """The service counts the answers it was given, the form the measures of the push."""
        _measures, _dot, rest = key.partition(".")
        place, _dot, part = rest.partition(".")
        return f"m{self.sent[int(place)]}_{part}" if part in self.PARTS else None


class AnswerManyForm(ActForm):
    """One answer to every open measure of the ticked pushes."""

    outcome = forms.ChoiceField(
        label=_("处理"),
        choices=[("", _("请选择")), *Outcome.choices],
        error_messages={"required": _("选择处理。")},
    )
    until = forms.DateField(label=_("继续执行到哪天"), required=False, widget=DateInput)
    remark = forms.CharField(
        label=_("处理结果；不执行、不适用的写理由"), required=False, max_length=2000
    )


class OrderForm(ActForm):
    """What the supervisor orders a unit to do, and until when."""

    note = WordsField(
        label=_("要求"), at_most=500, error_messages={"required": _("写明督办的要求。")}
    )
    by = forms.DateField(
        label=_("最迟哪天反馈"),
        widget=DateInput(),
        error_messages={"required": _("填写督办期限。")},
    )


class HitForm(ActForm):
    """What was done about one hit: measure by measure, or in a sentence where the unit has none."""

    def __init__(self, *args, hit, **kwargs):
        super().__init__(*args, prefix=str(hit.public_id), **kwargs)
        self.hit = hit
        for index, measure in enumerate(hit.measures):
            self.fields |= {
                f"m{index}_outcome": outcome_field(Push.Kind.APPLY, measure["name"]),
                f"m{index}_remark": forms.CharField(
                    label=_("处理结果；不适用或不执行的写理由"), required=False, max_length=2000
                ),
            }
        if not hit.measures:
            self.fields["result"] = forms.CharField(
                label=_("处理结果"), required=False, max_length=2000
            )

    @property
    def touched(self):
        """Whether anything was said; a hit left blank stays on the to-do."""
        return not self.is_valid() or any(self.cleaned_data.values())

    def rows(self):
        return [
            {
                **measure,
                "until": parse_date(measure["until"] or ""),
                "outcome": self[f"m{index}_outcome"],
                "remark": self[f"m{index}_remark"],
            }
            for index, measure in enumerate(self.hit.measures)
        ]

    def answers(self):
        return [
            {
                "code": measure["code"],
                "outcome": self.cleaned_data[f"m{index}_outcome"],
                "remark": self.cleaned_data[f"m{index}_remark"],
            }
            for index, measure in enumerate(self.hit.measures)
        ]

    def field_for(self, key):
        if key == "result":
            return super().field_for(key)
        _measures, _dot, rest = key.partition(".")
        place, _dot, part = rest.partition(".")
        return f"m{place}_{part}" if part in {"outcome", "remark"} else None


class CheckForm(ActForm):
    """Who is asked about and why: an organisation by code, a person by name and paper."""

    code = forms.CharField(label=_("统一社会信用代码"), required=False)
    purpose = forms.CharField(
        label=_("办什么事"), max_length=200, error_messages={"required": _("写明办什么事。")}
    )
    reference = forms.CharField(
        label=_("业务编号"), max_length=200, error_messages={"required": _("填写业务编号。")}
    )
    name = forms.CharField(label=_("姓名"), required=False, max_length=100)
    id_type = forms.ChoiceField(label=_("证件类型"), required=False, choices=PaperType)
    id_number = forms.CharField(
        label=_("证件号码"), required=False, max_length=40, widget=UnshownInput
    )

    @property
    def business_part(self):
        return [self["code"], self["purpose"], self["reference"]]

    @property
    def person_part(self):
        return [self["name"], self["id_type"], self["id_number"]]

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("code"):
            self._check_code(cleaned["code"])
        elif not cleaned.get("id_number"):
            self.add_error("code", _("填写统一社会信用代码；查自然人的，填写姓名和证件号码。"))
        elif not cleaned.get("name"):
            self.add_error("name", _("填写姓名。"))
        return cleaned

    def _check_code(self, code):
        try:
            identity.check_code(code)
        except ValidationError as error:
            self.add_error("code", error)

    def asked(self):
        """The question as the service takes it."""
        given = self.cleaned_data
        if given["code"]:
            return {"code": given["code"]}
        return {name: given[name] for name in ("name", "id_type", "id_number")}


class TableField(forms.FileField):
    """An xlsx or a CSV, judged by its content; clean gives a `documents.Checked` one."""

    widget = forms.FileInput(attrs={"accept": ".csv,.xlsx"})

    def clean(self, data, initial=None):
        return check_table(super().clean(data, initial))


class SheetForm(ActForm):
    """Whom a whole table asks about, and why."""

    purpose = forms.CharField(
        label=_("办什么事"), max_length=200, error_messages={"required": _("写明办什么事。")}
    )
    reference = forms.CharField(
        label=_("业务编号"), max_length=200, error_messages={"required": _("填写业务编号。")}
    )
    file = TableField(
        label=_("表格"),
        help_text=_("xlsx 或 CSV，不超过 10 MB，最多 20,000 行；第一行是列名。"),
        error_messages={"required": _("选择文件"), "empty": _("文件是空的，请重新选择")},
    )


class EndpointForm(ActForm):
    """Where a department's own system wants to be told, and of what."""

    url = forms.CharField(
        label=_("接收地址"),
        max_length=500,
        help_text=_("公网上的 https 地址；内网地址须由平台管理员先行许可。"),
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off"}),
        error_messages={"required": _("填写接收地址")},
    )
    events = forms.MultipleChoiceField(
        label=_("通知哪些事"),
        choices=Occasion.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("至少选一种要通知的事")},
    )

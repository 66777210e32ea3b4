"""What the bodies of drafts, corrections and withdrawals may hold, and what they mean."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions, serializers

from casework.api import Plain, Strict
from listings.services import RELEASE_REASONS, WITHDRAWAL_REASONS
from parties import services as parties
from parties.models import PaperType, Subject
from rulebook.api import basis_called
from rulebook.models import Degree, ListCategory, ListKind

CODE = {"type": "string", "minLength": 1, "maxLength": 8, "example": "PA07"}
TEXT = {"max_length": 10_000, "allow_blank": True, "required": False}


# a code and a title as any text: no signs that the database refuses
_code = serializers.CharField(max_length=10)
_title = serializers.CharField(max_length=300)


class Choice(serializers.ChoiceField):
    """A choice by its code or by its Chinese name."""

    def to_internal_value(self, data):
        named = {str(label): code for code, label in self.choices.items()}
        return super().to_internal_value(named.get(data, data) if isinstance(data, str) else data)


class SubjectFields(Strict):
    kind = Choice(choices=Subject.Kind.choices, default=Subject.Kind.ORGANIZATION)
    name = serializers.CharField(max_length=200)
    code = serializers.CharField(max_length=40, required=False)
    region = serializers.CharField(max_length=6, required=False)
    id_type = Choice(choices=PaperType.choices, default=PaperType.RESIDENT_ID)
    id_number = serializers.CharField(max_length=40, required=False)

    def validate(self, given):
        person = given["kind"] == Subject.Kind.PERSON
        wanted, refused = ("id_number", "code") if person else ("code", "id_number")
        errors = {}
        if wanted not in given:
            message = _("只有名称不能确定是谁，请填写这一项。")
            errors[wanted] = [exceptions.ErrorDetail(message, "name_is_not_identity")]
        if refused in given:
            errors[refused] = [_("这类主体没有这一项。")]
        if errors:
            raise serializers.ValidationError(errors)
        return given


def subject_of(given):
    """The subject that is meant, made if it is new. Raises ValidationError for a bad number."""
    person = given["kind"] == Subject.Kind.PERSON
    try:
        if person:
            return parties.person(given["name"], given["id_type"], given["id_number"])
        region = given.get("region", "")
        return parties.organisation(given["code"], given["name"], kind=given["kind"], region=region)
    except ValidationError as error:
        field = "subject.id_number" if person else "subject.code"
        raise ValidationError({field: error.error_list}) from error


class DocumentFields(Strict):
    number = serializers.CharField(max_length=128, required=False)
    kind = serializers.CharField(max_length=60, required=False)
    organ = serializers.CharField(max_length=200, required=False)
    date = serializers.DateField(required=False)


class UntilFields(Strict):
    code = serializers.CharField(max_length=8)
    until = serializers.DateField(required=False, allow_null=True)

    def to_internal_value(self, data):
        """An empty day is told like none at all: the service says which measures must have one."""
        if isinstance(data, dict) and data.get("until") == "":
            data = {**data, "until": None}
        return super().to_internal_value(data)


@extend_schema_field(
    {
        "anyOf": [
            CODE,
            {
                "type": "object",
                "properties": {
                    "code": CODE,
                    "until": {"type": "string", "format": "date", "nullable": True},
                },
                "required": ["code"],
                "additionalProperties": False,
            },
        ]
    }
)
class ChosenMeasure(serializers.Field):
    """A measure's code, or {code, until}: as a dict that has `until` only where it was named."""

    def to_internal_value(self, data):
        if isinstance(data, str):
            return {"code": _code.run_validation(data)}
        chosen = UntilFields(data=data)
        chosen.is_valid(raise_exception=True)
        return chosen.validated_data


@extend_schema_field({**CODE, "maxLength": 10, "example": "M05"})
class Category(serializers.Field):
    def to_internal_value(self, data):
        code = _code.run_validation(data)
        found = ListCategory.objects.filter(code=code).select_related("misconduct", "basis")
        category = found.first()
        if category is None:
            raise serializers.ValidationError(_("没有这个类别。"))
        return category


@extend_schema_field(
    {"type": "string", "minLength": 1, "maxLength": 300, "example": "shipin-anquan-fa"}
)
class Basis(serializers.Field):
    def to_internal_value(self, data):
        text = _title.run_validation(data)
        basis = basis_called(text, self.context["door"].today)
        if basis is None:
            raise serializers.ValidationError(_("没有施行中的这部依据；代码和全称见 /bases/。"))
        return basis


class DraftFields(Strict):
    """What drafts of both lists take; each list adds its own."""

    list = serializers.ChoiceField(choices=ListKind.choices, required=False)
    subject = SubjectFields()
    category = Category()
    reference = serializers.CharField(max_length=100, required=False)
    ground = serializers.CharField(**TEXT)
    basis = Basis(required=False)
    details = serializers.DictField(child=Plain(max_length=2_000), required=False)
    term_months = serializers.IntegerField(min_value=1, max_value=1_200, required=False)
    visible_until = serializers.DateField(required=False)
    measures = serializers.ListField(child=ChosenMeasure(), max_length=100, required=False)

    def validate(self, given):
        errors = {}
        if given.get("list", given["category"].kind) != given["category"].kind:
            errors["list"] = [_("这个类别不是这个名单的。")]
        if "term_months" in given and "visible_until" in given:
            errors["visible_until"] = [_("期限和截止日只写一个。")]
        misconduct = given["category"].misconduct
        if "misconduct" in given and given["misconduct"] != (misconduct and misconduct.code):
            errors["misconduct"] = [_("失信行为和类别不一致。")]
        if errors:
            raise serializers.ValidationError(errors)
        return given


class BlackFields(DraftFields):
    misconduct = serializers.CharField(max_length=4, required=False)
    degree = Choice(choices=Degree.choices, required=False)
    document = DocumentFields(required=False)


def columns_of(given):
    """The columns of an entry that a checked body names."""
    given = dict(given)
    for name in ("list", "misconduct", "subject", "category"):
        given.pop(name, None)
    if "measures" in given:
        chosen = given.pop("measures")
        given["measure_codes"] = [row["code"] for row in chosen]
        given["measure_until"] = {
            row["code"]: row["until"] and row["until"].isoformat()
            for row in chosen
            if "until" in row
        }
    document = given.pop("document", {})
    return {**given, **{f"document_{name}": value for name, value in document.items()}}


class CorrectionFields(Strict):
    ground = serializers.CharField(max_length=10_000, required=False)
    document = DocumentFields(required=False)
    details = serializers.DictField(child=Plain(max_length=2_000, allow_blank=True), required=False)
    visible_until = serializers.DateField(required=False)


def correction_of(listing, given):
    """The new column values of a correction; a category's field that is not named stays."""
    columns = columns_of(given)
    if "details" in columns:
        columns["details"] = {**listing.details, **columns["details"]}
    return columns


class Versioned(Strict):
    example = {"note": "理由不充分，请补充。", "version": 3}
    version = serializers.IntegerField(required=False, min_value=1)
    note = serializers.CharField(max_length=2_000)


class Correction(Versioned):
    example = {"note": "文书日期有误。", "fields": {"document": {"date": "2026-03-02"}}}
    fields_ = CorrectionFields()

    def get_fields(self):
        found = super().get_fields()
        found["fields"] = found.pop("fields_")
        return found


class Withdrawal(Versioned):
    example = {"reason": "error", "note": "主体有误。"}
    reason = serializers.ChoiceField(choices=[str(reason) for reason in WITHDRAWAL_REASONS])
    quashed_on = serializers.DateField(required=False)
    quashed_by = serializers.CharField(max_length=200, required=False)


class Release(Versioned):
    example = {
        "person": "5d0c1f0e-3a55-4b0f-8a0f-6d1c3a0f9b1e",
        "reason": "error",
        "note": "当时已经离任。",
    }
    person = serializers.UUIDField()
    reason = serializers.ChoiceField(choices=[str(reason) for reason in RELEASE_REASONS])

"""Objections on the key's department: recorded from paper, answered by two officers."""

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from casework.api import (
    ApplicantFields,
    Door,
    Empty,
    Strict,
    choice,
    like,
    maybe,
    once,
    page,
    page_of,
    receipt,
    seen_version,
    shape,
    under,
)
from casework.api.doors import RECEIPT
from casework.api.pages import PAGE_PARAMETERS
from listings.api import CorrectionFields, correction_of
from listings.models import AdverseRecord, Listing, ResponsiblePerson
from objections import policies, services
from objections.models import Objection

ID = "3f0d6f0e-0c55-4f0f-8a0f-6d1c3a0f9b1e"
OBJECTION = shape(
    "Objection",
    {
        "number": "YY-2026-000001",
        "listing": maybe(ID),
        "record": maybe(ID),
        "received_on": "2026-04-02",
        "due_on": "2026-04-23",
        "provisional": False,
        "status": choice(Objection.Status.values),
        "overdue": False,
        "outcome": maybe(choice(Objection.Outcome.values)),
        "replied_on": maybe("2026-04-20"),
        "letter_number": maybe("吉通示人社信复字〔2026〕1号"),
        "version": 1,
        "department": "rsj",
        "door": choice(Objection.Door.values),
        "fields": ["ground"],
        "responsible_person": maybe(ID),
        "national_number": "",
        "extended_days": 0,
        "supplement_by": maybe("2026-04-20"),
        "stopped_on": maybe("2026-04-10"),
    },
)


class FilingFields(Strict):
    """A filing on paper; the authorisation of an agent stays with it at the department."""

    example = {
        "listing": ID,
        "applicant": {"name": "示例申请人", "phone": "0435-0000000"},
        "fields": ["ground"],
        "grounds": "其中 15 名工人的工资已通过银行代发。",
        "received_on": "2026-04-02",
    }

    listing = serializers.UUIDField(required=False)
    record = serializers.UUIDField(required=False)
    responsible_person = serializers.UUIDField(required=False)
    applicant = ApplicantFields()
    fields_ = serializers.ListField(child=serializers.CharField(max_length=40), max_length=20)
    grounds = serializers.CharField(max_length=2_000)
    received_on = serializers.DateField()
    national_number = serializers.CharField(max_length=60, required=False, allow_blank=True)

    def get_fields(self):
        found = super().get_fields()
        found["fields"] = found.pop("fields_")
        return found

    def validate(self, given):
        if ("listing" in given) == ("record" in given):
            raise serializers.ValidationError({"listing": [_("listing 和 record 写一个。")]})
        return given


class RecordCorrection(Strict):
    """What a correction of an adverse record may change."""

    facts = serializers.CharField(max_length=10_000, required=False)
    content = serializers.CharField(max_length=10_000, required=False)
    basis_text = serializers.CharField(max_length=10_000, required=False)
    decided_on = serializers.DateField(required=False)
    public_until = serializers.DateField(required=False)
    fine = serializers.DecimalField(18, 6, required=False, min_value=0)


class ReplyFields(Empty):
    example = {
        "outcome": "upheld_corrected",
        "reasons": "经核查，涉及人数有误，予以更正。",
        "fields": {"ground": "拖欠 22 名工人工资，逾期未付。"},
    }
    outcome = serializers.ChoiceField(choices=Objection.Outcome.choices)
    reasons = serializers.CharField(max_length=10_000)
    findings = serializers.CharField(max_length=10_000, required=False, allow_blank=True)
    fields_ = serializers.DictField(required=False)

    def get_fields(self):
        found = super().get_fields()
        found["fields"] = found.pop("fields_")
        return found


class ObjectionDoor(Door):
    """A door of objections: those on the key's department; others' are a 404."""

    def mine(self):
        rows = Objection.objects.with_parts()
        return rows if self.user.sees_all else rows.of_department(self.user.department_id)

    def one(self, number):
        rows = Objection.objects.with_parts().of_department(self.user.department_id)
        return get_object_or_404(rows, number=number)

    def show(self, objection):
        return _objection(objection, self.today)

    def seen(self, objection, given):
        return seen_version(
            self.request, objection, lambda: self.show(objection), given.get("version")
        )

    def answer(self, objection, status=200):
        fresh = Objection.objects.with_parts().get(pk=objection.pk)
        return Response(self.show(fresh), status)


class Objections(ObjectionDoor):
    scopes = {"GET": "read", "POST": "publish"}
    parameters = PAGE_PARAMETERS

    @extend_schema(summary="本单位的异议", responses={200: page_of(OBJECTION)})
    def get(self, request):
        return page(self, self.mine(), lambda found: [self.show(row) for row in found])

    @extend_schema(
        summary="登记书面提出的异议",
        request=FilingFields,
        responses={201: like(RECEIPT), 404: None},
    )
    @once
    def post(self, request):
        given = self.given(FilingFields)
        window = policies.is_window(self.user)
        target = self._target(given)
        objection, query_code = services.file(
            target,
            door=Objection.Door.PLATFORM if window else Objection.Door.DEPARTMENT,
            applicant=given["applicant"],
            fields=given["fields"],
            grounds=given["grounds"],
            received_on=given["received_on"],
            national_number=given.get("national_number", ""),
            responsible_person=_person_of(target, given.get("responsible_person")),
            actor=self.actor,
            today=self.today,
        )
        return Response(receipt(objection, query_code), 201)

    def _target(self, given):
        """The department's own entry or record; another's is a 404, but at the window."""
        if "listing" in given:
            rows = Listing.objects.with_parts()
            rows = policies.recordable(rows, self.user, self.today)
            return get_object_or_404(rows, public_id=given["listing"])
        rows = AdverseRecord.objects.select_related("subject", "department")
        rows = rows.filter(department=self.user.department_id)
        return get_object_or_404(rows, public_id=given["record"])


class Reply(ObjectionDoor):
    scopes = {"POST": "publish"}

    @extend_schema(summary="提议答复", request=ReplyFields, responses={202: like(OBJECTION)})
    @once
    def post(self, request, number):
        objection = self.one(number)
        given = self.given(ReplyFields)
        self.seen(objection, given)
        with under("fields", beside=("outcome", "reasons", "findings")):
            services.propose_reply(
                objection,
                actor=self.actor,
                today=self.today,
                outcome=given["outcome"],
                reasons=given["reasons"],
                corrections=self._corrections(objection, given.get("fields")),
                findings=given.get("findings", ""),
            )
        return self.answer(objection, 202)

    def _corrections(self, objection, given):
        if not given:
            return None
        kind = CorrectionFields if objection.listing else RecordCorrection
        asked = kind(data=given, context={"door": self})
        if not asked.is_valid():
            raise serializers.ValidationError({"fields": asked.errors})
        fields = asked.validated_data
        if objection.listing:
            fields = correction_of(objection.listing, fields)
        return {name: _plain(value) for name, value in fields.items()}


class ApproveReply(ObjectionDoor):
    scopes = {"POST": "publish"}

    @extend_schema(summary="批准答复", request=Empty, responses={200: like(OBJECTION)})
    @once
    def post(self, request, number):
        objection = self.one(number)
        self.seen(objection, self.given(Empty))
        services.approve_reply(objection, actor=self.actor, today=self.today)
        return self.answer(objection)


def _person_of(target, public_id):
    """The responsible person of the entry that a filing names; another entry's is a 400."""
    if public_id is None:
        return None
    persons = ResponsiblePerson.objects.select_related("person")
    found = persons.filter(public_id=public_id)
    found = found.filter(listing=target) if isinstance(target, Listing) else found.none()
    if not found:
        message = _("这条记录没有这名责任人员。")
        raise serializers.ValidationError({"responsible_person": [message]})
    return found[0]


def _objection(row, today):
    return {
        "number": row.number,
        "listing": str(row.listing.public_id) if row.listing else None,
        "record": str(row.record.public_id) if row.record else None,
        "received_on": row.received_on,
        "due_on": row.due_on,
        "provisional": row.provisional,
        "status": row.status,
        "overdue": row.is_overdue(today),
        "outcome": row.outcome or None,
        "replied_on": row.replied_on,
        "letter_number": row.letter.number if row.letter else None,
        "version": row.version,
        "department": row.department.code,
        "door": row.door,
        "fields": row.fields,
        "responsible_person": str(row.responsible_person.public_id)
        if row.responsible_person
        else None,
        "national_number": row.national_number,
        "extended_days": row.extended_days,
        "supplement_by": row.supplement_by,
        "stopped_on": row.stopped_on,
    }


def _plain(value):
    return value if isinstance(value, dict) else str(value)

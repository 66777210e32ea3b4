"""Credit repair on the key's department: applications from paper, decided by two officers."""

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response

from casework.api import (
    ApplicantFields,
    Door,
    Empty,
    Strict,
    bad_field,
    choice,
    like,
    maybe,
    once,
    page,
    page_of,
    receipt,
    seen_version,
    shape,
)
from casework.api.doors import RECEIPT
from casework.api.pages import PAGE_PARAMETERS
from listings.models import Listing
from repair import services
from repair.models import Repair

ID = "3f0d6f0e-0c55-4f0f-8a0f-6d1c3a0f9b1e"
REPAIR = shape(
    "Repair",
    {
        "number": "XF-2026-000001",
        "listing": ID,
        "received_on": "2027-04-02",
        "due_on": "2027-04-07",
        "provisional": True,
        "status": choice(Repair.Status.values),
        "overdue": False,
        "outcome": maybe(choice(Repair.Outcome.values)),
        "decided_on": maybe("2027-04-06"),
        "version": 1,
        "responsible_person": maybe(ID),
        "evidence": ["罚款缴纳凭证", "整改完成证明"],
        "accepted_on": maybe("2027-04-02"),
        "supplement_by": maybe("2027-04-20"),
        "reasons": maybe("工资已经全部付清。"),
        "retry_from": maybe("2027-10-06"),
        "national_number": maybe("XYXF2027000001"),
    },
)


@extend_schema_field(
    {
        "anyOf": [
            {"type": "array", "items": {"type": "string", "maxLength": 100}, "maxItems": 50},
            {"type": "string", "maxLength": 100},
        ]
    }
)
class Kinds(serializers.ListField):
    """The kinds of evidence handed in; one may stand alone."""

    child = serializers.CharField(max_length=100)

    def to_internal_value(self, data):
        return super().to_internal_value([data] if isinstance(data, str) else data)


class ApplicationFields(Strict):
    example = {
        "listing": ID,
        "applicant": {"name": "示例申请人", "phone": "0435-0000000"},
        "evidence": ["工资足额支付凭证"],
        "commitment": "本单位承诺所交材料真实，今后按时支付工资。",
        "received_on": "2027-04-02",
    }
    listing = serializers.UUIDField()
    applicant = ApplicantFields()
    evidence = Kinds(max_length=50)
    statement = serializers.CharField(max_length=10_000, required=False)
    commitment = serializers.CharField(max_length=10_000)
    received_on = serializers.DateField()
    responsible_person = serializers.UUIDField(required=False, allow_null=True)
    committed_by = serializers.CharField(max_length=200, required=False)
    committed_on = serializers.DateField(required=False)
    national_number = serializers.CharField(max_length=60, required=False, allow_blank=True)


class AcceptanceFields(Empty):
    accepted = serializers.BooleanField(default=True)
    reasons = serializers.CharField(max_length=10_000, allow_blank=True, default="")


class DecisionFields(Empty):
    example = {"outcome": "granted", "reasons": "拖欠的工资已经全部付清，材料属实。"}
    outcome = serializers.ChoiceField(choices=Repair.Outcome.choices)
    reasons = serializers.CharField(max_length=10_000)
    verification = serializers.CharField(max_length=10_000, required=False)
    retry_from = serializers.DateField(required=False, allow_null=True)


class RepairDoor(Door):
    """A door of applications for repair: those on the key's department; others' are a 404."""

    def mine(self):
        rows = Repair.objects.with_parts()
        return rows if self.user.sees_all else rows.of_department(self.user.department_id)

    def one(self, number):
        rows = Repair.objects.with_parts().of_department(self.user.department_id)
        return get_object_or_404(rows, number=number)

    def show(self, repair):
        return _repair(repair, self.today)

    def seen(self, repair, given):
        return seen_version(self.request, repair, lambda: self.show(repair), given.get("version"))

    def answer(self, repair, status=200):
        return Response(self.show(Repair.objects.with_parts().get(pk=repair.pk)), status)


class Repairs(RepairDoor):
    scopes = {"GET": "read", "POST": "publish"}
    parameters = PAGE_PARAMETERS

    @extend_schema(summary="本单位的信用修复", responses={200: page_of(REPAIR)})
    def get(self, request):
        return page(self, self.mine(), lambda found: [self.show(row) for row in found])

    @extend_schema(
        summary="登记书面的修复申请",
        request=ApplicationFields,
        responses={201: like(RECEIPT), 404: None},
    )
    @once
    def post(self, request):
        given = self.given(ApplicationFields)
        rows = Listing.objects.filter(department=self.user.department_id)
        listing = get_object_or_404(rows, public_id=given.pop("listing"))
        evidence = given.pop("evidence")
        repair, query_code = services.apply(
            listing,
            statement=given.pop("statement", "") or "；".join(evidence),
            papers=[(kind, None) for kind in evidence],
            responsible_person=_person(listing, given.pop("responsible_person", None)),
            actor=self.actor,
            today=self.today,
            **given,
        )
        return Response(receipt(repair, query_code), 201)


def _person(listing, public_id):
    """Who of the entry is meant, or None for the whole. Raises ValidationError."""
    if public_id is None:
        return None
    found = listing.responsible_persons.filter(public_id=public_id).first()
    if found is None:
        raise bad_field("responsible_person", _("这条记录没有这名责任人员。"))
    return found


class Accept(RepairDoor):
    scopes = {"POST": "publish"}

    @extend_schema(
        summary="受理或不予受理", request=AcceptanceFields, responses={200: like(REPAIR)}
    )
    @once
    def post(self, request, number):
        repair = self.one(number)
        given = self.given(AcceptanceFields)
        self.seen(repair, given)
        if given["accepted"]:
            services.accept(repair, actor=self.actor, today=self.today, note=given["reasons"])
        else:
            services.not_accept(
                repair, actor=self.actor, today=self.today, reasons=given["reasons"]
            )
        return self.answer(repair)


class Decide(RepairDoor):
    """The proposal. An application not yet accepted is accepted by the same step."""

    scopes = {"POST": "publish"}

    @extend_schema(summary="提议决定", request=DecisionFields, responses={202: like(REPAIR)})
    @once
    def post(self, request, number):
        repair = self.one(number)
        given = self.given(DecisionFields)
        self.seen(repair, given)
        if repair.can("accept"):
            repair = services.accept(repair, actor=self.actor, today=self.today)
        services.propose_decision(
            repair,
            actor=self.actor,
            today=self.today,
            outcome=given["outcome"],
            reasons=given["reasons"],
            verification=given.get("verification", given["reasons"]),
            retry_from=given.get("retry_from"),
        )
        return self.answer(repair, 202)


class ApproveDecision(RepairDoor):
    scopes = {"POST": "publish"}

    @extend_schema(summary="批准决定", request=Empty, responses={200: like(REPAIR)})
    @once
    def post(self, request, number):
        repair = self.one(number)
        self.seen(repair, self.given(Empty))
        services.approve_decision(repair, actor=self.actor, today=self.today)
        return self.answer(repair)


def _repair(row, today):
    return {
        "number": row.number,
        "listing": str(row.listing.public_id),
        "received_on": row.received_on,
        "due_on": row.due_on,
        "provisional": row.provisional,
        "status": row.status,
        "overdue": row.is_overdue(today),
        "outcome": row.outcome or None,
        "decided_on": row.decided_on,
        "version": row.version,
        "responsible_person": row.responsible_person and str(row.responsible_person.public_id),
        "evidence": row.evidence_kinds,
        "accepted_on": row.accepted_on,
        "supplement_by": row.supplement_by,
        "reasons": row.reasons or None,
        "retry_from": row.retry_from,
        "national_number": row.national_number or None,
    }

"""What was put before the key's unit, and what the unit says to it."""

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from casework.api import (
    Door,
    Empty,
    Plain,
    Strict,
    bad_field,
    choice,
    like,
    maybe,
    once,
    page,
    page_of,
    seen_version,
    shape,
    sometimes,
)
from casework.api.pages import PAGE_PARAMETERS
from jointaction import services
from jointaction.models import Feedback as Answer
from jointaction.models import Push
from listings.api import LISTING, shown
from listings.models import Audience
from parties.models import PaperType, Subject

PUSH = shape(
    "Push",
    {
        "id": "5d0c1f0e-3a55-4b0f-8a0f-6d1c3a0f9b1e",
        "status": choice(Push.Status.values),
        "kind": choice(Push.Kind.values),
        "listing": LISTING,
        "measures": [
            {
                "code": "PA07",
                "name": "限制财政性资金项目",
                "article": "第五条",
                "memorandum": "联合惩戒合作备忘录",
                "advisory": False,
                "until": maybe("2027-04-01"),
                "outcome": maybe(choice(Answer.Outcome.values)),
            }
        ],
        "feedback_due": maybe("2026-04-16"),
        "overdue": False,
        "version": 1,
    },
)
SUBJECT = shape(
    "PushSubject",
    {
        "kind": choice(Subject.Kind.values),
        "name": "张示例",
        "code": sometimes("91220501MA0ABC1215"),
        "id_type": sometimes(choice(PaperType.values)),
        "id_number": sometimes("11010519491231002X"),
    },
)
NAMES = ("code", "name", "article", "memorandum", "advisory", "until")


class AnswerFields(Strict):
    code = serializers.CharField(max_length=8)
    outcome = serializers.ChoiceField(choices=Answer.Outcome.choices)
    applied_on = serializers.DateField(required=False)
    until = serializers.DateField(required=False)
    remark = serializers.CharField(max_length=2_000, allow_blank=True, required=False)
    reference = serializers.CharField(max_length=200, allow_blank=True, required=False)
    parameters = serializers.DictField(child=Plain(max_length=500), required=False)

    def validate_parameters(self, given):
        if len(given) > 50 or not all(name.isprintable() for name in given):
            raise serializers.ValidationError(_("最多 50 项，名称不能有控制字符。"))
        return given


class FeedbackFields(Empty):
    example = {
        "version": 2,
        "measures": [{"code": "PA07", "outcome": "applied", "applied_on": "2026-04-03"}],
    }
    measures = AnswerFields(many=True)


class PushDoor(Door):
    """A door of pushes: those of the key's unit; others' are a 404."""

    def mine(self):
        return Push.objects.with_parts().of_unit(self.user.department_id)

    def one(self, public_id):
        return get_object_or_404(self.mine(), public_id=public_id)

    def show(self, pushes):
        """Pushes with the entry as it may be told today; an order to lift names whom."""
        entries = [push.listing for push in pushes]
        told = shown(entries, self.user, self.today, otherwise=Audience.UNIT)
        return [
            _push(push, listing, self.today) for push, listing in zip(pushes, told, strict=True)
        ]

    def seen(self, push, given):
        return seen_version(self.request, push, lambda: self.show([push])[0], given.get("version"))

    def answer(self, push):
        return Response(self.show([self.mine().get(pk=push.pk)])[0])


class Pushes(PushDoor):
    scopes = {"GET": "feedback"}
    parameters = PAGE_PARAMETERS | {"status"}

    @extend_schema(
        summary="本单位收到的推送",
        operation_id="pushes_list",
        responses={200: page_of(PUSH)},
        parameters=[OpenApiParameter("status", enum=Push.Status.values)],
    )
    def get(self, request):
        rows, status = self.mine(), request.query_params.get("status")
        if status is not None:
            if status not in Push.Status.values:
                raise bad_field("status", _("没有这种状态。"))
            rows = rows.filter(status=status)
        return page(self, rows, self.show)


class PushDetail(PushDoor):
    scopes = {"GET": "feedback"}

    @extend_schema(summary="一件推送", responses={200: like(PUSH)})
    def get(self, request, public_id):
        return self.answer(self.one(public_id))


class PushSubject(PushDoor):
    scopes = {"GET": "feedback"}

    @extend_schema(
        summary="推送对象的姓名和证件号码（查阅留痕，仅限办理中的推送）",
        responses={200: like(SUBJECT)},
    )
    def get(self, request, public_id):
        told = services.reveal_subject(self.one(public_id), actor=self.actor)
        return Response(told, headers={"Cache-Control": "no-store"})


class Acknowledge(PushDoor):
    scopes = {"POST": "feedback"}

    @extend_schema(summary="签收", request=Empty, responses={200: like(PUSH)})
    @once
    def post(self, request, public_id):
        push = self.one(public_id)
        version = self.seen(push, self.given(Empty))
        services.acknowledge(push, actor=self.actor, expected_version=version)
        return self.answer(push)


class Feedback(PushDoor):
    scopes = {"POST": "feedback"}

    @extend_schema(summary="逐项反馈", request=FeedbackFields, responses={200: like(PUSH)})
    @once
    def post(self, request, public_id):
        push = self.one(public_id)
        given = self.given(FeedbackFields)
        self.seen(push, given)
        services.answer(push, given["measures"], actor=self.actor, today=self.today)
        return self.answer(push)


def _push(push, listing, today):
    is_open = push.status in Push.OPEN
    if is_open and push.kind == Push.Kind.LIFT and "subject" not in listing:
        listing = {**listing, "subject": _whom(push.listing.subject)}
    outcomes = {row.measure: row.outcome for row in push.feedback.all()}
    return {
        "id": str(push.public_id),
        "status": push.status,
        "kind": push.kind,
        "listing": listing,
        "measures": [
            {name: row.get(name) for name in NAMES} | {"outcome": outcomes.get(row["code"])}
            for row in push.measures
        ],
        "feedback_due": push.feedback_due,
        "overdue": push.is_overdue(today),
        "version": push.version,
    }


def _whom(subject):
    return {
        "kind": subject.kind,
        "name": subject.display_name,
        "code": subject.code,
        "region": subject.region,
    }

"""Webhooks for machines: where the key's department is told what happened, and what became of it.

Everything here is about the department's own endpoints; another's are a 404.
"""

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from casework.api import (
    Door,
    Empty,
    Strict,
    bad_field,
    choice,
    instant,
    like,
    maybe,
    once,
    page,
    page_of,
    seen_version,
    shape,
)
from casework.api.pages import PAGE_PARAMETERS
from jointaction.models import PING, Delivery, Endpoint, Occasion
from jointaction.services import webhooks

ENDPOINT = shape(
    "Endpoint",
    {
        "id": "0b6f3c1e-7d0e-4e0a-9c55-6a1f0e2d3c4b",
        "url": "https://hooks.example.cn/credit",
        "events": [choice(Occasion.values)],
        "status": choice(Endpoint.Status.values),
        "disabled_reason": maybe("gone"),
        "failing_since": maybe("2026-04-01T09:00:02+08:00"),
        "previous_secret_until": maybe("2026-04-02T09:00:00+08:00"),
        "created_at": "2026-04-01T09:00:00+08:00",
        "version": 1,
    },
)
WITH_SECRET = shape("EndpointWithSecret", {**ENDPOINT, "secret": "whsec_…"})
DELIVERY = shape(
    "Delivery",
    {
        "id": "7c2b9f5e-11aa-4c3e-8d1f-2f7b1a0c9d8e",
        "endpoint": ENDPOINT["id"],
        "event": choice([*Occasion.values, PING]),
        "listing": maybe("3f0d6f0e-0c55-4f0f-8a0f-6d1c3a0f9b1e"),
        "at": "2026-04-01T09:00:00+08:00",
        "status": choice(Delivery.Status.values),
        "attempts": 1,
        "tried_at": maybe("2026-04-01T09:00:02+08:00"),
        "next_try_at": maybe("2026-04-01T09:00:12+08:00"),
        "delivered_at": maybe("2026-04-01T09:00:12+08:00"),
        "http_status": maybe(500),
        "fault": maybe(choice(Delivery.Fault.values)),
        "answer": "",
    },
)


class EndpointFields(Strict):
    example = {"url": "https://hooks.example.cn/credit", "events": ["listing.published"]}
    url = serializers.CharField(max_length=500)
    events = serializers.ListField(
        child=serializers.ChoiceField(Occasion.choices), min_length=1, max_length=20
    )


class RotationFields(Empty):
    hours = serializers.IntegerField(required=False, min_value=0, max_value=168)


class MomentField(serializers.DateTimeField):
    """An instant; one at the edge of the calendar, which no zone can hold, is a bad one too."""

    def to_internal_value(self, value):
        try:
            return super().to_internal_value(value)
        except OverflowError:
            self.fail("overflow")


class ReplayFields(Empty):
    since = MomentField(required=False)


class EndpointDoor(Door):
    """A door of the department's endpoints."""

    def mine(self):
        return Endpoint.objects.of_department(self.user.department_id)

    def one(self, public_id, given=None):
        """The endpoint, at the version that the caller saw where one is named."""
        found = get_object_or_404(self.mine(), public_id=public_id)
        self.version = self.seen(found, given)
        return found

    def seen(self, found, given):
        return seen_version(self.request, found, lambda: _endpoint(found), given)

    def act(self, service, public_id, given):
        found = self.one(public_id, given.get("version"))
        done = service(found, actor=self.actor, expected_version=self.version)
        return Response(_endpoint(done))


def _secret_told(endpoint, secret, status):
    told = {**_endpoint(endpoint), "secret": secret}
    return Response(told, status, headers={"Cache-Control": "no-store"})


class Endpoints(EndpointDoor):
    scopes = {"GET": "manage", "POST": "manage"}
    parameters = PAGE_PARAMETERS

    @extend_schema(
        summary="本单位的通知接口",
        operation_id="endpoints_list",
        responses={200: page_of(ENDPOINT)},
    )
    def get(self, request):
        return page(self, self.mine(), lambda rows: list(map(_endpoint, rows)))

    @extend_schema(
        summary="登记通知接口（密钥只在这里给一次）",
        request=EndpointFields,
        responses={201: like(WITH_SECRET)},
    )
    @once
    def post(self, request):
        endpoint, secret = webhooks.add_endpoint(**self.given(EndpointFields), actor=self.actor)
        return _secret_told(endpoint, secret, 201)


class EndpointDetail(EndpointDoor):
    scopes = {"GET": "manage", "DELETE": "manage"}

    @extend_schema(summary="一个通知接口", responses={200: like(ENDPOINT)})
    def get(self, request, public_id):
        return Response(_endpoint(get_object_or_404(self.mine(), public_id=public_id)))

    @extend_schema(summary="删除通知接口", responses={204: None})
    def delete(self, request, public_id):
        found = self.one(public_id)
        webhooks.close(found, actor=self.actor, expected_version=self.version)
        return Response(status=204)


class Ping(EndpointDoor):
    scopes = {"POST": "manage"}

    @extend_schema(summary="试发一条", request=Empty, responses={202: like(DELIVERY)})
    @once
    def post(self, request, public_id):
        found = self.one(public_id, self.given(Empty).get("version"))
        return Response(_delivery(webhooks.ping(found, actor=self.actor)), 202)


class Rotate(EndpointDoor):
    scopes = {"POST": "manage"}

    @extend_schema(
        summary="换密钥（旧密钥再并用若干小时，默认 24）",
        request=RotationFields,
        responses={200: like(WITH_SECRET)},
    )
    @once
    def post(self, request, public_id):
        given = self.given(RotationFields)
        found = self.one(public_id, given.pop("version", None))
        return _secret_told(*webhooks.rotate(found, actor=self.actor, **given), 200)


class Disable(EndpointDoor):
    scopes = {"POST": "manage"}

    @extend_schema(summary="停用", request=Empty, responses={200: like(ENDPOINT)})
    @once
    def post(self, request, public_id):
        return self.act(webhooks.disable, public_id, self.given(Empty))


class Enable(EndpointDoor):
    scopes = {"POST": "manage"}

    @extend_schema(
        summary="启用，从停下的地方接着通知", request=Empty, responses={200: like(ENDPOINT)}
    )
    @once
    def post(self, request, public_id):
        return self.act(webhooks.enable, public_id, self.given(Empty))


class Replay(EndpointDoor):
    scopes = {"POST": "manage"}

    @extend_schema(
        summary="重新发送：未能送达的，或者某一时刻以来的全部",
        request=ReplayFields,
        responses={202: like({"count": 3})},
    )
    @once
    def post(self, request, public_id):
        given = self.given(ReplayFields)
        found = self.one(public_id, given.pop("version", None))
        return Response({"count": webhooks.replay(found, actor=self.actor, **given)}, 202)


class Deliveries(EndpointDoor):
    scopes = {"GET": "manage"}
    parameters = PAGE_PARAMETERS | {"status"}

    @extend_schema(
        summary="一个接口的通知",
        operation_id="endpoint_deliveries_list",
        responses={200: page_of(DELIVERY)},
        parameters=[OpenApiParameter("status", enum=Delivery.Status.values)],
    )
    def get(self, request, public_id):
        found = get_object_or_404(self.mine(), public_id=public_id)
        rows, status = found.deliveries.with_parts(), request.query_params.get("status")
        if status is not None:
            if status not in Delivery.Status.values:
                raise bad_field("status", _("没有这种状态。"))
            rows = rows.filter(status=status)
        return page(self, rows, lambda shown: list(map(_delivery, shown)))


class Redeliver(EndpointDoor):
    scopes = {"POST": "manage"}

    @extend_schema(summary="重新发送一条", request=Empty, responses={202: like(DELIVERY)})
    @once
    def post(self, request, public_id):
        rows = Delivery.objects.with_parts().filter(endpoint__in=self.mine())
        found = get_object_or_404(rows, public_id=public_id)
        self.one(found.endpoint.public_id, self.given(Empty).get("version"))
        return Response(_delivery(webhooks.redeliver(found, actor=self.actor)), 202)


def _endpoint(endpoint):
    return {
        "id": str(endpoint.public_id),
        "url": endpoint.url,
        "events": endpoint.events,
        "status": endpoint.status,
        "disabled_reason": endpoint.disabled_reason or None,
        "failing_since": instant(endpoint.failing_since),
        "previous_secret_until": instant(endpoint.previous_until),
        "created_at": instant(endpoint.created_at),
        "version": endpoint.version,
    }


def _delivery(row):
    waiting = row.status == Delivery.Status.WAITING
    return {
        "id": str(row.public_id),
        "endpoint": str(row.endpoint.public_id),
        "event": row.event,
        "listing": str(row.listing.public_id) if row.listing else None,
        "at": instant(row.at),
        "status": row.status,
        "attempts": row.attempts,
        "tried_at": instant(row.tried_at),
        "next_try_at": instant(row.next_try_at) if waiting else None,
        "delivered_at": instant(row.delivered_at),
        "http_status": row.http_status,
        "fault": row.fault or None,
        "answer": row.answer,
    }

"""The endpoints that lead to either list: a draft is written, published, or brought in a file."""

import hashlib
import json

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

import blacklist.api
import blacklist.services
import redlist.api
import redlist.services
from casework.api import (
    Door,
    Empty,
    Strict,
    Upload,
    Whatever,
    bad_field,
    choice,
    instant,
    like,
    maybe,
    once,
    shape,
)
from casework.documents import attachment
from casework.moves import StaleVersion, record
from listings.api import LISTING, ListingDoor, Listings
from listings.models import ImportBatch
from parties.models import Actor, User
from portal.services import arrivals
from portal.services.batches import XLSX
from rulebook.models import ListCategory, ListKind

DRAFTS = {"black": blacklist.api.BlackDraft, "red": redlist.api.RedDraft}
WRITERS = {"black": blacklist.api.draft, "red": redlist.api.draft}
BODIES = PolymorphicProxySerializer("Draft", list(DRAFTS.values()), None)
BODIES.example = {
    "list": "black",
    "category": "M05",
    "subject": {"name": "通化示例商贸有限公司", "code": "91220501MA0ABC1215"},
    "degree": "serious",
    "document": {
        "number": "吉通示人社决字〔2026〕第1号",
        "kind": "行政处理决定书",
        "organ": "通化市人力资源和社会保障局",
        "date": "2026-03-01",
    },
    "ground": "拖欠工资，经责令限期支付，逾期未付。",
    "prior_notice": {"served_on": "2026-03-10", "means": "direct", "defence_until": "2026-03-17"},
}
PUBLISHERS = {"black": blacklist.services.publish, "red": redlist.services.publish}


class Entries(Listings, ListingDoor):
    scopes = {"GET": "read", "POST": "publish"}

    @extend_schema(
        summary="起草名单记录",
        request=BODIES,
        responses={201: like(LISTING), 200: like(LISTING)},
    )
    @once
    def post(self, request):
        kind = self._kind()
        given = self.given(DRAFTS[kind])
        listing, made = WRITERS[kind](given, actor=self.actor, today=self.today)
        response = self.answer(listing, 201 if made else 200)
        if made:
            response["Location"] = request.build_absolute_uri(f"{listing.public_id}/")
        return response

    def _kind(self):
        """The list that the body is for: its category says so, else `list`."""
        body = self.request.data if isinstance(self.request.data, dict) else {}
        code = body.get("category")
        readable = isinstance(code, str) and code.isprintable()
        found = ListCategory.objects.filter(code=code if readable else "")
        kind = found.values_list("kind", flat=True).first()
        return kind or ("red" if body.get("list") == "red" else "black")


class PublishFields(Empty):
    approved_by = serializers.CharField(max_length=150, required=False)
    attested = serializers.BooleanField(default=False)


class Publish(ListingDoor):
    scopes = {"POST": "publish"}

    @extend_schema(summary="公布", request=PublishFields, responses={200: like(LISTING)})
    @once
    def post(self, request, public_id):
        listing = self.own(public_id)
        given = self.given(PublishFields)
        version = self.seen(listing, given.get("version"))
        if version is None and listing.version > 1 and listing.can("publish"):
            raise StaleVersion(listing, None)
        publish = PUBLISHERS[listing.kind]
        published = publish(
            listing,
            actor=self._approver(listing, given.get("approved_by")),
            today=self.today,
            expected_version=version,
            attested=given["attested"],
        )
        return self.answer(published)

    def _approver(self, listing, username):
        """Who approves: the key's officer, or, where the category allows it, a person it names."""
        if username is None:
            return self.actor
        if not listing.category.machine_publication:
            raise bad_field("approved_by", _("这个类别须由审核人员自己公布。"))
        known = User.objects.filter(username=username, department=self.user.department_id)
        person = known.select_related("department").first()
        if person is None:
            raise PermissionDenied
        return Actor(user=person, key=self.request.auth, label=f"{person} ({self.request.auth})")


# ── files of entries ──────────────────────────────────────────────────────────────────────────

IMPORT = shape(
    "Import",
    {
        "id": "7a0c1f0e-3a55-4b0f-8a0f-6d1c3a0f9b1e",
        "status": choice(ImportBatch.State.values),
        "list": choice(ListKind.values),
        "category": {"code": "M05", "name": "恶意欠薪"},
        "file_name": "示例.xlsx",
        "received_at": "2026-04-01T09:00:00+08:00",
        "rows": 120,
        "created": 110,
        "updated": 5,
        "unchanged": 3,
        "rejected": 2,
        "errors": [
            {
                "row": 7,
                "column": "统一社会信用代码",
                "code": "bad_check_symbol",
                "message": "校验码不对",
                "rejected": True,
            }
        ],
        "rejected_file": maybe("https://example.org/api/v1/imports/7a0c1f0e/rejected.xlsx"),
    },
)


class ImportFields(Strict):
    example = {"list": "black", "category": "M05", "file": "示例.xlsx"}
    file = serializers.FileField()
    list = serializers.ChoiceField(choices=ListKind.choices)
    category = serializers.CharField(max_length=10)

    def to_internal_value(self, data):
        """A field that is sent twice says two things: neither is taken."""
        lists = data.lists() if hasattr(data, "lists") else ()  # where nothing was sent
        twice = {name: [_("只能有一个值。")] for name, values in lists if len(values) > 1}
        if twice:
            raise serializers.ValidationError(twice)
        return super().to_internal_value(data)

    def validate(self, given):
        rows = ListCategory.objects.filter(code=given["category"], active=True)
        given["category"] = rows.filter(kind=given["list"]).first()
        if given["category"] is None:
            raise serializers.ValidationError({"category": [_("这个名单没有这个类别。")]})
        return given


class Imports(Door):
    scopes = {"POST": "publish"}
    parser_classes = [Upload]

    @extend_schema(summary="整批导入名单草稿", request=ImportFields, responses={202: like(IMPORT)})
    @once
    def post(self, request):
        given = self.given(ImportFields)
        batch = arrivals.receive(given["file"], category=given["category"], actor=self.actor)
        return Response(_import_told(batch, request), 202)

    def digest(self):
        told = {}
        for name, value in self.request.data.items():
            is_file = hasattr(value, "chunks")
            told[name] = _digest_of(value) if is_file else value
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).digest()


def _digest_of(upload):
    found = hashlib.sha256()
    for chunk in upload.chunks():
        found.update(chunk)
    upload.seek(0)
    return [upload.name, found.hexdigest()]


class ImportDoor(Door):
    scopes = {"GET": "publish"}

    def batch(self, public_id):
        rows = ImportBatch.objects.with_parts().filter(kind=ImportBatch.Kind.LISTINGS)
        return get_object_or_404(rows, department=self.user.department_id, public_id=public_id)


class ImportDetail(ImportDoor):
    @extend_schema(summary="一次导入", responses={200: like(IMPORT)})
    def get(self, request, public_id):
        return Response(_import_told(self.batch(public_id), request))


class ImportRejected(ImportDoor):
    content_negotiation_class = Whatever

    @extend_schema(summary="退回的行，连同原因", responses={(200, XLSX): OpenApiTypes.BINARY})
    def get(self, _request, public_id):
        batch = self.batch(public_id)
        if batch.rejected_file is None:
            raise Http404
        record(batch, "download", actor=self.actor, note=batch.rejected_file.name)
        return attachment(batch.rejected_file)


def _import_told(batch, request):
    here = f"/api/v1/imports/{batch.public_id}/rejected.xlsx"
    return {
        "id": str(batch.public_id),
        "status": batch.state,
        "list": batch.category.kind,
        "category": {"code": batch.category.code, "name": str(batch.category)},
        "file_name": batch.file_name,
        "received_at": instant(batch.at),
        "rows": batch.rows,
        "created": batch.created,
        "updated": batch.updated,
        "unchanged": batch.unchanged,
        "rejected": batch.rejected,
        "errors": batch.errors,
        "rejected_file": request.build_absolute_uri(here) if batch.rejected_file else None,
    }

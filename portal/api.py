"""The endpoints that lead to either list: a draft is written, a draft is published."""

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework import serializers

import blacklist.api
import blacklist.services
import redlist.api
import redlist.services
from casework.api import Empty, bad_field, like, once
from casework.moves import StaleVersion
from listings.api import LISTING, ListingDoor, Listings
from parties.models import Actor, User
from rulebook.models import ListCategory

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

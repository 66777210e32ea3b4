"""Endpoints of entries: the lists, one entry, its history, correction, withdrawal."""

import json

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions
from rest_framework.response import Response

from casework.api import (
    Conflict,
    Door,
    Empty,
    bad_field,
    choice,
    each,
    either,
    instant,
    like,
    maybe,
    once,
    page,
    page_of,
    seen_version,
    shape,
    under,
)
from casework.api.pages import PAGE_PARAMETERS
from casework.moves import IllegalMove
from listings import services
from listings.api.drafts import Correction, Release, Versioned, Withdrawal, correction_of
from listings.api.entries import ENDED, LISTING, ended, shown
from listings.api.questions import questions_of
from listings.filters import EntryFilter
from listings.models import Change, Listing, Proposal, ResponsiblePerson
from listings.policies import may_read

LINE = {
    "seq": 1,
    "action": choice(Change.Action.values),
    "at": "2026-04-01T09:00:00+08:00",
    "note": "文书日期有误",
    "changes": each([None]),
}
HISTORY = shape("HistoryLine", either(LINE, ENDED))
PERSON = shape(
    "ResponsiblePerson",
    {
        "id": LISTING["id"],
        "name": "李*",
        "role": choice(ResponsiblePerson.Role.values),
        "fact": "直接决定拖欠工资",
        "basis": "保障农民工工资支付条例第四十八条",
        "until": maybe("2027-04-01"),
        "ended_on": maybe("2026-12-01"),
        "end_reason": maybe(choice(Listing.EndReason.values)),
    },
)


class Listings(Door):
    scopes = {"GET": "read"}
    parameters = PAGE_PARAMETERS | EntryFilter.base_filters.keys()

    @extend_schema(
        summary="名单记录",
        operation_id="listings_list",
        responses={200: page_of(LISTING)},
        parameters=questions_of(EntryFilter),
    )
    def get(self, request):
        asked = EntryFilter(request.query_params, user=self.user, today=self.today)
        if not asked.is_valid():
            raise exceptions.ValidationError(asked.errors)
        order = request.query_params.get("ordering", "-pk")
        return page(self, asked.qs.with_parts(), self._show, ordering=order)

    def _show(self, rows):
        return shown(rows, self.user, self.today)


class ListingDoor(Door):
    """A door of one entry."""

    def known(self, public_id):
        """An entry of which the caller may know; a draft of others is a 404."""
        rows = Listing.objects.with_parts().known_to(self.user)
        return get_object_or_404(rows, public_id=public_id)

    def own(self, public_id):
        """An entry of the caller's own department; any other is a 404."""
        rows = Listing.objects.with_parts().filter(department=self.user.department_id)
        return get_object_or_404(rows, public_id=public_id)

    def show(self, listing):
        return shown([listing], self.user, self.today)[0]

    def answer(self, listing, status=200):
        fresh = Listing.objects.with_parts().get(pk=listing.pk)
        return Response(self.show(fresh), status)

    def seen(self, listing, given=None):
        return seen_version(self.request, listing, lambda: self.show(listing), given)


class ListingDetail(ListingDoor):
    scopes = {"GET": "read"}

    @extend_schema(summary="一条名单记录", responses={200: like(LISTING)})
    def get(self, request, public_id):
        return Response(self.show(self.known(public_id)))


class History(ListingDoor):
    scopes = {"GET": "read"}
    parameters = PAGE_PARAMETERS

    @extend_schema(summary="一条记录的经过", responses={200: page_of(HISTORY)})
    def get(self, request, public_id):
        listing = self.known(public_id)
        if not may_read(self.user, listing, self.today):
            return Response(
                {"next": None, "previous": None, "results": [ended(listing, self.today)]}
            )
        self.own_notes = self.user.sees_all or self.user.works_for(listing.department_id)
        rows = Change.objects.filter(listing=listing).select_related("body")
        return page(self, rows, lambda found: self._lines(listing, found), ordering="pk")

    def _lines(self, listing, rows):
        events = {}
        if self.own_notes:
            versions = [row.version for row in rows]
            lines = listing.journal.filter(version__in=versions, action__in=Change.Action.values)
            events = {line.version: line for line in lines}
        return [self._line(row, events.get(row.version)) for row in rows]

    def _line(self, row, event):
        return {
            "seq": row.seq,
            "action": row.action,
            "at": instant(row.at),
            "note": event.note if event else "",
            "changes": self._changes(row, event),
        }

    def _changes(self, row, event):
        """Old and new values for the department; others learn which fields were corrected.

        The ledger holds only what is public, the department's own journal all of it.
        """
        body = getattr(row, "body", None)
        changes = json.loads(bytes(body.body)).get("changes", {}) if body else {}
        if self.own_notes:
            return event.changes if event and changes else changes
        return {name: [None, None] for name in changes}


class Correct(ListingDoor):
    scopes = {"POST": "publish"}

    @extend_schema(summary="提议更正", request=Correction, responses={202: like(LISTING)})
    @once
    def post(self, request, public_id):
        listing = self.own(public_id)
        given = self.given(Correction)
        refuse_off_list(listing, "correct", self.today)
        self.seen(listing, given.get("version"))
        with under("fields", beside=("note",)):
            fields = correction_of(listing, given["fields"])
            services.propose_correction(
                listing, fields, actor=self.actor, note=given["note"], today=self.today
            )
        return self.answer(listing, 202)


class Withdraw(ListingDoor):
    scopes = {"POST": "publish"}

    @extend_schema(summary="提议撤下", request=Withdrawal, responses={202: like(LISTING)})
    @once
    def post(self, request, public_id):
        listing = self.own(public_id)
        given = self.given(Withdrawal)
        refuse_off_list(listing, "withdraw", self.today)
        self.seen(listing, given.get("version"))
        given.pop("version", None)
        services.propose_withdrawal(listing, actor=self.actor, today=self.today, **given)
        return self.answer(listing, 202)


class Persons(ListingDoor):
    scopes = {"GET": "read"}
    parameters = PAGE_PARAMETERS

    @extend_schema(summary="一条记录的责任人员（仅本单位）", responses={200: page_of(PERSON)})
    def get(self, request, public_id):
        rows = self.own(public_id).responsible_persons.select_related("person")
        return page(self, rows, lambda found: list(map(_person, found)), ordering="pk")


class ReleasePerson(ListingDoor):
    scopes = {"POST": "publish"}

    @extend_schema(summary="提议解除责任人员", request=Release, responses={202: like(LISTING)})
    @once
    def post(self, request, public_id):
        listing = self.own(public_id)
        given = self.given(Release)
        refuse_off_list(listing, "correct", self.today)
        self.seen(listing, given.pop("version", None))
        person = listing.responsible_persons.filter(public_id=given.pop("person")).first()
        if person is None:
            raise bad_field("person", _("这条记录没有这名责任人员。"))
        services.propose_release(person, actor=self.actor, today=self.today, **given)
        return self.answer(listing, 202)


def _person(row):
    """A responsible person as the own department is told: the name masked, no paper."""
    return {
        "id": str(row.public_id),
        "name": row.person.display_name,
        "role": row.role,
        "fact": row.fact,
        "basis": row.basis,
        "until": row.until,
        "ended_on": row.ended_on,
        "end_reason": row.end_reason or None,
    }


class Approve(ListingDoor):
    scopes = {"POST": "publish"}

    @extend_schema(summary="通过提议", request=Empty, responses={200: like(LISTING)})
    @once
    def post(self, request, public_id):
        listing = self.own(public_id)
        self.seen(listing, self.given(Empty).get("version"))
        proposal = open_proposal(listing)
        refuse_off_list(listing, proposal.action, self.today)
        services.approve(proposal, actor=self.actor, today=self.today)
        return self.answer(listing)


class Reject(ListingDoor):
    scopes = {"POST": "publish"}

    @extend_schema(summary="退回提议", request=Versioned, responses={200: like(LISTING)})
    @once
    def post(self, request, public_id):
        listing = self.own(public_id)
        given = self.given(Versioned)
        self.seen(listing, given.get("version"))
        services.reject(open_proposal(listing), actor=self.actor, note=given["note"])
        return self.answer(listing)


def open_proposal(listing):
    proposal = Proposal.objects.open().filter(listing=listing).first()
    if proposal is None:
        raise Conflict("no_proposal", _("这条记录没有待审核的提议。"))
    return proposal


def refuse_off_list(listing, action, today):
    """An entry whose term is over has left its list, whether or not the sweep has run."""
    if not listing.is_public(today):
        listing.status = listing.status_on(today)
        raise IllegalMove(listing, action)

"""What became of an entry at the units: for the department that listed."""

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from casework.api import FLAG, choice, instant, maybe, page_of, shape, sometimes
from jointaction import services
from jointaction.models import Feedback, Hit, Push
from jointaction.policies import may_see_answers
from listings.api import ListingDoor

OUTCOME = maybe(choice(Feedback.Outcome.values))
ANSWERS = shape(
    "UnitAnswers",
    {
        "unit": "czj",
        "name": "通化市财政局",
        "kind": choice([*Push.Kind.values, "check"]),
        # of a push
        "status": sometimes(choice(Push.Status.values)),
        "acknowledged_at": sometimes(maybe("2026-04-02T09:00:00+08:00")),
        "answered_at": sometimes(maybe("2026-04-03T09:00:00+08:00")),
        "feedback_due": sometimes(maybe("2026-04-16")),
        "overdue": sometimes(FLAG),
        # of checks
        "hits": sometimes(1),
        "answered": sometimes(1),
        "measures": [
            {
                "code": "PA07",
                "name": "限制财政性资金项目",
                "advisory": False,
                "outcome": OUTCOME,
                "applied_on": maybe("2026-04-02"),
                "until": maybe("2027-04-01"),
                "remark": "",
                "reference": "",
                "at": maybe("2026-04-03T09:00:00+08:00"),
            }
        ],
    },
)
RECALL = shape(
    "Recall",
    {
        "unit": "czj",
        "name": "通化市财政局",
        "kind": choice(Push.Kind.values),
        "at": "2027-04-02T00:01:00+08:00",
        "received": True,
        "checked": False,
        "acted": True,
        "confirmed": True,
        "confirmed_at": maybe("2027-04-03T09:00:00+08:00"),
        "feedback_due": maybe("2027-04-13"),
        "overdue": False,
        "measures": [{"code": "PA07", "outcome": OUTCOME, "remark": ""}],
    },
)


class UnitsDoor(ListingDoor):
    """One row per unit, all on one page: there are as many units as the city has."""

    scopes = {"GET": "read"}

    def entry(self, public_id):
        listing = self.known(public_id)
        if not may_see_answers(self.user, listing):
            raise Http404
        return listing

    def rows(self, rows):
        return Response({"next": None, "previous": None, "results": rows})


class ListingFeedback(UnitsDoor):
    @extend_schema(summary="各单位的反馈", responses={200: page_of(ANSWERS)})
    def get(self, request, public_id):
        listing = self.entry(public_id)
        pushes = [push for push in _pushes(listing) if _matters(push)]
        checks = {}
        hits = Hit.objects.filter(listing=listing).select_related("unit")
        for hit in hits.prefetch_related("feedback").order_by("pk"):
            checks.setdefault(hit.unit, []).append(hit)
        rows = [self._push(push) for push in pushes]
        rows += [_check(unit, hits) for unit, hits in checks.items()]
        return self.rows(sorted(rows, key=lambda row: row["unit"]))

    def _push(self, push):
        return {
            "unit": push.unit.code,
            "name": push.unit.name,
            "kind": push.kind,
            "status": push.status,
            "acknowledged_at": instant(push.acknowledged_at),
            "answered_at": instant(push.answered_at),
            "feedback_due": push.feedback_due,
            "overdue": push.is_overdue(self.today),
            "measures": _answers(push.measures, push.feedback.all()),
        }


def _matters(push):
    return push.status != Push.Status.SUPERSEDED or bool(push.feedback.all())


def _check(unit, hits):
    """A unit's checks that met the entry, with the newest answer to each measure."""
    measures = {row["code"]: row for hit in hits for row in hit.measures}
    return {
        "unit": unit.code,
        "name": unit.name,
        "kind": "check",
        "hits": len(hits),
        "answered": sum(hit.answered_at is not None for hit in hits),
        "measures": _answers(
            measures.values(), [row for hit in hits for row in hit.feedback.all()]
        ),
    }


class Recalls(UnitsDoor):
    @extend_schema(summary="撤回通知：哪些单位已确认", responses={200: page_of(RECALL)})
    def get(self, request, public_id):
        listing = self.entry(public_id)
        return self.rows([self._call(call) for call in services.recalls_of(_pushes(listing))])

    def _call(self, call):
        push = call.push
        answers = _answers(push.measures, push.feedback.all())
        return {
            "unit": push.unit.code,
            "name": push.unit.name,
            "kind": push.kind,
            "at": instant(push.created_at),
            "received": call.received,
            "checked": call.checked,
            "acted": call.acted,
            "confirmed": call.confirmed_at is not None,
            "confirmed_at": instant(call.confirmed_at),
            "feedback_due": push.feedback_due,
            "overdue": push.is_overdue(self.today),
            "measures": [
                {name: answer[name] for name in ("code", "outcome", "remark")} for answer in answers
            ],
        }


def _pushes(listing):
    """The entry's pushes to all units, oldest first."""
    rows = Push.objects.filter(listing=listing).select_related("unit", "listing")
    return list(rows.prefetch_related("feedback").order_by("unit__code", "pk"))


def _answers(measures, feedback):
    """Each measure with the newest answer to it."""
    given = {row.measure: row for row in feedback}
    return [_answer(measure, given.get(measure["code"])) for measure in measures]


def _answer(measure, row):
    return {
        "code": measure["code"],
        "name": measure["name"],
        "advisory": measure["advisory"],
        "outcome": row and row.outcome,
        "applied_on": row and row.applied_on,
        "until": row and row.until,
        "remark": row.remark if row else "",
        "reference": row.reference if row else "",
        "at": instant(row and row.at),
    }

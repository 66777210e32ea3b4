"""Checks at the point of business, and what was done about a hit."""

from datetime import date

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response

from casework.api import (
    FLAG,
    Conflict,
    Door,
    Strict,
    bad_field,
    choice,
    instant,
    like,
    maybe,
    once,
    page,
    page_of,
    shape,
    sometimes,
)
from casework.api.pages import PAGE_PARAMETERS
from jointaction import services
from jointaction.models import Hit
from jointaction.services.check import MOST_SUBJECTS
from listings.api import LISTING, MEASURE, measure_shown, shown
from listings.models import Audience
from listings.policies import may_read
from parties.models import PaperType

MATCHED_AS = choice(["subject", "responsible_person"])
MATCH = shape(
    "Match",
    {
        **LISTING,
        "matched_as": sometimes(MATCHED_AS),
        "suppressed": sometimes(FLAG),
        "in_force_on": sometimes("2026-04-01"),  # of what has ended since the day asked about
    },
)
OUTCOME = choice(["listed", "clear", "invalid"])
RESULT = {
    "index": 0,
    "outcome": OUTCOME,
    "reason": sometimes("bad_check_symbol"),
    "matched_as": sometimes(MATCHED_AS),
    "name_differs": sometimes(FLAG),
    "listings": [MATCH],
}
CHECK = shape(
    "Check",
    {
        "id": "7a0c1f0e-3a55-4b0f-8a0f-6d1c3a0f9b1e",
        "at": "2026-04-01T09:00:00+08:00",
        "ledger_seq": 12,
        "receipt": {"number": "CX-000123", "code": "ABCDEFGHJKMNPQRS", "salt": "0f" * 32},
        "results": [RESULT],
    },
)
HIT = shape(
    "Hit",
    {
        "id": CHECK["id"],
        "listing": LISTING,
        "matched_as": MATCHED_AS,
        "measures": [MEASURE],
        "reference": "ZB-2026-001",
        "at": "2026-04-01T09:00:00+08:00",
        "feedback_due": "2026-04-16",
        "overdue": False,
        "answered": maybe("2026-04-03T09:00:00+08:00"),
    },
)


@extend_schema_field(
    {"anyOf": [{"type": "string", "format": form} for form in ("date", "date-time")]}
)
class Day(serializers.DateTimeField):
    """A day that is not to come: a date, or an instant taken as its day in Shanghai."""

    def to_internal_value(self, data):
        try:
            day = date.fromisoformat(data)
        except (TypeError, ValueError):
            day = timezone.localdate(super().to_internal_value(data))
        if day > self.context["door"].today:
            raise serializers.ValidationError(_("不能晚于今天。"))
        return day


class AskedFields(Strict):
    code = serializers.CharField(max_length=200, allow_blank=True, required=False)
    name = serializers.CharField(max_length=200, allow_blank=True, required=False)
    id_type = serializers.ChoiceField(choices=PaperType.choices, required=False)
    id_number = serializers.CharField(max_length=200, allow_blank=True, required=False)

    def validate(self, given):
        if given.get("id_number") and "id_type" not in given:
            raise serializers.ValidationError({"id_type": [_("请写明证件类型。")]})
        return given


TEXTS = frozenset({"code", "name", "id_type", "id_number"})
PAPERS = frozenset(PaperType.values)


def _is_plain(item):
    """Whether nothing is wrong with an asked subject; whatever may be is left to its serializer."""
    if type(item) is not dict or not item.keys() <= TEXTS:
        return False
    texts = item.values()
    if not all(type(text) is str and len(text) <= 200 and text == text.strip() for text in texts):
        return False
    paper = item.get("id_type")
    return "".join(texts).isprintable() and (
        paper in PAPERS or (paper is None and "id_number" not in item)
    )


@extend_schema_field(AskedFields(many=True))
class Subjects(serializers.ListField):
    """A thousand plain questions are read at once: a serializer for each takes longer than all
    the rest of the check. Where one is not plain, each is asked, so that errors are named.
    """

    def run_child_validation(self, data):
        if all(map(_is_plain, data)):
            return data
        self.child = AskedFields()
        self.child.bind(field_name="", parent=self)
        return super().run_child_validation(data)


class CheckFields(Strict):
    example = {
        "purpose": "投标资格审查",
        "reference": "ZB-2026-001",
        "subjects": [{"code": "91220501MA0ABC1215", "name": "通化示例商贸有限公司"}],
    }
    purpose = serializers.CharField(max_length=200)
    reference = serializers.CharField(max_length=200)
    as_of = serializers.DateField(required=False)
    known_at = serializers.IntegerField(required=False, min_value=0, max_value=2**63 - 1)
    subjects = Subjects(min_length=1, max_length=MOST_SUBJECTS)

    def validate_as_of(self, day):
        if day > self.context["door"].today:
            raise serializers.ValidationError(_("不能晚于今天。"))
        return day


class HitFields(Strict):
    example = {
        "listing": LISTING["id"],
        "measures": ["PA07"],
        "handling": "applied",
        "result": "取消投标资格。",
    }
    listing = serializers.UUIDField()
    measures = serializers.ListField(child=serializers.CharField(max_length=8), default=list)
    handling = serializers.ChoiceField(choices=["applied", "other"])
    result = serializers.CharField(max_length=2_000)
    remark = serializers.CharField(max_length=2_000, allow_blank=True, default="")
    at = Day(required=False)


class CheckDoor(Door):
    """A door of checks and their hits."""

    def told(self, listings, **options):
        """The entries that were met, as a unit is told of them."""
        return shown(listings, self.user, self.today, otherwise=Audience.UNIT, **options)


class Checks(CheckDoor):
    scopes = {"GET": "check", "POST": "check"}
    parameters = PAGE_PARAMETERS | {"pending"}

    @extend_schema(
        summary="还没有反馈的命中",
        responses={200: page_of(HIT)},
        parameters=[OpenApiParameter("pending", enum=["true"], required=True)],
    )
    def get(self, request):
        if request.query_params.get("pending") != "true":
            raise bad_field("pending", _("只能是 true：列出还没有反馈的命中。"))
        rows = Hit.objects.pending(self.user.department_id)
        rows = rows.select_related(*(f"listing__{part}" for part in PARTS))
        return page(self, rows, self._hits)

    @extend_schema(summary="查询", request=CheckFields, responses={201: like(CHECK)})
    def post(self, request):
        """A check is logged in one statement: without a key to hold it needs no transaction."""
        return self._once(request) if "Idempotency-Key" in request.headers else self._ask(request)

    def _ask(self, _request):
        given = self.given(CheckFields)
        check, results = services.check(
            given.pop("subjects"), actor=self.actor, today=self.today, **given
        )
        told = self._told_of(results, check)
        answer = {
            "id": str(check.public_id),
            "at": instant(check.at),
            "ledger_seq": check.ledger_seq,
            "receipt": {
                "number": check.number,
                "code": check.spaced_code,
                "salt": services.salt_of(check),
            },
            "results": [_result(row, told) for row in results],
        }
        return Response(answer, 201)

    _once = once(_ask)

    def _told_of(self, results, check):
        """{entry's key: (what is told of it, whether it is told whole)}.

        Of one that has ended others learn only that it was in force on the day.
        """
        met = {match.listing.pk: match.listing for row in results for match in row.matches}
        told = self.told(met.values(), with_measures=False)
        user, today = self.user, self.today
        whole = [may_read(user, listing, today) for listing in met.values()]
        return {
            pk: (row if open_ else {**row, "in_force_on": check.as_of}, open_)
            for pk, row, open_ in zip(met, told, whole, strict=True)
        }

    def _hits(self, hits):
        told = self.told(hit.listing for hit in hits)
        return [_hit(hit, listing, self.today) for hit, listing in zip(hits, told, strict=True)]


PARTS = ("subject", "category", "misconduct", "department", "basis", "measure_set")


class CheckFeedback(CheckDoor):
    scopes = {"POST": "feedback"}

    @extend_schema(summary="反馈一次命中", request=HitFields, responses={200: like(HIT)})
    @once
    def post(self, request, public_id):
        given = self.given(HitFields)
        hits = Hit.objects.filter(
            check_public_id=public_id,
            unit=self.user.department_id,
            listing__public_id=given["listing"],
        ).select_related(*(f"listing__{part}" for part in PARTS))
        open_ = [hit for hit in hits if hit.answered_at is None]
        if not hits:
            raise Http404
        if not open_:
            raise Conflict("already_answered", _("这次命中已经反馈过了。"))
        known = {row["code"] for hit in open_ for row in hit.measures}
        answered = [self._answer(hit, given, known) for hit in open_]
        told = self.told(hit.listing for hit in answered)
        return Response(_hit(answered[0], told[0], self.today))

    def _answer(self, hit, given, known):
        """A firm and its responsible person may both have met the entry: one answer is for both.

        Each is told of its own measures; a code that neither has (not in `known`) is refused.
        """
        own = {row["code"] for row in hit.measures}
        codes = [code for code in given["measures"] if code in own or code not in known]
        nothing_here = given["measures"] and not codes
        return services.answer_hit(
            hit,
            actor=self.actor,
            measures=codes,
            handling="other" if nothing_here else given["handling"],
            result=given["result"],
            remark=given["remark"],
            today=given.get("at") or self.today,
        )


def _result(row, told):
    if row.outcome == "invalid":
        return {"index": row.index, "outcome": "invalid", "reason": row.reason, "listings": []}
    result = {"index": row.index, "outcome": row.outcome}
    if row.name_differs:
        result["name_differs"] = True
    ways = {match.matched_as for match in row.matches}
    if ways:
        result["matched_as"] = "subject" if "subject" in ways else "responsible_person"
    result["listings"] = [_match(match, *told[match.listing.pk]) for match in row.matches]
    return result


def _match(match, listing, whole):
    """The entry with this unit's measures only."""
    if not whole:
        return listing
    return {
        **listing,
        "measures": [measure_shown(row) for row in match.measures],
        "matched_as": match.matched_as,
        "suppressed": match.suppressed,
    }


def _hit(hit, listing, today):
    return {
        "id": str(hit.check_public_id),
        "listing": listing,
        "matched_as": hit.matched_as,
        "measures": [measure_shown(row) for row in hit.measures],
        "reference": hit.reference,
        "at": instant(hit.at),
        "feedback_due": hit.feedback_due,
        "overdue": hit.answered_at is None and hit.feedback_due < today,
        "answered": instant(hit.answered_at),
    }

"""What is due and what is late: reminders, the supervisor, and the supervisor's orders."""

from datetime import date, timedelta

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from casework.models import Letter
from casework.moves import IllegalMove
from casework.services import make
from casework.workdays import add_working_days
from jointaction import services as jointaction
from jointaction.models import Push
from listings import services as listings
from notices.models import Notice
from parties.models import Actor, Role
from tests import builders

TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)
LEAD = settings.LEAD_UNIT


def pushed(today=TODAY):
    entry = builders.published_black(today=today)
    jointaction.distribute(today=today)
    return entry.pushes.get(unit__code="czj")


def chase(day):
    jointaction.chase_late(today=day, lead_unit=LEAD)


def steps(push):
    return list(push.journal.order_by("pk").values_list("action", flat=True))


def ordered(push, *, by=TODAY + 7 * DAY, user=None, note="请立即核查并反馈。", today=TODAY):
    actor = Actor.of(user or builders.supervisor())
    return jointaction.order(push, actor=actor, note=note, by=by, today=today)


# ── reminders ─────────────────────────────────────────────────────────────────────────────────


def test_a_unit_is_reminded_before_the_day_then_after_it_then_the_supervisor_is_told(rules):
    push = pushed()
    due = push.feedback_due
    chase(add_working_days(TODAY, 7))
    assert steps(push) == []
    chase(add_working_days(TODAY, 8))
    chase(due)
    assert steps(push) == ["warn"]
    chase(due + DAY)
    chase(add_working_days(due, 5))
    assert steps(push) == ["warn", "remind"]
    for _round in range(2):
        chase(add_working_days(due, 5) + DAY)
    assert steps(push) == ["warn", "remind", "escalate"]
    mine = Notice.objects.filter(department__code="czj").order_by("pk")
    assert [key.split(":")[0] for key in mine.values_list("key", flat=True)] == [
        "push", "push-soon", "push-late",
    ]  # fmt: skip
    assert Notice.objects.filter(key__startswith="push-escalated").count() == 1


def test_after_an_outage_what_is_late_is_not_told_to_be_nearly_due(rules):
    push = pushed()
    chase(push.feedback_due + 60 * DAY)
    assert "warn" not in steps(push)
    assert steps(push) == ["remind", "escalate"]


def test_late_is_what_the_dates_say_whether_the_sweep_has_run_or_not(rules):
    push = pushed()
    assert not push.is_overdue(push.feedback_due)
    assert push.is_overdue(push.feedback_due + DAY)
    assert push in Push.objects.overdue(push.feedback_due + DAY)


def test_a_recall_that_nobody_confirms_escalates_and_is_named_as_one(rules):
    push = pushed()
    actor = Actor.of(builders.reviewer())
    listings.withdraw(push.listing, reason="error", actor=actor, note="列错", today=TODAY)
    jointaction.distribute(today=TODAY)
    lift = push.listing.pushes.get(unit__code="czj", kind="lift")
    chase(lift.feedback_due + 30 * DAY)
    assert steps(lift) == ["remind", "escalate"]
    notice = Notice.objects.get(key__startswith="push-escalated")
    count = push.listing.pushes.filter(kind="lift").count()
    assert f"其中 {count} 件是撤下的记录" in notice.text


# ── the supervisor's order ────────────────────────────────────────────────────────────────────


def test_an_order_is_a_numbered_letter_a_line_and_a_notice(rules, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    push = pushed()
    letter = ordered(push)
    push.refresh_from_db()
    assert (push.ordered_on, push.ordered_until) == (TODAY, TODAY + 7 * DAY)
    assert letter.kind == Letter.Kind.ORDER
    assert letter.department == builders.department("fgw")
    assert letter.content["addressee"] == push.unit.name
    assert push.listing.subject.name not in str(letter.content)
    line = push.journal.get(action="order")
    assert line.by_user == builders.supervisor()
    assert letter.number in line.note
    assert Notice.objects.filter(department=push.unit, key__startswith="push-order").count() == 1
    assert make(letter).media_type == "application/pdf"


@pytest.mark.parametrize("role", [role for role in Role if role != Role.SUPERVISOR])
def test_nobody_but_the_supervisor_orders(rules, role):
    push = pushed()
    with pytest.raises(PermissionDenied):
        ordered(push, user=builders.officer("fgw", role.value))
    assert not Letter.objects.filter(kind=Letter.Kind.ORDER).exists()


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"note": " "}, "note"),
        ({"note": "长" * 501}, "note"),
        ({"note": "\x00"}, "note"),
        ({"by": TODAY - DAY}, "by"),
        ({"by": None}, "by"),
    ],
)
def test_an_order_says_what_and_until_when(rules, fields, wrong):
    push = pushed()
    with pytest.raises(ValidationError) as refusal:
        ordered(push, **fields)
    assert list(refusal.value.error_dict) == [wrong]


def test_a_second_order_waits_until_the_first_has_run_out(rules):
    push = pushed()
    ordered(push)
    with pytest.raises(ValidationError):
        ordered(push)
    later = TODAY + 8 * DAY
    ordered(push, by=later + DAY, today=later)
    assert steps(push) == ["order", "order"]


def test_what_informs_only_or_is_answered_can_not_be_ordered(rules):
    builders.department("bank-demo")
    push = pushed()
    bank = push.listing.pushes.get(unit__code="bank-demo")
    with pytest.raises(ValidationError):
        ordered(bank)
    answers = [{"code": row["code"], "outcome": "applied"} for row in push.measures]
    jointaction.answer(push, answers, actor=Actor.of(builders.liaison()), today=TODAY)
    with pytest.raises(IllegalMove):
        ordered(push)


def test_the_order_stands_on_the_units_page_until_it_has_answered(rules):
    today = timezone.localdate()
    push = pushed(today)
    page = reverse("desk-push", args=[push.public_id])
    supervisor = builders.signed_in(Client(), builders.supervisor())
    liaison = builders.signed_in(Client(), builders.liaison())
    assert "出具督办函" in supervisor.get(page).content.decode()
    assert "出具督办函" not in liaison.get(page).content.decode()
    order = reverse("desk-push-order", args=[push.public_id])
    given = {"note": "请立即核查并反馈。", "by": str(today + 7 * DAY)}
    assert liaison.post(order, given).status_code == 403
    assert supervisor.post(order, {**given, "note": ""}).status_code == 400
    assert supervisor.post(order, given).status_code == 302
    assert supervisor.post(order, given).status_code == 400  # pressed twice
    assert "请立即核查并反馈。" in liaison.get(page).content.decode()
    assert "督办" in liaison.get(reverse("desk-pushes")).content.decode()
    answers = [{"code": row["code"], "outcome": "applied"} for row in push.measures]
    jointaction.answer(push, answers, actor=Actor.of(builders.liaison()), today=today)
    assert 'id="order"' not in liaison.get(page).content.decode()
    letter = push.letters.get()
    assert liaison.get(reverse("desk-letter", args=[letter.public_id])).status_code == 200
    owner = builders.signed_in(Client(), builders.clerk())
    assert owner.get(page).status_code == 200
    assert owner.get(reverse("desk-letter", args=[letter.public_id])).status_code == 404

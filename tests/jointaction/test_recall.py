"""Who was called back and has confirmed; what a standing decision needs; what the subject sees."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from jointaction import services as jointaction
from jointaction.models import Feedback
from listings import services as listings
from parties.models import Actor
from tests import builders

TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)


def pushed(**fields):
    entry = builders.published_black(today=TODAY, **fields)
    jointaction.distribute(today=TODAY)
    return entry


def withdrawn(entry, today=TODAY):
    actor = Actor.of(builders.reviewer())
    entry = listings.withdraw(entry, reason="error", actor=actor, note="列错", today=today)
    jointaction.distribute(today=today)
    return entry


def push_of(entry, unit="czj"):
    return entry.pushes.filter(unit__code=unit).latest("pk")


def say(push, outcome, today=TODAY, **fields):
    actor = Actor.of(builders.liaison(push.unit.code))
    answers = [{"code": row["code"], "outcome": outcome, **fields} for row in push.measures]
    return jointaction.answer(push, answers, actor=actor, today=today)


def calls(entry):
    return {call.unit.code: call for call in jointaction.recalls_of(entry.pushes.answers())}


def told(entry, action="withdraw", day=TODAY):
    return {row.unit.code: row for row in jointaction.told_of(entry, action, day)}


# ── what confirms ─────────────────────────────────────────────────────────────────────────────


def test_every_unit_that_received_an_ended_entry_has_to_confirm_what_ever_it_did(rules):
    entry = pushed()
    say(push_of(entry), "applied", applied_on=TODAY)
    say(push_of(entry, "ggzy"), "declined", remark="没有这项业务")
    withdrawn(entry)
    assert calls(entry).keys() == {row["unit"] for row in entry.measure_set.measures}
    assert {call.confirmed_at for call in calls(entry).values()} == {None}
    assert (calls(entry)["czj"].acted, calls(entry)["ggzy"].acted) == (True, False)
    say(push_of(entry), "lifted")
    found = calls(entry)
    assert found["czj"].confirmed_at
    assert found["ggzy"].confirmed_at is None


def test_a_unit_that_acted_confirms_though_a_correction_came_between_unseen(rules):
    entry = pushed()
    say(push_of(entry), "applied", applied_on=TODAY)
    actor = Actor.of(builders.reviewer())
    listings.correct(entry, {"ground": "更正后的事实。"}, actor=actor, note="有误", today=TODAY)
    jointaction.distribute(today=TODAY)
    withdrawn(entry)
    assert [(p.kind, p.status) for p in entry.pushes.filter(unit__code="czj").order_by("pk")] == [
        ("apply", "answered"), ("correct", "superseded"), ("lift", "open"),
    ]  # fmt: skip
    assert calls(entry)["czj"].acted
    assert calls(entry)["czj"].confirmed_at is None


def test_who_is_only_informed_confirms_by_acknowledging(rules):
    builders.department("bank-demo")
    entry = withdrawn(pushed())
    assert calls(entry)["bank-demo"].confirmed_at is None
    actor = Actor.of(builders.liaison("bank-demo"))
    jointaction.acknowledge(push_of(entry, "bank-demo"), actor=actor)
    assert calls(entry)["bank-demo"].confirmed_at


def test_acknowledging_alone_confirms_nothing_for_a_unit_that_is_bound(rules):
    entry = withdrawn(pushed())
    jointaction.acknowledge(push_of(entry), actor=Actor.of(builders.liaison()))
    assert calls(entry)["czj"].confirmed_at is None


def test_a_unit_that_received_nothing_gets_nothing(rules):
    entry = withdrawn(pushed())
    assert "jyj" not in calls(entry)
    assert not entry.pushes.filter(unit__code__in=["jyj", "rsj"]).exists()


# ── a decision that stands ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, {"remark", "until"}),
        ({"remark": "另有处罚决定"}, {"until"}),
        ({"until": TODAY + DAY}, {"remark"}),
        ({"remark": "另有处罚决定", "until": TODAY - DAY}, {"until"}),
    ],
)
def test_a_decision_that_stands_says_why_and_until_when(rules, fields, wrong):
    lift = push_of(withdrawn(pushed()))
    with pytest.raises(ValidationError) as refusal:
        say(lift, "stands", **fields)
    first = {key for key in refusal.value.error_dict if key.startswith("measures.0.")}
    assert first == {f"measures.0.{name}" for name in wrong}
    assert not Feedback.objects.exists()


def test_a_decision_that_stands_confirms_and_is_told_to_the_department(rules):
    entry = withdrawn(pushed())
    until = TODAY + 90 * DAY
    say(push_of(entry), "stands", remark="另有处罚决定", until=until)
    assert calls(entry)["czj"].confirmed_at
    assert set(push_of(entry).feedback.values_list("until", flat=True)) == {until}
    machine = builders.Machine(builders.clerk())
    rows = machine.get(f"/listings/{entry.public_id}/recalls/")["results"]
    (row,) = [row for row in rows if row["unit"] == "czj"]
    assert row["confirmed"]
    assert {part["remark"] for part in row["measures"]} == {"另有处罚决定"}


def test_a_measure_is_answered_once_in_an_answer(rules):
    push = push_of(pushed())
    actor, code = Actor.of(builders.liaison()), push.measures[0]["code"]
    answers = [{"code": code, "outcome": "applied"}, {"code": code, "outcome": "applied"}]
    with pytest.raises(ValidationError) as refusal:
        jointaction.answer(push, answers, actor=actor, today=TODAY)
    assert list(refusal.value.error_dict) == ["measures.1.code"]


# ── who sees it ───────────────────────────────────────────────────────────────────────────────


def test_the_subject_is_told_of_units_by_name_and_when_each_confirmed(rules):
    entry = withdrawn(pushed())
    today = timezone.localdate()
    assert {row.confirmed_at for row in told(entry, day=today).values()} == {None}
    say(push_of(entry), "lifted")
    found = told(entry, day=today)
    assert found["czj"].confirmed_at
    assert found["ggzy"].confirmed_at is None


def test_to_confirm_a_later_call_confirms_the_earlier_one(rules):
    entry, today = pushed(), timezone.localdate()
    actor = Actor.of(builders.reviewer())
    listings.correct(entry, {"ground": "更正后的事实。"}, actor=actor, note="有误", today=TODAY)
    jointaction.distribute(today=TODAY)
    withdrawn(entry)
    assert told(entry, "correct", today)["czj"].confirmed_at is None
    say(push_of(entry), "lifted")
    assert told(entry, "correct", today)["czj"].confirmed_at
    assert told(entry, "repair", today) == {}


def test_the_entrys_page_at_the_desk_says_who_has_confirmed(rules):
    entry = withdrawn(pushed())
    say(push_of(entry), "lifted")
    desk = builders.signed_in(Client(), builders.clerk())
    page = desk.get(reverse("desk-listing-black", args=[entry.public_id]))
    units = len(entry.pushes.filter(kind="lift"))
    assert f"{units} 个单位，已确认 1 个" in page.content.decode()
    assert page.context["confirmed"] == 1


def test_recalls_cost_the_same_however_many_units(rules):
    entry = withdrawn(pushed())
    with CaptureQueriesContext(connection) as asked:
        jointaction.recalls_of(entry.pushes.answers())
    assert len(asked) == 4
    with CaptureQueriesContext(connection) as asked:
        jointaction.told_of(entry, "withdraw", timezone.localdate())
    assert len(asked) == 2

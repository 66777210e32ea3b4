"""Checks of a past day: what was in force, as known now and as the portal knew it then."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from jointaction import services as jointaction
from jointaction.models import Check, Hit
from listings import ledger
from listings import services as listings
from listings.models import Listing, MeasureSet, ResponsiblePerson
from parties.models import Actor
from tests import builders
from tests.builders import Machine

DAY = timedelta(days=1)
TODAY = date(2026, 11, 23)
START = TODAY - 40 * DAY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]


def check(*subjects, unit="ggzy", today=TODAY, **options):
    actor = Actor.of(builders.liaison(unit))
    business = {"purpose": "示例", "reference": "示例"}
    return jointaction.check(list(subjects), actor=actor, today=today, **business, **options)


def outcome(entry, **options):
    (one,) = check({"code": entry.subject.code}, **options)[1]
    return one.outcome


def withdraw(entry, reason, *, today=TODAY):
    actor = Actor.of(builders.reviewer(entry.department.code))
    listings.withdraw(entry, reason=reason, actor=actor, note="示例", today=today)


def test_a_past_day_is_answered_by_the_days_on_which_the_entry_was_in_force():
    entry = builders.last_public_day(TODAY - 5 * DAY)
    days = (entry.published_on - DAY, entry.published_on, TODAY - 5 * DAY, TODAY - 4 * DAY)
    told = [outcome(entry, as_of=day) for day in days]
    assert told == ["clear", "listed", "listed", "clear"]


def test_what_was_made_in_error_never_was_but_was_believed():
    entry = builders.published_black(today=START)
    before = ledger.head().seq
    withdraw(entry, "error")
    assert outcome(entry, as_of=START) == "clear"
    assert outcome(entry, as_of=START, known_at=before) == "listed"
    assert outcome(entry, as_of=START, known_at=before - 1) == "clear"
    assert outcome(entry, as_of=START, known_at=before + 1) == "clear"


def test_what_was_repaired_was_in_force_until_then():
    entry = builders.red_published(today=START)
    withdraw(entry, "recognition_withdrawn")
    assert outcome(entry, as_of=TODAY - DAY) == "listed"
    assert outcome(entry, as_of=TODAY) == "clear"


def test_a_past_question_leaves_nothing_to_answer_and_one_about_today_does():
    entry = builders.published_black(today=START)
    logged, _results = check({"code": entry.subject.code}, as_of=TODAY - DAY)
    assert (logged.hits, logged.as_of, Hit.objects.count()) == (1, TODAY - DAY, 0)
    logged, _results = check({"code": entry.subject.code}, as_of=TODAY)
    assert (logged.as_of, Hit.objects.count()) == (None, 1)


def test_a_person_released_later_answered_then_as_it_was_known_then():
    named = builders.responsible("李示例")
    today = timezone.localdate()
    start = today - 10 * DAY
    entry = builders.published_black(today=start, responsible_persons=[named])
    before = ledger.head().seq
    ResponsiblePerson.objects.filter(listing=entry).update(ended_on=today + DAY, end_reason="error")
    asked = {name: named[name] for name in ("name", "id_type", "id_number")}
    (now,) = check(asked, today=today, as_of=start)[1]
    (then,) = check(asked, today=today, as_of=start, known_at=before)[1]
    assert (now.outcome, then.outcome) == ("clear", "listed")


def test_measures_run_until_the_day_that_was_known_then():
    entry = builders.published_black(today=START)
    before = ledger.head().seq
    sooner = TODAY + 30 * DAY
    proposal = listings.propose_correction(
        entry,
        {"visible_until": sooner},
        actor=Actor.of(builders.clerk()),
        note="示例：期限写错。",
        today=TODAY,
    )
    listings.approve(proposal, actor=Actor.of(builders.reviewer()), today=TODAY)

    def until(**options):
        (match,) = check({"code": entry.subject.code}, as_of=START, **options)[1][0].matches
        return {row["until"] for row in match.measures}

    assert until() == {sooner}
    assert until(known_at=before) == {entry.visible_until}


def test_measures_are_those_of_the_version_that_was_known_then():
    entry = builders.published_black(today=START)
    before = ledger.head().seq
    (few,) = MeasureSet.objects.bulk_create([MeasureSet(digest="0" * 64, measures=[])])
    Listing.objects.filter(pk=entry.pk).update(measure_set=few)
    asked = {"code": entry.subject.code}
    (now,) = check(asked, as_of=START)[1][0].matches
    (then,) = check(asked, as_of=START, known_at=before)[1][0].matches
    assert (now.measures, len(then.measures)) == ([], 2)


def test_of_an_ended_entry_others_learn_that_it_was_in_force_and_nothing_more():
    today = timezone.localdate()
    entry = builders.red_published(today=today - 20 * DAY)
    withdraw(entry, "recognition_withdrawn", today=today)
    day = str(today - DAY)
    asked = {"code": entry.subject.code}
    body = {"purpose": "示例", "reference": "示例", "as_of": day, "subjects": [asked]}
    (row,) = Machine(builders.liaison("ggzy")).post("/checks/", body, 201)["results"]
    assert row == {
        "index": 0,
        "outcome": "listed",
        "matched_as": "subject",
        "listings": [
            {
                "id": str(entry.public_id),
                "list": "red",
                "status": "withdrawn",
                "ended_on": str(today),
                "end_reason": "recognition_withdrawn",
                "in_force_on": day,
            }
        ],
    }
    (own,) = Machine(builders.clerk("scjg")).post("/checks/", body, 201)["results"]
    assert own["listings"][0]["ground"]


def test_a_position_without_a_day_or_to_come_is_refused_at_its_field():
    builders.published_black()
    machine = Machine(builders.liaison("ggzy"))
    asked = {"purpose": "示例", "reference": "示例", "subjects": [{"code": builders.code_of(1)}]}
    day = str(timezone.localdate() - DAY)
    for fields, where in (
        ({"known_at": 1}, "known_at"),
        ({"known_at": 99, "as_of": day}, "known_at"),
        ({"known_at": 2**63, "as_of": day}, "known_at"),
        ({"known_at": -1, "as_of": day}, "known_at"),
        ({"known_at": "x", "as_of": day}, "known_at"),
        ({"as_of": "2026-02-30"}, "as_of"),
    ):
        assert list(machine.post("/checks/", {**asked, **fields}, 400)["errors"]) == [where]
    assert not Check.objects.exists()
    answer = machine.post("/checks/", {**asked, "as_of": day, "known_at": 0}, 201)
    content = machine.get(f"/checks/{answer['id']}/receipt/")["receipt"]
    assert (content["as_of"], content["known_at"]) == (day, 0)

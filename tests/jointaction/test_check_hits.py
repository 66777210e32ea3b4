"""Hits wait for feedback, by machine or at the desk; those left too long are chased, each once."""

from datetime import date, timedelta

import pytest
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from casework.models import Event
from casework.workdays import add_working_days
from jointaction import services as jointaction
from jointaction.models import Hit
from notices.models import Notice
from parties.models import Actor
from tests import builders
from tests.builders import Machine

DAY = timedelta(days=1)
TODAY = date(2026, 11, 23)
LEAD = settings.LEAD_UNIT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]


def hit(unit="ggzy", today=TODAY):
    entry = builders.published_black(today=today)
    logged, _results = jointaction.check(
        [{"code": entry.subject.code}],
        actor=Actor.of(builders.liaison(unit)),
        purpose="示例",
        reference="示例",
        today=today,
    )
    return Hit.objects.get(check_id=logged.pk)


def journal(one):
    lines = Event.objects.filter(
        content_type=ContentType.objects.get_for_model(Hit), object_id=one.pk
    )
    return list(lines.order_by("pk").values_list("action", "status", "by_label"))


def chase(day):
    jointaction.chase_late_hits(today=day, lead_unit=LEAD)


def test_a_late_hit_is_reminded_of_and_then_told_to_the_lead_unit_each_once():
    late, other = hit(), hit("czj")
    chase(late.feedback_due)
    assert not Notice.objects.exists()
    for _twice in "ab":
        chase(late.feedback_due + DAY)
    assert Notice.objects.filter(key__startswith="hit-late:").count() == 2
    beyond = add_working_days(late.feedback_due, 6)
    for day in (beyond, beyond, beyond + DAY):
        chase(day)
    told = Notice.objects.get(key__startswith="hit-escalated:")
    assert told.department.code == LEAD
    assert builders.department("ggzy").name in told.text
    assert [action for action, _status, _by in journal(late)] == ["remind", "escalate"]
    assert len(journal(other)) == 2


def test_an_answered_hit_is_not_chased_and_its_answer_stands_in_the_journal():
    one = hit()
    actor = Actor.of(builders.liaison("ggzy"))
    said = {"measures": [], "handling": "other", "result": "暂缓办理"}
    jointaction.answer_hit(one, actor=actor, today=TODAY, **said)
    chase(one.feedback_due + 60 * DAY)
    assert journal(one) == [("answer", "answered", str(actor.user))]
    assert not Notice.objects.exists()


def test_an_outage_of_weeks_loses_no_hit():
    one = hit()
    day = one.feedback_due + 60 * DAY
    chase(day)
    chase(day)
    assert [action for action, _status, _by in journal(one)] == ["remind", "escalate"]


def test_chasing_costs_the_same_however_many(django_assert_max_num_queries):
    hits = [hit() for _number in range(6)]
    with django_assert_max_num_queries(16):
        chase(hits[0].feedback_due + 60 * DAY)
    assert Notice.objects.filter(key__startswith="hit-late:").count() == 1


def test_a_pending_hit_is_told_as_the_contract_says_and_leaves_once_answered():
    today = timezone.localdate()
    entry = builders.published_black()
    machine = Machine(builders.liaison("ggzy"))
    body = {"purpose": "示例", "reference": "ZB-1", "subjects": [{"code": entry.subject.code}] * 2}
    answer = machine.post("/checks/", body, 201)
    (one,) = machine.get("/checks/", pending="true")["results"]
    assert (one["id"], one["reference"], one["overdue"]) == (answer["id"], "ZB-1", False)
    assert {row["unit"] for row in one["measures"]} == {"ggzy"}
    assert one["measures"] == answer["results"][0]["listings"][0]["measures"]
    path = f"/checks/{answer['id']}/feedback/"
    said = {
        "listing": one["listing"]["id"],
        "measures": [one["measures"][0]["code"]],
        "handling": "applied",
        "result": "不予通过",
        "remark": "已告知当事人",
        "at": str(today),
    }
    assert list(machine.post(path, {**said, "at": str(today + DAY)}, 400)["errors"]) == ["at"]
    assert list(machine.post(path, {**said, "handling": "none"}, 400)["errors"]) == ["handling"]
    Machine(builders.reviewer("ggzy")).post(path, said, 403)
    told = machine.post(path, said)
    assert told["answered"]
    feedback = Hit.objects.get().feedback.get()
    assert (feedback.outcome, feedback.applied_on, feedback.reference) == ("applied", today, "ZB-1")
    assert machine.get("/checks/", pending="true")["results"] == []
    assert machine.post(path, said, 409)["code"] == "already_answered"

"""When repair may first be asked for, and by when it is accepted and decided."""

import datetime

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from casework.moves import IllegalMove
from notices.models import Notice
from parties.models import PUBLIC, Actor
from repair import services
from rulebook.models import Parameter
from tests import builders

pytestmark = pytest.mark.usefixtures("rules")

SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))
PUBLISHED = datetime.date(2025, 7, 31)
FIRST_DAY = datetime.date(2026, 7, 31)  # a serious entry stays public for a year at least


def at(day):
    moment = datetime.datetime.combine(day, datetime.time(10), SHANGHAI)
    return time_machine.travel(moment, tick=False)


@pytest.fixture
def entry():
    return builders.published_black(unit="zrzy", category="M09", today=PUBLISHED)


def test_the_day_before_the_first_day_is_too_early_and_the_first_day_is_not(entry):
    assert services.earliest(entry) == FIRST_DAY
    with pytest.raises(ValidationError) as refusal:
        builders.repair(entry, today=FIRST_DAY - builders.DAY)
    assert refusal.value.error_dict["received_on"][0].code == "too_early"
    assert str(FIRST_DAY) in refusal.value.messages[0]
    repair, _code = builders.repair(entry, today=FIRST_DAY)
    assert repair.received_on == FIRST_DAY


def test_the_page_of_the_entry_and_the_page_of_repair_name_the_same_day(client, entry):
    with at(datetime.date(2026, 2, 2)):
        own = client.get(reverse("black-entry", args=[entry.public_id])).content.decode()
        door = client.get(f"{reverse('repair-new')}?entry={entry.public_id}").content.decode()
    assert "2026年7月31日" in own
    assert '最早 <span class="nb">2026年7月31日' in door


def test_it_is_accepted_within_three_working_days_and_decided_within_ten_of_that(entry):
    repair, _code = builders.repair(entry, today=datetime.date(2026, 9, 18))
    assert repair.due_on == datetime.date(2026, 9, 22)
    clerk = Actor.of(builders.clerk("zrzy"))
    repair = services.accept(repair, actor=clerk, today=datetime.date(2026, 9, 18))
    assert repair.due_on == datetime.date(2026, 10, 9)


def test_an_overdue_application_is_escalated_once_though_the_clock_stood_still(entry):
    repair, _code = builders.repair(entry, today=datetime.date(2026, 9, 18))
    for day in (22, 27, 28):
        services.chase_due(today=datetime.date(2026, 9, day), lead_unit="fgw")
    told = Notice.objects.filter(key__startswith=f"repair-overdue:{repair.number}:")
    assert sorted(told.values_list("department__code", flat=True)) == ["fgw", "zrzy"]
    repair.refresh_from_db()
    assert repair.escalated_on == datetime.date(2026, 9, 27)


def test_each_period_is_reminded_of_and_escalated_by_itself(entry):
    """Nothing ran for four days at the end of each: what is late is told once all the same."""
    first = datetime.date(2026, 9, 18)
    repair, _code = builders.repair(entry, today=first)
    chase(first, datetime.date(2026, 9, 21), datetime.date(2026, 9, 22))
    clerk = Actor.of(builders.clerk("zrzy"))
    with pytest.raises(IllegalMove):
        services.propose_decision(
            repair,
            actor=clerk,
            outcome="granted",
            reasons="已纠正失信行为，符合修复条件。",
            verification="现场核实。",
            today=first,
        )
    chase(datetime.date(2026, 9, 26), datetime.date(2026, 9, 26))
    repair = services.accept(repair, actor=clerk, today=datetime.date(2026, 9, 28))
    assert (repair.due_on, repair.escalated_on) == (datetime.date(2026, 10, 16), None)
    chase(*(datetime.date(2026, 10, day) for day in (9, 10, 12, 12, 13, 14, 15, 16)))
    assert repair.journal.filter(action="escalate").count() == 1
    chase(datetime.date(2026, 10, 20), datetime.date(2026, 10, 20), datetime.date(2026, 10, 21))
    assert repair.journal.filter(action="escalate").count() == 2
    reminders = Notice.objects.filter(key__startswith="repair-due-", department__code="zrzy")
    assert reminders.count() == 2 + 3  # at 3 and 1 days, then at 5, 3 and 1


def chase(*days):
    for day in days:
        services.chase_due(today=day, lead_unit="fgw")


# ── asked for more ────────────────────────────────────────────────────────────────────────────


def asked(entry, *, stops):
    Parameter.objects.filter(code="repair_accept").update(stops=stops)
    repair, code = builders.repair(entry, today=datetime.date(2026, 9, 18))
    repair = services.ask(
        repair,
        actor=Actor.of(builders.clerk("zrzy")),
        text="缴款凭证看不清，请重新上传清晰的。",
        by=datetime.date(2026, 9, 30),
        today=datetime.date(2026, 9, 21),
    )
    return repair, code


def test_asking_for_more_leaves_the_clock_running_where_its_rule_says_nothing(entry):
    repair, _code = asked(entry, stops=False)
    due = datetime.date(2026, 9, 22)
    assert (repair.status, repair.due_on, repair.stopped_on) == ("awaiting", due, None)
    day = datetime.date(2026, 9, 24)
    repair = services.supplement(repair, actor=PUBLIC, text="已重新上传。", today=day)
    assert (repair.status, repair.due_on) == ("received", due)
    assert repair.is_overdue(day)


def test_where_its_rule_says_so_the_clock_stands_still_until_the_applicant_answers(client, entry):
    repair, code = asked(entry, stops=True)
    chase(datetime.date(2026, 9, 28))
    assert not Notice.objects.filter(key__startswith="repair-overdue").exists()
    with at(datetime.date(2026, 9, 22)):
        client.post(reverse("repair-track"), {"number": repair.number, "query_code": code})
        assert "不计入办理期限" in client.get(reverse("repair-track")).content.decode()
    day = datetime.date(2026, 9, 24)
    repair = services.supplement(repair, actor=PUBLIC, text="已重新上传。", today=day)
    assert repair.due_on == datetime.date(2026, 9, 28)  # the 20th and 21st had been used
    assert not repair.is_overdue(day)


def test_what_comes_after_the_day_that_was_set_does_not_lengthen_the_wait(entry):
    repair, _code = asked(entry, stops=True)
    day = datetime.date(2026, 10, 9)  # and no sweep has come since the 30th
    repair = services.supplement(repair, actor=PUBLIC, text="已重新上传。", today=day)
    assert repair.due_on == datetime.date(2026, 10, 8)


def test_a_clock_that_waits_in_vain_runs_again_after_the_day_that_was_set(entry):
    repair, _code = asked(entry, stops=True)
    for day in (30, 30):
        services.lapse(today=datetime.date(2026, 9, day))
    repair.refresh_from_db()
    assert repair.stopped_on is not None
    for _again in range(2):
        services.lapse(today=datetime.date(2026, 10, 3))
    repair.refresh_from_db()
    assert (repair.status, repair.stopped_on) == ("awaiting", None)
    assert repair.due_on == datetime.date(2026, 10, 8)  # two days had been used
    assert repair.journal.filter(action="resume").count() == 1
    assert Notice.objects.filter(key__startswith="repair-lapsed", department=repair.department)
    repair = services.supplement(
        repair, actor=PUBLIC, text="已重新上传。", today=datetime.date(2026, 10, 5)
    )
    assert (repair.status, repair.due_on) == ("received", datetime.date(2026, 10, 8))


# ── lengthened ────────────────────────────────────────────────────────────────────────────────


def extended(repair, days, *, today, by=None):
    by = by or Actor.of(builders.reviewer("zrzy"))
    reasons = "须待有关单位出具意见，情况复杂。"
    return services.extend(repair, actor=by, days=days, reasons=reasons, today=today)


def test_the_period_to_decide_is_lengthened_only_as_far_as_its_rule_allows(client, entry):
    first = datetime.date(2026, 9, 18)
    repair, code = builders.repair(entry, today=first)
    with pytest.raises(IllegalMove):
        extended(repair, 1, today=first)
    clerk = Actor.of(builders.clerk("zrzy"))
    repair = services.accept(repair, actor=clerk, today=first)
    with pytest.raises(ValidationError):
        extended(repair, 1, today=first)  # the rule as it is allows none
    Parameter.objects.filter(code="repair_decide").update(extendable_by=5)
    with pytest.raises(PermissionDenied):
        extended(repair, 5, today=first, by=clerk)
    for days in (0, 6):
        with pytest.raises(ValidationError):
            extended(repair, days, today=first)
    repair = extended(repair, 5, today=first)
    assert (repair.due_on, repair.extended_days) == (datetime.date(2026, 10, 15), 5)
    with pytest.raises(ValidationError):
        extended(repair, 1, today=first)
    with pytest.raises(IllegalMove):
        extended(repair, 1, today=datetime.date(2026, 10, 16))  # late is late
    with at(datetime.date(2026, 9, 21)):
        client.post(reverse("repair-track"), {"number": repair.number, "query_code": code})
        page = client.get(reverse("repair-track")).content.decode()
    assert "期限延长" in page
    assert "最迟 10月15日" in page


def test_the_tracking_page_says_the_date_that_runs_now(client, entry):
    with at(datetime.date(2026, 9, 18)):
        repair, code = builders.repair(entry)
    with at(datetime.date(2026, 9, 21)):
        client.post(reverse("repair-track"), {"number": repair.number, "query_code": code})
        page = client.get(reverse("repair-track")).content.decode()
    assert "最迟 9月22日" in page
    assert "决定是否受理" in page
    assert "调休上班" in page  # Sunday 20 September is worked

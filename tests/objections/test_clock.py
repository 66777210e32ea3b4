"""The day an objection is due: the same through every door, explained, chased."""

import datetime

import pytest
import time_machine
from django.urls import reverse

from casework.models import CalendarYear, SpecialDay
from casework.services import load_year
from notices.models import Notice
from objections import services
from objections.models import Objection
from parties.models import CLOCK, Actor
from tests import builders

pytestmark = pytest.mark.usefixtures("rules")

SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))

# domain reference 3.3: receipt, due after 15 working days, provisional
VECTORS = [
    ("2025-01-20", "2025-02-14", False),
    ("2025-04-22", "2025-05-15", False),
    ("2025-09-19", "2025-10-16", False),
    ("2025-09-28", "2025-10-24", False),
    ("2026-01-30", "2026-02-27", False),
    ("2026-02-16", "2026-03-13", False),
    ("2026-04-30", "2026-05-25", False),
    ("2026-09-18", "2026-10-15", False),
    ("2026-11-23", "2026-12-14", False),
    ("2026-12-10", "2026-12-31", True),
    ("2026-12-11", "2027-01-04", True),
    ("2027-01-20", "2027-02-16", True),
]


def at(day, hour=10):
    moment = datetime.datetime.combine(day, datetime.time(hour), SHANGHAI)
    return time_machine.travel(moment, tick=False)


def form(**fields):
    return {
        "fields": ["ground"],
        "grounds": "其中 15 名工人工资已通过银行代发，立案时未计入。",
        "applicant_name": "示例申请人",
        "applicant_phone": "0435-0000000",
        **fields,
    }


@pytest.mark.parametrize(("receipt", "due", "provisional"), VECTORS)
def test_the_due_date_is_the_same_at_every_door(client, receipt, due, provisional):
    receipt, due = datetime.date.fromisoformat(receipt), datetime.date.fromisoformat(due)
    with at(receipt - 20 * builders.DAY):
        public, paper, machine = (builders.published_black() for _door in range(3))
    with at(receipt):
        page = client.post(f"{reverse('objection-new')}?entry={public.public_id}", form())
        assert f"{due.year}年{due.month}月{due.day}日" in page.content.decode()
        assert ("暂定" in page.content.decode()) == provisional
    with at(receipt + 3 * builders.DAY):  # it came on paper and is entered days later
        builders.signed_in(client, builders.clerk())
        url = f"{reverse('desk-objection-new')}?entry={paper.public_id}"
        client.post(url, form(received_on=receipt.isoformat()))
        body = {
            "listing": str(machine.public_id),
            "applicant": {"name": "示例申请人", "phone": "0435-0000000"},
            "fields": ["ground"],
            "grounds": form()["grounds"],
            "received_on": receipt.isoformat(),
        }
        told = builders.Machine(builders.clerk()).post("/objections/", body, 201)
        assert (told["due_on"], told["provisional"]) == (due.isoformat(), provisional)
        assert told["explanation"][-1] == {"date": due.isoformat(), "counts": True, "why": "工作日"}
    rows = Objection.objects.filter(listing__in=[public, paper, machine])
    assert len(rows) == 3
    assert set(rows.values_list("received_on", "due_on", "provisional")) == {
        (receipt, due, provisional)
    }
    assert set(rows.values_list("door", flat=True)) == {"platform", "department"}


def test_an_hour_past_midnight_in_shanghai_is_the_next_day_though_it_is_not_in_greenwich(client):
    with time_machine.travel(datetime.datetime(2026, 9, 17, 17, tzinfo=datetime.UTC), tick=False):
        entry = builders.published_black()
        client.post(f"{reverse('objection-new')}?entry={entry.public_id}", form())
    objection = Objection.objects.get(listing=entry)
    assert objection.received_on == datetime.date(2026, 9, 18)
    assert objection.due_on == datetime.date(2026, 10, 15)


def test_the_tracking_page_explains_which_days_count_and_why(client):
    with at(datetime.date(2026, 9, 18)):
        objection, code = builders.objection()
    with at(datetime.date(2026, 9, 28)):
        asked = {"number": objection.number, "query_code": code}
        client.post(reverse("objection-track"), asked)
        page = client.get(reverse("objection-track")).content.decode()
    assert "最迟 10月15日" in page
    assert "放假，不计" in page
    assert "第 6 个工作日" in page
    assert "9 个工作日" in page
    assert "调休上班，计入，是第 1 天" in page


@pytest.fixture
def due_yesterday():
    """An objection of 2026-09-18, due on 2026-10-15, with nobody answering."""
    with at(datetime.date(2026, 9, 18)):
        objection, _code = builders.objection(today=datetime.date(2026, 9, 18))
    return objection


def chase(day):
    with at(day):
        services.chase_due(today=day, lead_unit="fgw")


def told(objection):
    notices = Notice.objects.filter(key__startswith=f"objection-overdue:{objection.number}:")
    return sorted(notices.values_list("department__code", flat=True))


def test_an_overdue_objection_is_escalated_once_though_the_clock_stood_still_for_four_days(
    due_yesterday,
):
    chase(datetime.date(2026, 10, 15))
    assert told(due_yesterday) == []
    for day in (19, 20, 21):
        chase(datetime.date(2026, 10, day))
    assert told(due_yesterday) == ["fgw", "rsj"]
    assert due_yesterday.journal.filter(action="escalate").count() == 1
    due_yesterday.refresh_from_db()
    assert due_yesterday.escalated_on == datetime.date(2026, 10, 19)


def test_the_department_is_reminded_once_for_each_step(due_yesterday):
    for day in (8, 8, 9, 10, 13, 14, 15):
        chase(datetime.date(2026, 10, day))
    keys = Notice.objects.filter(key__startswith="objection-due-").values_list("key", flat=True)
    told = f"{due_yesterday.number}:rsj:2026-10-15"
    steps = [f"objection-due-{step}:{told}" for step in (1, 3, 5)]
    assert sorted(keys) == steps


def test_an_answered_objection_is_neither_reminded_of_nor_escalated(due_yesterday):
    with at(datetime.date(2026, 9, 28)):
        clerk, reviewer = Actor.of(builders.clerk()), Actor.of(builders.reviewer())
        reasons = "经核实，拖欠事实清楚，应予维持。"
        day = datetime.date(2026, 9, 28)
        services.propose_reply(
            due_yesterday, actor=clerk, outcome="rejected", reasons=reasons, today=day
        )
        services.approve_reply(due_yesterday, actor=reviewer, today=datetime.date(2026, 9, 28))
    chase(datetime.date(2026, 10, 14))
    chase(datetime.date(2026, 10, 19))
    assert told(due_yesterday) == []
    assert not Notice.objects.filter(key__startswith="objection-due-").exists()


def test_a_provisional_date_is_counted_anew_once_the_years_notice_is_in(client):
    with at(datetime.date(2026, 12, 11)):
        objection, code = builders.objection()
    assert (objection.due_on, objection.provisional) == (datetime.date(2027, 1, 4), True)
    year = CalendarYear.objects.get(year=2027)
    days = [
        SpecialDay(day=datetime.date(2027, 1, day), year=year, kind="off", name="元旦")
        for day in range(1, 6)
    ]
    source = "示例通知"
    load_year(2027, days, status=CalendarYear.Status.OFFICIAL, source=source, actor=CLOCK)
    for _again in range(2):
        chase(datetime.date(2026, 12, 14))
    objection.refresh_from_db()
    assert (objection.due_on, objection.provisional) == (datetime.date(2027, 1, 6), False)
    line = objection.journal.get(action="recount")
    assert line.changes == {"due_on": ["2027-01-04", "2027-01-06"]}
    with at(datetime.date(2026, 12, 14)):
        client.post(reverse("objection-track"), {"number": objection.number, "query_code": code})
        page = client.get(reverse("objection-track")).content.decode()
    assert "最迟 1月6日" in page
    assert "期限重算" in page

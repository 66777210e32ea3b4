"""When repair may first be asked for, and by when it is accepted and decided."""

import datetime

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.urls import reverse

from notices.models import Notice
from parties.models import Actor
from repair import services
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


def test_the_tracking_page_says_the_date_that_runs_now(client, entry):
    with at(datetime.date(2026, 9, 18)):
        repair, code = builders.repair(entry)
    with at(datetime.date(2026, 9, 21)):
        client.post(reverse("repair-track"), {"number": repair.number, "query_code": code})
        page = client.get(reverse("repair-track")).content.decode()
    assert "最迟 9月22日" in page
    assert "决定是否受理" in page
    assert "调休上班" in page  # Sunday 20 September is worked

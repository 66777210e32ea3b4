"""One row changes a period from a day on; what was received before keeps its days."""

import datetime

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from objections.models import Objection
from parties.models import Actor, User
from repair import services as repairs
from rulebook.models import Parameter, RuleVersion
from tests import builders

pytestmark = pytest.mark.usefixtures("rules")
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))
BEFORE, FROM = datetime.date(2026, 9, 17), datetime.date(2026, 9, 18)


def at(day):
    moment = datetime.datetime.combine(day, datetime.time(10), SHANGHAI)
    return time_machine.travel(moment, tick=False)


def change(code, value, **columns):
    """The operator adds one row in the back office, with the reason."""
    user = User.objects.create_superuser(f"operator-{code}", password=None, full_name="示例管理员")
    old = Parameter.objects.filter(code=code).last()
    row = {
        "code": code,
        "name": old.name,
        "name_en": old.name_en,
        "value": value,
        "unit": old.unit,
        "source": "示例文件",
        "in_force_from": FROM.isoformat(),
        "extendable_by": 0,
        "reason": "按示例文件调整",
        **columns,
    }
    with at(BEFORE):
        page = builders.signed_in(Client(), user)
        assert page.post(reverse("admin:rulebook_parameter_add"), row).status_code == 302
    version = RuleVersion.objects.get(rule="parameter", code=f"{code}@{FROM}")
    assert (version.content["value"], version.reason) == (value, "按示例文件调整")


def filed(client, day, **fields):
    """An objection through the public door on `day`; returns it and the receipt's page."""
    with at(day):
        entry = builders.published_black()
        url = f"{reverse('objection-new')}?entry={entry.public_id}"
        form = client.get(url).content.decode()
        given = {
            "fields": ["ground"],
            "grounds": "其中 15 名工人工资已通过银行代发，立案时未计入。",
            "applicant_name": "示例申请人",
            "applicant_phone": "0435-0000000",
        }
        page = client.post(url, {**given, **fields}).content.decode()
    return Objection.objects.get(listing=entry), form, page


def test_ten_days_from_a_day_on_and_fifteen_for_what_came_before(client):
    change("objection_reply", 10)
    early, form, _page = filed(client, BEFORE)
    assert "15 个工作日内" in form
    late, form, page = filed(client, FROM)
    assert "10 个工作日内" in form
    assert "数满 10 个" in page
    assert (early.period_days, early.due_on) == (15, datetime.date(2026, 10, 14))
    assert (late.period_days, late.due_on) == (10, datetime.date(2026, 10, 9))
    with at(FROM):
        assert "10 个工作日内书面答复" in Client().get(reverse("home")).content.decode()


def test_what_came_on_paper_before_the_day_keeps_its_days_though_it_is_entered_later():
    change("objection_reply", 10)
    with at(FROM + 3 * builders.DAY):
        entry, clerk = builders.published_black(), builders.clerk()
        matter, _code = builders.objection(entry, received_on=BEFORE, by=clerk)
    assert matter.period_days == 15


def test_each_period_of_a_repair_has_its_own_row():
    change("repair_accept", 2)
    change("repair_decide", 7)
    with at(BEFORE):
        early, _code = builders.repair()
    assert early.period_days == 3
    with at(FROM):
        late, _code = builders.repair()
        accepted = repairs.accept(early, actor=Actor.of(builders.clerk("zrzy")), today=FROM)
    assert late.period_days == 2
    assert accepted.period_days == 7  # accepted once the new row was in force


def test_the_row_says_whether_the_clock_stands_still_and_how_far_it_may_be_extended():
    change("objection_reply", 10, stops="on", extendable_by=5)
    row = Parameter.objects.get(code="objection_reply", in_force_from=FROM)
    assert (row.stops, row.extendable_by) == (True, 5)

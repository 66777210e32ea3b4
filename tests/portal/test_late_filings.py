"""What is late stays in sight until it is settled; what waits for the applicant is not late."""

import datetime

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from objections import services as objections
from parties.models import Actor
from portal.services import Matters
from repair import services as repairs
from rulebook.models import Parameter
from tests import builders

pytestmark = pytest.mark.usefixtures("rules")
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))
RECEIVED, ASKED, LATE = (datetime.date(2026, *day) for day in ((9, 18), (9, 21), (10, 20)))
TEXT = "请补充能说明情况的材料，例如银行代发工资的回单。"


def at(day):
    moment = datetime.datetime.combine(day, datetime.time(10), SHANGHAI)
    return time_machine.travel(moment, tick=False)


@pytest.fixture
def filings():
    with at(RECEIVED):
        listing = builders.repairable(today=RECEIVED)
        return [builders.objection(listing)[0], builders.repair(listing)[0]]


def board():
    with at(LATE):
        page = builders.signed_in(Client(), builders.supervisor()).get(reverse("desk-supervision"))
    lines = {line.unit.code: line for line in page.context["lines"]}
    return page.context["late"], lines["zrzy"], page.content.decode()


def test_the_supervisors_board_names_both_kinds_until_they_are_settled(filings):
    late, line, page = board()
    assert late == [filings[1], filings[0]]  # the repair was due first
    assert (line.objections.whole, line.repairs.whole) == (1, 1)
    for filing in filings:
        assert filing.number in page
        assert str(filing.public_id) in page
    with at(LATE):
        clerk, reviewer = Actor.of(builders.clerk("zrzy")), Actor.of(builders.reviewer("zrzy"))
        reasons = "经核实，拖欠事实清楚，应予维持。"
        objections.propose_reply(
            filings[0], actor=clerk, outcome="rejected", reasons=reasons, today=LATE
        )
        objections.approve_reply(filings[0], actor=reviewer, today=LATE)
        repairs.not_accept(filings[1], actor=clerk, reasons=reasons, today=LATE)
    late, line, page = board()
    assert late == []
    assert (line.objections.part, line.repairs.part) == (0, 0)
    assert filings[0].number not in page


def test_a_clock_that_stands_still_is_late_nowhere(filings):
    Parameter.objects.filter(code__in=["objection_reply", "repair_accept"]).update(stops=True)
    clerk = builders.clerk("zrzy")
    with at(ASKED):
        for service, filing in zip((objections, repairs), filings, strict=True):
            service.ask(filing, actor=Actor.of(clerk), text=TEXT, by=LATE, today=ASKED)
    late, line, _page = board()
    assert late == []
    assert (line.objections.whole, line.repairs.whole) == (0, 0)
    matters = Matters(clerk, today=LATE)
    assert (matters.groups["overdue"], matters.groups["later"]) == (0, 2)
    assert {matter.due for matter in matters[0:10]} == {None}
    with at(LATE):
        for service, filing in zip((objections, repairs), filings, strict=True):
            service.supplement(filing, actor=Actor.of(clerk), text="示例", today=LATE)
    assert {matter.number for matter in Matters(clerk, today=LATE)[0:10] if matter.due} == {
        filing.number for filing in filings
    }


def test_the_board_costs_no_query_per_late_filing(filings, django_assert_max_num_queries):
    supervisor = builders.signed_in(Client(), builders.supervisor())
    with at(RECEIVED):
        for _number in range(5):
            builders.objection()
    with at(LATE), django_assert_max_num_queries(20):
        assert len(supervisor.get(reverse("desk-supervision")).context["late"]) == 7

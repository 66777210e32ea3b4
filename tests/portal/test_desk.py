"""The desk's first page, its lock, the inbox and the supervisor's board."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from casework.workdays import add_working_days, countdown, working_days_between
from jointaction import services as jointaction
from jointaction.models import Push
from listings import services as listings
from notices.models import Notice
from objections import services as objections
from parties.models import Actor, User
from portal.services import Matters
from tests import builders

DAY = timedelta(days=1)


@pytest.fixture
def desk(rules):
    return lambda user: builders.signed_in(Client(), user)


@pytest.fixture
def today():
    return timezone.localdate()


def home_of(client, **query):
    response = client.get(reverse("desk-home"), query)
    assert response.status_code == 200
    return response


PAGES = (
    "desk-home",
    "desk-listings",
    "desk-pushes",
    "desk-checks",
    "desk-notices",
    "desk-supervision",
)


@pytest.mark.parametrize("name", PAGES)
def test_nobody_enters_without_the_second_factor(client, rules, name):
    sign_in = f"{reverse('sign-in')}?next={reverse(name)}"
    assert client.get(reverse(name)).url == sign_in
    client.force_login(builders.clerk(), backend="parties.desk.StaffBackend")
    assert client.get(reverse(name)).url == sign_in
    assert client.get(reverse("sign-in")).status_code == 200  # and is not sent round in a circle


def test_staff_without_a_department_are_refused(rules, desk):
    user = User.objects.create(username="nobody", full_name="示例无单位", roles=["clerk"])
    assert desk(user).get(reverse("desk-home")).status_code == 403


def test_no_page_of_the_desk_is_kept_by_a_browser(desk):
    assert "no-store" in home_of(desk(builders.clerk()))["Cache-Control"]


def test_an_empty_desk_says_so(desk):
    assert "没有待办的事项" in home_of(desk(builders.clerk("tw"))).content.decode()


def test_matters_of_every_kind_stand_in_the_order_of_their_days(desk, today):
    old = builders.published_black(today=today - 60 * DAY)
    jointaction.distribute(today=today - 60 * DAY)
    due_today = builders.published_black(today=today - 40 * DAY)
    received = today - 40 * DAY
    while add_working_days(received, 15) < today:
        received += DAY
    late, _code = builders.objection(old, received_on=today - 50 * DAY)
    now, _code = builders.objection(due_today, received_on=received)
    fresh, _code = builders.objection(builders.published_black())
    draft = builders.black_draft()
    page = home_of(desk(builders.reviewer()))
    text = page.content.decode()
    order = [late.number, now.number, fresh.number, draft.document_number]
    places = [text.index(number) for number in order]
    assert places == sorted(places)
    assert "已逾期　1 件" in text
    assert "逾期" in text[: places[1]]
    assert "个工作日" in text
    assert page.context["page"].paginator.count == 4
    assert {name: n for name, _label, n in page.context["tabs"]} == {
        "objection": 3, "repair": 0, "report": 0, "approval": 1, "review": 0, "push": 0, "lift": 0,
        "hit": 0,
    }  # fmt: skip
    assert old.subject.name not in home_of(desk(builders.clerk("jyj"))).content.decode()


def test_what_awaits_approval_is_shown_to_who_may_approve_it(desk, today):
    ready, lacking = builders.black_draft(), builders.black_draft(notice=False)
    red = builders.red_draft()
    listing = builders.published_black()
    proposal = listings.propose_withdrawal(
        listing, reason="error", actor=Actor.of(builders.clerk()), note="主体认定有误。"
    )
    objection, _code = builders.objection(builders.published_black())
    objections.propose_reply(
        objection,
        actor=Actor.of(builders.clerk()),
        outcome="rejected",
        reasons="经核查，列入的依据有效。",
        today=timezone.localdate(),
    )
    text = home_of(desk(builders.reviewer()), kind="approval").content.decode()
    assert reverse("desk-listing-black-publish", args=[ready.public_id]) in text
    assert reverse("desk-listing-black-publish", args=[lacking.public_id]) not in text
    assert reverse("desk-listing-proposal", args=[proposal.public_id]) in text
    assert objection.number in text
    assert str(red.public_id) not in text
    assert str(red.public_id) in home_of(desk(builders.reviewer("scjg"))).content.decode()
    clerk = home_of(desk(builders.clerk()))
    tabs = {name: n for name, _label, n in clerk.context["tabs"]}
    assert tabs["approval"] == 0
    assert tabs["objection"] == 1


def test_a_unit_sees_its_pushes_lifts_and_hits(desk, today):
    listing = builders.published_black()
    jointaction.distribute(today=today)
    ended = builders.published_black()
    jointaction.distribute(today=today)
    withdrawal = listings.propose_withdrawal(
        ended, reason="error", actor=Actor.of(builders.clerk()), note="主体认定有误。"
    )
    listings.approve(withdrawal, actor=Actor.of(builders.reviewer()), today=today)
    jointaction.distribute(today=today)
    jointaction.check(
        [{"code": listing.subject.code}],
        actor=Actor.of(builders.liaison("ggzy")),
        purpose="投标资格审查",
        reference="GGZY-1",
        today=today,
    )
    page = home_of(desk(builders.liaison("ggzy")))
    tabs = {name: n for name, _label, n in page.context["tabs"]}
    assert (tabs["push"], tabs["lift"], tabs["hit"]) == (1, 1, 1)
    push = Push.objects.get(unit__code="ggzy", kind="lift")
    lifts = home_of(desk(builders.liaison("ggzy")), kind="lift").content.decode()
    assert push.number in lifts
    assert "待解除" in lifts


def test_matters_are_found_by_subject_and_by_number(desk, today):
    one = builders.published_black(builders.firm("通化示例甲字建筑工程有限公司"))
    two = builders.published_black(builders.firm("通化示例乙字建筑工程有限公司"))
    first, _code = builders.objection(one)
    second, _code = builders.objection(two)
    clerk = desk(builders.clerk())
    assert second.number not in home_of(clerk, q="甲字").content.decode()
    assert first.number not in home_of(clerk, q=second.number).content.decode()
    assert first.number in home_of(clerk, q=one.subject.code).content.decode()
    assert "没有符合条件的事项" in home_of(clerk, q="丙字").content.decode()
    jointaction.distribute(today=today)
    push = Push.objects.get(unit__code="ggzy", listing=one)
    found = home_of(desk(builders.liaison("ggzy")), q=push.number)
    assert found.context["page"].paginator.count == 1


def test_a_person_is_not_found_by_name(desk, today):
    builders.objection(builders.published_black(builders.person("赵示例")))
    entry = builders.repairable(
        category="M05", unit="rsj", term_months=24, subject=builders.person("赵示例")
    )
    builders.repair(entry)
    clerk = desk(builders.clerk())
    for name in ("desk-home", "desk-objections", "desk-repairs", "desk-listings", "desk-pushes"):
        found = clerk.get(reverse(name), {"q": "赵示例"})
        assert found.context["page"].paginator.count == 0, name


def test_the_page_asks_as_many_questions_for_many_matters_as_for_few(
    desk, today, django_assert_max_num_queries
):
    clerk = desk(builders.officer("rsj", "clerk", "reviewer"))
    builders.objection(builders.published_black())
    with django_assert_max_num_queries(32):
        home_of(clerk)
    for _n in range(24):
        builders.objection(builders.published_black())
        builders.black_draft()
    with django_assert_max_num_queries(32):
        page = home_of(clerk)
    assert len(page.context["page"].object_list) == 20
    last = home_of(clerk, page=3).context["page"]
    assert len(last.object_list) == 9
    everything = Matters(builders.officer("rsj", "clerk", "reviewer"), today=today)[0:100]
    assert len({(matter.url, matter.number) for matter in everything}) == 49


def test_the_inbox_is_the_departments_own_and_can_be_marked_read(desk, today):
    builders.published_black()
    jointaction.distribute(today=today)
    liaison = desk(builders.liaison("ggzy"))
    page = liaison.get(reverse("desk-notices")).content.decode()
    assert "联合奖惩推送" in page
    assert "未读" in page
    liaison.post(reverse("desk-notices-read"))
    assert not Notice.objects.filter(department__code="ggzy", read_at=None).exists()
    assert Notice.objects.filter(department__code="czj", read_at=None).exists()
    assert "没有未读的" in liaison.get(reverse("desk-notices")).content.decode()


def test_the_board_counts_by_unit_and_names_the_late_first(desk, today):
    start = today - 60 * DAY
    listing = builders.published_black(today=start)
    jointaction.distribute(today=start)
    push = Push.objects.get(unit__code="ggzy", listing=listing)
    liaison = Actor.of(builders.liaison("ggzy"))
    answers = [{"code": row["code"], "outcome": "applied"} for row in push.measures]
    jointaction.answer(push, answers, actor=liaison, today=start)
    builders.objection(listing, received_on=today - 50 * DAY)
    supervisor = desk(builders.supervisor())
    page = supervisor.get(reverse("desk-supervision"), {"year": today.year})
    lines = {line.unit.code: line for line in page.context["lines"]}
    assert (lines["ggzy"].pushed, lines["ggzy"].answered, lines["ggzy"].overdue) == (1, 1, 0)
    assert (lines["czj"].answered, lines["czj"].overdue) == (0, 1)
    assert (lines["rsj"].objections.part, lines["rsj"].objections.whole) == (0, 1)
    assert page.context["lines"][0].overdue == 1
    assert page.context["total"]["overdue"] == sum(line.overdue for line in lines.values())
    assert "逾期 1 件" in page.content.decode()
    assert "督办" in home_of(supervisor).content.decode()
    assert desk(builders.clerk()).get(reverse("desk-supervision")).status_code == 403
    assert desk(builders.auditor()).get(reverse("desk-supervision")).status_code == 200


def test_the_board_closes_the_loop_from_push_to_confirmed_recall(desk, today):
    acted, ended = builders.published_black(), builders.published_black()
    jointaction.distribute(today=today)
    ggzy = Actor.of(builders.liaison("ggzy"))
    for listing, outcome in ((acted, "applied"), (ended, "declined")):
        push = Push.objects.get(unit__code="ggzy", listing=listing)
        answers = [
            {"code": row["code"], "outcome": outcome, "remark": "示例"} for row in push.measures
        ]
        jointaction.answer(push, answers, actor=ggzy, today=today)
    czj = Push.objects.get(unit__code="czj", listing=acted)
    jointaction.acknowledge(czj, actor=Actor.of(builders.liaison("czj")))
    actor = Actor.of(builders.reviewer())
    listings.withdraw(ended, reason="error", actor=actor, note="列错", today=today)
    jointaction.distribute(today=today)
    lift = Push.objects.get(unit__code="ggzy", listing=ended, kind="lift")
    answers = [{"code": row["code"], "outcome": "lifted"} for row in lift.measures]
    jointaction.answer(lift, answers, actor=ggzy, today=today)

    page = desk(builders.supervisor()).get(reverse("desk-supervision"), {"year": today.year})
    lines = {line.unit.code: line for line in page.context["lines"]}

    def told(line):
        return line.pushed, line.acknowledged, line.acted, line.answered, line.recalls

    # of ggzy: applied, declined, lifted; of czj: one acknowledged, one superseded, one to lift
    assert told(lines["ggzy"])[:4] == (3, 3, 2, 3)
    assert (lines["ggzy"].recalls.part, lines["ggzy"].recalls.whole) == (1, 1)
    assert told(lines["czj"])[:4] == (2, 1, 0, 0)
    assert (lines["czj"].recalls.part, lines["czj"].recalls.whole) == (0, 1)
    assert page.context["total"]["acted"] == 2


def test_the_board_leads_to_what_a_unit_is_late_with(desk, today):
    builders.published_black(today=today - 60 * DAY)
    jointaction.distribute(today=today - 60 * DAY)
    supervisor = desk(builders.supervisor())
    late = f"{reverse('desk-pushes')}?status=overdue&amp;unit=czj"
    assert late in supervisor.get(reverse("desk-supervision")).content.decode()
    page = supervisor.get(reverse("desk-pushes"), {"status": "overdue", "unit": "czj"})
    assert [push.unit.code for push in page.context["page"]] == ["czj"]


def test_the_board_takes_no_year_but_a_known_one(desk, today):
    supervisor = desk(builders.supervisor())
    for year in ("1999", "x", ""):
        page = supervisor.get(reverse("desk-supervision"), {"year": year})
        assert page.context["year"] == today.year


def test_a_countdown_of_many_days_equals_the_count_of_each(rules, today):
    days = [today + n * DAY for n in range(-40, 41, 7)]
    counted = countdown(today, days)
    assert counted == {day: working_days_between(today, day) for day in days}

"""The desk's first page as its user asks for it: filters, order, kept views."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from casework.workdays import add_working_days
from jointaction import services as jointaction
from jointaction.models import Push
from objections import services as objections
from parties.models import Actor
from portal.models import SavedView
from portal.services import keep_view
from tests import builders

DAY = timedelta(days=1)
HOME = "/desk/"


@pytest.fixture
def today():
    return timezone.localdate()


@pytest.fixture
def desk(rules):
    return lambda user: builders.signed_in(Client(), user)


@pytest.fixture
def clerk(desk):
    return desk(builders.clerk())


def numbers(page):
    return [matter.number for matter in page.context["page"].object_list]


def asked(client, **query):
    page = client.get(HOME, query)
    assert page.status_code == 200
    return page


@pytest.fixture
def three(rules, today):
    """An objection that is late, one that is begun, and one that is new."""
    old = builders.published_black(today=today - 60 * DAY)
    late, _code = builders.objection(old, received_on=today - 50 * DAY)
    begun, _code = builders.objection(builders.published_black())
    begun = objections.investigate(begun, actor=Actor.of(builders.clerk()), note="已调取材料。")
    new, _code = builders.objection(builders.published_black())
    return late, begun, new


def test_a_group_of_days_can_be_asked_for_and_the_others_are_still_counted(clerk, three):
    late, begun, new = three
    page = asked(clerk, due="overdue")
    assert numbers(page) == [late.number]
    assert {str(title): n for title, n, _rows in page.context["groups"]} == {"已逾期": 1}
    assert {name: n for name, _label, n in page.context["tabs"]}["objection"] == 1
    assert set(numbers(asked(clerk, due="later"))) == {begun.number, new.number}
    assert numbers(asked(clerk, due="today")) == []


def test_a_state_can_be_asked_for(clerk, three, today):
    late, begun, new = three
    assert numbers(asked(clerk, state="begun")) == [begun.number]
    assert numbers(asked(clerk, state="new")) == [late.number, new.number]
    assert "没有符合条件的事项" in asked(clerk, state="paused").content.decode()


def test_a_state_of_pushes_too_and_what_is_ordered(desk, today):
    builders.published_black()
    builders.published_black()
    jointaction.distribute(today=today)
    liaison = builders.liaison("czj")
    first, second = Push.objects.of_unit(liaison.department_id).order_by("pk")
    jointaction.acknowledge(first, actor=Actor.of(liaison))
    order = {"note": "请立即反馈。", "by": today, "today": today}
    jointaction.order(second, actor=Actor.of(builders.supervisor()), **order)
    browser = desk(liaison)
    assert numbers(asked(browser, state="begun")) == [first.number]
    assert numbers(asked(browser, state="ordered")) == [second.number]


def test_my_own_are_those_where_i_did_something_and_those_that_wait_for_my_word(desk, three):
    _late, begun, _new = three
    draft = builders.black_draft()
    assert numbers(asked(desk(builders.clerk()), who="mine")) == [begun.number]
    reviewer = asked(desk(builders.reviewer()), who="mine")
    assert numbers(reviewer) == [draft.reference or draft.document_number]
    assert len(numbers(asked(desk(builders.reviewer())))) == 4


def test_a_hit_is_the_own_of_who_asked(desk, today):
    entry = builders.published_black()
    liaison = builders.liaison("ggzy")
    other = builders.officer("ggzy", "liaison", username="ggzy-other")
    question = {"purpose": "审查", "reference": "1", "today": today}
    jointaction.check([{"code": entry.subject.code}], actor=Actor.of(liaison), **question)
    assert len(numbers(asked(desk(liaison), who="mine", kind="hit"))) == 1
    assert numbers(asked(desk(other), who="mine", kind="hit")) == []
    assert len(numbers(asked(desk(other), kind="hit"))) == 1


def test_the_order_can_be_turned_and_kinds_can_stand_together(desk, three, today):
    late, _begun, _new = three
    builders.black_draft()
    reviewer = desk(builders.reviewer())
    assert numbers(asked(reviewer))[0] == late.number
    assert numbers(asked(reviewer, sort="late"))[-1] == late.number
    page = asked(reviewer, sort="kind")
    assert [(str(title), n) for title, n, _rows in page.context["groups"]] == [
        ("异议", 3),
        ("审核", 1),
    ]


@pytest.mark.parametrize("field", ["due", "state", "who", "sort", "kind"])
def test_what_cannot_be_asked_for_is_said_and_narrows_nothing(clerk, three, field):
    page = asked(clerk, **{field: "nosuch"})
    assert "有 1 处需要修改" in page.content.decode()
    assert len(numbers(page)) == 3


def test_a_page_of_the_inbox_costs_the_same_whatever_is_asked(desk, three, today):
    browser = desk(builders.officer("rsj", "clerk", "reviewer", "liaison", username="rsj-all"))
    question = {"who": "mine", "state": "new", "due": "later", "sort": "kind", "q": "示例"}
    asked(browser, **question)
    for query in ({}, {"who": "mine"}, question):
        with CaptureQueriesContext(connection) as queries:
            asked(browser, **query)
        assert len(queries) <= 34, query


# ── views ─────────────────────────────────────────────────────────────────────────────────────


def _keep(client, name, **asked_for):
    return client.post(reverse("desk-views"), {"name": name, **asked_for})


def test_a_question_is_kept_under_a_name_and_asked_again(clerk, three):
    late, _begun, _new = three
    kept = _keep(clerk, "逾期的异议", kind="objection", due="overdue", q="", nosuch="x")
    view = SavedView.objects.get()
    assert view.query == "kind=objection&due=overdue"
    assert kept.url == f"{HOME}?{view.query}"
    page = clerk.get(kept.url)
    assert numbers(page) == [late.number]
    assert page.context["view"] == view


def test_the_same_name_keeps_the_new_question(clerk):
    _keep(clerk, "我的", due="overdue")
    _keep(clerk, "我的", due="today")
    assert [view.query for view in SavedView.objects.all()] == ["due=today"]


def test_the_desk_opens_with_the_default_view_and_everything_is_one_click_away(clerk, three):
    _keep(clerk, "逾期", due="overdue", default="on")
    _keep(clerk, "今天", due="today", default="on")
    assert SavedView.objects.filter(is_default=True).get().name == "今天"
    assert clerk.get(HOME).url == f"{HOME}?due=today"
    everything = clerk.get(HOME, {"kind": ""})
    assert len(numbers(everything)) == 3
    assert 'href="?kind="' in asked(clerk, due="today").content.decode()
    today = SavedView.objects.get(name="今天")
    clerk.post(reverse("desk-view", args=[today.public_id]), {"act": "plain"})
    assert clerk.get(HOME).status_code == 200


def test_a_view_can_be_made_the_default_and_deleted(clerk):
    _keep(clerk, "逾期", due="overdue")
    view = SavedView.objects.get()
    address = reverse("desk-view", args=[view.public_id])
    clerk.post(address, {"act": "default"})
    assert SavedView.objects.get().is_default
    assert clerk.post(address, {"act": "nosuch"}).status_code == 404
    clerk.post(address, {"act": "forget"})
    assert not SavedView.objects.exists()
    assert clerk.post(address, {"act": "forget"}).status_code == 404


def test_a_view_belongs_to_its_user_alone(clerk, desk):
    _keep(clerk, "逾期", due="overdue", default="on")
    view = SavedView.objects.get()
    colleague = desk(builders.reviewer())
    assert "逾期</a>" not in colleague.get(HOME).content.decode()
    answer = colleague.post(reverse("desk-view", args=[view.public_id]), {"act": "forget"})
    assert answer.status_code == 404
    assert SavedView.objects.exists()


def test_a_user_keeps_twenty_views_and_no_more(rules, clerk):
    user = builders.clerk()
    for n in range(20):
        keep_view(user, name=f"视图{n}", query="due=today")
    answer = _keep(clerk, "第二十一个", due="today")
    assert answer.status_code == 400
    assert "最多保存 20 个视图" in answer.content.decode()
    keep_view(user, name="视图3", query="due=soon")  # an old name is no new view
    with pytest.raises(ValidationError):
        keep_view(user, name="又一个", query="")
    assert SavedView.objects.count() == 20


@pytest.mark.parametrize("name", ["", "x" * 41, "\0"])
def test_a_name_that_cannot_be_kept_is_refused_at_its_field(clerk, name):
    answer = _keep(clerk, name, due="overdue")
    assert answer.status_code == 400
    assert answer.context["view_form"].errors["name"]
    assert not SavedView.objects.exists()


def test_the_day_of_a_group_follows_the_working_calendar(clerk, today):
    received = today - 40 * DAY
    while add_working_days(received, 15) < today:
        received += DAY
    matter, _code = builders.objection(
        builders.published_black(today=today - 40 * DAY), received_on=received
    )
    group = "today" if matter.due_on == today else "soon"
    assert numbers(asked(clerk, due=group)) == [matter.number]


# ── keys ──────────────────────────────────────────────────────────────────────────────────────


def test_the_script_of_the_keys_is_sent_only_where_they_are_switched_on(clerk):
    assert "desk.js" in asked(clerk).content.decode()
    back = clerk.post(reverse("display"), {"shortcuts": "off", "next": "/desk/?due=today"})
    assert back.url == "/desk/?due=today"
    text = asked(clerk).content.decode()
    assert "desk.js" not in text
    assert "<dialog" not in text
    clerk.post(reverse("display"), {"shortcuts": "nosuch"})
    assert "desk.js" not in asked(clerk).content.decode()
    clerk.post(reverse("display"), {"shortcuts": "on"})
    assert "desk.js" in asked(clerk).content.decode()


def test_the_switch_leads_back_to_a_page_that_can_be_opened(clerk):
    refused = _keep(clerk, "", due="overdue")
    assert 'name="next" value="/desk/"' in refused.content.decode()

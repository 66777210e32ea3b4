"""Endpoints at the API and the desk: whose they are, what is asked of them, who may do what."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from casework.moves import IllegalMove
from jointaction.models import Delivery, Endpoint
from jointaction.services import webhooks
from jointaction.services.webhooks import endpoints
from parties.models import Actor, Role
from tests import builders
from tests.builders import Machine, clerk, liaison

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]
BODY = {"url": "https://1.1.1.1/hook", "events": ["push.created", "listing.published"]}


@pytest.fixture
def machine():
    return Machine(liaison("czj"))


@pytest.fixture
def made(machine):
    return machine.post("/endpoints/", BODY, 201)


def told(deliveries=3, *, status="dead"):
    """Deliveries of the only endpoint in a state."""
    for _number in range(deliveries):
        builders.published_black()
    webhooks.announce_changes()
    Delivery.objects.update(status=status, attempts=7, tried_at=timezone.now())


# ── the API ───────────────────────────────────────────────────────────────────────────────────


def test_an_endpoint_is_made_and_its_secret_told_once(machine, made):
    assert list(made) == [
        "id", "url", "events", "status", "disabled_reason", "failing_since",
        "previous_secret_until", "created_at", "version", "secret",
    ]  # fmt: skip
    assert made["secret"].startswith("whsec_")
    assert len(made["secret"]) == 6 + 44
    (listed,) = machine.get("/endpoints/")["results"]
    assert listed == {name: value for name, value in made.items() if name != "secret"}
    assert machine.get(f"/endpoints/{made['id']}/") == listed
    assert made["secret"].encode() not in bytes(Endpoint.objects.get().secret_sealed)


def test_the_answer_that_holds_a_secret_is_kept_by_nobody(machine, made):
    address = f"/api/v1/endpoints/{made['id']}/rotate/"
    answer = machine.client.post(address, {"hours": 2}, "json")
    assert answer["Cache-Control"] == "no-store"
    new = answer.json()
    assert new["secret"] != made["secret"]
    until = parse_datetime(new["previous_secret_until"]) - timezone.now()
    assert 7_100 < until.total_seconds() <= 7_200


def test_asked_again_under_the_same_key_there_is_one_endpoint_with_one_secret(machine):
    again = {"Idempotency-Key": "1"}
    first = machine.post("/endpoints/", BODY, 201, headers=again)
    assert machine.post("/endpoints/", BODY, 201, headers=again) == first
    assert Endpoint.objects.count() == 1


def test_each_thing_that_is_wrong_is_named(machine):
    for change, where in (
        ({"url": "http://1.1.1.1/"}, "url"),
        ({"url": "https://169.254.169.254/latest/"}, "url"),
        ({"url": "https://[::1]/"}, "url"),
        ({"url": "https://0x7f000001/"}, "url"),
        ({"url": 5}, "url"),
        ({"url": "x" * 9_000}, "url"),
        ({"url": None}, "url"),
        ({"events": []}, "events"),
        ({"events": "push.created"}, "events"),
        ({"events": ["push.lost"]}, "events.0"),
        ({"secret": "whsec_mine"}, "secret"),
    ):
        problem = machine.post("/endpoints/", {**BODY, **change}, 400)
        assert list(problem["errors"]) == [where], change
    assert machine.post("/endpoints/", {}, 400)["errors"].keys() == {"url", "events"}
    assert not Endpoint.objects.exists()


def test_an_address_is_registered_once_and_again_after_it_was_deleted(machine, made):
    assert machine.post("/endpoints/", BODY, 409)["code"] == "duplicate"
    Machine(clerk("rsj")).post("/endpoints/", BODY, 201)
    assert machine.client.delete(f"/api/v1/endpoints/{made['id']}/").status_code == 204
    machine.get(f"/endpoints/{made['id']}/", 404)
    assert machine.client.delete(f"/api/v1/endpoints/{made['id']}/").status_code == 404
    machine.post("/endpoints/", BODY, 201)
    closed = Endpoint.objects.get(status="closed")
    assert (closed.secret_sealed, closed.previous_sealed) == (None, None)
    assert closed.journal.last().action == "close"


def test_a_department_has_so_many_endpoints_and_no_more(machine, monkeypatch):
    monkeypatch.setattr(endpoints, "MOST", 1)
    machine.post("/endpoints/", BODY, 201)
    problem = machine.post("/endpoints/", {**BODY, "url": "https://1.1.1.1/b"}, 400)
    assert list(problem["errors"]) == ["url"]


def test_what_is_another_departments_is_not_found(made):
    told(1)
    delivery = Delivery.objects.get().public_id
    stranger = Machine(clerk("rsj"))
    assert stranger.get("/endpoints/")["results"] == []
    address = f"/endpoints/{made['id']}/"
    for path in (address, f"{address}deliveries/"):
        stranger.get(path, 404)
    for act in ("ping", "rotate", "disable", "enable", "replay"):
        stranger.post(f"{address}{act}/", {}, 404)
    stranger.post(f"/deliveries/{delivery}/redeliver/", {}, 404)
    assert stranger.client.delete(f"/api/v1{address}").status_code == 404


def test_the_scope_is_manage(made):
    for scope in ("read", "publish", "feedback", "check"):
        other = Machine(liaison("czj"), scope)
        other.get("/endpoints/", 403)
        other.post("/endpoints/", BODY, 403)
        other.post(f"/endpoints/{made['id']}/ping/", {}, 403)
        assert other.client.delete(f"/api/v1/endpoints/{made['id']}/").status_code == 403


def test_a_trial_waits_for_the_sweep(machine, made):
    waiting = machine.post(f"/endpoints/{made['id']}/ping/", {}, 202)
    assert (waiting["event"], waiting["status"], waiting["attempts"]) == (
        "endpoint.ping", "waiting", 0,
    )  # fmt: skip
    assert machine.post(f"/endpoints/{made['id']}/ping/", {}, 202)["id"] == waiting["id"]


def test_an_endpoint_is_stopped_and_started_at_the_version_that_was_seen(machine, made):
    path = f"/endpoints/{made['id']}"
    machine.post(f"{path}/enable/", {}, 409)
    machine.post(f"{path}/disable/", {"version": 9}, 412)
    etag = machine.client.get(f"/api/v1{path}/")["ETag"]
    stopped = machine.post(f"{path}/disable/", {}, headers={"If-Match": etag})
    assert (stopped["status"], stopped["disabled_reason"]) == ("disabled", "by_hand")
    machine.post(f"{path}/replay/", {}, 409)
    machine.post(f"{path}/disable/", {}, 409)
    started = machine.post(f"{path}/enable/", {"version": 2})
    assert (started["status"], started["disabled_reason"]) == ("active", None)
    stale = machine.client.delete(f"/api/v1{path}/", headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert [line.action for line in Endpoint.objects.get().journal.all()] == [
        "create", "disable", "enable",
    ]  # fmt: skip


def test_deliveries_are_told_by_state_and_sent_again_one_by_one_or_all(machine, made):
    told(3)
    path = f"/endpoints/{made['id']}"
    rows = machine.get(f"{path}/deliveries/", status="dead")["results"]
    assert len(rows) == 3
    assert list(rows[0]) == [
        "id", "endpoint", "event", "listing", "at", "status", "attempts", "tried_at",
        "next_try_at", "delivered_at", "http_status", "fault", "answer",
    ]  # fmt: skip
    machine.get(f"{path}/deliveries/", 400, status="lost")
    again = machine.post(f"/deliveries/{rows[0]['id']}/redeliver/", {}, 202)
    assert (again["id"], again["status"], again["attempts"]) == (rows[0]["id"], "waiting", 0)
    assert machine.post(f"{path}/replay/", {}, 202) == {"count": 2}
    assert machine.post(f"{path}/replay/", {}, 202) == {"count": 0}
    assert len(machine.get(f"{path}/deliveries/", status="waiting")["results"]) == 3


def test_all_since_a_time_is_sent_again(machine, made):
    told(2, status="delivered")
    path = f"/endpoints/{made['id']}/replay/"
    for odd in ("yesterday", "2099-01-01T00:00:00+08:00", "0001-01-01", "9999-12-31T23:59:59-12:00",
                "1066-10-14T00:00:00Z", 5, None):  # fmt: skip
        assert list(machine.post(path, {"since": odd}, 400)["errors"]) == ["since"], odd
    assert machine.post(path, {"since": timezone.now().isoformat()}, 202) == {"count": 0}
    yesterday = timezone.localtime() - builders.DAY
    assert machine.post(path, {"since": yesterday.isoformat()}, 202) == {"count": 2}
    assert Endpoint.objects.get().journal.last().note.startswith(str(yesterday.date()))


def test_lists_cost_the_same_however_long_they_are(machine, made):
    def cost(path):
        with CaptureQueriesContext(connection) as asked:
            machine.get(path)
        return len(asked)

    paths = ("/endpoints/", f"/endpoints/{made['id']}/deliveries/")
    told(1)
    before = [cost(path) for path in paths]
    told(4)
    for number in range(3):
        machine.post("/endpoints/", {**BODY, "url": f"https://1.1.1.1/{number}"}, 201)
    assert [cost(path) for path in paths] == before


# ── who may ───────────────────────────────────────────────────────────────────────────────────

OWN = {"clerk", "reviewer", "liaison", "operator"}
PEOPLE = {
    **{role: ("rsj", role) for role in Role.values},
    "stranger": ("hbj", "clerk"),
    "platform operator": ("platform", "operator"),
}
ACTS = {
    "rotate": (webhooks.rotate, OWN),
    "ping": (webhooks.ping, OWN | {"platform operator"}),
    "replay": (webhooks.replay, OWN | {"platform operator"}),
    "disable": (webhooks.disable, OWN | {"platform operator"}),
    "enable": (webhooks.enable, OWN | {"platform operator"}),
    "close": (webhooks.close, OWN),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("who", PEOPLE)
def test_who_may_do_what_with_an_endpoint(act, who):
    service, may = ACTS[act]
    endpoint, _secret = builders.endpoint("rsj")
    if act == "enable":
        webhooks.disable(endpoint, actor=Actor.of(clerk()))
    unit, role = PEOPLE[who]
    actor, lines = Actor.of(builders.officer(unit, role)), endpoint.journal.count()
    if who in may:
        service(endpoint, actor=actor)
        assert endpoint.journal.last().by_user == actor.user
    else:
        with pytest.raises(PermissionDenied):
            service(endpoint, actor=actor)
    assert endpoint.journal.count() == lines + (who in may)


@pytest.mark.parametrize("who", PEOPLE)
def test_who_may_make_one_for_the_own_department(who):
    unit, role = PEOPLE[who]
    actor = Actor.of(builders.officer(unit, role))
    if role in OWN:
        endpoint, _secret = webhooks.add_endpoint(**BODY, actor=actor)
        assert endpoint.department.code == unit
    else:
        with pytest.raises(PermissionDenied):
            webhooks.add_endpoint(**BODY, actor=actor)


def test_nothing_can_be_done_with_a_deleted_endpoint():
    endpoint, _secret = builders.endpoint("rsj")
    actor = Actor.of(clerk())
    webhooks.close(endpoint, actor=actor)
    for service, _may in ACTS.values():
        with pytest.raises(IllegalMove):
            service(endpoint, actor=actor)


def test_a_rotation_lasts_no_longer_than_a_week():
    endpoint, _secret = builders.endpoint("rsj")
    for hours in (-1, 169):
        with pytest.raises(ValidationError) as refusal:
            webhooks.rotate(endpoint, actor=Actor.of(clerk()), hours=hours)
        assert refusal.value.error_dict.keys() == {"hours"}


def test_deliveries_of_a_deleted_endpoint_are_removed():
    endpoint, _secret = builders.endpoint("czj")
    told(3, status="waiting")
    webhooks.close(endpoint, actor=Actor.of(clerk("czj")))
    assert webhooks.remove_old(today=timezone.localdate()) == 3


# ── the desk ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def browser():
    return builders.signed_in(Client(), liaison("czj"))


def test_a_department_registers_an_endpoint_at_its_desk_and_copies_the_secret(browser):
    page = browser.post("/desk/endpoints/", BODY)
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    assert "whsec_" in page.content.decode()
    endpoint = Endpoint.objects.get()
    for path in ("/desk/endpoints/", f"/desk/endpoints/{endpoint.public_id}/"):
        page = browser.get(path).content.decode()
        assert "whsec_" not in page
        assert "https://1.1.1.1/hook" in page


def test_a_bad_form_says_what_is_wrong(browser):
    page = browser.post("/desk/endpoints/", {**BODY, "url": "https://10.0.0.1/"})
    assert page.status_code == 400
    assert "只能通知公网上的 https 地址" in page.content.decode()
    assert browser.post("/desk/endpoints/", {}).status_code == 400
    assert not Endpoint.objects.exists()


def test_an_endpoints_page_says_its_state_in_words_and_sends_again(browser, made):
    told(2)
    Delivery.objects.update(http_status=500, fault="refused", answer="内部错误")
    address = f"/desk/endpoints/{made['id']}/"
    page = browser.get(f"{address}?status=dead").content.decode()
    for words in ("未能送达 2", "对方没有接收", "HTTP 500", "已试 7 次", "内部错误", "全部重发"):
        assert words in page, words
    one = Delivery.objects.first()
    assert browser.post(f"/desk/deliveries/{one.public_id}/redeliver/").status_code == 302
    assert Delivery.objects.waiting().count() == 1
    assert browser.post(address, {"act": "replay"}).status_code == 302
    assert Delivery.objects.waiting().count() == 2
    Endpoint.objects.update(status="disabled", disabled_reason="gone")
    assert "410" in browser.get(address).content.decode()
    assert browser.post(f"/desk/deliveries/{one.public_id}/redeliver/").status_code == 409
    assert browser.get(f"{address}?status=lost").status_code == 404
    assert browser.post(address, {"act": "explode"}).status_code == 400


def test_every_act_of_the_page_is_done(browser, made):
    address = f"/desk/endpoints/{made['id']}/"
    for act in ("ping", "disable", "enable"):
        assert browser.post(address, {"act": act}).status_code == 302
    page = browser.post(address, {"act": "rotate"})
    assert "whsec_" in page.content.decode()
    assert "旧密钥并用到" in browser.get(address).content.decode()
    assert browser.post(address, {"act": "close"}).status_code == 302
    assert browser.get(address).status_code == 404


def test_the_operator_runs_every_departments_endpoint_but_never_sees_its_secret(made):
    operator = builders.officer("platform", Role.OPERATOR.value)
    browser = builders.signed_in(Client(), operator)
    assert "https://1.1.1.1/hook" in browser.get("/desk/endpoints/").content.decode()
    address = f"/desk/endpoints/{made['id']}/"
    page = browser.get(address).content.decode()
    assert 'value="disable"' in page
    assert 'value="rotate"' not in page
    assert browser.post(address, {"act": "disable"}).status_code == 302
    assert browser.post(address, {"act": "rotate"}).status_code == 403


def test_the_supervisor_reads_and_has_no_button(made):
    browser = builders.signed_in(Client(), builders.supervisor())
    page = browser.get(f"/desk/endpoints/{made['id']}/").content.decode()
    assert "https://1.1.1.1/hook" in page
    assert 'name="act"' not in page


def test_the_desks_page_costs_the_same_however_many_deliveries_there_are(browser, made):
    def cost():
        with CaptureQueriesContext(connection) as asked:
            browser.get(f"/desk/endpoints/{made['id']}/")
        return len(asked)

    told(1)
    cost()
    before = cost()
    told(5)
    assert cost() == before

"""What the client asks, asks again, and makes of the answers."""

import json
import time
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
from django.utils import timezone

from credit_portal_client import (
    Client,
    ConflictError,
    InvalidError,
    NotAllowedError,
    NotFoundError,
    Problem,
    StaleError,
    UnreachableError,
    transport,
)
from jointaction.models import Check, Hit, Push
from jointaction.services import distribute
from tests.builders import (
    code_of,
    firm,
    liaison,
    person,
    published_black,
    red_published,
    resident_id,
)
from tests.clients.servers import HANG_UP, Flaky

FINE = (200, {}, b'{"fine": true}')


def busy(status, **headers):
    return status, headers, b"<h1>a proxy's page</h1>"


@pytest.fixture
def waits(monkeypatch):
    """How long the client would have waited; it does not."""
    waited = []
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=waited.append)
    monkeypatch.setattr(transport, "time", clock)
    return waited


@pytest.fixture
def flaky(waits):
    """A server that answers by this script, and a client of it."""
    with ExitStack() as stack:

        def started(*script):
            server = stack.enter_context(Flaky(*script))
            return server, stack.enter_context(Client(server.url, "key"))

        yield started


# ── again and again ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "trouble", [HANG_UP, *map(busy, (429, 502, 503, 504))], ids=lambda told: told and told[0]
)
def test_what_passes_is_asked_again(flaky, waits, trouble):
    server, client = flaky(trouble, trouble, FINE)
    assert client.get("/anything/") == {"fine": True}
    assert len(server.asked) == 3
    assert 0.125 <= waits[0] <= 0.25 <= waits[1] <= 0.5


def test_a_server_that_is_not_there_is_waited_for_until_patience_ends(waits):
    with Flaky() as server:
        gone = server.url
    with pytest.raises(UnreachableError), Client(gone, "key", patience=0.3) as client:
        client.get("/anything/")
    assert waits


def test_retry_after_is_obeyed_as_number_and_as_instant(flaky, waits):
    later = busy(503, **{"Retry-After": "Thu, 01 Jan 2070 00:00:00 GMT"})
    _server, client = flaky(busy(429, **{"Retry-After": "7"}), later)
    with pytest.raises(Problem) as refused:
        client.get("/anything/")
    assert waits == [7.0]
    assert refused.value.status == 503  # waiting until 2070 is more than the patience there is
    assert refused.value.retry_after > 1e9
    assert refused.value.code == "http_503"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 422, 500])
def test_what_does_not_pass_is_not_asked_again(flaky, waits, status):
    body = json.dumps({"status": status, "code": "so", "errors": {"a.b": ["bad"]}}).encode()
    _server, client = flaky((status, {"X-Request-ID": "r1"}, body))
    with pytest.raises(Problem) as refused:
        client.post("/anything/")
    assert (refused.value.status, refused.value.code) == (status, "so")
    assert refused.value.errors == {"a.b": ["bad"]}
    assert refused.value.request_id == "r1"
    assert waits == []


def test_a_redirection_is_refused_so_that_the_key_stays_here(flaky):
    _server, client = flaky((302, {"Location": "http://elsewhere.invalid/"}, b""))
    with pytest.raises(Problem, match="302"):
        client.get("/anything/")


def test_a_post_carries_one_key_through_all_its_attempts(flaky, waits):
    running = (409, {"Retry-After": "1"}, b'{"status": 409, "code": "in_progress"}')
    server, client = flaky(HANG_UP, busy(503), running, FINE, FINE)
    client.post("/anything/", {"a": 1})
    client.post("/anything/", {"a": 1}, once="mine")
    keys = [asked.headers["Idempotency-Key"] for asked in server.asked]
    assert len(set(keys[:4])) == 1
    assert keys[4] == "mine" != keys[0]
    assert {asked.body for asked in server.asked} == {b'{"a":1}'}
    assert waits[-1] == 1.0


def test_of_a_link_to_the_next_page_only_the_cursor_is_taken(flaky):
    page = {"next": "http://elsewhere.invalid/x/?cursor=c%3D&page_size=1", "results": [1]}
    last = {"next": None, "results": [2]}
    server, client = flaky(*[(200, {}, json.dumps(told).encode()) for told in (page, last)])
    assert list(client.pushes("open")) == [1, 2]
    assert server.asked[1].path == "/api/v1/pushes/?page_size=500&cursor=c%3D&status=open"


# ── the real portal ───────────────────────────────────────────────────────────────────────────


def test_lists_are_read_page_by_page(client_of, monkeypatch):
    made = {str(published_black().public_id) for _ in range(5)}
    red_published()
    monkeypatch.setattr("credit_portal_client.client.PAGE", 2)
    client = client_of(liaison("bank-demo"), "read")
    found = list(client.listings(list="black"))
    assert len(found) == 5
    assert {entry["id"] for entry in found} == made
    assert client.listing(found[0]["id"])["subject"] == found[0]["subject"]
    assert [line["action"] for line in client.history(found[0]["id"])] == ["publish"]


def test_refusals_come_as_what_they_are(client_of):
    client = client_of(liaison("czj"), "check", "feedback")
    with pytest.raises(InvalidError) as refused:
        client.check({"code": "1"}, purpose="", reference="r")
    assert "purpose" in refused.value.errors
    with pytest.raises(NotAllowedError):
        next(client.listings())
    with pytest.raises(NotFoundError):
        client.push("3f0d6f0e-0c55-4f0f-8a0f-6d1c3a0f9b1e")
    stranger = Client(str(client.http.base_url).removesuffix("/api/v1/"), "no.key")
    with pytest.raises(NotAllowedError) as refused:
        next(stranger.pushes())
    assert refused.value.status == 401


def test_a_check_asked_twice_under_one_key_is_one_check(client_of):
    client = client_of(liaison("czj"), "check")
    asked = {"purpose": "招标", "reference": "ZB-1", "once": "tender-1"}
    first = client.check({"code": code_of(1)}, **asked)
    assert client.check({"code": code_of(1)}, **asked) == first
    assert Check.objects.count() == 1
    with pytest.raises(InvalidError) as refused:
        client.check({"code": code_of(2)}, **asked)
    assert refused.value.status == 422


def test_any_number_is_checked_a_thousand_at_a_time(client_of):
    entry = published_black(firm(code=code_of(2_400)))
    client = client_of(liaison("czj"), "check")
    customers = ({"code": code_of(number)} for number in range(2, 2_502))
    checked = list(client.check_many(customers, purpose="存量客户", reference="2026"))
    assert [one.subject["code"] for one in checked] == [code_of(n) for n in range(2, 2_502)]
    assert Check.objects.count() == 3
    (hit,) = [one for one in checked if one.result["outcome"] == "listed"]
    assert hit.result["index"] == 398
    assert hit.result["listings"][0]["id"] == str(entry.public_id)
    assert hit.check["id"] == checked[-1].check["id"] != checked[0].check["id"]


def test_a_person_is_checked_by_name_and_number(client_of):
    client = client_of(liaison("czj"), "check")
    asked = {"name": "张示例", "id_type": "resident_id", "id_number": resident_id(7)}
    assert client.check(asked, purpose="p", reference="r")["results"][0]["outcome"] == "clear"


def test_a_hit_waits_for_its_answer(client_of):
    entry = published_black()
    client = client_of(liaison("czj"), "check", "feedback")
    check = client.check({"code": entry.subject.code}, purpose="招标", reference="ZB-2")
    (hit,) = client.hits()
    assert (hit["id"], hit["reference"]) == (check["id"], "ZB-2")
    codes = [measure["code"] for measure in hit["measures"]]
    client.answer_hit(
        hit["id"],
        listing=hit["listing"]["id"],
        handling="applied",
        measures=codes,
        result="已否决",
        remark="评标环节",
    )
    assert list(client.hits()) == []
    assert Hit.objects.get().result == "已否决"


def test_a_push_is_acknowledged_and_answered(client_of):
    published_black()
    distribute(today=timezone.localdate())
    client = client_of(liaison("czj"), "feedback")
    (push,) = client.pushes("open")
    with pytest.raises(StaleError):
        client.acknowledge(push["id"], version=push["version"] + 1)
    seen = client.acknowledge(push["id"], version=push["version"], once="a1")
    assert seen["status"] == "acknowledged"
    assert client.acknowledge(push["id"], version=push["version"], once="a1") == seen
    with pytest.raises(ConflictError) as refused:
        client.acknowledge(push["id"])
    assert refused.value.code == "impossible_move"
    told = {"outcome": "applied", "applied_on": str(timezone.localdate())}
    answers = [{"code": measure["code"], **told} for measure in push["measures"]]
    assert client.answer_push(push["id"], answers)["status"] == "answered"
    assert client.push(push["id"])["measures"][0]["outcome"] == "applied"
    assert Push.objects.get(public_id=push["id"]).status == "answered"
    assert list(client.pushes("open")) == []


def test_the_person_behind_a_push_is_named_to_its_unit(client_of):
    published_black(person("张示例"), unit="zjfy", category="J01")
    distribute(today=timezone.localdate())
    client = client_of(liaison("czj"), "feedback")
    (push,) = client.pushes()
    assert push["listing"]["subject"]["name"] == "张*"
    assert client.push_subject(push["id"])["name"] == "张示例"

"""What all endpoints share: refusals as problem+json, pages, ETags, acting once, request ids."""

import json
import threading

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from casework.models import IdempotencyKey
from listings.models import Listing
from parties.models import ApiKey
from tests.builders import (
    Machine,
    black_body,
    black_draft,
    clerk,
    liaison,
    published_black,
    reviewer,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]


def is_problem(answer, status, code):
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert {"type", "title", "status", "detail", "code"} <= body.keys()
    assert (body["status"], body["code"]) == (status, code)
    return body


def test_without_a_key_nothing_is_answered(client):
    answer = client.get("/api/v1/listings/")
    is_problem(answer, 401, "not_authenticated")
    assert answer["WWW-Authenticate"] == "Api-Key"


@pytest.mark.parametrize("given", ["Api-Key nonsense", "Api-Key a.b", "Bearer x", "Api-Key"])
def test_a_wrong_key_is_refused(client, given):
    answer = client.get("/api/v1/listings/", headers={"Authorization": given})
    is_problem(answer, 401, "authentication_failed")


def test_a_key_without_the_scope_is_refused_also_for_head():
    machine = Machine(clerk(), "feedback")
    is_problem(machine.client.get("/api/v1/listings/"), 403, "permission_denied")
    assert machine.client.head("/api/v1/listings/").status_code == 403


def test_faults_of_the_request_are_named():
    client = Machine(clerk()).client
    is_problem(client.delete("/api/v1/listings/"), 405, "method_not_allowed")
    html = client.get("/api/v1/listings/", headers={"Accept": "text/html"})
    is_problem(html, 406, "not_acceptable")
    form = client.post("/api/v1/listings/", "a=b", content_type="text/plain")
    is_problem(form, 415, "unsupported_media_type")
    for broken in ("{", "[1", '{"a": NaN}', b"\xff"):
        answer = client.post("/api/v1/listings/", broken, content_type="application/json")
        body = is_problem(answer, 400, "parse_error")
        assert body["errors"]
    for odd in ("[]", "1", '"x"', "null"):
        answer = client.post("/api/v1/listings/", odd, content_type="application/json")
        assert answer.status_code == 400, odd
    is_problem(client.get("/api/v1/nothing/"), 404, "not_found")
    is_problem(client.get("/api/v1/listings/not-an-id/"), 404, "not_found")


def test_signs_that_the_database_refuses_are_a_refusal_too():
    client = Machine(clerk()).client
    for name in ("category", "basis", "reference", "ground"):
        for sign in ("\x00", "\ud800"):
            body = json.dumps(black_body(degree=sign, **{name: sign, sign: sign}))
            answer = client.post("/api/v1/listings/", body, content_type="application/json")
            assert answer.status_code == 400, (name, sign)
    odd = black_body(measures=["\x00"], details={"\x00": "\x00"})
    assert client.post("/api/v1/listings/", odd, "json").status_code == 400
    for query in ("q", "code", "region", "category", "cursor", "status"):
        assert client.get("/api/v1/listings/", {query: "a\x00b"}).status_code == 400, query
    assert client.post("/api/v1/objections/%00/reply/").status_code == 404


def test_a_body_too_large_or_too_deep_is_refused():
    client = Machine(clerk()).client
    large = '{"ground": "' + "a" * 3_000_000 + '"}'
    answer = client.post("/api/v1/listings/", large, content_type="application/json")
    is_problem(answer, 413, "too_large")
    deep = "[" * 200_000
    answer = client.post("/api/v1/listings/", deep, content_type="application/json")
    is_problem(answer, 400, "parse_error")


def test_a_fault_of_ours_is_a_problem_too(monkeypatch):
    machine = Machine(clerk())
    machine.client.raise_request_exception = False
    monkeypatch.setattr("listings.api.doors.shown", None)
    black_draft()
    is_problem(machine.client.get("/api/v1/listings/"), 500, "error")


@pytest.mark.parametrize(
    "odd", ["colour=red", "status=", "status=draft&status=expired", "format=json", "page_size=0"]
)
def test_a_parameter_that_would_be_dropped_is_refused(odd):
    answer = Machine(clerk()).client.get(f"/api/v1/listings/?{odd}")
    body = is_problem(answer, 400, "invalid")
    assert list(body["errors"]) == [odd.partition("=")[0]]


def test_an_unknown_field_is_refused_with_its_path():
    body = black_body(colour="red")
    body["document"]["page"] = 1
    problem = Machine(clerk()).post("/listings/", body, 400)
    assert list(problem["errors"]) == ["colour"]
    del body["colour"]
    problem = Machine(clerk()).post("/listings/", body, 400)
    assert list(problem["errors"]) == ["document.page"]


def test_pages_lead_on_and_back_without_gaps():
    for _number in range(5):
        black_draft()
    machine = Machine(clerk())
    for ordering in ({}, {"ordering": "published_on"}, {"ordering": "-visible_until"}):
        whole = machine.get("/listings/", **ordering)["results"]
        page = machine.get("/listings/", page_size=2, **ordering)
        first, seen = page, [*page["results"]]
        while page["next"]:
            page = machine.client.get(page["next"]).json()
            seen += page["results"]
        assert seen == whole
        assert first["previous"] is None
        while page["previous"]:
            page = machine.client.get(page["previous"]).json()
        assert page["results"] == first["results"]


@pytest.mark.parametrize("cursor", ["x", "W10=", "WzEsMiwzLDRd", "é"])
def test_a_made_up_cursor_is_refused(cursor):
    assert "cursor" in Machine(clerk()).get("/listings/", 400, cursor=cursor)["errors"]


def test_what_has_not_changed_is_not_sent_again_until_midnight():
    entry = published_black()
    path = f"/api/v1/listings/{entry.public_id}/"
    machine, other = Machine(clerk()), Machine(liaison("czj"))
    answer = machine.client.get(path)
    etag = answer["ETag"]
    assert "Authorization" in answer["Vary"]
    assert "no-cache" in answer["Cache-Control"]
    again = machine.client.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert other.client.get(path)["ETag"] != etag
    with time_machine.travel(timezone.now() + timezone.timedelta(days=1)):
        assert machine.client.get(path)["ETag"] != etag


def test_every_answer_has_a_number(client):
    assert client.get("/api/v1/nothing/")["X-Request-ID"]
    given = client.get("/api/v1/listings/", headers={"X-Request-ID": "abc-1"})
    assert given["X-Request-ID"] == "abc-1"
    forged = client.get("/api/v1/listings/", headers={"X-Request-ID": "a b<script>"})
    assert forged["X-Request-ID"] != "a b<script>"


# ── acting once ───────────────────────────────────────────────────────────────────────────────


def test_the_same_request_twice_acts_once():
    machine, body, key = Machine(clerk()), black_body(), {"Idempotency-Key": "示例".encode().hex()}
    first = machine.post("/listings/", body, 201, headers=key)
    again = machine.client.post("/api/v1/listings/", body, "json", headers=key)
    assert (again.status_code, again.json()) == (201, first)
    assert again["Location"].endswith(f"/listings/{first['id']}/")
    assert again["Idempotent-Replayed"] == "true"
    assert Listing.objects.count() == 1
    other = machine.client.post("/api/v1/listings/", black_body(), "json", headers=key)
    is_problem(other, 422, "idempotency_key_reused")


def test_a_refusal_is_kept_and_leaves_nothing_else():
    machine, key = Machine(clerk()), {"Idempotency-Key": "k1"}
    body = black_body(responsible_persons=[{"name": "示例"}])
    first = machine.post("/listings/", body, 400, headers=key)
    assert machine.post("/listings/", body, 400, headers=key) == first
    assert not Listing.objects.exists()


def test_two_keys_and_two_paths_do_not_share_an_idempotency_key():
    draft, key = black_draft(), {"Idempotency-Key": "k1"}
    path = f"/listings/{draft.public_id}/publish/"
    Machine(clerk()).post(path, {}, 403, headers=key)
    Machine(reviewer()).post(path, {}, 200, headers=key)


def test_after_a_day_the_key_is_new():
    machine, key = Machine(clerk()), {"Idempotency-Key": "k1"}
    machine.post("/listings/", black_body(), 201, headers=key)
    with time_machine.travel(timezone.now() + timezone.timedelta(hours=25)):
        machine.post("/listings/", black_body(), 201, headers=key)
    assert IdempotencyKey.objects.count() == 1


def test_a_fault_is_not_kept(monkeypatch):
    machine, key = Machine(clerk()), {"Idempotency-Key": "k1"}
    machine.client.raise_request_exception = False
    with monkeypatch.context() as broken:
        broken.setattr("blacklist.services.persons.draft_of", None)
        machine.post("/listings/", black_body(responsible_persons=[]), 500, headers=key)
    assert not Listing.objects.exists()
    machine.post("/listings/", black_body(responsible_persons=[]), 201, headers=key)


def test_the_kept_answer_is_sealed():
    entry = published_black()
    filing = {
        "listing": str(entry.public_id),
        "applicant": {"name": "示例申请人", "phone": "0435-0000000"},
        "fields": ["ground"],
        "grounds": "其中 15 名工人工资已通过银行代发。",
        "received_on": str(timezone.localdate()),
    }
    machine, key = Machine(clerk()), {"Idempotency-Key": "k1"}
    told = machine.post("/objections/", filing, 201, headers=key)
    assert machine.post("/objections/", filing, 201, headers=key) == told
    kept = bytes(IdempotencyKey.objects.get().answer_sealed)
    assert told["query_code"].encode() not in kept


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_acts_and_the_others_are_told_to_wait_or_get_its_answer():
    machine, body = Machine(clerk()), black_body()
    answers, start = [], threading.Barrier(6)

    def ask():
        try:
            start.wait()
            answers.append(
                machine.client.post(
                    "/api/v1/listings/", body, "json", headers={"Idempotency-Key": "k1"}
                )
            )
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    assert Listing.objects.count() == 1


# ── the page about it all ─────────────────────────────────────────────────────────────────────


def test_the_schema_and_its_page_need_no_key(client):
    schema = client.get("/api/v1/schema/", headers={"Accept": "application/json"})
    assert schema.status_code == 200
    assert schema.json()["openapi"].startswith("3.")
    assert "/api/v1/listings/{public_id}/publish/" in schema.json()["paths"]
    page = client.get("/api/v1/docs/")
    assert page.status_code == 200
    text = page.content.decode()
    assert "<style" not in text
    assert "/en/api/" not in text
    assert "unsafe" not in page["Content-Security-Policy"]
    assert "//cdn" not in text
    script = client.get("/api/v1/docs/?script=")
    assert script["Content-Type"] == "application/javascript"


def test_keys_are_kept_as_digests():
    Machine(clerk())
    key = ApiKey.objects.get()
    assert key.hashed_key.startswith("sha512$$")

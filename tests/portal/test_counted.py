"""Requests counted by route and status, over processes that come and go."""

import os

import pytest

from credit_portal import counted

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path, monkeypatch):
    settings.VAR = tmp_path
    monkeypatch.setattr(counted, "_counts", None)


def told():
    return {(route, status): n for route, status, n, _seconds in counted.totals()}


def test_every_answer_counts_under_its_route_and_status(client, rules):
    for _n in range(3):
        client.get("/healthz")
    client.get("/nothing/")
    client.get("/black/3f0d6f0e-0c55-4f0f-8a0f-6d1c3a0f9b1e/")
    assert told() == {("healthz", "200"): 3, ("", "404"): 1, ("black-entry", "404"): 1}
    text = client.get("/metrics").content.decode()
    assert 'portal_requests_total{route="healthz",status="200"} 3\n' in text
    assert "# TYPE portal_requests_total counter" in text
    assert 'portal_requests_seconds_total{route="healthz",status="200"} ' in text


def test_what_a_process_that_is_gone_has_counted_stays(client):
    child = os.fork()
    if not child:
        counted._mine().add("healthz", 200, 0.0)
        counted._mine().write()
        os._exit(0)
    os.waitpid(child, 0)
    client.get("/healthz")
    for _twice in "ab":
        assert told() == {("healthz", "200"): 2}
    assert len(list((counted._folder()).glob("*.json"))) == 1


def test_a_file_that_was_being_written_spoils_nothing(client):
    client.get("/healthz")
    (counted._folder() / "broken.json").write_text('{"n healthz 200": ')
    assert told() == {("healthz", "200"): 1}

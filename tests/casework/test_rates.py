"""How often a caller may ask: counted by all processes together, told on every answer."""

import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from casework import services
from casework.models import RateCount
from casework.services import rates
from parties.models import ApiKey
from tests.api import is_problem
from tests.builders import Machine, clerk, reviewer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]
PATH = "/api/v1/measures/"


def left(answer):
    return int(answer["RateLimit-Remaining"])


@pytest.fixture
def _few(settings):
    settings.KEY_PER_MINUTE, settings.ADDRESS_PER_MINUTE = 3, 2


@pytest.fixture(autouse=True)
def _early_in_a_minute():
    with time_machine.travel(timezone.now().replace(second=5), tick=False):
        yield


@pytest.mark.usefixtures("_few")
def test_a_key_that_has_used_its_minute_up_waits_for_the_next():
    machine, other = Machine(clerk()), Machine(reviewer())
    answers = [machine.client.get(PATH) for _request in range(3)]
    assert [(a.status_code, left(a)) for a in answers] == [(200, 2), (200, 1), (200, 0)]
    refused = machine.client.get(PATH)
    assert is_problem(refused, 429)["code"] == "throttled"
    assert (refused["RateLimit-Limit"], left(refused)) == ("3", 0)
    assert refused["RateLimit-Policy"] == "3;w=60"
    assert refused["Retry-After"] == refused["RateLimit-Reset"] == "55"
    assert other.client.get(PATH).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(seconds=56)):
        assert left(machine.client.get(PATH)) == 2


def test_who_may_ask_often_is_counted_in_lots():
    def used():
        return services.count("test", "often", limit=3_000).used

    with CaptureQueriesContext(connection) as asked:
        assert [used() for _request in range(7)] == [1, 2, 3, 4, 5, 6, 7]
    assert len(asked) == 3  # a thousandth of the limit at a time
    rates._dealt.clear()  # another process, which takes the next lot
    assert used() == 10
    with time_machine.travel(timezone.now() + timedelta(seconds=60)):
        assert used() == 1
        assert len(rates._dealt) == 1  # the window that is over is forgotten


def test_lots_end_with_the_limit():
    counts = [services.count("test", "all", limit=2_000) for _request in range(2_001)]
    assert [c.used for c in counts if c.is_over] == [2_001]


@pytest.mark.usefixtures("_few")
def test_nothing_is_done_for_who_asks_too_often():
    machine = Machine(clerk())
    for _request in range(3):
        machine.client.get(PATH)
    with CaptureQueriesContext(connection) as asked:
        is_problem(machine.client.post("/api/v1/listings/", {}, "json"), 429)
    assert len(asked) == 2  # the key and the count


@pytest.mark.usefixtures("_few")
def test_a_key_may_have_a_limit_of_its_own():
    machine = Machine(clerk())
    ApiKey.objects.update(per_minute=1)
    assert machine.client.get(PATH)["RateLimit-Limit"] == "1"
    assert machine.client.get(PATH).status_code == 429


@pytest.mark.usefixtures("_few")
def test_who_has_no_good_key_is_counted_by_address(client):
    machine, wrong = Machine(clerk()), {"Authorization": "Api-Key a.b"}
    assert left(client.get(PATH)) == 1
    assert left(client.get(PATH, headers=wrong)) == 0
    is_problem(client.get(PATH, headers=wrong), 429)
    is_problem(client.get("/api/v1/nothing/"), 429)
    is_problem(client.get("/api/v1/schema/"), 429)
    is_problem(client.get("/api/v1/docs/"), 429)
    assert client.get(PATH, REMOTE_ADDR="192.0.2.1").status_code == 401
    assert machine.client.get(PATH).status_code == 200
    assert client.get("/healthz").status_code == 200


@pytest.mark.usefixtures("_few")
def test_behind_a_proxy_it_is_the_visitors_address_that_counts(client):
    for _request in range(3):
        client.get(PATH, headers={"X-Forwarded-For": "192.0.2.1"})
    assert client.get(PATH, headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 429
    assert client.get(PATH, headers={"X-Forwarded-For": "192.0.2.2"}).status_code == 401


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_a_host_is_one_caller_however_many_addresses_it_has(address, host):
    assert services.host_of(address) == host


def test_a_count_is_one_statement_and_names_nobody():
    with CaptureQueriesContext(connection) as asked:
        services.count("address", "192.0.2.1", limit=5)
    assert len(asked) == 1
    row = RateCount.objects.get()
    assert "192" not in str(vars(row))
    assert services.count("search", "192.0.2.1", limit=5).used == 1
    assert services.count("address", "192.0.2.1", limit=5).used == 2


def test_the_counts_cost_no_log_of_the_database():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relpersistence, reloptions FROM pg_class WHERE relname = 'casework_ratecount'"
        )
        assert cursor.fetchone() == ("u", ["fillfactor=50"])


def test_counts_of_the_past_are_swept_away():
    services.count("address", "192.0.2.1", limit=5)
    services.sweep_rates(now=timezone.now())
    assert RateCount.objects.exists()
    services.sweep_rates(now=timezone.now() + timedelta(minutes=1))
    assert not RateCount.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_at_once_are_all_counted():
    start, seen = threading.Barrier(8), []

    def ask():
        try:
            start.wait()
            seen.extend(services.count("key", "a", limit=100).used for _request in range(25))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(1, 201))

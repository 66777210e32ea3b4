"""Keys: whose they are, from where they may be used, and that revoking them acts at once."""

from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from parties.models import ApiKey
from tests.builders import Machine, clerk, reviewer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]


def made(**given):
    out = StringIO()
    call_command("create_api_key", stdout=out, **given)
    return out.getvalue().splitlines()


def test_the_key_stands_alone_on_the_last_line_and_works(client):
    officer = clerk()
    *_told, key = made(department="rsj", officer=officer.username, scopes=["read", "publish"])
    answer = client.get("/api/v1/listings/", headers={"Authorization": f"Api-Key {key}"})
    assert answer.status_code == 200
    kept = ApiKey.objects.get()
    assert (kept.officer, kept.scopes) == (officer, ["read", "publish"])


def test_a_key_is_not_made_for_an_officer_of_another_department():
    with pytest.raises(CommandError):
        made(department="czj", officer=clerk().username, scopes=["read"])
    with pytest.raises(CommandError):
        made(department="nowhere", officer=clerk().username, scopes=["read"])
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"revoked": True},
        {"expiry_date": timezone.now() - timezone.timedelta(minutes=1)},
        {"addresses": ["192.0.2.7"]},
        {"addresses": ["192.0.2.0/24", "2001:db8::/32"]},
    ],
)
def test_a_revoked_expired_or_foreign_key_opens_nothing(change):
    machine = Machine(clerk())
    machine.get("/listings/")
    ApiKey.objects.update(**change)
    machine.get("/listings/", 401)


@pytest.mark.parametrize(
    ("allowed", "address", "status"),
    [
        (["192.0.2.7"], "192.0.2.7", 200),
        (["192.0.2.0/24"], "192.0.2.255", 200),
        (["192.0.2.0/24"], "192.0.3.1", 401),
        (["192.0.2.0/24"], "::ffff:192.0.2.9", 200),
        (["2001:db8::/32", "192.0.2.7"], "2001:db8:ffff::1", 200),
        (["2001:db8::/32"], "2001:db9::1", 401),
        (["0.0.0.0/0"], "2001:db8::1", 401),
        (["0.0.0.0/0"], "unix:", 401),
    ],
)
def test_a_key_works_from_the_addresses_and_networks_it_names(allowed, address, status):
    machine = Machine(clerk())
    ApiKey.objects.update(addresses=allowed)
    assert machine.client.get("/api/v1/bases/", REMOTE_ADDR=address).status_code == status


def test_behind_a_trusted_proxy_it_is_the_visitors_address_that_counts():
    machine = Machine(clerk())
    ApiKey.objects.update(addresses=["192.0.2.0/24"])
    proxied = {"X-Forwarded-For": "203.0.113.9, 192.0.2.7"}
    assert machine.client.get("/api/v1/bases/", headers=proxied).status_code == 200
    forged = {"X-Forwarded-For": "192.0.2.7, 203.0.113.9"}
    assert machine.client.get("/api/v1/bases/", headers=forged).status_code == 401
    direct = machine.client.get("/api/v1/bases/", headers=proxied, REMOTE_ADDR="203.0.113.9")
    assert direct.status_code == 401


def test_a_key_is_made_with_addresses_a_last_day_and_a_limit_of_its_own(client):
    given = {"department": "rsj", "officer": clerk().username, "scopes": ["read"]}
    made(**given, addresses=["127.0.0.0/8", "::1"], expires="2099-03-31", per_minute=5)
    kept = ApiKey.objects.get()
    assert (kept.addresses, kept.per_minute) == (["127.0.0.0/8", "::1"], 5)
    assert timezone.localtime(kept.expiry_date).isoformat() == "2099-04-01T00:00:00+08:00"
    made(**given, expires="2099-03-31T12:00:00+00:00")
    assert ApiKey.objects.filter(expiry_date="2099-03-31T20:00:00+08:00").exists()


@pytest.mark.parametrize(
    "odd",
    [
        {"addresses": ["192.0.2.7/24"]},
        {"addresses": ["example.cn"]},
        {"addresses": [""]},
        {"expires": "2020-01-01"},
        {"expires": "tomorrow"},
        {"expires": "9999-12-31"},
        {"per_minute": 0},
        {"per_minute": 10**12},
    ],
)
def test_a_key_with_a_condition_that_is_none_is_not_made(odd):
    with pytest.raises(CommandError):
        made(department="rsj", officer=clerk().username, scopes=["read"], **odd)
    assert not ApiKey.objects.exists()


def test_a_key_works_until_the_end_of_its_last_day():
    machine = Machine(clerk())
    day = timezone.localdate() + timezone.timedelta(days=1)
    end = timezone.make_aware(timezone.datetime.combine(day, timezone.datetime.min.time()))
    ApiKey.objects.update(expiry_date=end)
    with time_machine.travel(end - timezone.timedelta(seconds=1), tick=False):
        machine.get("/measures/")
    with time_machine.travel(end, tick=False):
        machine.get("/measures/", 401)


def test_a_key_is_as_good_as_its_officer():
    machine = Machine(reviewer())
    machine.user.is_active = False
    machine.user.save()
    machine.get("/listings/", 401)


def test_a_key_is_found_in_one_query(django_assert_max_num_queries):
    machine = Machine(clerk())
    with django_assert_max_num_queries(2):
        machine.get("/measures/", page_size=1, cursor="x", expect=400)

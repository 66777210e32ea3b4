"""A department's reviewers look after its keys; each change leaves a line."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from parties import services
from parties.models import AccountEvent, Actor, ApiKey
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]
DAY = timedelta(days=1)
SECRET = re.compile(r"\w{8}\.\w{32,}")


@pytest.fixture
def desk():
    return builders.signed_in(Client(), builders.reviewer())


def made(desk, **fields):
    """A key as the reviewer makes it on the page: (row, secret)."""
    given = {"name": "审批系统", "officer": builders.clerk().pk, "scopes": ["read"], **fields}
    answer = desk.post(reverse("desk-keys"), given)
    assert answer.status_code == 200, answer.content.decode()
    secret = SECRET.search(answer.content.decode()).group()
    return ApiKey.objects.get(prefix=secret.partition(".")[0]), secret


def asked(secret):
    headers = {"Authorization": f"Api-Key {secret}"}
    return Client().get("/api/v1/measures/", headers=headers).status_code


def acted(desk, key, act, **fields):
    return desk.post(reverse("desk-key", args=[key.prefix]), {"act": act, **fields})


def test_the_secret_of_a_new_key_is_told_once_and_works(desk):
    today = timezone.localdate()
    key, secret = made(desk, addresses="127.0.0.1\n192.0.2.0/24", last_day=today)
    assert asked(secret) == 200
    assert key.addresses == ["127.0.0.1", "192.0.2.0/24"]
    assert timezone.localtime(key.expiry_date).date() == today + DAY
    for name, arguments in (("desk-keys", []), ("desk-key", [key.prefix])):
        page = desk.get(reverse(name, args=arguments)).content.decode()
        assert key.prefix in page
        assert secret not in page
    line = AccountEvent.objects.get()
    assert (line.action, line.key_prefix, line.by_user) == (
        "key_create",
        key.prefix,
        builders.reviewer(),
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": ""}, "填写名称"),
        ({"name": "x" * 51}, "50"),
        ({"scopes": []}, "至少选一项权限"),
        ({"scopes": ["root"]}, "root"),
        ({"officer": ""}, "选择负责人"),
        ({"addresses": "192.0.2.1/24"}, "既不是地址"),
        ({"addresses": " ".join(f"192.0.2.{n}" for n in range(51))}, "最多写 50 个地址"),
        ({"last_day": "2020-01-01"}, "五年以内"),
        ({"last_day": "9999-12-31"}, "五年以内"),
    ],
)
def test_what_is_wrong_with_a_new_key_is_said_beside_its_field(desk, change, said):
    given = {"name": "审批系统", "officer": builders.clerk().pk, "scopes": ["read"], **change}
    answer = desk.post(reverse("desk-keys"), given)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not ApiKey.objects.exists()


def test_an_officer_of_another_department_answers_for_no_key_of_ours(desk):
    given = {"name": "x", "officer": builders.clerk("hbj").pk, "scopes": ["read"]}
    assert desk.post(reverse("desk-keys"), given).status_code == 400
    assert not ApiKey.objects.exists()


def test_a_key_is_changed_for_a_new_one_and_the_old_works_on_for_days(desk):
    key, secret = made(desk)
    today = timezone.localdate()
    late = acted(desk, key, "rotate", until=today + 8 * DAY)
    assert late.status_code == 400
    past = acted(desk, key, "rotate", until=today - DAY)
    assert past.status_code == 400
    answer = acted(desk, key, "rotate", until=today + DAY)
    new = SECRET.search(answer.content.decode()).group()
    assert {asked(secret), asked(new)} == {200}
    again = acted(desk, key, "rotate", until=today)
    assert again.status_code == 400
    assert "已经换过" in again.content.decode()
    noon = timezone.make_aware(timezone.datetime(today.year, today.month, today.day, 12))
    with time_machine.travel(noon + DAY, tick=False):
        assert asked(secret) == 200
    with time_machine.travel(noon + 2 * DAY, tick=False):
        assert asked(secret) == 401
        assert asked(new) == 200
    replaced = ApiKey.objects.get(prefix=new.partition(".")[0])
    assert (replaced.replaces, replaced.scopes) == (key, key.scopes)


def test_a_revoked_key_opens_nothing_at_once_and_is_not_revoked_twice(desk):
    key, secret = made(desk)
    assert acted(desk, key, "revoke", reason="").status_code == 400
    assert asked(secret) == 200
    assert acted(desk, key, "revoke", reason="系统停用").status_code == 302
    assert asked(secret) == 401
    for act, fields in (
        ("revoke", {"reason": "再停"}),
        ("rotate", {"until": timezone.localdate()}),
        ("move", {"officer": builders.reviewer().pk, "reason": "换人"}),
    ):
        assert acted(desk, key, act, **fields).status_code == 400, act
    assert AccountEvent.objects.filter(key_prefix=key.prefix, action="key_revoke").count() == 1
    page = desk.get(reverse("desk-key", args=[key.prefix])).content.decode()
    assert "系统停用" in page


def test_another_officer_of_the_department_takes_a_key_over(desk):
    key, _secret = made(desk)
    foreign = acted(desk, key, "move", officer=builders.clerk("hbj").pk, reason="换人")
    assert foreign.status_code == 400
    assert (
        acted(desk, key, "move", officer=builders.reviewer().pk, reason="换人").status_code == 302
    )
    key.refresh_from_db()
    assert key.officer == builders.reviewer()


def test_keys_of_another_department_are_not_there_and_clerks_have_none_to_manage(desk):
    key, secret = made(desk)
    stranger = builders.signed_in(Client(), builders.reviewer("hbj"))
    address = reverse("desk-key", args=[key.prefix])
    assert key.prefix not in stranger.get(reverse("desk-keys")).content.decode()
    assert stranger.get(address).status_code == 404
    for act in ("revoke", "rotate", "move"):
        data = {"act": act, "reason": "x", "until": timezone.localdate()}
        assert stranger.post(address, data).status_code == 404
    for who in (builders.clerk(), builders.supervisor(), builders.operator()):
        browser = builders.signed_in(Client(), who)
        assert browser.get(reverse("desk-keys")).status_code == 403
        assert browser.get(address).status_code == 403
    assert asked(secret) == 200
    assert desk.post(address, {"act": "x"}).status_code == 400
    assert desk.get("/desk/keys/%00/").status_code == 404


def test_a_service_refuses_who_comes_round_the_page():
    key, _raw = services.make_key(builders.clerk(), scopes=["read"], name="示例")
    for who in (builders.clerk(), builders.reviewer("hbj"), builders.operator()):
        for act in (
            lambda actor: services.revoke_key(key, actor=actor, reason="x"),
            lambda actor: services.rotate_key(key, actor=actor, until=timezone.localdate()),
            lambda actor: services.manage(
                builders.clerk(), actor=actor, name="x", scopes=["read"], addresses=[]
            ),
        ):
            with pytest.raises(services.keys.PermissionDenied):
                act(Actor.of(who))


def test_the_day_of_its_last_use_is_kept_and_written_once_a_day(desk):
    key, secret = made(desk)
    with CaptureQueriesContext(connection) as first:
        asked(secret)
    with CaptureQueriesContext(connection) as second:
        asked(secret)
    assert len(first) == len(second) + 1
    key.refresh_from_db()
    assert key.last_used_on == timezone.localdate()
    asked("x" * 8 + "." + "y" * 32)
    assert ApiKey.objects.exclude(last_used_on=None).count() == 1


def test_the_page_of_keys_costs_the_same_however_many_they_are(desk):
    def cost():
        with CaptureQueriesContext(connection) as asked_:
            desk.get(reverse("desk-keys"))
        return len(asked_)

    made(desk)
    before = cost()
    for _n in range(5):
        made(desk)
    assert cost() == before

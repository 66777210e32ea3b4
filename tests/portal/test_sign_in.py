"""Signing in takes account, password and one-time code together."""

from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from casework.models import Event
from parties.models import Department, User
from tests import builders

pytestmark = pytest.mark.django_db

PASSWORD = "correct-horse-battery"  # noqa: S105
GUESS = {"username": "rsj-clerk", "password": "x", "otp_token": "000000"}

# tries are counted in windows of the clock, none of which ends while a test runs
at_noon = time_machine.travel("2026-11-23T04:00:00Z", tick=False)


@pytest.fixture
def device():
    user = User.objects.create_user("rsj-clerk", password=PASSWORD, full_name="示例经办")
    return TOTPDevice.objects.create(user=user, name="app", confirmed=True)


def code(device):
    return f"{totp(device.bin_key):06d}"


def sign_in(client, *, REMOTE_ADDR="127.0.0.1", **fields):  # noqa: N803 - as WSGI names it
    given = {"username": "rsj-clerk", "password": PASSWORD, "otp_token": "000000", **fields}
    return client.post(reverse("sign-in"), given, REMOTE_ADDR=REMOTE_ADDR)


def test_all_three_right_lead_in(client, device):
    response = sign_in(client, otp_token=code(device))
    assert response.status_code == 302
    assert client.session["_auth_user_id"] == str(device.user_id)
    assert client.session["otp_device_id"] == device.persistent_id


@pytest.mark.parametrize("wrong", [{"username": "nobody"}, {"password": "wrong"}, {}])
def test_which_of_the_three_was_wrong_is_not_said(client, device, wrong):
    right = {} if not wrong else {"otp_token": code(device)}
    response = sign_in(client, **right, **wrong)
    assert response.status_code == 200
    assert "账号、密码或动态口令不对" in response.content.decode()
    assert "_auth_user_id" not in client.session


def test_without_a_device_nobody_gets_in(client):
    User.objects.create_user("rsj-clerk", password=PASSWORD)
    assert sign_in(client).status_code == 200
    assert "_auth_user_id" not in client.session


def test_five_wrong_codes_lock_the_account_from_there(client, device):
    statuses = [sign_in(client, otp_token="1").status_code for _n in range(5)]  # noqa: S106
    assert statuses[-1] == 429
    response = sign_in(client, otp_token=code(device))
    assert response.status_code == 429
    assert "锁定 30 分钟" in response.content.decode()
    assert 1500 < int(response["Retry-After"]) <= 1800


def test_the_lock_ends_when_the_page_said_whoever_tries_meanwhile(client, device):
    start = timezone.now()
    with time_machine.travel(start, tick=False):
        for _n in range(5):
            sign_in(client, otp_token="1")  # noqa: S106
    with time_machine.travel(start + timedelta(minutes=20), tick=False):
        page = sign_in(client, otp_token=code(device)).content.decode()
        ends = timezone.localtime(start + timedelta(minutes=31))
        assert f"{ends:%H:%M}" in page
    with time_machine.travel(start + timedelta(minutes=31), tick=False):
        assert sign_in(client, otp_token=code(device)).status_code == 302


@at_noon
def test_an_account_that_is_tried_from_everywhere_waits_but_for_where_its_owner_works(
    client, device, settings
):
    settings.SIGN_IN_OF_ACCOUNT = (3, 1800)
    home = "203.0.113.7"
    assert sign_in(client, otp_token=code(device), REMOTE_ADDR=home).status_code == 302
    guesses = [
        Client().post(reverse("sign-in"), GUESS, REMOTE_ADDR=f"198.51.100.{n}") for n in range(5)
    ]
    assert [answer.status_code for answer in guesses] == [200, 200, 429, 429, 429]
    assert 0 < int(guesses[-1]["Retry-After"]) <= 1800
    assert "以后再登录" in guesses[-1].content.decode()
    TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    later = f"{totp(device.bin_key, drift=1):06d}"
    browser = Client()
    assert sign_in(browser, otp_token=later, REMOTE_ADDR=home).status_code == 302


@at_noon
def test_one_address_tries_so_often_and_no_more(client, device, settings):
    settings.SIGN_IN_OF_ADDRESS = (2, 600)
    names = [f"nobody-{n}" for n in range(4)]
    statuses = [sign_in(client, username=name).status_code for name in names]
    assert statuses == [200, 200, 429, 429]
    from_elsewhere = sign_in(client, username="nobody", REMOTE_ADDR="198.51.100.1")
    assert from_elsewhere.status_code == 200


@at_noon
def test_a_flood_from_everywhere_keeps_out_who_is_new_and_nobody_else(client, device, settings):
    assert sign_in(client, otp_token=code(device), REMOTE_ADDR="203.0.113.7").status_code == 302
    settings.SIGN_IN_OF_ALL = (2, 600)
    statuses = [
        sign_in(Client(), username=f"n{n}", REMOTE_ADDR=f"198.51.100.{n}").status_code
        for n in range(4)
    ]
    assert statuses[-1] == 429
    later = f"{totp(device.bin_key, drift=1):06d}"
    assert sign_in(Client(), otp_token=later, REMOTE_ADDR="203.0.113.7").status_code == 302
    assert sign_in(Client(), otp_token=later, REMOTE_ADDR="192.0.2.9").status_code == 429


@at_noon
def test_what_is_empty_is_no_try(client, device, settings):
    settings.SIGN_IN_OF_ADDRESS = (1, 600)
    statuses = [sign_in(client, password="").status_code for _n in range(3)]
    assert statuses == [200, 200, 200]


def test_an_empty_field_is_named_first_and_beside_itself(client, device):
    text = sign_in(client, password="").content.decode()
    assert "有 1 处需要修改" in text
    assert text.count("填写密码") == 2
    assert 'aria-invalid="true"' in text


def test_who_signs_in_and_out_and_who_tries_in_vain_is_journalled(client, device):
    sign_in(client, password="wrong")  # noqa: S106
    sign_in(client, username="nobody")
    sign_in(client, otp_token="")
    sign_in(client, otp_token=code(device))
    client.post(reverse("sign-out"))
    lines = Event.objects.filter(action__startswith="sign").order_by("pk")
    assert list(lines.values_list("action", "by_user", "by_label", "note")) == [
        ("sign_in_failed", None, "applicant", "127.0.0.1"),
        ("sign_in", device.user_id, "示例经办", "127.0.0.1"),
        ("sign_out", device.user_id, "示例经办", ""),
    ]


def test_tries_after_the_lock_fill_no_journal(client, device):
    for _n in range(12):
        sign_in(client, otp_token="1")  # noqa: S106
    assert Event.objects.filter(action="sign_in_failed").count() <= 5


def test_signing_out_is_an_act_not_a_link(client, device):
    sign_in(client, otp_token=code(device))
    assert client.get(reverse("sign-out")).status_code == 405
    assert client.post(reverse("sign-out")).status_code == 302
    assert "_auth_user_id" not in client.session


def test_the_back_office_opens_to_nobody_without_the_second_factor(client):
    root = User.objects.create_superuser("root", password=PASSWORD)
    given = {"username": "root", "password": PASSWORD}
    answer = client.post(reverse("admin:login"), given)
    assert answer.url.startswith(reverse("sign-in"))
    assert "_auth_user_id" not in client.session
    client.force_login(root, backend="parties.desk.StaffBackend")
    answer = client.get(reverse("admin:parties_user_changelist"), follow=True)
    assert answer.redirect_chain[-1][0].startswith(reverse("sign-in"))
    assert "_auth_user_id" not in client.session


def test_the_back_office_is_reached_through_the_desks_sign_in(client, capsys):
    User.objects.create_superuser("root", password=PASSWORD)
    call_command("give_second_factor", "root")
    assert capsys.readouterr().out.startswith("otpauth://totp/")
    device = TOTPDevice.objects.get(user__username="root")
    asked = client.get(reverse("admin:index"), follow=True).redirect_chain[-1][0]
    given = {"username": "root", "password": PASSWORD, "otp_token": code(device)}
    answer = client.post(asked, {**given, "next": reverse("admin:index")}, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("admin:index")
    assert answer.status_code == 200


def test_a_code_that_led_in_leads_in_only_once(client, device):
    token = code(device)
    assert sign_in(client, otp_token=token).status_code == 302
    client.post(reverse("sign-out"))
    assert sign_in(client, otp_token=token).status_code == 200
    assert "_auth_user_id" not in client.session


def test_signing_in_leaves_the_session_behind_that_somebody_planted(client, device, rules):
    client.get(reverse("home"))
    planted = client.session
    planted["x"] = 1
    planted.save()
    before = planted.session_key
    sign_in(client, otp_token=code(device))
    assert client.session.session_key != before


def test_staff_wait_behind_a_wall_once_their_department_is_out_of_use(client, rules):
    clerk = builders.clerk()
    builders.signed_in(client, clerk)
    assert client.get(reverse("desk-home")).status_code == 200
    Department.objects.filter(pk=clerk.department_id).update(active=False)
    assert client.get(reverse("desk-home")).status_code == 403


def test_an_address_counts_as_the_proxy_saw_it_and_not_as_the_visitor_says(client, device):
    for n in range(5):
        told = {"X-Forwarded-For": f"198.51.100.{n}, 192.0.2.1"}
        last = client.post(reverse("sign-in"), GUESS, headers=told)
    assert last.status_code == 429
    elsewhere = client.post(reverse("sign-in"), GUESS, headers={"X-Forwarded-For": "192.0.2.2"})
    assert elsewhere.status_code == 200


def test_who_is_no_proxy_of_ours_is_not_believed(client, device):
    for n in range(5):
        told = {"X-Forwarded-For": f"198.51.100.{n}"}
        last = client.post(reverse("sign-in"), GUESS, headers=told, REMOTE_ADDR="203.0.113.9")
    assert last.status_code == 429

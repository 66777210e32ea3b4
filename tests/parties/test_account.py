"""The own account: second factor and spare codes, passwords, sessions, sign-in records."""

import re
from datetime import timedelta

import pytest
import time_machine
from axes.models import AccessAttempt, AccessLog
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from parties import services
from parties.models import AccountEvent, Actor, SignInRecord, SpareCode, StaffSession, User
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]
PASSWORD = "correct-horse-battery"  # noqa: S105
NEW = "示例的另一个很长的密码"
CODE = re.compile(r"(?:[A-Z2-7]{4}-){3}[A-Z2-7]{4}")


@pytest.fixture
def clerk():
    user = builders.clerk()
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def device(clerk):
    return services.give_second_factor(clerk)


def token(device, *, later=0):
    """The code that the device shows `later` steps of half a minute from now."""
    return f"{totp(device.bin_key, drift=later):06d}"


def sign_in(client, otp_token, **fields):
    given = {"username": "rsj-clerk", "password": PASSWORD, "otp_token": otp_token, **fields}
    return client.post(reverse("sign-in"), given)


def records(user):
    rows = SignInRecord.objects.filter(user=user).order_by("pk")
    return list(rows.values_list("outcome", flat=True))


# ── spare codes ───────────────────────────────────────────────────────────────────────────────


def test_a_recovery_code_leads_in_once_however_it_is_written(clerk, device):
    codes = services.make_recovery_codes(clerk, actor=Actor.of(clerk))
    assert len(set(codes)) == 10
    client = Client()
    assert sign_in(client, f" {codes[0].lower().replace('-', ' ')} ").status_code == 302
    assert client.get(reverse("desk-home")).status_code == 200
    assert sign_in(Client(), codes[0]).status_code == 200
    assert services.spare_codes_left(clerk) == 9
    assert records(clerk) == ["recovery", "failed"]
    assert AccountEvent.objects.filter(account=clerk, action="recovery_used").count() == 1


def test_what_is_kept_of_a_code_opens_nothing(clerk, device):
    codes = services.make_recovery_codes(clerk, actor=Actor.of(clerk))
    kept = SpareCode.objects.first()
    assert kept.digest not in codes
    assert sign_in(Client(), kept.digest).status_code == 200
    assert services.spare_codes_left(clerk) == 10


def test_a_code_opens_no_other_account_and_nothing_without_the_password(clerk, device):
    other = builders.reviewer()
    code = services.make_recovery_codes(other, actor=Actor.of(other))[0]
    assert sign_in(Client(), code).status_code == 200
    own = services.make_recovery_codes(clerk, actor=Actor.of(clerk))[0]
    assert sign_in(Client(), own, password="wrong").status_code == 200  # noqa: S106
    assert services.spare_codes_left(clerk) == 10


def test_new_codes_ask_for_password_and_token_and_void_the_old(clerk, device):
    old = services.make_recovery_codes(clerk, actor=Actor.of(clerk))
    client = Client()
    sign_in(client, token(device))
    page = reverse("desk-codes")
    assert client.get(page).status_code == 200
    bad = {"old_password": "wrong", "otp_token": token(device, later=1)}
    assert client.post(page, bad).status_code == 400
    used = {"old_password": PASSWORD, "otp_token": token(device)}
    assert client.post(page, used).status_code == 400  # the token that led in
    good = {"old_password": PASSWORD, "otp_token": token(device, later=1)}
    TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    answer = client.post(page, good)
    codes = CODE.findall(answer.content.decode())
    assert len(codes) == 10
    assert not set(codes) & set(old)
    assert sign_in(Client(), old[0]).status_code == 200
    assert sign_in(Client(), codes[0]).status_code == 302


def test_neither_code_nor_password_is_kept_of_a_try_that_failed(clerk, device):
    code = services.make_recovery_codes(clerk, actor=Actor.of(clerk))[0]
    sign_in(Client(), code, password="wrong-but-long")  # noqa: S106
    kept = str(list(AccessAttempt.objects.values()))
    assert code not in kept
    assert "wrong-but-long" not in kept


# ── a new device ──────────────────────────────────────────────────────────────────────────────


def enrolling(clerk):
    """A browser of somebody who came in with the code that the operator told."""
    actor = Actor.of(builders.operator())
    code = services.reset_second_factor(clerk, actor=actor, reason="新手机")
    client = Client()
    assert sign_in(client, code).status_code == 302
    return client, code


def test_an_enrolment_code_leads_to_binding_a_device_and_nowhere_else(clerk, device):
    client, code = enrolling(clerk)
    for name in ("desk-home", "desk-account", "desk-password", "desk-codes", "desk-keys"):
        assert client.get(reverse(name)).url == reverse("desk-enrol"), name
    assert client.get(reverse("admin:index"), follow=True).redirect_chain[-1][0] == reverse(
        "desk-enrol"
    )
    page = client.get(reverse("desk-enrol")).content.decode()
    assert "data:image/svg+xml" in page
    assert sign_in(Client(), code).status_code == 200  # once
    new = TOTPDevice.objects.get(user=clerk)
    assert not new.confirmed
    assert client.post(reverse("desk-enrol"), {"otp_token": "000000"}).status_code == 400
    TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    before = client.session.session_key
    answer = client.post(reverse("desk-enrol"), {"otp_token": token(new)})
    assert len(CODE.findall(answer.content.decode())) == 10
    assert client.session.session_key != before
    assert client.get(reverse("desk-home")).status_code == 200
    assert sign_in(Client(), token(new, later=1)).status_code == 302
    assert client.get(reverse("desk-enrol")).url == reverse("desk-account")


def test_an_enrolment_code_is_void_after_a_week(clerk):
    actor = Actor.of(builders.operator())
    code = services.reset_second_factor(clerk, actor=actor, reason="新手机")
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        assert sign_in(Client(), code).status_code == 200


def test_nobody_binds_a_device_who_did_not_come_to(clerk, device):
    assert Client().get(reverse("desk-enrol")).url.startswith(reverse("sign-in"))
    one_factor = Client()
    one_factor.force_login(clerk, backend="parties.desk.StaffBackend")
    assert one_factor.get(reverse("desk-enrol")).url.startswith(reverse("sign-in"))
    assert TOTPDevice.objects.get(user=clerk) == device


# ── passwords ─────────────────────────────────────────────────────────────────────────────────


def test_a_password_that_somebody_else_set_is_changed_before_anything_else(clerk, device):
    services.password_given(clerk, actor=Actor.of(builders.operator()), reason="忘记密码")
    client = Client()
    sign_in(client, token(device))
    for name in ("desk-home", "desk-account", "desk-codes"):
        assert client.get(reverse(name)).url == reverse("desk-password"), name
    given = {"old_password": PASSWORD, "password": NEW, "again": NEW}
    assert client.post(reverse("desk-password"), given).status_code == 302
    assert client.get(reverse("desk-home")).status_code == 200


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"old_password": "wrong"}, "现在的密码不对"),
        ({"again": "x"}, "不一样"),
        ({"password": "short", "again": "short"}, "10"),
        ({"password": "1357924680", "again": "1357924680"}, "数字"),
        ({"password": "password123", "again": "password123"}, "常见"),
        ({"password": "rsj-clerk1", "again": "rsj-clerk1"}, "相似"),
        ({"password": PASSWORD, "again": PASSWORD}, "最近"),
        ({"password": ""}, "填写新密码"),
    ],
)
def test_what_is_wrong_with_a_password_is_said(clerk, device, change, said):
    client = Client()
    sign_in(client, token(device))
    given = {"old_password": PASSWORD, "password": NEW, "again": NEW, **change}
    answer = client.post(reverse("desk-password"), given)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    clerk.refresh_from_db()
    assert clerk.check_password(PASSWORD)


def test_none_of_the_last_five_passwords_comes_back(clerk):
    words = [PASSWORD, *(f"示例第{n}个长长的密码" for n in range(5))]
    for word in words[1:]:
        services.change_password(clerk, word, actor=Actor.of(clerk))
    for word in words[1:]:
        with pytest.raises(ValidationError) as refusal:
            services.change_password(clerk, word, actor=Actor.of(clerk))
        assert "password" in refusal.value.error_dict
    services.change_password(clerk, PASSWORD, actor=Actor.of(clerk))


def test_another_password_ends_the_sessions_elsewhere_and_keeps_this_one(clerk, device):
    here, there = Client(), Client()
    sign_in(here, token(device))
    sign_in(there, services.make_recovery_codes(clerk, actor=Actor.of(clerk))[0])
    before = here.session.session_key
    given = {"old_password": PASSWORD, "password": NEW, "again": NEW}
    here.post(reverse("desk-password"), given)
    assert here.get(reverse("desk-home")).status_code == 200
    assert here.session.session_key != before
    assert there.get(reverse("desk-home")).status_code == 302
    assert StaffSession.objects.get().session_key == here.session.session_key
    assert AccountEvent.objects.filter(account=clerk, action="password").count() == 1


# ── sessions ──────────────────────────────────────────────────────────────────────────────────


def opened(clerk, device, count):
    """So many browsers of the clerk, signed in one after the other."""
    codes, browsers = services.make_recovery_codes(clerk, actor=Actor.of(clerk)), []
    for code in codes[:count]:
        browsers.append(Client())
        assert sign_in(browsers[-1], code).status_code == 302
    return browsers


def test_of_more_sessions_than_three_the_oldest_ends(clerk, device):
    browsers = opened(clerk, device, 4)
    statuses = [one.get(reverse("desk-home")).status_code for one in browsers]
    assert statuses == [302, 200, 200, 200]
    assert StaffSession.objects.count() == 3


def test_the_others_are_ended_with_one_button(clerk, device):
    browsers = opened(clerk, device, 3)
    page = reverse("desk-account")
    assert browsers[2].post(page, {"act": "end_others"}).status_code == 302
    statuses = [one.get(reverse("desk-home")).status_code for one in browsers]
    assert statuses == [302, 302, 200]
    assert AccountEvent.objects.get(account=clerk, action="end_sessions").note == "2"
    browsers[2].post(page, {"act": "end_others"})  # twice is once
    assert browsers[2].get(page).status_code == 200


def test_a_busy_session_ends_after_twelve_hours_all_the_same(clerk, device):
    client = Client()
    start = timezone.now()
    sign_in(client, token(device))
    for hour in range(1, 48):
        with time_machine.travel(start + timedelta(minutes=15 * hour), tick=False):
            status = client.get(reverse("desk-home")).status_code
            assert status == 200, hour
    with time_machine.travel(start + timedelta(hours=12, minutes=1), tick=False):
        assert client.get(reverse("desk-home")).url.startswith(reverse("sign-in"))


def test_a_session_that_does_not_say_since_when_it_runs_opens_nothing(clerk):
    client = builders.signed_in(Client(), clerk)
    session = client.session
    del session["signed_in_at"]
    session.save()
    assert client.get(reverse("desk-home")).url.startswith(reverse("sign-in"))


def test_the_sign_in_leads_to_no_other_site(clerk, device):
    codes = services.make_recovery_codes(clerk, actor=Actor.of(clerk))
    hostile = (
        "https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)",
        "http:///evil.example", "\n//evil.example", "/%0d%0aX: 1",
    )  # fmt: skip
    for code, back in zip(codes, hostile, strict=False):
        answer = sign_in(Client(), code, next=back)
        assert answer.status_code == 302
        assert answer.url.startswith("/"), back
        assert not answer.url.startswith(("//", "/\\")), back


def test_the_sign_in_leads_in_no_circle(clerk, device):
    client, page = Client(), reverse("sign-in")
    assert sign_in(client, token(device), next=page).url == reverse("desk-home")
    assert client.get(f"{page}?next={page}").url == reverse("desk-home")


def test_a_planted_session_is_not_the_one_that_gets_in(clerk, device):
    planted = Client()
    planted.get(reverse("home"))
    session = planted.session
    session["x"] = 1
    session.save()
    key = session.session_key
    sign_in(planted, token(device))
    thief = Client()
    thief.cookies["sessionid"] = key
    assert thief.get(reverse("desk-home")).status_code == 302
    assert StaffSession.objects.get().session_key == planted.session.session_key != key


# ── records ───────────────────────────────────────────────────────────────────────────────────


def test_each_try_is_told_to_the_owner_in_words(clerk, device):
    agent = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
    client = Client(headers={"User-Agent": agent})
    sign_in(client, "000000")
    TOTPDevice.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    sign_in(client, token(device))
    page = client.get(reverse("desk-account")).content.decode()
    for words in ("没有成功", "成功，动态口令", "127.0.0.1", "Chrome，Windows"):
        assert words in page
    assert records(clerk) == ["failed", "token"]


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18) AppleWebKit Version/18 Safari/604",
            "Safari，iPhone",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko Firefox/140.0", "Firefox，Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537 Edg/140", "Edge，Windows"),
        ("Mozilla/5.0 (Phone; OpenHarmony 5.0) Chrome/132", "Chrome，鸿蒙"),
        ("curl/8", ""),
        ("", ""),
        ("\0" * 5_000, ""),
    ],
)
def test_a_browser_is_told_in_words(agent, words):
    assert services.browser_of(agent) == words


def test_records_are_kept_for_half_a_year_and_names_of_sessions_while_they_run(clerk, device):
    opened(clerk, device, 2)
    old = timezone.now() - timedelta(days=181)
    SignInRecord.objects.filter(pk=SignInRecord.objects.first().pk).update(at=old)
    AccessLog.objects.filter(pk=AccessLog.objects.first().pk).update(attempt_time=old)
    Session.objects.filter(pk=StaffSession.objects.first().session_key).update(expire_date=old)
    services.forget_sign_ins(now=timezone.now())
    assert SignInRecord.objects.count() == AccessLog.objects.count() == 1
    assert StaffSession.objects.count() == Session.objects.count() == 1


def test_the_page_costs_the_same_however_much_is_on_it(clerk, device):
    client = opened(clerk, device, 1)[0]

    def cost():
        with CaptureQueriesContext(connection) as asked:
            assert client.get(reverse("desk-account")).status_code == 200
        return len(asked)

    before = cost()
    for _n in range(30):
        services.record_failure("rsj-clerk", address="x", user_agent="", now=timezone.now())
    today = timezone.localdate()
    for n in range(3):
        day = today + timedelta(days=n)
        actor = Actor.of(clerk)
        services.delegate(clerk, builders.reviewer(), starts=day, ends=day, why="示例", actor=actor)
    assert cost() <= before + 1


def test_who_has_no_department_still_has_an_account_page():
    root = User.objects.create_superuser("root", password=PASSWORD)
    client = builders.signed_in(Client(), root)
    assert client.get(reverse("desk-account")).status_code == 200
    assert client.post(reverse("desk-account"), {"act": "delegate"}).status_code == 400


def test_a_failed_guess_at_the_own_password_counts_towards_the_lock(clerk, device):
    client = Client()
    sign_in(client, token(device))
    given = {"old_password": "wrong", "password": NEW, "again": NEW}
    statuses = [client.post(reverse("desk-password"), given).status_code for _n in range(6)]
    assert statuses[-1] == 429
    assert "_auth_user_id" in client.session

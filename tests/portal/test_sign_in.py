"""Signing in takes account, password and one-time code together."""

import pytest
from django.urls import reverse
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from parties.models import User

pytestmark = pytest.mark.django_db

PASSWORD = "correct-horse-battery"  # noqa: S105


@pytest.fixture
def device():
    user = User.objects.create_user("rsj-clerk", password=PASSWORD, full_name="示例经办")
    return TOTPDevice.objects.create(user=user, name="app", confirmed=True)


def code(device):
    return f"{totp(device.bin_key):06d}"


def sign_in(client, **fields):
    given = {"username": "rsj-clerk", "password": PASSWORD, "otp_token": "000000", **fields}
    return client.post(reverse("sign-in"), given)


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


def test_an_empty_field_is_named_first_and_beside_itself(client, device):
    text = sign_in(client, password="").content.decode()
    assert "有 1 处需要修改" in text
    assert text.count("填写密码") == 2
    assert 'aria-invalid="true"' in text


def test_signing_out_is_an_act_not_a_link(client, device):
    sign_in(client, otp_token=code(device))
    assert client.get(reverse("sign-out")).status_code == 405
    assert client.post(reverse("sign-out")).status_code == 302
    assert "_auth_user_id" not in client.session

"""What every answer tells the browser: what it may load, keep and hand on."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

from credit_portal.headers import HEADERS
from tests.test_doors import DOORS, address_of, house

__all__ = ["house"]

EVERYWHERE = {
    **HEADERS,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
UNWATCHED = {"report-new", "report-track"}  # not even our own pages are told
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "worker-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}


@pytest.mark.django_db
def test_every_address_sends_every_header(house):
    for name in DOORS:
        answer = house["browsers"]["clerk"].get(address_of(name, house))
        stricter = {"Referrer-Policy": "no-referrer"} if name in UNWATCHED else {}
        wanted = EVERYWHERE | stricter
        lacking = {k: v for k, v in wanted.items() if answer.headers.get(k) != v}
        assert not lacking, name
        policy = set(answer["Content-Security-Policy"].split("; "))
        assert policy >= POLICY or policy == {"default-src 'none'", "sandbox"}, name  # a file
        assert "unsafe" not in answer["Content-Security-Policy"], name


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/nothing/", "/api/v1/nothing/", "/desk/nothing/", "/admin/"])
def test_so_do_errors_and_redirects(path, client):
    answer = client.get(path)
    assert {k: answer.headers.get(k) for k in EVERYWHERE} == EVERYWHERE
    assert "Content-Security-Policy" in answer


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    ["/admin/", "/admin/login/", "/admin/nothing/", "/desk/", "/desk/nothing/", "/sign-in/"],
)
def test_nothing_of_staff_is_kept_not_even_an_error_or_a_redirect(path, client):
    assert "no-store" in client.get(path)["Cache-Control"]


@pytest.mark.django_db
def test_cookies_are_read_by_no_script_and_sent_from_no_other_site(client):
    client.get("/sign-in/")
    client.post("/display/", {"size": "large"})
    assert {settings.CSRF_COOKIE_NAME, "size"} <= client.cookies.keys()
    for cookie in client.cookies.values():
        assert cookie["httponly"], cookie.key
        assert cookie["samesite"] == "Lax", cookie.key


SETTINGS = """
import django, os
django.setup()
from django.conf import settings
from django.test import Client, override_settings
static = "django.contrib.staticfiles.storage.StaticFilesStorage"
storages = {**settings.STORAGES, "staticfiles": {"BACKEND": static}}
with override_settings(ALLOWED_HOSTS=["*"], STORAGES=storages):
    answer = Client().get("/accessibility/", secure=True)
    plain = Client().get("/accessibility/")
print(settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.SESSION_COOKIE_SECURE,
      settings.CSRF_COOKIE_SECURE, settings.SESSION_COOKIE_DOMAIN, settings.SESSION_COOKIE_PATH)
print(answer["Strict-Transport-Security"])
print("upgrade-insecure-requests" in answer["Content-Security-Policy"])
print(plain.status_code, plain["Location"])
"""


def test_over_https_cookies_belong_to_this_host_alone_and_plain_http_leads_there():
    done = subprocess.run(
        [sys.executable, "-c", SETTINGS],
        env=os.environ | {"BASE_URL": "https://credit.example.cn"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "__Host-sessionid __Host-csrftoken True True None /",
        "max-age=31536000; includeSubDomains; preload",
        "True",
        "301 https://testserver/accessibility/",
    ]


@pytest.mark.django_db
def test_a_request_larger_than_any_form_is_refused(client):
    answer = client.post("/objections/track/", {"number": "x" * 3_000_000})
    assert answer.status_code == 400
    many = "&".join(f"a{number}=1" for number in range(10_001))
    kind = "application/x-www-form-urlencoded"
    assert client.post("/objections/track/", many, kind).status_code == 400

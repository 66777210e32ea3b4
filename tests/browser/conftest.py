"""A real Chromium against a real server. Skipped, and counted, where no Chromium is found."""

import os
import shutil

import pytest
from django.conf import settings

from tests import builders

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(
                    pytest.mark.skip(reason="needs Chromium (Debian: apt install chromium)")
                )


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright  # heavy, and only where a Chromium is

    # Playwright keeps an event loop in this thread; Django would take it for async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page_at(browser, live_server):
    """Open a page of the width asked for; anything the browser complains of fails the test.

    That a page itself answers 400 or 410 is no complaint: it says so in words.
    """
    contexts, complaints, visited = [], [], set()

    def opened(width, *, user=None, scripts=True):
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            base_url=live_server.url,
            java_script_enabled=scripts,
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        if user:
            context.add_cookies([_session_cookie(user, live_server.url)])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda line: (
                line.type != "error"
                or line.location["url"] in visited
                or complaints.append(line.text)
            ),
        )
        page.on(
            "request",
            lambda request: request.is_navigation_request() and visited.add(request.url),
        )
        page.on(
            "request",
            lambda request: (
                request.url.startswith((live_server.url, "data:"))
                or complaints.append(f"outside request: {request.url}")
            ),
        )
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def _session_cookie(user, url):
    from django.test import Client

    client = builders.signed_in(Client(), user)
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    return {"name": settings.SESSION_COOKIE_NAME, "value": value, "url": url}

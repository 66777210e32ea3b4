"""Before Django reads its settings, the servers are there; after the last test they are not."""

import os

import pytest
from django.core.cache import cache
from django.test import override_settings

from credit_portal.embedded import EmbeddedError
from tests.services import Services

services = Services()
worker = os.environ.get("PYTEST_XDIST_WORKER")  # workers use what their controller started

os.environ["DJANGO_SETTINGS_MODULE"] = "credit_portal.settings"
if worker:
    number = int(worker.removeprefix("gw")) + 1
    os.environ["REDIS_URL"] = os.environ["REDIS_URL"].rstrip("/") + f"/{number}"
else:
    try:
        services.start()
    except EmbeddedError as reason:
        pytest.exit(str(reason), returncode=2)


def pytest_unconfigure(config):
    services.stop()


def pytest_terminal_summary(terminalreporter):
    skipped = len(terminalreporter.stats.get("skipped", []))
    terminalreporter.write_line(f"跳过 · skipped: {skipped}")


@pytest.fixture(scope="session", autouse=True)
def _quick_settings():
    """Plain static addresses and a cheap password hash; nothing else differs from production."""
    storages = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with override_settings(STORAGES=storages, PASSWORD_HASHERS=hashers):
        yield


@pytest.fixture(autouse=True)
def _empty_cache():
    yield
    cache.clear()

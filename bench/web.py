"""A web server over the bench database, and callers that keep their connections."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import threading
import time

from django.core.management import call_command
from django.db import connection

from bench.frame import Measure
from parties import services as parties
from parties.models import Department, User

WORKERS, THREADS = 2, 4  # as `make run` has them
CALLERS = 8
PATIENCE = 30  # seconds
ROUNDS = 5
MANY = 1_000_000_000


@contextlib.contextmanager
def serving():
    """The portal's server on a free port, over the database that is connected; gives the port."""
    call_command("collectstatic", interactive=False, verbosity=0)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            sys.executable, "-m", "granian", "--interface=wsgi", "--host=127.0.0.1",
            f"--port={port}", f"--workers={WORKERS}", f"--blocking-threads={THREADS}",
            "--log-level=warning", "bench.server:application",
        ],
        env={**os.environ, "BENCH_DATABASE": connection.settings_dict["NAME"]},
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _await(port)
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _await(port):
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            caller = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            caller.request("GET", "/healthz")
            caller.getresponse().read()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def key(*scopes):
    """The headers of a machine with these scopes, for which nobody counts."""
    officer, _made = User.objects.get_or_create(
        username="bench",
        defaults={"department": Department.objects.get(code="ggzy"), "roles": ["liaison"]},
    )
    _key, raw = parties.make_key(officer, scopes=scopes, name="bench", per_minute=MANY)
    return {"Authorization": f"Api-Key {raw}", "Content-Type": "application/json"}


def in_turns(*works):
    """The middle round of each work, of five rounds taken in turns.

    What the machine does besides falls on all of them then.
    """
    rounds = [[work() for work in works] for _round in range(ROUNDS)]
    return tuple(
        sorted(column, key=lambda measure: measure.per_second)[ROUNDS // 2]
        for column in zip(*rounds, strict=True)
    )


def ask(port, requests, *, callers=CALLERS, expect, unit="calls"):
    """Send the requests, (method, path, body, headers), by so many callers at once; a Measure.

    Raises RuntimeError where an answer is not of the status `expect`.
    """
    waiting, taking, answers = iter(requests), threading.Lock(), []

    def take():
        with taking:
            return next(waiting, None)

    threads = [threading.Thread(target=_call, args=(port, take, answers)) for _n in range(callers)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    wrong = [answer for answer in answers if answer[0] != expect]
    if wrong or len(answers) < len(requests):
        raise RuntimeError(wrong[:1] or "not every request was answered")
    return Measure(len(answers), seconds, unit, [answer[1] for answer in answers])


def etag_of(port, address):
    """What the server calls the present state of a page, as a browser keeps it."""
    caller = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    caller.request("GET", address)
    answer = caller.getresponse()
    answer.read()
    return answer.headers["ETag"]


def _call(port, take, answers):
    caller = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while request := take():
        began = time.perf_counter()
        caller.request(*request)
        answer = caller.getresponse()
        told = answer.read()
        taken = time.perf_counter() - began
        answers.append((answer.status, taken, b"" if answer.status < 400 else told[:500]))

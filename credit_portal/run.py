"""`make run`: everything the portal needs on one machine, in the foreground.

Set-up first (each step does nothing where nothing changed), then web server and
worker as children. Whoever stops us, by Ctrl-C, SIGTERM or SIGHUP, stops them all, in
order: web, worker, database. Killed outright, we take them along.
"""

import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import django
from django.core.exceptions import ImproperlyConfigured
from environs import Env

from credit_portal import embedded

BASE_DIR = Path(__file__).resolve().parent.parent
READY_WITHIN = 120  # seconds
SHORT_LIFE = 10  # seconds; a child that ends sooner three times over is not started again
PATIENCE = {"web": 15, "worker": 30}  # seconds to end well before being killed


class LaunchError(RuntimeError):
    """The portal can't go on; the message says why."""


def main():
    os.chdir(BASE_DIR)
    Env().read_env(BASE_DIR / ".env", recurse=False)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "credit_portal.settings")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        with contextlib.ExitStack() as stack:
            _run(stack)
    except KeyboardInterrupt:
        say("已停止，数据保留 · stopped; the data stays")
    except (LaunchError, ImproperlyConfigured, embedded.EmbeddedError, OSError) as reason:
        sys.exit(f"✗ {reason}")


def _interrupt(*_):
    """The first signal stops the portal; while it stops, further ones change nothing."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.write(1, "· 正在停止 · stopping\n".encode())
    raise KeyboardInterrupt


def _port(text):
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65_536):
        raise LaunchError(f"PORT={text}：不是端口号 · not a port number")
    return int(text)


def _run(stack):
    port = _port(os.environ.get("PORT") or "8000")
    var = Path(os.environ.get("VAR") or BASE_DIR / "var").absolute()
    os.environ.update(PORT=str(port), VAR=str(var))
    _refuse_taken(port)
    cluster = None
    if not os.environ.get("DATABASE_URL"):
        say("启动数据库 · starting PostgreSQL")
        cluster = stack.enter_context(embedded.start(var))
    set_up(demo=cluster is not None)
    children = [
        Child("worker", [*_python("celery"), *_worker_options()]),
        Child("web", [*_python("granian"), *_web_options(port)]),
    ]
    for child in children:
        stack.callback(child.stop)
        child.start()
    _await_ready(port, children, cluster)
    say(f"portal ready: http://127.0.0.1:{port}")
    while True:
        _look_after(children, cluster)
        time.sleep(0.5)


def say(line):
    print(line if line.startswith("portal") else f"· {line}", flush=True)


def _refuse_taken(port, patience=5):
    """A predecessor that was killed a moment ago may need `patience` seconds to let go."""
    deadline = time.monotonic() + patience
    while refusal := _bind_error(port):
        if time.monotonic() > deadline:
            raise LaunchError(
                f"端口 {port} 无法使用（{refusal.strerror}），可用 PORT= 另选 · port {port} can't "
                "be used; choose another with PORT="
            )
        time.sleep(0.1)


def _bind_error(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as refusal:
            return refusal
    return None


# ── set-up ────────────────────────────────────────────────────────────────────────────────────


def set_up(*, demo):
    """Bring database and files up to this release; the second time there is little to do."""
    django.setup()
    from django.core.management import call_command
    from django.db import connections

    say("更新数据表 · migrating the database")
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    _collect_static()
    say("载入规则数据 · loading the rules")
    call_command("seed_rules", verbosity=0)
    if demo:
        _seed_demo()
    connections.close_all()


def _seed_demo():
    """Demo data, once and whole: only into a private database that has no entry yet."""
    from django.core.management import call_command
    from django.db import transaction

    from listings.models import Listing

    if Listing.objects.exists():
        say("演示账号已在首次运行时列出 · the demo accounts were listed at the first run")
        return
    say("生成演示数据（约一分钟） · making demo data (about a minute)")
    with transaction.atomic():
        call_command("seed_demo")


def _collect_static():
    """Collect and compress the static files, unless the ones there are of the same sources."""
    from django.conf import settings
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    fingerprint = hashlib.sha256()
    for finder in get_finders():
        for name, storage in sorted(finder.list([]), key=lambda found: found[0]):
            stat = Path(storage.path(name)).stat()
            fingerprint.update(f"{name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    stamp = Path(settings.STATIC_ROOT) / ".sources"
    if stamp.exists() and stamp.read_text() == fingerprint.hexdigest():
        return
    say("整理静态文件 · collecting static files")
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(fingerprint.hexdigest())


# ── children ──────────────────────────────────────────────────────────────────────────────────


def _python(module):
    # Celery's word against root: on one machine for trial, root is allowed.
    return [sys.executable, "-W", "ignore:You're running the worker", "-m", module]


def _web_options(port):
    return [
        "--interface=wsgi",
        "--host=127.0.0.1",
        f"--port={port}",
        "--workers=2",
        "--blocking-threads=4",
        "--backlog=2048",
        "--respawn-failed-workers",
        "--workers-kill-timeout=10",
        "--log-level=warning",
        "credit_portal.wsgi:application",
    ]


def _worker_options():
    return [
        "--app=credit_portal.celery",
        "--quiet",
        "worker",
        "--pool=threads",
        "--concurrency=4",
        "--loglevel=WARNING",
        "--without-gossip",
        "--without-mingle",
    ]


class Child:
    """One program that must be running as long as we are."""

    def __init__(self, name, command):
        self.name = name
        self.command = command
        self.process = None
        self.started = 0.0
        self.short_lives = 0

    def start(self):
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal is for us alone
            preexec_fn=embedded.die_with_parent(signal.SIGTERM),  # noqa: PLW1509  no threads here
        )

    def look_after(self):
        """Start it again if it ended, three times at most if it ends at once."""
        code = self.process.poll()
        if code is None:
            return
        self._sweep_up()
        lived = time.monotonic() - self.started
        self.short_lives = self.short_lives + 1 if lived < SHORT_LIFE else 0
        if self.short_lives > 2:
            raise LaunchError(f"{self.name} 反复退出（{code}） · {self.name} keeps ending ({code})")
        say(f"{self.name} 退出（{code}），重新启动 · {self.name} ended ({code}), starting it again")
        self.start()

    def stop(self):
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(PATIENCE[self.name])
        self._sweep_up()

    def _sweep_up(self):
        """End whatever the child itself had started and left behind: its session is its group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _look_after(children, cluster):
    if cluster and not cluster.is_up:
        raise LaunchError(
            f"数据库意外停止，日志：{cluster.log} · the database has ended; see {cluster.log}"
        )
    for child in children:
        child.look_after()


def _await_ready(port, children, cluster):
    say("等待就绪 · waiting until ready")
    deadline = time.monotonic() + READY_WITHIN
    answer = ""
    while time.monotonic() < deadline:
        _look_after(children, cluster)
        ready, answer = _ask_ready(port)
        if ready:
            return
        time.sleep(0.25)
    raise LaunchError(f"{READY_WITHIN} 秒内未就绪 · not ready within {READY_WITHIN} s: {answer}")


def _ask_ready(port):
    """Whether /readyz says 200, and what it says; asked as the proxy in front would."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/readyz", headers={"X-Forwarded-Proto": "https"}
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=5) as answer:
            return answer.status == 200, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return False, refusal.read(2000).decode(errors="replace")
    except OSError as refusal:
        return False, str(refusal)


if __name__ == "__main__":
    main()

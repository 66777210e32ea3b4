"""The plug pulled under load: `python -m bench.kills` runs the portal and kills its parts.

On a scratch data folder the portal is started as `make run` does it, with a Redis of its own.
Client threads read pages, check, file and publish, each act under an idempotency key that is
tried again until it is answered. Meanwhile, in turn, a web process, the worker, a process of
PostgreSQL, Redis and PostgreSQL itself are killed with SIGKILL. Only where the whole launcher
ended, which it does when PostgreSQL is gone, it is started again, as systemd would.

Afterwards every answered act must be there exactly once, every unanswered one at most once,
ledger and journal must verify, and /readyz must be 200 without a hand. Exits 1 if not.
"""

import argparse
import contextlib
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from stdnum.cn import uscc

from credit_portal import embedded
from tests.services import redis_server

PARTS = ("web", "worker", "backend", "redis", "postgres")
READY = 180  # seconds that a start or a recovery may take
PATIENCE = 90  # seconds after the end for answers that are still owed


def main():
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="portal-kills-"))
    house = House(folder)
    try:
        house.start()
        house.give_keys()
        report = _trial(house, options)
    finally:
        house.stop()
        home = embedded.Cluster(house.var).home
        for place in (folder, home):
            shutil.rmtree(place, ignore_errors=True)
    print(json.dumps(report, ensure_ascii=False))
    sys.exit(bool(report["faults"]))


def _options():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--every", type=int, default=20, help="seconds between two kills")
    parser.add_argument("--seed", default="kills")
    return parser.parse_args()


def _trial(house, options):
    chance, killed = random.Random(options.seed), Counter()
    clients = [Client(house, number) for number in range(options.clients)]
    for client in clients:
        client.start()
    end, turn = time.monotonic() + options.seconds, 0
    while time.monotonic() < end:
        _look_after(house, min(end, time.monotonic() + options.every * chance.uniform(0.5, 1.5)))
        if time.monotonic() < end:
            part = PARTS[turn % len(PARTS)]
            killed[part] += house.kill(part)
            turn += 1
    house.over.set()
    _look_after(house, time.monotonic() + PATIENCE, clients)
    for client in clients:
        client.join()
    began = time.monotonic()
    ready = house.is_ready(READY)
    waited = round(time.monotonic() - began, 1)
    acts = [act for client in clients for act in client.acts]
    faults = [] if ready else [f"not ready {READY} s after the last kill"]
    return {
        "seconds": options.seconds,
        "clients": options.clients,
        "killed": dict(killed),
        "launcher_started_again": house.starts - 1,
        "pages": sum(client.pages for client in clients),
        "answered": dict(Counter(kind for kind, _mark, done in acts if done)),
        "unanswered": dict(Counter(kind for kind, _mark, done in acts if not done)),
        "tried_again": sum(client.again for client in clients),
        "refused": dict(sum((client.refused for client in clients), Counter())),
        "ready_after": waited,
        "faults": [*faults, *house.count(acts)],
    }


def _look_after(house, until, clients=()):
    """What systemd does: start the launcher again where it ended. Ends early with the clients."""
    while time.monotonic() < until:
        house.look_after()
        if clients and not any(client.is_alive() for client in clients):
            return
        time.sleep(0.2)


# ── the portal ────────────────────────────────────────────────────────────────────────────────


class House:
    """The portal on a scratch folder, with everything that may be killed."""

    def __init__(self, folder):
        self.folder, self.var = folder, folder / "var"
        self.port, self.redis_port = _free_port(), _free_port()
        self.over = threading.Event()
        self.launcher = self.redis = None
        self.starts = 0
        self.keys = {}
        self.environment = {
            **os.environ,
            "VAR": str(self.var),
            "PORT": str(self.port),
            "REDIS_URL": f"redis://127.0.0.1:{self.redis_port}/0",
            "DJANGO_SETTINGS_MODULE": "credit_portal.settings",
        }
        self.environment.pop("DATABASE_URL", None)

    def start(self):
        self._start_redis()
        self._launch()
        if not self.is_ready(600):
            raise RuntimeError(f"the portal did not start: see {self.folder / 'log'}")

    def _start_redis(self):
        options = ["--bind", "127.0.0.1", "--port", str(self.redis_port), "--save", ""]
        self.redis = subprocess.Popen(
            [redis_server(), *options, "--dir", str(self.folder)], stdout=subprocess.DEVNULL
        )

    def _launch(self):
        self.starts += 1
        log = (self.folder / "log").open("a")
        self.launcher = subprocess.Popen(
            [sys.executable, "-m", "credit_portal.run"],
            env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def look_after(self):
        if self.launcher.poll() is not None:
            self._launch()
        if self.redis.poll() is not None:
            self._start_redis()

    def stop(self):
        self.over.set()
        for process in (self.launcher, self.redis):
            if process and process.poll() is None:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(60)
                if process.poll() is None:
                    process.kill()

    def is_ready(self, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.look_after()
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.ask("GET", "/readyz", {"X-Forwarded-Proto": "https"})[0] == 200:
                    return True
            time.sleep(0.25)
        return False

    def ask(self, method, path, headers, body=None):
        caller = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            caller.request(method, path, body, headers)
            answer = caller.getresponse()
            return answer.status, answer.read()
        finally:
            caller.close()

    def give_keys(self):
        for department, officer, scopes in (
            ("rsj", "rsj-clerk", ["read", "publish"]),
            ("rsj", "rsj-reviewer", ["read", "publish"]),
            ("czj", "czj-liaison", ["read", "check"]),
        ):
            words = ["--department", department, "--officer", officer, "--scopes", *scopes]
            self.keys[officer] = self.manage("create_api_key", *words).splitlines()[-1]

    def manage(self, *words):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "manage.py", *words],
            env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stderr.strip().splitlines()[-1])
        return done.stdout

    # ── kills ──

    def kill(self, part):
        """SIGKILL to one process of the part; how many were there."""
        found = self._processes(part)
        if not found:
            return 0
        with contextlib.suppress(ProcessLookupError):
            os.kill(random.choice(found), signal.SIGKILL)
        return 1

    def _processes(self, part):
        if part == "redis":
            return [self.redis.pid]
        if part in {"web", "worker"}:
            word = {"web": "granian", "worker": "celery"}[part]
            family = _family(self.launcher.pid)
            return [pid for pid in family if word in _command(pid)]
        postmaster = self._postmaster()
        if postmaster is None or part == "postgres":
            return [postmaster] if postmaster else []
        return [pid for pid in _family(postmaster) if "portal portal" in _command(pid)]

    def _postmaster(self):
        file = embedded.Cluster(self.var).data / "postmaster.pid"
        with contextlib.suppress(OSError, ValueError, IndexError):
            return int(file.read_text().splitlines()[0])
        return None

    # ── afterwards ──

    def count(self, acts):
        """What is wrong: acts that are there twice or not at all, a broken ledger or journal."""
        os.environ.update(self.environment)
        os.environ.pop("DATABASE_URL", None)
        import django  # the settings read where the server is when they are first read

        django.setup()
        from jointaction.models import Check
        from listings.models import Change, Listing
        from objections.models import Objection

        found = {
            "check": Counter(Check.objects.values_list("reference", flat=True)),
            "file": Counter(Objection.objects.values_list("grounds", flat=True)),
            "draft": Counter(Listing.objects.values_list("reference", flat=True)),
            "publish": Counter(
                Change.objects.filter(action="publish").values_list("listing__reference", flat=True)
            ),
        }
        faults = []
        for kind, mark, done in acts:
            n = found[kind][mark]
            if n > 1 or (done and n != 1):
                faults.append(f"{kind} {mark}: {n} times, answered: {done}")
        for words in (("verify_ledger", "--entries"),):
            try:
                self.manage(*words)
            except RuntimeError as broken:
                faults.append(str(broken))
        return faults


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _command(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def _family(pid):
    """Everything that a process started, and what those started."""
    children = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parts = status.read_text().rpartition(")")[2].split()
            children.setdefault(int(parts[1]), []).append(int(status.parent.name))
    found, waiting = [], [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


# ── the clients ───────────────────────────────────────────────────────────────────────────────


def _today():
    return datetime.now(ZoneInfo("Asia/Shanghai")).date()


PAGES = ("/", "/black/", "/red/", "/search/?q=%E7%A4%BA%E4%BE%8B", "/statistics/", "/readyz")


class Client(threading.Thread):
    """One visitor or department: acts until it is over, and remembers what was answered."""

    def __init__(self, house, number):
        super().__init__(daemon=True)
        self.house, self.number = house, number
        self.chance = random.Random(number)
        self.acts = []  # (kind, mark, whether it was answered)
        self.pages = self.again = self.made = 0
        self.refused = Counter()

    def run(self):
        acts = (self._page, self._check, self._publish, self._file)
        while not self.house.over.is_set():
            acts[self.number % len(acts)]()
            time.sleep(self.chance.uniform(0, 0.2))

    def _page(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            status, _body = self.house.ask("GET", self.chance.choice(PAGES), {})
            self.pages += status == 200

    def _check(self):
        mark = self._mark()
        body = {"purpose": "示例", "reference": mark, "subjects": [{"code": self._code()}]}
        self._act("check", mark, "czj-liaison", "/checks/", body)

    def _publish(self):
        """A draft of the clerk, published by the reviewer; its public id, or None."""
        mark = self._mark()
        draft = self._act("draft", mark, "rsj-clerk", "/listings/", self._black(mark))
        if draft is None:
            return None
        body = {"version": draft["version"]}
        path = f"/listings/{draft['id']}/publish/"
        return self._act("publish", mark, "rsj-reviewer", path, body)

    def _file(self):
        entry = self._publish()
        if entry is None:
            return
        mark = f"示例：第 {self._mark()} 号，理由写满十个字。"
        body = {
            "listing": entry["id"],
            "applicant": {"name": "示例申请人", "phone": "0435-0000000"},
            "fields": ["ground"],
            "grounds": mark,
            "received_on": str(_today()),
        }
        self._act("file", mark, "rsj-clerk", "/objections/", body)

    def _mark(self):
        self.made += 1
        return f"kill-{self.number}-{self.made}-{uuid.uuid4().hex[:8]}"

    def _code(self):
        body = f"91220501K{self.chance.randrange(10**8):08d}"
        return body + uscc.calc_check_digit(body)

    def _black(self, mark):
        today = _today()
        served = today - timedelta(days=25)
        code = self._code()
        return {
            "list": "black",
            "subject": {"name": f"通化示例{code[9:17]}有限公司", "code": code},
            "category": "M05",
            "degree": "serious",
            "reference": mark,
            "document": {
                "number": f"示例〔{today.year}〕{mark}号",
                "kind": "行政处理决定书",
                "organ": "通化市示例人力资源和社会保障局",
                "date": str(today - timedelta(days=40)),
            },
            "ground": "拖欠 37 名农民工工资共 86.4 万元，经责令限期支付，逾期未付。",
            "prior_notice": {
                "served_on": str(served),
                "means": "direct",
                "defence_until": str(served + timedelta(days=20)),
            },
        }

    def _act(self, kind, mark, officer, path, body):
        """Post until it is answered, always under the same key; the answer, or None.

        After the end there is still PATIENCE to be answered.
        """
        headers = {
            "Authorization": f"Api-Key {self.house.keys[officer]}",
            "Content-Type": "application/json",
            "Idempotency-Key": f"{kind}-{mark[:100].encode().hex()[:120]}",
        }
        sent, owed = json.dumps(body), None
        while True:
            status, answer = self._try(path, headers, sent)
            if status in {200, 201}:
                self.acts.append((kind, mark, True))
                return json.loads(answer)
            if status and status < 500 and not (status == 409 and b"in_progress" in answer):
                self.refused[f"{kind} {status} {answer[:200].decode(errors='replace')}"] += 1
                self.acts.append((kind, mark, False))
                return None
            if self.house.over.is_set():
                owed = owed or time.monotonic() + PATIENCE
                if time.monotonic() > owed:
                    self.acts.append((kind, mark, False))
                    return None
            self.again += 1
            time.sleep(self.chance.uniform(0.1, 0.6))

    def _try(self, path, headers, sent):
        try:
            return self.house.ask("POST", f"/api/v1{path}", headers, sent.encode())
        except (OSError, http.client.HTTPException):
            return 0, b""


if __name__ == "__main__":
    main()

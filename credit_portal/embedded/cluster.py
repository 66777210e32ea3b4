"""One PostgreSQL data directory and the server that runs on it.

Who is who: the operating-system user that runs the server is its superuser
`postgres`; the portal connects as the role `portal`, which owns its database
and may create others, and nothing more. Both come in by `peer` over a socket in
a folder of mode 0700. PostgreSQL refuses to run as root, so for root the server
runs as a system user of its own, outside of any home folder.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path

from credit_portal.embedded import binaries
from credit_portal.embedded.errors import EmbeddedError
from credit_portal.embedded.processes import die_with_parent, end, living_in, send

BUILTIN_LOCALE = 17  # the first version with the builtin locale provider
SOCKET_NAME_LIMIT = 107  # bytes, of the whole path
NO_DATABASE = "/there is no database here yet - run: make run"

# A server of the portal's size on a machine that also runs its web server and worker.
SERVER_OPTIONS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
# For tests alone: a crash of the machine loses the cluster.
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def database(var):
    """Django's settings of the database that `start(var)` runs.

    Where none was ever started this still answers, so that commands which need no
    database work; a connection then fails with the word what to do.
    """
    try:
        host = json.loads((Path(var) / "postgres.json").read_text())["socket"]
    except FileNotFoundError:
        host = NO_DATABASE
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "portal",
        "USER": "portal",
        "HOST": host,
        "CONN_MAX_AGE": 60,
    }


def start(var, *, durable=True):
    """Start the PostgreSQL of the data folder `var` and return it, ready; a context manager.

    Everything missing is made first. What a killed predecessor left behind, a
    running server or a stale pid file, is cleared away.
    """
    cluster = Cluster(var, durable=durable)
    cluster.start()
    return cluster


class Cluster:
    """One PostgreSQL data directory and the server that runs on it."""

    def __init__(self, var, *, durable=True):
        self.var = Path(var).absolute()
        self.durable = durable
        self.is_root = os.geteuid() == 0
        self.home = self._home()
        self.data = self.home / "data"
        self.log = self.home / "postgres.log"
        self.user = None  # the system user to become; None: stay who we are
        self.lock = None
        self.process = None

    def _home(self):
        within = self.var / "postgres"  # also for root, where an ordinary user began
        if self.is_root and not within.exists():
            name = hashlib.sha256(os.fsencode(self.var.resolve())).hexdigest()[:16]
            return binaries.ROOT_HOME / name
        return within

    @property
    def url(self):
        """What DATABASE_URL would say."""
        return f"postgres://portal@/portal?host={self.socket}"

    @property
    def socket(self):
        """The socket's folder: beside the data unless that path is too long for a socket."""
        beside = self.home / "socket"
        if len(os.fsencode(beside / ".s.PGSQL.5432")) <= SOCKET_NAME_LIMIT:
            return beside
        name = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]
        return Path(f"/tmp/credit-portal-{os.geteuid()}-{name}")  # noqa: S108  0700, owner checked

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

    def start(self):
        self._take_lock()
        try:
            folder, version = binaries.find()
            if self.is_root:
                binaries.ROOT_HOME.mkdir(parents=True, exist_ok=True)
                binaries.ROOT_HOME.chmod(0o755)  # passable for the server, whatever our umask
                self.user = binaries.system_user(self.data)
                folder = binaries.readable_copy(folder, version)
            self._make_folders()
            self._clear_away()
            if not self.data.exists():
                self._create(folder, version)
            self._refuse_other_version(version)
            self._run(folder)
        except BaseException:
            self.stop()
            raise

    def stop(self):
        """Stop the server, letting no one new in and ending those who are; the data is closed."""
        if self.process:
            end(self.process.pid, self.process.poll)
            self.process = None
        if self.lock:
            self.lock.close()
            self.lock = None

    @property
    def is_up(self):
        return self.process is not None and self.process.poll() is None

    def _take_lock(self):
        self.var.mkdir(parents=True, exist_ok=True)
        self.lock = (self.var / "lock").open("a")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.lock.close()
            self.lock = None
            raise EmbeddedError(
                f"数据目录 {self.var} 已有一个实例在运行 · "
                f"another `make run` is already up on the data folder {self.var}"
            ) from None

    def _make_folders(self):
        for folder in (self.home, self.socket):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._give(folder)
            if folder.is_symlink() or folder.stat().st_uid != self._uid:
                raise EmbeddedError(f"{folder} 不属于当前用户 · {folder} belongs to someone else")
            folder.chmod(0o700)

    @property
    def _uid(self):
        return self.user.pw_uid if self.user else os.geteuid()

    def _give(self, path):
        if self.user:
            os.chown(path, self.user.pw_uid, self.user.pw_gid, follow_symlinks=False)

    def _as_user(self):
        """Arguments that make subprocess become the server's user, with a plain environment."""
        become = {}
        if self.user:
            become = {
                "user": self.user.pw_uid,
                "group": self.user.pw_gid,
                "extra_groups": [],
            }
        environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": str(self.home)}
        return {**become, "env": environment, "cwd": self.home}

    # ── what a predecessor left ──

    def _clear_away(self):
        """Leave no process and no pid file of an earlier server; we hold the lock, so none is ours.

        A process of a server is known by its working directory, never by the number in
        `postmaster.pid`: after a restart of the machine that number is someone else's.
        """
        if not Path("/proc/self/cwd").exists():
            return
        pid_file = self.data / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            postmaster = int(pid_file.read_text().splitlines()[0])
            if postmaster in self.living():
                end(postmaster, lambda: None if postmaster in self.living() else True)
        deadline = time.monotonic() + 20
        while left := self.living():  # children of a killed postmaster notice and go
            if time.monotonic() > deadline:
                for pid in left:
                    send(pid, signal.SIGKILL)
            time.sleep(0.05)
        pid_file.unlink(missing_ok=True)

    def living(self):
        """Processes at work in the data folder, seen as their own user.

        Root without CAP_SYS_PTRACE, as in a container, may not see another user's.
        """
        if not self.user:
            return living_in(self.data)
        groups = os.getegid()
        os.setegid(self.user.pw_gid)
        os.seteuid(self.user.pw_uid)
        try:
            return living_in(self.data)
        finally:
            os.seteuid(0)
            os.setegid(groups)

    # ── a new cluster ──

    def _create(self, folder, version):
        """Make the cluster beside its place and move it in whole: none is ever half made."""
        draft = self.home / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        locale = ["--locale=C.UTF-8"]
        if version >= BUILTIN_LOCALE:
            # lc-ctype too: with C there, trigrams of Chinese are silently empty.
            locale = [
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                "--lc-ctype=C.UTF-8",
            ]
        self._call(
            [
                folder / "initdb",
                "--username=postgres",
                "--encoding=UTF8",
                "--data-checksums",
                "--auth=peer",
                *locale,
                *([] if self.durable else ["--no-sync"]),
                f"--pgdata={draft}",
            ]
        )
        (draft / "pg_hba.conf").write_text(
            "local all portal peer map=portal\nlocal all postgres peer map=superuser\n"
        )
        names = {"root", pwd.getpwuid(os.geteuid()).pw_name, pwd.getpwuid(self._uid).pw_name}
        server_user = pwd.getpwuid(self._uid).pw_name
        (draft / "pg_ident.conf").write_text(
            "".join(f'portal "{name}" portal\n' for name in sorted(names))
            + f'superuser "{server_user}" postgres\n'
        )
        self._call(
            [folder / "postgres", "--single", "-D", draft, "-c", "exit_on_error=on", "postgres"],
            input="CREATE ROLE portal LOGIN CREATEDB\nCREATE DATABASE portal OWNER portal\n",
        )
        draft.rename(self.data)

    def _call(self, command, **options):
        done = subprocess.run(
            [str(part) for part in command],
            capture_output=True,
            text=True,
            check=False,
            **self._as_user(),
            **options,
        )
        if done.returncode:
            said = (done.stderr or done.stdout).strip()
            raise EmbeddedError(f"{Path(command[0]).name} 失败 · failed:\n{said}")

    def _refuse_other_version(self, version):
        made_by = (self.data / "PG_VERSION").read_text().strip()
        if made_by != str(version):
            raise EmbeddedError(
                f"{self.data} 由 PostgreSQL {made_by} 建立，本机是 {version} · was made by "
                f"PostgreSQL {made_by}, this machine has {version}: dump and restore it, or "
                "install the other version"
            )

    # ── running it ──

    def _run(self, folder):
        options = {**SERVER_OPTIONS, "unix_socket_directories": str(self.socket)}
        if not self.durable:
            options |= FORGETFUL
        arguments = [f"--{name}={value}" for name, value in options.items()]
        with contextlib.suppress(FileNotFoundError):
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [str(folder / "postgres"), "-D", str(self.data), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in the terminal is for the launcher alone
                preexec_fn=die_with_parent(signal.SIGINT),  # noqa: PLW1509  no threads here
                **self._as_user(),
            )
        self._await_ready()
        pointer = {"data": str(self.data), "socket": str(self.socket), "log": str(self.log)}
        draft = self.var / "postgres.json.new"
        draft.write_text(json.dumps(pointer, indent=2) + "\n")
        draft.rename(self.var / "postgres.json")

    def _await_ready(self, seconds=600):
        """Wait until the server says it is ready; after a crash it first replays its journal."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            with contextlib.suppress(FileNotFoundError, IndexError):
                lines = (self.data / "postmaster.pid").read_text().splitlines()
                if lines[0] == str(self.process.pid) and lines[7].strip() == "ready":
                    return
            time.sleep(0.02)
        last_words = "\n".join(self.log.read_text(errors="replace").splitlines()[-12:])
        raise EmbeddedError(
            f"PostgreSQL 未能启动 · PostgreSQL did not start; {self.log}:\n{last_words}"
        )

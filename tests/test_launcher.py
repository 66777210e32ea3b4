"""The private PostgreSQL: starts on nothing, survives being killed, never runs twice."""

import base64
import json
import os
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg2
import pytest

from credit_portal import embedded
from credit_portal.embedded.processes import send

LAUNCH_AND_WAIT = """
import sys, time
from credit_portal import embedded
cluster = embedded.start(sys.argv[1])
print(cluster.process.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def var(tmp_path):
    """A data folder of its own; as root its data lies elsewhere and is taken away as well."""
    yield tmp_path / "var"
    home = embedded.Cluster(tmp_path / "var").home
    if home.exists() and tmp_path not in home.parents:
        subprocess.run(["/bin/rm", "-rf", str(home)], check=True)


def connected(var):
    place = embedded.database(var)
    return psycopg2.connect(host=place["HOST"], user=place["USER"], dbname=place["NAME"])


def ask(var, statement):
    connection = connected(var)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
        answer = cursor.fetchone() if cursor.description else None
    connection.close()
    return answer


def launch(var):
    """A launcher in a process of its own, its server up: `(launcher, pid of the server)`."""
    launcher = subprocess.Popen(
        [sys.executable, "-c", LAUNCH_AND_WAIT, str(var)], stdout=subprocess.PIPE, text=True
    )
    return launcher, int(launcher.stdout.readline())


def gone(pid):
    deadline = time.monotonic() + 20
    while Path(f"/proc/{pid}/cwd").is_symlink() and time.monotonic() < deadline:
        try:
            Path(f"/proc/{pid}/cwd").readlink()
        except OSError:  # a zombie: ended, not yet collected
            return True
        time.sleep(0.05)
    return time.monotonic() < deadline


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_started_cluster_is_what_the_portal_relies_on(var):
    with embedded.start(var) as cluster:
        assert ask(var, "show data_checksums") == ("on",)
        assert ask(var, "show fsync") == ("on",)
        assert ask(var, "show listen_addresses") == ("",)
        assert ask(var, "show server_encoding") == ("UTF8",)
        ask(var, "create extension pg_trgm")
        assert ask(var, "select cardinality(show_trgm('示例'))") == (3,)
        assert mode(cluster.socket) == 0o700
        assert mode(cluster.data) == 0o700
    assert not cluster.living()


def test_the_portal_role_owns_its_database_and_is_no_superuser(var):
    with embedded.start(var):
        role = "select rolsuper, rolcreatedb, rolcreaterole from pg_roles where rolname = 'portal'"
        assert ask(var, role) == (False, True, False)
        owner = "select pg_get_userbyid(datdba) from pg_database where datname = 'portal'"
        assert ask(var, owner) == ("portal",)


def test_a_second_start_keeps_the_data(var):
    with embedded.start(var):
        ask(var, "create table kept as select 42 as answer")
    with embedded.start(var):
        assert ask(var, "select answer from kept") == (42,)


def test_a_second_launcher_on_the_same_folder_is_told_so(var):
    with embedded.start(var):
        with pytest.raises(embedded.EmbeddedError, match="already up"):
            embedded.start(var)
        assert ask(var, "select 1") == (1,)


@pytest.mark.parametrize("whole", [True, False], ids=["with its children", "alone"])
def test_a_killed_server_comes_back_with_what_was_committed(var, whole):
    with embedded.start(var) as cluster:
        ask(var, "create table kept as select 42 as answer")
        for pid in cluster.living() if whole else [cluster.process.pid]:
            send(pid, signal.SIGKILL)
        cluster.process.wait()
        assert not cluster.is_up
        assert (cluster.data / "postmaster.pid").exists()
    with embedded.start(var):
        assert ask(var, "select answer from kept") == (42,)


def test_a_killed_launcher_takes_its_server_along(var):
    launcher, server = launch(var)
    ask(var, "create table kept as select 42 as answer")
    launcher.kill()
    launcher.wait()
    assert gone(server)
    with embedded.start(var):
        assert ask(var, "select answer from kept") == (42,)


def test_an_orphaned_server_is_stopped_and_replaced(var):
    first = embedded.start(var)
    ask(var, "create table kept as select 42 as answer")
    orphan = first.process
    first.process = None  # as if nobody had told it that its launcher died
    first.stop()
    with embedded.start(var) as second:
        assert orphan.wait(timeout=20) is not None
        assert second.process.pid != orphan.pid
        assert ask(var, "select answer from kept") == (42,)


def test_a_pid_file_that_names_someone_else_is_no_hindrance(var):
    embedded.start(var).stop()
    stale = embedded.Cluster(var).data / "postmaster.pid"
    stale.write_text(f"{os.getppid()}\n{stale.parent}\n1700000000\n5432\n/tmp\n\n  1 1\nready\n")
    with embedded.start(var):
        assert ask(var, "select 1") == (1,)
    assert Path(f"/proc/{os.getppid()}").exists()


def test_a_making_that_was_interrupted_is_begun_again(var):
    cluster = embedded.Cluster(var)
    half = cluster.home / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with embedded.start(var):
        assert ask(var, "select 1") == (1,)


def test_a_folder_with_a_long_path_gets_a_socket_elsewhere(tmp_path):
    deep = tmp_path / ("很深的目录" * 6) / "var"
    cluster = embedded.Cluster(deep)
    cluster.home = deep / "postgres"
    assert len(os.fsencode(cluster.socket / ".s.PGSQL.5432")) <= 107


def test_data_of_another_version_is_refused_in_words(var):
    embedded.start(var).stop()
    version = embedded.Cluster(var).data / "PG_VERSION"
    version.write_text("12\n")
    with pytest.raises(embedded.EmbeddedError, match="PostgreSQL 12"):
        embedded.start(var)


def test_without_a_cluster_the_settings_stand_and_a_connection_says_what_to_do(var):
    with pytest.raises(psycopg2.OperationalError, match="make run"):
        connected(var)


def test_the_pointer_names_data_and_socket(var):
    with embedded.start(var) as cluster:
        pointer = json.loads((var / "postgres.json").read_text())
        assert pointer["data"] == str(cluster.data)
        assert pointer["socket"] == str(cluster.socket)


def test_a_secret_is_made_once_and_only_its_owner_reads_it(var):
    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(lambda _: embedded.secret(var, "SECRET_KEY"), range(16)))
    assert len(answers) == 1
    assert len(answers.pop()) >= 50
    assert [file.name for file in (var / "secrets").iterdir()] == ["SECRET_KEY"]
    assert mode(var / "secrets" / "SECRET_KEY") == 0o600


def test_a_sealing_key_has_a_name_and_32_bytes(var):
    name, _, key = embedded.secret(var, "FIELD_KEYS").partition(":")
    assert name == "k1"
    assert len(base64.b64decode(key)) == 32

"""A backup is all of the portal, nobody's without the key, and damaged is never restored."""

import base64
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings

from casework import documents
from casework.services import seal_journal
from listings import ledger
from parties import services
from parties.models import CLOCK
from portal.services.backup import Damaged, make_backup, sealed_file
from tests import builders

pytestmark = pytest.mark.django_db(transaction=True)
KEY = base64.b64encode(b"b" * 32).decode()
NAME = "restored"


@pytest.fixture(autouse=True)
def _key(settings, tmp_path):
    settings.BACKUP_KEY = KEY
    settings.MEDIA_ROOT = tmp_path / "documents"


@pytest.fixture
def house(rules):
    """A small portal: entries, a person, a filing with evidence, two documents, sealed journals."""
    builders.published_black(responsible_persons=[builders.responsible()])
    builders.red_published()
    builders.objection()
    services.person("张示例", "resident_id", builders.resident_id(3))
    for content in (b"", b"x" * 3_000_000):
        documents.keep(content, name="示例.pdf", media_type="application/pdf", actor=CLOCK)
    seal_journal()
    return ledger.head().seq


@pytest.fixture
def empty():
    """An empty database beside the tests' own; its address."""
    _own(f'DROP DATABASE IF EXISTS "{NAME}"')
    _own(f'CREATE DATABASE "{NAME}"')
    yield _address(NAME)
    _own(f'DROP DATABASE IF EXISTS "{NAME}" WITH (FORCE)')


def _address(name):
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))


def _own(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


def manage(address, var, *words, **given):
    """A command of the portal on another database, as an operator runs it; (exit code, words)."""
    environment = {
        **os.environ,
        "DATABASE_URL": address,
        "VAR": str(var),
        "SECRET_KEY": "x" * 60,
        "FIELD_KEYS": ",".join(django_settings.FIELD_KEYS),
        "BACKUP_KEY": KEY,
        **given,
    }
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-W", "ignore", "manage.py", *map(str, words)],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def backup(folder):
    out = StringIO()
    call_command("backup", str(folder), stdout=out)
    return Path(out.getvalue().strip())


def test_a_portal_comes_back_whole_from_its_backup(house, empty, tmp_path):
    place = backup(tmp_path / "backups")
    head = ledger.head()
    builders.published_black()  # after the backup
    code, said = manage(empty, tmp_path / "new", "restore", place)
    assert code == 0, said
    assert f"restored: ledger {house}, 2 documents" in said
    code, said = manage(empty, tmp_path / "new", "verify_ledger", "--entries")
    assert code == 0, said
    assert f"seq {house}, {bytes(head.hash).hex()}" in said
    code, said = manage(empty, tmp_path / "new", "migrate", "--check")
    assert code == 0, said
    code, said = manage(empty, tmp_path / "new", "rotate_keys", "--check")
    assert code == 0, said
    there = sorted(path.read_bytes() for path in (tmp_path / "new").rglob("documents/*/*"))
    here = sorted(path.read_bytes() for path in (tmp_path / "documents").glob("*/*"))
    assert there == here

    code, said = manage(empty, tmp_path / "new", "seed_rules")
    assert code == 0, said
    code, said = manage(
        empty, tmp_path / "new", "shell", "-c",
        "from casework.models import Event; Event.objects.update(note='x')",
    )  # fmt: skip
    assert "append-only" in said  # the triggers are there again


def test_a_backup_holds_no_word_of_what_is_in_it_and_not_its_key(house, tmp_path):
    place = backup(tmp_path)
    assert sorted(path.name for path in place.iterdir()) == [
        "database.dump", "documents.tar", "manifest.json",
    ]  # fmt: skip
    whole = b"".join(path.read_bytes() for path in place.iterdir())
    for word in (b"PGDMP", b"listings_listing", b"ustar", "示例".encode(), KEY.encode(), b"b" * 32):
        assert word not in whole
    assert (place.stat().st_mode & 0o777) == 0o700
    told = json.loads((place / "manifest.json").read_text())
    assert told["ledger"]["seq"] == house


def test_a_flipped_byte_is_named_before_anything_is_written(house, empty, tmp_path):
    place = backup(tmp_path / "backups")
    for name in ("documents.tar", "manifest.json", "database.dump"):
        whole = (place / name).read_bytes()
        for at in (0.0, 0.5, 0.999):
            content = bytearray(whole)
            content[int(len(content) * at)] ^= 1
            (place / name).write_bytes(content)
            with pytest.raises(CommandError, match=name):
                call_command("restore", str(place))
        if name != "database.dump":
            (place / name).write_bytes(whole)
    code, said = manage(empty, tmp_path / "new", "restore", place)
    assert (code, "database.dump" in said) == (1, True)
    assert _tables() == 0
    assert not (tmp_path / "new" / "documents").exists()


def _tables():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(%s)", [NAME])
        size = cursor.fetchone()[0]
        cursor.execute("SELECT pg_database_size('template1')")
        return int(size > cursor.fetchone()[0] + (1 << 20))


def test_a_wrong_key_is_said_before_anything_is_written(house, empty, tmp_path, settings):
    place = backup(tmp_path / "backups")
    wrong = base64.b64encode(b"z" * 32).decode()
    for given, found in (
        ({"BACKUP_KEY": wrong}, "was made under the key"),
        ({"BACKUP_KEY": "short"}, "BACKUP_KEY: base64 of 32 bytes"),
        ({"FIELD_KEYS": [f"k1:{wrong}"]}, "FIELD_KEYS lacks"),
    ):
        with override_settings(**given), pytest.raises(CommandError, match=found):
            call_command("restore", str(place))
    code, said = manage(empty, tmp_path / "new", "restore", place, FIELD_KEYS=f"k1:{wrong}")
    assert (code, "FIELD_KEYS lacks" in said) == (1, True)
    assert _tables() == 0


def test_a_database_or_folder_with_something_in_it_is_left_alone(house, empty, tmp_path):
    place = backup(tmp_path / "backups")
    (tmp_path / "new" / "documents").mkdir(parents=True)
    (tmp_path / "new" / "documents" / "mine").touch()
    code, said = manage(empty, tmp_path / "new", "restore", place)
    assert (code, "is not empty" in said) == (1, True)
    with pytest.raises(CommandError, match="the database is not empty"):
        call_command("restore", str(place))
    (tmp_path / "new" / "documents" / "mine").unlink()
    assert manage(empty, tmp_path / "new", "restore", place)[0] == 0
    assert manage(empty, tmp_path / "newer", "restore", place)[0] == 1


def test_a_backup_that_was_killed_leaves_nothing_under_a_final_name(house, tmp_path):
    address = _address(connection.settings_dict["NAME"])
    folder, seen = tmp_path / "backups", False
    while not seen:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "manage.py", "backup", str(folder)],
            env={**os.environ, "DATABASE_URL": address, "BACKUP_KEY": KEY},
            stdout=subprocess.DEVNULL,
        )
        while process.poll() is None and not list(folder.glob("*.part")):
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        seen = bool(list(folder.glob("*.part")))
    assert not [path for path in folder.glob("portal-*") if path.suffix != ".part"]
    place = backup(folder)
    assert list(folder.glob("portal-*")) == [place]


def test_of_two_backups_at_once_one_is_refused(house, tmp_path):
    with (tmp_path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(CommandError, match="another backup"):
            call_command("backup", str(tmp_path))
    assert backup(tmp_path).exists()


def test_a_document_that_is_missing_or_broken_is_told_and_the_rest_is_kept(house, empty, tmp_path):
    first, second = sorted((tmp_path / "documents").glob("*/*"), key=lambda p: p.stat().st_size)
    second.write_bytes(b"y")
    with pytest.raises(CommandError, match=second.name):
        call_command("backup", str(tmp_path / "backups"), stdout=StringIO())
    (place,) = (tmp_path / "backups").glob("portal-*")
    code, said = manage(empty, tmp_path / "new", "restore", place)
    assert code == 0
    assert f"missing already: {second.parent.name}/{second.name}" in said
    assert (tmp_path / "new" / "documents" / first.parent.name / first.name).exists()


def test_without_a_key_there_is_no_backup(house, tmp_path, settings):
    settings.BACKUP_KEY = ""
    with pytest.raises(ImproperlyConfigured):
        make_backup(tmp_path / "backups")
    with pytest.raises(CommandError, match="BACKUP_KEY"):
        call_command("backup", str(tmp_path / "backups"))
    assert not (tmp_path / "backups").exists()


# ── the files themselves ──────────────────────────────────────────────────────────────────────

SIZES = (0, 1, 1_048_575, 1_048_576, 1_048_577, 3 * 1_048_576)


def _sealed(path, content, key=b"k" * 32):
    writer = sealed_file.SealedWriter(path, key)
    for start in range(0, len(content), 700_000):
        writer.write(content[start : start + 700_000])
    writer.finish()
    return writer.told


@pytest.mark.parametrize("size", SIZES)
def test_a_file_of_any_size_is_read_as_it_was_written(tmp_path, size):
    content = os.urandom(size)
    told = _sealed(tmp_path / "a", content)
    sealed_file.check_file(tmp_path / "a", told)
    assert b"".join(sealed_file.opened(tmp_path / "a", b"k" * 32)) == content
    reader = sealed_file.SealedReader(tmp_path / "a", b"k" * 32)
    assert reader.read(10) + reader.read() == content


def test_chunks_can_be_neither_cut_nor_swapped_nor_taken_for_another_file(tmp_path):
    chunk, head = sealed_file.CHUNK + sealed_file.TAG, len(sealed_file.MAGIC) + sealed_file.SALT
    _sealed(tmp_path / "a", b"1" * (3 * sealed_file.CHUNK))
    whole = (tmp_path / "a").read_bytes()
    one, two, three = (whole[head + n * chunk : head + (n + 1) * chunk] for n in range(3))
    for parts in ((one, two), (one, three), (two, one, three), (one, two, three, three), (one,)):
        (tmp_path / "a").write_bytes(whole[:head] + b"".join(parts))
        with pytest.raises(Damaged, match="a: chunk"):
            list(sealed_file.opened(tmp_path / "a", b"k" * 32))
    (tmp_path / "b").write_bytes(whole)
    with pytest.raises(Damaged, match="b: chunk 0"):
        list(sealed_file.opened(tmp_path / "b", b"k" * 32))
    (tmp_path / "a").write_bytes(whole)
    with pytest.raises(Damaged):
        list(sealed_file.opened(tmp_path / "a", b"j" * 32))
    (tmp_path / "a").write_bytes(b"nothing")
    with pytest.raises(Damaged, match="no file of a backup"):
        list(sealed_file.opened(tmp_path / "a", b"k" * 32))

"""A portal brought back from a backup: into an empty database, checked before and after."""

import hashlib
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from django.conf import settings
from django.db import connection

from casework.models import Document
from casework.services import verify_journal
from listings import ledger
from portal.services.backup import programs
from portal.services.backup.make import DATABASE, DOCUMENTS, field_keys
from portal.services.backup.sealed_file import (
    Damaged,
    Refused,
    SealedReader,
    backup_key,
    check_file,
    opened,
    read_manifest,
)

STORED = re.compile(r"[0-9a-f]{2}/[0-9a-f]{40}")


def restore(folder):
    """Make this portal what it was in a backup; what the backup says of itself.

    Everything is checked before anything is written: the list, every byte, the keys, and that
    database and documents are empty. Raises Damaged for a backup that is not whole or that is
    under another key, Refused for a place that is not empty or lacks a sealing key.
    """
    key, folder = backup_key(), Path(folder)
    told = read_manifest(folder, key)
    for name, file in told["files"].items():
        check_file(folder / name, file)
    _refuse_lacking_keys(told)
    _refuse_full()
    place = Path(settings.MEDIA_ROOT)
    draft = place.with_name(f"{place.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True, mode=0o700)
    _unpack(folder / DOCUMENTS, key, draft)
    _load(folder / DATABASE, key)
    if place.exists():
        place.rmdir()
    draft.rename(place)
    _verify(told)
    return told


def _refuse_lacking_keys(told):
    here = field_keys()
    lacking = [name for name, known in told["field_keys"].items() if here.get(name) != known]
    if lacking:
        raise Refused(f"FIELD_KEYS lacks the sealing keys of the backup: {', '.join(lacking)}")


def _refuse_full():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()")
        tables = cursor.fetchone()[0]
    if tables:
        raise Refused(f"the database is not empty: it has {tables} tables")
    place = Path(settings.MEDIA_ROOT)
    if place.exists() and any(place.iterdir()):
        raise Refused(f"{place} is not empty")


def _unpack(path, key, place):
    """The stored files into a folder; names are checked, none leads out of it."""
    with tarfile.open(fileobj=SealedReader(path, key), mode="r|") as archive:
        for member in archive:
            if not (member.isreg() and STORED.fullmatch(member.name)):
                raise Damaged(f"{path.name}: it holds {member.name!r}, which is no stored file")
            target = place / member.name
            target.parent.mkdir(exist_ok=True, mode=0o700)
            target.touch(mode=0o600)
            with target.open("wb") as file:
                shutil.copyfileobj(archive.extractfile(member), file)


def _load(path, key):
    """The dump into the database, in one transaction: all of it or nothing."""
    options = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
    load = programs.call("pg_restore", *options, stdin=subprocess.PIPE)
    try:
        try:
            for piece in opened(path, key):
                load.stdin.write(piece)
            load.stdin.close()
        except BrokenPipeError:
            pass  # it says why
        said = load.stderr.read().decode(errors="replace")
        if load.wait():
            raise subprocess.CalledProcessError(load.returncode, "pg_restore", stderr=said)
    finally:
        programs.end(load)


def _verify(told):
    """What was brought back is what was told: ledger, journal, and every stored file."""
    fault = ledger.verify() or ledger.verify_head(told["ledger"])
    broken = f"the ledger at {fault}" if fault else verify_journal()
    if broken:
        raise Damaged(f"what was restored is not whole: {broken}")
    head = ledger.signed_head(portal=told["ledger"]["portal"])
    same = ("seq", "hash", "at", "journal")
    if any(head[name] != told["ledger"][name] for name in same):
        raise Damaged(f"the ledger ends at {head['seq']}, the backup at {told['ledger']['seq']}")
    for name, sha256 in Document.objects.values_list("path", "sha256").iterator():
        _check_document(Path(settings.MEDIA_ROOT) / name, sha256, told)


def _check_document(path, sha256, told):
    known = path.relative_to(settings.MEDIA_ROOT).as_posix()
    if known in told["missing"]:
        return
    try:
        with path.open("rb") as file:
            same = hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except FileNotFoundError:
        same = False
    if not same:
        raise Damaged(f"the document {known} is not what was stored")

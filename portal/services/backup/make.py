"""A backup made: database and documents of one moment, under a key that is not in it."""

import fcntl
import hashlib
import shutil
import subprocess
import tarfile
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from casework.models import Document
from listings import ledger
from parties import sealing
from portal.services.backup import programs
from portal.services.backup.sealed_file import (
    CHUNK,
    Refused,
    SealedWriter,
    backup_key,
    derived,
    write_manifest,
)

DATABASE, DOCUMENTS = "database.dump", "documents.tar"
# What is made anew by itself, or must not come to life again.
LEFT_OUT = ("casework_ratecount", "portal_cache", "django_session")


def make_backup(folder):
    """Write a backup into a new folder within `folder`; (its path, documents that are missing).

    It has its name only once it is whole: a run that was killed leaves a `.part` folder, which
    the next run removes. Raises ImproperlyConfigured without a key, Refused while another
    backup is being written there, CalledProcessError where pg_dump fails.
    """
    key, folder = backup_key(), Path(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"another backup is being written into {folder}") from None
        return _make_in(folder, key)


def _make_in(folder, key):
    for left in folder.glob("portal-*.part"):
        shutil.rmtree(left)
    now = timezone.now()
    place = folder / f"portal-{now:%Y%m%dT%H%M%SZ}"
    draft = place.with_suffix(".part")
    draft.mkdir(mode=0o700)
    told = _write_all(draft, key)
    write_manifest(draft, key, {"made_at": now.isoformat(), **told})
    draft.rename(place)
    still = Document.objects.filter(path__in=told["missing"])  # not deleted meanwhile
    return place, list(still.order_by("path").values_list("path", flat=True))


@transaction.atomic(durable=True)
def _write_all(draft, key):
    """Database, documents and heads, all as they are in one snapshot."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT pg_export_snapshot()")
        snapshot = cursor.fetchone()[0]
    documents = list(Document.objects.order_by("pk").values_list("path", "size", "sha256"))
    head = ledger.signed_head(portal=settings.BASE_URL)
    files = {DATABASE: _dump(draft / DATABASE, key, snapshot)}
    files[DOCUMENTS], missing = _pack(draft / DOCUMENTS, key, documents)
    return {
        "kind": "portal-backup/1",
        "release": settings.RELEASE,
        "ledger": head,
        "field_keys": field_keys(),
        "documents": len(documents) - len(missing),
        "missing": missing,
        "files": files,
    }


def field_keys():
    """{id: a word by which a sealing key is known again, which says nothing of it}."""
    return {name: derived(key, "known by")[:4].hex() for name, key in sealing.keys().items()}


def _dump(path, key, snapshot):
    left_out = [f"--exclude-table-data={table}" for table in LEFT_OUT]
    options = ["--format=custom", "--compress=3", "--no-owner", "--no-privileges", *left_out]
    writer = SealedWriter(path, key)
    dump = programs.call("pg_dump", *options, f"--snapshot={snapshot}", stdout=subprocess.PIPE)
    try:
        while piece := dump.stdout.read(CHUNK):
            writer.write(piece)
        said = dump.stderr.read().decode(errors="replace")
        if dump.wait():
            raise subprocess.CalledProcessError(dump.returncode, "pg_dump", stderr=said)
    finally:
        programs.end(dump)
    writer.finish()
    return writer.told


def _pack(path, key, documents):
    """Every stored file in one archive; (what was written, the paths that are missing or broken).

    A file whose row is deleted while we read is none of the missing.
    """
    writer, absent = SealedWriter(path, key), []
    with tarfile.open(fileobj=writer, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for name, size, sha256 in documents:
            if not _add(archive, name, size, sha256):
                absent.append(name)
    writer.finish()
    return writer.told, sorted(absent)


def _add(archive, name, size, sha256):
    """Add one file, once it is found to be what was stored; whether it was."""
    try:
        content = (Path(settings.MEDIA_ROOT) / name).open("rb")
    except FileNotFoundError:
        return False
    with content:
        if hashlib.file_digest(content, "sha256").hexdigest() != sha256:
            return False
        content.seek(0)
        member = tarfile.TarInfo(name)
        member.size, member.mode = size, 0o600
        archive.addfile(member, content)
    return True

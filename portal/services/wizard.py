"""The import wizard: a file is tried first, and taken in only when a person says so."""

import hashlib
import io
import zipfile
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from casework import documents
from casework.moves import IllegalMove, lock, record
from listings import policies
from listings.models import ImportBatch
from listings.services import imports
from portal.services.imports import import_listings

LARGEST = 20 * 1024 * 1024
LARGEST_UNPACKED = 200 * 1024 * 1024  # a sheet is held in memory while it is read
SHOWN_ERRORS = 200
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MEDIA_TYPES = {b"PK\x03\x04": XLSX, b"\xd0\xcf\x11\xe0": "application/vnd.ms-excel"}


def preview(upload, *, kind, category, department, actor):
    """Try an uploaded file: the batch says what its import would do. Nothing else is written.

    `kind` is of ImportBatch.Kind; `category` is None for penalties. The file is kept until the
    batch is committed or discarded. Raises PermissionDenied, and ValidationError for a file
    that can't be taken as a whole.
    """
    _refuse_strangers(actor, department.pk)
    content = _checked(upload)
    about = {"kind": kind, "category": category, "department": department, "actor": actor}
    with TemporaryDirectory() as folder, _in_words():
        path = Path(folder) / "file"
        path.write_bytes(content)
        summary, problems = _run(path, **about, dry_run=True)
        rejected = _content_of(summary.pop("rejected_file"))
    with transaction.atomic():
        batch = ImportBatch.objects.create(
            kind=kind,
            state=ImportBatch.State.PREVIEWED,
            category=category,
            source=documents.keep(
                content, name=upload.name[-200:], media_type=_media_type(content), actor=actor
            ),
            department=department,
            file_name=upload.name[-200:],
            sha256=hashlib.sha256(content).hexdigest(),
            errors=problems[:SHOWN_ERRORS],
            **summary,
            **actor.columns,
        )
        _keep_rejected(batch, rejected, actor)
        record(batch, "preview", actor=actor, note=batch.file_name)
    return batch


def commit(batch, *, actor):
    """Take the previewed file in, as drafts or records; returns the batch with what was done.

    The counts are those of this moment: what changed since the preview is seen. Raises
    PermissionDenied, IllegalMove where the batch is done or discarded, ValidationError
    `file_changed` where the kept file is no longer the one that was previewed.
    """
    with _in_words(), TemporaryDirectory() as folder, transaction.atomic():
        batch = _waiting(batch, "commit", actor)
        path = Path(folder) / "file"
        path.write_bytes(_content_as_previewed(batch))
        summary, _problems = _run(
            path,
            kind=batch.kind,
            category=batch.category,
            department=batch.department,
            actor=actor,
            batch=batch,
        )
        _forget_files(batch)
        _keep_rejected(batch, _content_of(summary["rejected_file"]), actor)
        batch.state = ImportBatch.State.DONE
        batch.save(update_fields=["state"])
        record(batch, "commit", actor=actor, note=batch.file_name)
    return batch


@transaction.atomic
def discard(batch, *, actor):
    """Give a previewed file up; what was kept of it is deleted."""
    batch = _waiting(batch, "discard", actor)
    batch.state = ImportBatch.State.DISCARDED
    batch.save(update_fields=["state"])
    _forget_files(batch)
    record(batch, "discard", actor=actor, note=batch.file_name)
    return batch


def _waiting(batch, action, actor):
    """The locked batch; one that is no longer waiting for a decision is refused."""
    _refuse_strangers(actor, batch.department_id)
    batch = lock(batch)
    if batch.state != ImportBatch.State.PREVIEWED:
        raise IllegalMove(batch, action)
    return batch


def _refuse_strangers(actor, department_id):
    if not policies.may_import(actor.user, department_id):
        raise PermissionDenied


def _run(path, *, kind, category, department, actor, **options):
    given = {"department": department, "actor": actor, **options}
    given["rejected_to"] = path.with_name("rejected.xlsx")
    if kind == ImportBatch.Kind.RECORDS:
        return imports.import_records(path, **given)
    return import_listings(path, kind=category.kind, category=category, **given)


@contextmanager
def _in_words():
    """What an import refuses as a whole, as a refusal of the file that was given."""
    try:
        yield
    except imports.UnreadableFile as reason:
        raise _refusal(str(reason), "unreadable_file") from reason
    except IntegrityError as reason:
        message = _("这些记录刚刚有改动，请再办一次。")
        raise _refusal(message, "changed_meanwhile") from reason


def _refusal(message, code):
    return ValidationError({"file": ValidationError(message, code=code)})


# ── the files ─────────────────────────────────────────────────────────────────────────────────


def _checked(upload):
    """The uploaded bytes, if they are few enough, packed and unpacked."""
    if upload.size > LARGEST:
        words = _("文件不能超过 %(n)s MB，请分成几份。") % {"n": LARGEST // 1024 // 1024}
        raise _refusal(words, "too_large")
    content = upload.read()
    if _unpacked(content) > LARGEST_UNPACKED:
        raise _refusal(_("表格太大，请分成几份，或者改用 CSV。"), "too_large")
    return content


def _unpacked(content):
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            return sum(item.file_size for item in packed.infolist())
    except zipfile.BadZipFile:
        return len(content)


def _media_type(content):
    return MEDIA_TYPES.get(content[:4], "text/csv")


def _content_as_previewed(batch):
    try:
        content = documents.read(batch.source)
    except OSError:
        content = b""
    if hashlib.sha256(content).hexdigest() != batch.sha256:
        raise _refusal(_("保存的文件和预览时的不一样，请重新上传。"), "file_changed")
    return content


def _content_of(path):
    return Path(path).read_bytes() if path else None


def _keep_rejected(batch, content, actor):
    if content:
        name = f"{Path(batch.file_name).stem}.rejected.xlsx"
        kept = documents.keep(content, name=name[-200:], media_type=XLSX, actor=actor)
        batch.rejected_file = kept
        batch.save(update_fields=["rejected_file"])


def _forget_files(batch):
    """The sender's rows hold numbers of persons: they stay no longer than they are needed."""
    kept = [file for file in (batch.source, batch.rejected_file) if file]
    batch.source = batch.rejected_file = None
    batch.save(update_fields=["source", "rejected_file"])
    for file in kept:
        documents.discard(file)

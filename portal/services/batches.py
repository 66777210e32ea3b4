"""A department's file and its batch: what the wizard and the queue of machines share."""

import hashlib
import io
import re
import zipfile
from contextlib import contextmanager
from pathlib import Path

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError
from django.utils.translation import gettext as _

from casework import documents
from casework.services import reaches_far
from listings import policies
from listings.models import ImportBatch
from listings.services import imports
from portal.services.imports import import_listings

LARGEST = 20 * 1024 * 1024
LARGEST_UNPACKED = 200 * 1024 * 1024  # a sheet is held in memory while it is read
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CHANGED = "changed_meanwhile"
RESIDENT = re.compile(r"\d{15,}[Xx]?")
MEDIA_TYPES = {b"PK\x03\x04": XLSX, b"\xd0\xcf\x11\xe0": "application/vnd.ms-excel"}


def refuse_strangers(actor, department_id):
    """Raises PermissionDenied for who may bring the department no files."""
    if not policies.may_import(actor.user, department_id):
        raise PermissionDenied


def run(path, *, kind, category, department, actor, **options):
    """Import the file at `path` as `kind` says; returns summary and problems.

    `category` is None for penalties, `options` are the import's own.
    """
    given = {"department": department, "actor": actor, **options}
    given["rejected_to"] = path.with_name("rejected.xlsx")
    if kind == ImportBatch.Kind.RECORDS:
        return imports.import_records(path, **given)
    return import_listings(path, kind=category.kind, category=category, **given)


@contextmanager
def in_words():
    """What an import refuses as a whole, as a refusal of the file that was given."""
    try:
        yield
    except imports.UnreadableFile as reason:
        raise refusal(str(reason), "unreadable_file") from reason
    except IntegrityError as reason:
        message = _("这些记录刚刚有改动，请再办一次。")
        raise refusal(message, CHANGED) from reason


def is_passing(reason):
    """Whether a refusal comes of another's act at the same moment, so that trying again helps."""
    errors = getattr(reason, "error_dict", {}).get("file", [])
    return any(error.code == CHANGED for error in errors)


def refusal(message, code):
    return ValidationError({"file": ValidationError(message, code=code)})


# ── the files ─────────────────────────────────────────────────────────────────────────────────


def checked(upload):
    """The uploaded bytes, if they are few enough, packed and unpacked. Raises ValidationError."""
    if upload.size > LARGEST:
        words = _("文件不能超过 %(n)s MB，请分成几份。") % {"n": LARGEST // 1024 // 1024}
        raise refusal(words, "too_large")
    content = upload.read()
    if _unpacked(content) > LARGEST_UNPACKED or reaches_far(content):
        raise refusal(_("表格太大，请分成几份，或者改用 CSV。"), "too_large")
    return content


def _unpacked(content):
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            return sum(item.file_size for item in packed.infolist())
    except zipfile.BadZipFile:
        return len(content)


def keep(upload, content, actor):
    """Keep the file until a person or the clock has taken it in; returns the Document."""
    media_type = _media_type(content)
    return documents.keep(content, name=name_of(upload), media_type=media_type, actor=actor)


def name_of(upload):
    """What the sender calls the file, without the number of a person that it may be called by."""
    return RESIDENT.sub("*", upload.name)[-200:]


def _media_type(content):
    return MEDIA_TYPES.get(content[:4], "text/csv")


def content_of(batch):
    """The kept bytes. Raises ValidationError where they are not those that were brought."""
    try:
        content = documents.read(batch.source)
    except OSError:
        content = b""
    if hashlib.sha256(content).hexdigest() != batch.sha256:
        raise refusal(_("保存的文件和上传时的不一样，请重新上传。"), "file_changed")
    return content


def bytes_at(path):
    return Path(path).read_bytes() if path else None


def keep_rejected(batch, content, actor):
    """Keep the file of rejected rows, if there are any, for the sender to fetch."""
    if content:
        name = f"{Path(batch.file_name).stem}.rejected.xlsx"
        kept = documents.keep(content, name=name[-200:], media_type=XLSX, actor=actor)
        batch.rejected_file = kept
        batch.save(update_fields=["rejected_file"])


def forget_files(batch):
    """The sender's rows hold numbers of persons: they stay no longer than they are needed."""
    kept = [file for file in (batch.source, batch.rejected_file) if file]
    batch.source = batch.rejected_file = None
    batch.save(update_fields=["source", "rejected_file"])
    for file in kept:
        documents.discard(file)

"""The import wizard: a file is tried first, and taken in only when a person says so."""

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory

from django.db import transaction

from casework.moves import IllegalMove, lock, record
from listings.models import ImportBatch
from portal.services import batches

SHOWN_ERRORS = 200


def preview(upload, *, kind, category, department, actor):
    """Try an uploaded file: the batch says what its import would do. Nothing else is written.

    `kind` is of ImportBatch.Kind; `category` is None for penalties. The file is kept until the
    batch is committed or discarded. Raises PermissionDenied, and ValidationError for a file
    that can't be taken as a whole.
    """
    batches.refuse_strangers(actor, department.pk)
    content = batches.checked(upload)
    about = {"kind": kind, "category": category, "department": department, "actor": actor}
    with TemporaryDirectory() as folder, batches.in_words():
        path = Path(folder) / "file"
        path.write_bytes(content)
        summary, problems = batches.run(path, **about, dry_run=True)
        rejected = batches.bytes_at(summary.pop("rejected_file"))
    with transaction.atomic():
        batch = ImportBatch.objects.create(
            kind=kind,
            state=ImportBatch.State.PREVIEWED,
            category=category,
            source=batches.keep(upload, content, actor),
            department=department,
            file_name=batches.name_of(upload),
            sha256=hashlib.sha256(content).hexdigest(),
            errors=problems[:SHOWN_ERRORS],
            **summary,
            **actor.columns,
        )
        batches.keep_rejected(batch, rejected, actor)
        record(batch, "preview", actor=actor, note=batch.file_name)
    return batch


def commit(batch, *, actor):
    """Take the previewed file in, as drafts or records; returns the batch with what was done.

    The counts are those of this moment: what changed since the preview is seen. Raises
    PermissionDenied, IllegalMove where the batch is done or discarded, ValidationError
    `file_changed` where the kept file is no longer the one that was previewed.
    """
    with batches.in_words(), TemporaryDirectory() as folder, transaction.atomic():
        batch = _waiting(batch, "commit", actor)
        path = Path(folder) / "file"
        path.write_bytes(batches.content_of(batch))
        summary, _problems = batches.run(
            path,
            kind=batch.kind,
            category=batch.category,
            department=batch.department,
            actor=actor,
            batch=batch,
        )
        batches.forget_files(batch)
        batches.keep_rejected(batch, batches.bytes_at(summary["rejected_file"]), actor)
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
    batches.forget_files(batch)
    record(batch, "discard", actor=actor, note=batch.file_name)
    return batch


def _waiting(batch, action, actor):
    """The locked batch; one that is no longer waiting for a decision is refused."""
    batches.refuse_strangers(actor, batch.department_id)
    batch = lock(batch)
    if batch.state != ImportBatch.State.PREVIEWED:
        raise IllegalMove(batch, action)
    return batch

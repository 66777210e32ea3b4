"""Files that machines bring: kept as they come, and taken in as drafts by a sweep."""

import hashlib
import logging
from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from casework.moves import lock, record
from listings.models import ImportBatch
from listings.policies import may_draft
from parties.models import CLOCK, Actor
from portal.services import batches

MOST_WAITING = 5  # of one department: a queue that it fills is its own
MOST_TRIES = 5
log = logging.getLogger(__name__)


@transaction.atomic
def receive(upload, *, category, actor):
    """Keep a file of entries of a category until its turn comes; returns its batch.

    The same file for the same category that still waits is not taken twice. Raises
    PermissionDenied, and ValidationError for a file that is too large or one too many.
    """
    department = actor.department
    batches.refuse_strangers(actor, department.pk)
    lawful = category.departments.filter(pk=department.pk).exists()
    if not (lawful and may_draft(actor.user, category)):
        raise PermissionDenied
    content = batches.checked(upload)
    digest = hashlib.sha256(content).hexdigest()
    waiting = ImportBatch.objects.select_for_update().received().filter(department=department)
    waiting = list(waiting)
    for batch in waiting:
        if (batch.sha256, batch.category_id) == (digest, category.pk):
            return batch
    if len(waiting) >= MOST_WAITING:
        words = _("本单位还有 %(n)s 份文件没有导入完，请等导入完再传。") % {"n": MOST_WAITING}
        raise batches.refusal(words, "too_many")
    batch = ImportBatch.objects.create(
        kind=ImportBatch.Kind.LISTINGS,
        state=ImportBatch.State.RECEIVED,
        category=category,
        department=department,
        source=batches.keep(upload, content, actor),
        file_name=batches.name_of(upload),
        sha256=digest,
        **actor.columns,
    )
    record(batch, "receive", actor=actor, note=batch.file_name)
    return batch


def take_in():
    """Take every file that waits into drafts, the oldest first; how many ended.

    A file is one transaction: what was killed halfway begins anew, and what was done is not
    done again. A file that can't be taken is refused with its reason and holds up no other.
    """
    pks = ImportBatch.objects.received().order_by("tries", "pk").values_list("pk", flat=True)
    return sum(_take(pk) for pk in list(pks))


def _take(pk):
    with override("zh-hans"):
        try:
            return _begin(pk) and _import(pk)
        except ValidationError as reason:
            if batches.is_passing(reason):
                return False  # tried again in the next run
            return _refuse(pk, " ".join(reason.messages))
        except PermissionDenied:
            return _refuse(pk, _("上传的人员已不在本单位，或者不再有起草的权限。"))
        except Exception as fault:  # the other files are not to wait for it
            # its words are left out: they may quote a row
            log.error("file %s was not taken in: %s", pk, type(fault).__name__)  # noqa: TRY400
            return False


@transaction.atomic
def _begin(pk):
    """Count a try; a file that was tried too often is refused."""
    batch = lock(ImportBatch(pk=pk))
    if batch.state != ImportBatch.State.RECEIVED:
        return False
    if batch.tries >= MOST_TRIES:
        raise batches.refusal(_("几次都没有导入完，请检查文件后重新上传。"), "too_often")
    batch.tries += 1
    batch.save(update_fields=["tries"])
    return True


def _import(pk):
    with batches.in_words(), TemporaryDirectory() as folder, transaction.atomic():
        batch = lock(ImportBatch(pk=pk))
        if batch.state != ImportBatch.State.RECEIVED:  # another run was quicker
            return False
        path = Path(folder) / "file"
        path.write_bytes(batches.content_of(batch))
        actor = Actor(user=batch.by_user, key=batch.by_key, label=batch.by_label)
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
    return True


@transaction.atomic
def _refuse(pk, reason):
    """End a file that can't be taken in, say why, and delete it."""
    batch = lock(ImportBatch(pk=pk))
    if batch.state != ImportBatch.State.RECEIVED:
        return False
    batch.state = ImportBatch.State.REFUSED
    batch.errors = [
        {"row": 0, "column": "", "code": "refused", "message": reason, "rejected": True}
    ]
    batch.save(update_fields=["state", "errors"])
    batches.forget_files(batch)
    record(batch, "refuse", actor=CLOCK, note=reason)
    return True

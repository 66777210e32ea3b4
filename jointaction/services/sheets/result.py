"""The result of a table: written when all rows are checked, handed out while it is true."""

import logging
from datetime import timedelta
from pathlib import Path

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from casework import documents
from casework.moves import IllegalMove, lock, move, record
from jointaction import policies
from jointaction.models import Sheet
from jointaction.services.sheets import workbook
from listings import ledger
from listings.models import Change, Listing
from parties.models import CLOCK
from rulebook.models import parameter

log = logging.getLogger(__name__)


def finish(sheet, today):
    """Write the result outside any transaction, then keep it and delete the upload."""
    seq = ledger.head().seq  # first: nothing up to it may be overlooked
    content = workbook.result(sheet, today=today)
    with transaction.atomic():
        fresh = lock(sheet)
        if (fresh.status, fresh.position) != (Sheet.Status.RUNNING, fresh.rows):
            raise IllegalMove(fresh, "finish")
        upload, days = fresh.upload, parameter("sheet_kept", on=today)
        name = _("%(name)s-查询结果.xlsx") % {"name": Path(fresh.file_name).stem[:180]}
        kept = documents.keep(content, name=name, media_type=documents.XLSX, actor=CLOCK)
        move(
            fresh,
            "finish",
            actor=CLOCK,
            result=kept,
            seq=seq,
            made_on=today,
            kept_until=fresh.kept_until or today + timedelta(days=days),
            finished_at=timezone.now(),
            tries=0,
            upload=None,
            upload_key_id="",
        )
        if upload:
            documents.discard(upload)
    return True


@transaction.atomic
def fetch_result(sheet, *, actor, today):
    """The result as a stored file, its download journalled; None while it is made anew.

    That is so where an entry in it was changed or ended after it was written: what has ended
    is told to nobody any more. Raises PermissionDenied, and IllegalMove where there is none.
    """
    if not policies.may_read_sheet(actor.user, sheet):
        raise PermissionDenied
    sheet = lock(sheet)
    if sheet.status == Sheet.Status.RUNNING and sheet.made_on:
        return None
    if sheet.result is None or sheet.kept_until < today:
        raise IllegalMove(sheet, "download")
    if not _has_aged(sheet, today):
        record(sheet, "download", actor=actor, note=sheet.result.name)
        return sheet.result
    old = sheet.result
    move(sheet, "renew", actor=actor, result=None, tries=0)
    documents.discard(old)
    return None


def _has_aged(sheet, today):
    """Whether an entry in the result has changed, or has ended by its date, since it was made."""
    parts = sheet.parts.values_list("listings", flat=True)
    listings = {pk for found in parts for pk in found}
    changes = Change.objects.filter(seq__gt=sheet.seq, listing__in=listings)
    changed = changes.exclude(action="annotate")  # of that the result says nothing
    lapsed = Listing.objects.filter(pk__in=listings, visible_until__lt=today)
    return changed.exists() or lapsed.filter(visible_until__gte=sheet.made_on).exists()


def forget_sheets(*, today):
    """Delete the results that were kept long enough, and the answers they were written from.

    The checks and their hits stay. Returns how many were deleted.
    """
    done = 0
    for pk in list(Sheet.objects.outlived(today).values_list("pk", flat=True)):
        try:
            done += _forget(pk)
        except Exception as fault:  # one that fails blocks none of the others
            log.error("table %s was not deleted: %s", pk, type(fault).__name__)  # noqa: TRY400
    return done


@transaction.atomic
def _forget(pk):
    sheet = lock(Sheet(pk=pk))
    result = sheet.result
    if result is None or not sheet.can("forget"):
        return False
    move(sheet, "forget", actor=CLOCK, note=_("保存期满"), result=None)
    sheet.parts.update(lines=[], listings=[])
    documents.discard(result)
    return True

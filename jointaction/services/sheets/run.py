"""The sweep that checks uploaded tables, a part at a time."""

import logging
import re
from contextlib import contextmanager
from itertools import islice

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from casework import documents
from casework.moves import IllegalMove, lock, move
from jointaction import policies
from jointaction.models import Hit, Sheet, SheetPart
from jointaction.services.asked import REASONS
from jointaction.services.check import MOST_SUBJECTS, check
from jointaction.services.sheets.result import finish
from jointaction.services.sheets.upload import LOCKS, content_of, count_rows, rows_of
from listings.services.imports.files import UnreadableFile
from parties import identity
from parties.models import CLOCK, Actor, PaperType, mask_value

MOST_TRIES = 5  # without a row checked: then the file is at fault, whatever it is
NUMBERLIKE = re.compile(r"\d(?:[\s-]?\d){5,}")  # six digits on end may be a paper's
log = logging.getLogger(__name__)


def check_sheets(*, today):
    """Check the rows of every table that waits, a part at a time, and write its result.

    A part is one transaction with the check, its hits and the table's position, so that a
    run goes on exactly where a killed one was. Two runs at once are one. Returns how many
    tables were finished.
    """
    with _alone() as free:
        waiting = Sheet.objects.open().order_by("tries", "pk") if free else Sheet.objects.none()
        return sum(_work(pk, today) for pk in list(waiting.values_list("pk", flat=True)))


@contextmanager
def _alone():
    """Whether no other run is at it; the lock falls with the connection, so also with a kill."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, 0)", [LOCKS])
        (free,) = cursor.fetchone()
    try:
        yield free
    finally:
        if free:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, 0)", [LOCKS])


def _work(pk, today):
    """Take one table to its end; whether that was its result."""
    with override("zh-hans"):
        try:
            sheet = _begin(pk)
            return bool(sheet) and _go_on(sheet, today)
        except UnreadableFile as reason:
            _refuse(pk, str(reason))
        except PermissionDenied:
            _refuse(pk, _("上传的人员已不在本单位，或者不再有查询的权限。"))
        except Exception as fault:  # the other tables are not to wait for it
            # its words are left out: they may quote a row
            log.error("table %s was not checked: %s", pk, type(fault).__name__)  # noqa: TRY400
    return False


@transaction.atomic
def _begin(pk):
    """The table, tried once more; None where it waits no longer."""
    sheet = lock(Sheet(pk=pk))
    if not sheet.can("refuse"):
        return None
    if sheet.tries >= MOST_TRIES:
        _refuse(pk, _("几次都没有查完，请检查文件后重新上传。"))
        return None
    sheet.tries += 1
    sheet.save(update_fields=["tries"])
    return move(sheet, "begin", actor=CLOCK) if sheet.can("begin") else sheet


@transaction.atomic
def _refuse(pk, reason):
    """End a table that can't be checked, say why, and delete what was uploaded."""
    sheet, reason = lock(Sheet(pk=pk)), NUMBERLIKE.sub("*", reason)  # a reader may quote a cell
    upload, gone = sheet.upload, {"upload": None, "upload_key_id": ""}
    move(sheet, "refuse", actor=CLOCK, note=reason, reason=reason[:500], **gone)
    sheet.parts.update(lines=[], listings=[])
    if upload:
        documents.discard(upload)


def _go_on(sheet, today):
    if sheet.upload_id:  # else every row is checked, and only the result is made anew
        content = content_of(sheet)
        if not sheet.rows:
            sheet.rows = count_rows(content)
            sheet.save(update_fields=["rows"])
        _check_rows(sheet, content, today)
    return finish(sheet, today)


def _check_rows(sheet, content, today):
    rows = rows_of(content)
    for _row in islice(rows, sheet.position):  # checked by a run that was cut short
        pass
    while chunk := list(islice(rows, MOST_SUBJECTS)):
        _check_part(sheet, chunk, today)


@transaction.atomic
def _check_part(sheet, chunk, today):
    """Check some rows: their log row, hits, lines and the table's new position, or nothing."""
    fresh = lock(sheet)
    if (fresh.status, fresh.position) != (Sheet.Status.RUNNING, sheet.position):
        raise IllegalMove(fresh, "check")  # somebody else is at it
    asked = [row for row in chunk if not (row.refused or row.same_as)]
    logged, results = _ask(fresh, asked, today)
    answers = {row.number: result for row, result in zip(asked, results, strict=True)}
    lines = [_line(row, answers.get(row.number)) for row in chunk]
    SheetPart.objects.create(
        sheet=fresh,
        first=chunk[0].number,
        check_id=logged and logged.pk,
        check_public_id=logged and logged.public_id,
        feedback_due=logged and _due(logged),
        lines=lines,
        listings=sorted({match["listing"] for line in lines for match in line["matches"]}),
    )
    sheet.position += len(chunk)
    sheet.tries = 0
    for line in lines:
        setattr(sheet, line["outcome"], getattr(sheet, line["outcome"]) + 1)
    sheet.save(update_fields=["position", "tries", *OUTCOMES])


OUTCOMES = ("listed", "clear", "invalid", "repeated")


def _ask(sheet, asked, today):
    """The check in the name of who uploaded, if still of that unit: (check or None, results)."""
    user = sheet.by_user
    if not policies.may_read_sheet(user, sheet):
        raise PermissionDenied
    if not asked:
        return None, []
    return check(
        [row.given for row in asked],
        actor=Actor.of(user),
        purpose=sheet.purpose,
        reference=sheet.reference,
        today=today,
    )


def _due(logged):
    hits = Hit.objects.filter(check_id=logged.pk)
    return hits.values_list("feedback_due", flat=True).first()


def _line(row, result):
    """What is kept of a row and its answer: no number of a paper, of a person the mask."""
    if row.refused:
        outcome, reason = "invalid", row.refused
    elif row.same_as:
        outcome, reason = "repeated", _("和第 %(n)s 行相同") % {"n": row.same_as}
    else:
        outcome, reason = result.outcome, str(REASONS.get(result.reason, ""))
    return {
        "row": row.number,
        **_shown(row.given),
        "outcome": outcome,
        "reason": reason,
        "subject": result.subject.pk if result and result.subject else None,
        "name_differs": bool(result and result.name_differs),
        "matches": [_kept(match) for match in result.matches] if result else [],
    }


def _shown(given):
    """Code and name of an organisation; of everything else that may be a person the mask."""
    name, code = given.get("name", ""), _code(given.get("code", ""))
    if not code:
        return {"code": "", "name": name and mask_value(name)}
    return {"code": code, "name": NUMBERLIKE.sub("*", name)}


def _code(text):
    """The code if it is one; a resident number that passes for one is none here."""
    try:
        code = identity.check_code(text)
    except ValidationError:
        return ""
    try:
        identity.check_paper(PaperType.RESIDENT_ID, code, timezone.localdate())
    except ValidationError:
        return code
    return ""


def _kept(match):
    return {
        "listing": match.listing.pk,
        "as": match.matched_as,
        "paused": match.suppressed,
        "until": {row["code"]: str(row["until"]) for row in match.measures},
    }

"""The end of the period: first the identity is gone, later all that the report said."""

import logging

from django.db import transaction

from casework import documents
from casework.moves import lock, move, record
from casework.workdays import add_months
from parties.models import CLOCK
from rulebook.models import parameter
from tipoffs.models import Report
from tipoffs.services.file import pictures_of

log = logging.getLogger(__name__)
BATCH = 200


def erase(*, today):
    """Erase what is past its period. Run it when and as often as you like.

    A bad row is logged and blocks no other.
    """
    identities = add_months(today, -parameter("report_identity_kept", on=today))
    reports = add_months(today, -parameter("report_kept", on=today))
    closed = Report.objects.filter(status__in=Report.MOVES["erase"][0])
    _each(closed.closed_before(identities).named(), _forget)
    _each(closed.closed_before(reports), _erase)


def _each(rows, act):
    for report in rows.order_by("pk")[:BATCH]:
        try:
            with transaction.atomic():
                act(report)
        except Exception:
            log.exception("%s could not be erased", report.number)


def _forget(report):
    """Drop the ciphertext and every wrap of its key: no holder of any key can open it again."""
    report = lock(report)
    if report.identity_sealed is None:
        return
    report.wraps.all().delete()
    report.identity_sealed = None
    report.save(update_fields=["identity_sealed"])
    record(report, "forget", actor=CLOCK)


def _erase(report):
    if report.identity_sealed is not None:
        _forget(report)
    report = lock(report)
    if not report.can("erase"):
        return
    pictures = list(pictures_of(report))
    report.evidence.all().delete()
    for document in pictures:
        documents.discard(document)
    report.messages.all().delete()
    blank = dict.fromkeys(("about", "code", "facts", "findings", "receipt_key_id"), "")
    move(report, "erase", actor=CLOCK, receipt_digest=None, **blank)

"""Letters: numbered in the deciding transaction, set as PDF after it, their service recorded."""

import logging

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from casework import documents
from casework.models import Letter, ServiceMeans
from casework.moves import record
from casework.services.numbers import take_number
from casework.services.refusals import refuse
from parties import sealing
from parties.models import CLOCK

log = logging.getLogger(__name__)
BATCH = 100


def take_serial(kind, department, today):
    """The number that a department's next letter of a kind has this year, without gaps.

    The counter stays locked until the transaction ends: take it after the matter and before
    any other entry is locked.
    """
    return take_number(f"letter:{kind}:{department.code}", today.year)


def issue(matter, kind, *, serial, department, content, actor, today, summary=""):
    """Write a letter about `matter` and freeze its words; the PDF is made by a sweep.

    Call it in the transaction that decides: of a decision that is rolled back the number
    is used again. `content` is what the template asks: addressee, opening, sections, date, and in
    the foot `number` and `clock`.
    """
    sign = f"{department.document_prefix}{Letter.SIGNS[kind]}"
    return Letter.objects.create(
        kind=kind,
        department=department,
        matter=matter,
        year=today.year,
        serial=serial,
        number=f"{sign}〔{today.year}〕{serial}号",
        verify_code=sealing.new_code(12),
        summary=summary,
        content=content,
        issued_on=today,
        **actor.columns,
    )


def make_missing():
    """Make the letters that are still missing. Run it when and as often as you like."""
    for letter in Letter.objects.unmade().with_parts().order_by("pk")[:BATCH]:
        try:
            make(letter)
        except Exception:
            log.exception("letter %s could not be made", letter.number)


def make(letter):
    """The PDF of a letter, set outside any transaction and stored once."""
    if letter.document_id:
        return letter.document
    with override("zh-hans"):
        content = documents.letter(
            {
                "organ": letter.department.name,
                "title": letter.get_kind_display(),
                "letter_number": letter.number,
                "verify_label": _("核验码"),
                "verify_code": letter.spaced_code,
                "verify_hint": _("扫码，或在“%(site)s”的“核验文书”输入核验码，可查本函真伪。")
                % {"site": settings.SITE_NAME},
                **letter.content,
            },
            qr=f"{settings.BASE_URL}/verify/{letter.verify_code}/",
        )
    with transaction.atomic():
        fresh = Letter.objects.select_for_update().get(pk=letter.pk)
        if fresh.document_id is None:
            fresh.document = documents.keep(
                content,
                name=f"{letter.number}.pdf",
                media_type="application/pdf",
                actor=CLOCK,
            )
            fresh.save(update_fields=["document"])
    return fresh.document


@transaction.atomic
def serve(letter, *, means, served_on, actor, today):
    """Record how and when a letter reached whom it is for; the matter's journal tells it.

    Raises ValidationError where it was recorded before, or the day can't be.
    """
    letter = Letter.objects.select_for_update().get(pk=letter.pk)
    refuse(
        {
            "means": means not in ServiceMeans.values and _("选择送达方式。"),
            "served_on": _day_error(letter, served_on, today),
            "letter": letter.served_on and _("这份文书的送达已经登记过。"),
        }
    )
    letter.served_on, letter.served_by = served_on, means
    letter.save(update_fields=["served_on", "served_by"])
    told = {"letter": letter.number, "means": letter.get_served_by_display(), "day": served_on}
    record(letter.matter, "serve", actor=actor, note=_("%(letter)s，%(means)s，%(day)s") % told)
    return letter


def _day_error(letter, served_on, today):
    if served_on > today:
        return _("送达日期不能晚于今天。")
    if served_on < letter.issued_on:
        return _("送达日期不能早于文书日期。")
    return None

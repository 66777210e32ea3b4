"""Credit reports: a firm's page in the form of a letter, with a number, for one day."""

import hashlib
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from casework import documents
from casework.services import take_number
from listings import ledger
from listings.models import Listing
from parties import sealing
from parties.models import CLOCK, Subject
from portal.models import CreditReport
from redlist.services import eligibility

VALID = timedelta(hours=24)
BATCH = 500


@transaction.atomic
def credit_report(code, *, now):
    """The report on the firm with this code as things stand; one that still says the same again.

    `code` is a valid unified social credit code; of a firm nobody has heard of the report says
    that there is nothing, as its page does.
    """
    found = _state(code, timezone.localdate(now))
    for report in CreditReport.objects.valid(now).filter(code=code, digest=_digest(found)):
        return report
    return CreditReport.objects.create(
        number=_number(timezone.localdate(now)),
        verify_code=sealing.new_code(12),
        code=code,
        digest=_digest(found),
        content=found,
        ledger_seq=ledger.head().seq,
        made_at=now,
        valid_until=now + VALID,
    )


def _number(today):
    serial = take_number("credit_report", today.year)
    return f"信报〔{today.year}〕{serial}号"


def still_true(report, *, now):
    """Whether the report may be relied on: its day is not over and nothing has changed since."""
    if report.valid_until <= now:
        return False
    return _digest(_state(report.code, timezone.localdate(now))) == report.digest


def report_file(report):
    """The report as a stored PDF, made when it is first asked for."""
    if report.document_id:
        return report.document
    content = documents.letter(
        _words(report), qr=f"{settings.BASE_URL}/verify/{report.verify_code}/"
    )
    with transaction.atomic():
        fresh = CreditReport.objects.select_for_update().get(pk=report.pk)
        if fresh.document_id is None:
            fresh.document = documents.keep(
                content, name=f"{report.number}.pdf", media_type="application/pdf", actor=CLOCK
            )
            fresh.save(update_fields=["document"])
    return fresh.document


def erase_reports(*, now):
    """Erase what the reports said whose day is over. Run it when and as often as you like."""
    for report in CreditReport.objects.spent(now).order_by("valid_until")[:BATCH]:
        with transaction.atomic():
            fresh = CreditReport.objects.select_for_update().get(pk=report.pk)
            document, fresh.document, fresh.content = fresh.document, None, {}
            fresh.save(update_fields=["document", "content"])
            if document:
                documents.discard(document)


# ── what a report says ────────────────────────────────────────────────────────────────────────


def _digest(state):
    return hashlib.sha256(ledger.canonical(state)).hexdigest()


def _state(code, today):
    """What the firm's page says today, as plain values in Chinese."""
    entries = Listing.objects.public(today).with_parts().marking_paused(today).of_code(code)
    entries = list(entries.order_by("kind", "-published_on", "-id"))
    subject = entries[0].subject if entries else Subject.objects.filter(code=code).first()
    green = eligibility(subject or Subject(), as_of=today)
    with override("zh-hans"):
        return {
            "name": entries[0].subject.name if entries else "",
            "black": [_row(entry) for entry in entries if entry.kind == "black"],
            "red": [_row(entry) for entry in entries if entry.kind == "red"],
            "green": green.words if green.eligible else [],
        }


def _row(entry):
    """One line of the report's table: category, department, since and until, remark."""
    remark = _("异议处理中") if entry.disputed else ""
    if entry.kind == "red" and entry.paused:
        remark = _("激励暂停")
    since = _("%(since)s至%(until)s") % {
        "since": _day(entry.published_on),
        "until": _day(entry.visible_until),
    }
    return [str(entry.category), entry.department.name, since, remark]


def _words(report):
    """The report as the letter's template takes it."""
    with override("zh-hans"):
        said, made = report.content, _moment(report.made_at)
        return {
            "organ": settings.SITE_HOST,
            "title": _("公共信用报告"),
            "letter_number": report.number,
            "addressee": said["name"] or report.code,
            "opening": _("统一社会信用代码 %(code)s。截至%(made)s，在本平台的有效记录如下：")
            % {"made": made, "code": report.code},
            "sections": sections(said),
            "date": _day(timezone.localdate(report.made_at)),
            "number_label": _("账本序号"),
            "number": str(report.ledger_seq),
            "clock": _("有效期至%(until)s。") % {"until": _moment(report.valid_until)},
            "verify_label": _("核验码"),
            "verify_code": report.spaced_code,
            "verify_hint": _("扫码，或在“%(site)s”的“核验文书”输入核验码，可查本报告真伪。")
            % {"site": settings.SITE_NAME},
        }


def sections(said):
    """The report's parts, each of lines or of a table, in the language at hand."""
    header = [_("类别"), _("认定部门"), _("公布期间"), _("备注")]
    found = []
    for label, rows in ((_("一、黑名单。"), said["black"]), (_("二、红名单。"), said["red"])):
        words = _("有效记录 %(n)s 条：") % {"n": len(rows)} if rows else _("没有有效记录。")
        found.append({"label": label, "lines": [words]})
        if rows:
            found.append({"header": header, "rows": rows})
    if said["green"]:
        lines = [_("符合条件：%(why)s。") % {"why": "；".join(said["green"])}]
        found.append({"label": _("三、绿色通道。"), "lines": lines})
    note = _(
        "没有记录只说明出具时没有被列入，不是信用评价；平台不对单位打分。"
        "记录到期、修复或者更正后，本报告不再有效，请以核验结果为准。"
    )
    number = _("四") if said["green"] else _("三")
    found.append({"label": _("%(number)s、说明。") % {"number": number}, "lines": [note]})
    return found


def _day(day):
    return date_format(day, "Y年n月j日")


def _moment(at):
    return date_format(timezone.localtime(at), "Y年n月j日 H:i")

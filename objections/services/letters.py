"""The written reply as PDF, made after the deciding transaction, stored once."""

import logging
from datetime import date

from django.conf import settings
from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from casework import documents
from casework.workdays import working_days_between
from listings.models import Audience, shown_value
from objections.models import Objection
from parties.models import CLOCK

log = logging.getLogger(__name__)
Outcome = Objection.Outcome


def make_letters():
    """Make the letters that are still missing. Run it when and as often as you like."""
    for objection in Objection.objects.with_parts().without_letter().order_by("pk")[:100]:
        try:
            make_letter(objection)
        except Exception:
            log.exception("no letter for objection %s", objection.number)


def make_letter(objection):
    """The letter of a replied objection, compiled outside any transaction and stored once."""
    with override("zh-hans"):
        content = documents.letter(
            "reply",
            _data(objection),
            qr=f"{settings.BASE_URL}/verify/{objection.verify_code}/",
        )
    with transaction.atomic():
        fresh = Objection.objects.select_for_update().get(pk=objection.pk)
        if fresh.letter_id is None:
            fresh.letter = documents.keep(
                content,
                name=f"{objection.letter_number}.pdf",
                media_type="application/pdf",
                actor=CLOCK,
            )
            fresh.save(update_fields=["letter"])
    return fresh.letter


def _data(objection):
    day = working_days_between(objection.received_on, objection.replied_on)
    return {
        "organ": objection.department.name,
        "title": _("关于名单记录异议的答复函"),
        "letter_number": objection.letter_number,
        "addressee": objection.applicant_name,
        "opening": _("你（单位）%(day)s对%(what)s提出异议。我单位进行了核查，现答复如下：")
        % {"day": _day(objection.received_on), "what": _what(objection)},
        "conclusion_label": _("一、结论："),
        "conclusion": _("%(outcome)s。") % {"outcome": objection.get_outcome_display()},
        "header": [_("项目"), _("原公布"), _("更正为")],
        "rows": _rows(objection),
        "reasons_label": _("二、理由。"),
        "reasons": objection.reasons.splitlines(),
        "after_label": _("三、后续。"),
        "after": AFTER[objection.outcome],
        "remedy_label": _("四、救济。"),
        "remedy": _(
            "不服本答复的，可自收到之日起 60 日内申请行政复议，或者在 6 个月内依法提起行政诉讼。"
        ),
        "date": _day(objection.replied_on),
        "verify_label": _("核验码"),
        "verify_code": "-".join(objection.verify_code[i : i + 4] for i in (0, 4, 8)),
        "verify_hint": _("扫码，或在“%(site)s”的“核验文书”输入核验码，可查本函真伪。")
        % {"site": settings.SITE_NAME},
        "number_label": _("受理编号"),
        "number": objection.number,
        "clock": _("异议处理期限 %(days)s 个工作日，本函在第 %(day)s 个工作日作出。")
        % {"days": objection.period_days, "day": day},
    }


AFTER = {
    Outcome.REJECTED: "记录不变，“异议处理中”的标注取消。",
    Outcome.UPHELD_CORRECTED: "更正已于今日公布，并通知收到过该记录的单位。",
    Outcome.UPHELD_WITHDRAWN: "记录已于今日撤下，并通知收到过该记录的单位停止使用。",
}


def _what(objection):
    if objection.listing:
        listing = objection.listing
        return _("%(list)s记录（%(category)s，%(document)s）") % {
            "list": listing.get_kind_display(),
            "category": listing.category,
            "document": listing.document_number or listing.department,
        }
    return _("行政处罚记录（%(document)s）") % {"document": objection.record.document_number}


def _rows(objection):
    """Old and new values side by side, from the journal line of the correction."""
    if objection.outcome != Outcome.UPHELD_CORRECTED:
        return []
    target = objection.listing or objection.record
    if objection.listing:
        lines = target.journal.filter(action="correct", note__contains=objection.number)
    else:
        lines = objection.journal.filter(action="reply")
    line = lines.last()
    changes = dict(line.changes) if line else {}
    details = changes.pop("details", None)
    rows = [
        [str(target._meta.get_field(name).verbose_name), *(_shown(target, name, v) for v in pair)]
        for name, pair in changes.items()
    ]
    return rows + (_detail_rows(target, *details) if details else [])


def _detail_rows(listing, old, new):
    """The category's own fields that changed; the value of one that is not public stays out."""
    changed = [
        field
        for field in listing.category.fields.all()
        if old.get(field.code) != new.get(field.code)
    ]
    return [
        [field.title, *(_detail(field, row.get(field.code)) for row in (old, new))]
        if field.disclosure in Audience.PUBLIC.value
        else [field.title, _("不公开"), _("已更正，不公开")]
        for field in changed
    ]


def _detail(field, value):
    return str(field.with_unit(shown_value(field, value, Audience.PUBLIC))) if value else ""


def _shown(target, name, value):
    if value and target._meta.get_field(name).get_internal_type() == "DateField":
        return _day(date.fromisoformat(value))
    return str(value or "")


def _day(day):
    return date_format(day, "Y年n月j日")

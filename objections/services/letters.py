"""What the letters of an objection say. Numbered where it is decided, set as PDF afterwards."""

from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from casework.models import Letter
from casework.services import clock, issue
from listings.models import Audience, shown_value
from objections.models import Objection

Kind = Letter.Kind
Outcome = Objection.Outcome


def issue_receipt(objection, serial, *, actor, today):
    """Say in writing that it was received, under which number, and until when it is answered."""
    return _issue(objection, Kind.OBJECTION_RECEIPT, _receipt, serial, actor, today)


def issue_supplement(objection, text, serial, *, actor, today):
    """Say in writing what has to be added, until when, and what happens to the clock."""

    def words(objection):
        return _supplement(objection, text)

    return _issue(objection, Kind.OBJECTION_SUPPLEMENT, words, serial, actor, today)


def issue_reply(objection, serial, *, actor, today):
    """The written reply to an objection that is decided, in the deciding transaction."""
    return _issue(objection, Kind.OBJECTION_REPLY, _reply, serial, actor, today)


def _issue(objection, kind, words, serial, actor, today):
    with override("zh-hans"):  # a letter is Chinese whatever the language of the page
        content = {
            "addressee": _addressee(objection),
            "date": _day(today),
            "number_label": _("受理编号"),
            "number": objection.number,
            **words(objection),
        }
        summary = str(objection.get_outcome_display()) if kind == Kind.OBJECTION_REPLY else ""
    return issue(
        objection,
        kind,
        serial=serial,
        department=objection.department,
        content=content,
        summary=summary,
        actor=actor,
        today=today,
    )


def _receipt(objection):
    return {
        "opening": _("你（单位）%(day)s对%(what)s提出的异议已经收到。")
        % {"day": _day(objection.received_on), "what": _what(objection)},
        "sections": [
            {
                "label": _("一、办理。"),
                "lines": [
                    _("由%(unit)s核查，最迟于%(due)s书面答复。")
                    % {"unit": objection.department.name, "due": _day(objection.due_on)},
                    _("异议处理期间，记录标注“异议处理中”，措施不停止执行。"),
                ],
            },
            {
                "label": _("二、查询。"),
                "lines": [_("凭受理编号和查询码，可以在平台查看进展、补充材料、下载答复函。")],
            },
        ],
        "clock": _("异议处理期限 %(days)s 个工作日。") % {"days": objection.total_days},
    }


def _supplement(objection, text):
    stopped = _("等候补正的时间不计入办理期限。")
    running = _("办理期限照常计算，最迟%(due)s书面答复。") % {"due": _day(objection.due_on)}
    by = _("请最迟在%(day)s补充；到期没有补充的，根据已有材料答复。")
    return {
        "opening": _("你（单位）%(day)s提出的异议，需要补充下列材料：")
        % {"day": _day(objection.received_on)},
        "sections": [
            {"label": _("一、补充什么。"), "lines": text.splitlines()},
            {
                "label": _("二、期限。"),
                "lines": [
                    by % {"day": _day(objection.supplement_by)},
                    stopped if objection.stopped_on else running,
                ],
            },
        ],
        "clock": _("异议处理期限 %(days)s 个工作日。") % {"days": objection.total_days},
    }


def _reply(objection):
    rows = _rows(objection)
    header = [_("项目"), _("原公布"), _("更正为")]
    remedy = _(
        "不服本答复的，可自收到之日起 60 日内申请行政复议，或者在 6 个月内依法提起行政诉讼。"
    )
    day = clock.used_days(objection, objection.replied_on)
    return {
        "title": _("关于名单记录异议的答复函"),
        "opening": _("你（单位）%(day)s对%(what)s提出异议。我单位进行了核查，现答复如下：")
        % {"day": _day(objection.received_on), "what": _what(objection)},
        "sections": [
            {
                "label": _("一、结论："),
                "lines": [_("%(outcome)s。") % {"outcome": objection.get_outcome_display()}],
            },
            *([{"header": header, "rows": rows}] if rows else []),
            {"label": _("二、理由。"), "lines": objection.reasons.splitlines()},
            {"label": _("三、后续。"), "lines": [_after(objection)]},
            {"label": _("四、救济。"), "lines": [remedy]},
        ],
        "clock": _("异议处理期限 %(days)s 个工作日，本函在第 %(day)s 个工作日作出。")
        % {"days": objection.total_days, "day": day},
    }


AFTER = {
    Outcome.REJECTED: "记录不变，“异议处理中”的标注取消。",
    Outcome.UPHELD_CORRECTED: "更正已于今日公布，并通知收到过该记录的单位。",
    Outcome.UPHELD_WITHDRAWN: "记录已于今日撤下，并通知收到过该记录的单位停止使用。",
}


RELEASED = "责任人员的标注已于今日解除，记录本身不变，并通知收到过该记录的单位。"


def _after(objection):
    """What follows from the outcome; of a person's objection the entry itself stays."""
    released = objection.responsible_person_id and objection.outcome == Outcome.UPHELD_WITHDRAWN
    return RELEASED if released else AFTER[objection.outcome]


def _addressee(objection):
    if not objection.agent_name:
        return objection.applicant_name
    told = {"name": objection.applicant_name, "agent": objection.agent_name}
    return _("%(name)s（代理人：%(agent)s）") % told


def _what(objection):
    what = _target(objection)
    if objection.responsible_person_id:
        told = {"what": what, "role": objection.responsible_person.get_role_display()}
        return _("%(what)s中本人作为%(role)s的部分") % told
    return what


def _target(objection):
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

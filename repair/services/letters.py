"""What the letters of an application say. Numbered where it is decided, set as PDF afterwards."""

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from casework.models import Letter
from casework.services import clock, issue
from repair.models import Repair

Kind = Letter.Kind
FREE = "办理信用修复不收取任何费用。"


def issue_receipt(repair, serial, *, actor, today):
    """Say in writing what was received, and until when it is said whether it is accepted."""
    return _issue(repair, Kind.REPAIR_RECEIPT, _receipt, serial, actor, today)


def issue_supplement(repair, text, serial, *, actor, today):
    """Say in writing what has to be added, until when, and what happens to the clock."""

    def words(repair):
        return _supplement(repair, text)

    return _issue(repair, Kind.REPAIR_SUPPLEMENT, words, serial, actor, today)


def issue_acceptance(repair, serial, *, actor, today):
    """Say in writing that it was accepted, and until when it is decided."""
    return _issue(repair, Kind.REPAIR_ACCEPTANCE, _acceptance, serial, actor, today)


def issue_refusal(repair, serial, *, actor, today):
    """Say in writing why it was not accepted."""
    return _issue(repair, Kind.REPAIR_REFUSAL, _refusal, serial, actor, today)


def issue_decision(repair, serial, *, actor, today):
    """The written decision, in the deciding transaction."""

    def words(repair):
        return _decision(repair, today)

    return _issue(repair, Kind.REPAIR_DECISION, words, serial, actor, today)


def _issue(repair, kind, words, serial, actor, today):
    with override("zh-hans"):  # a letter is Chinese whatever the language of the page
        content = {
            "addressee": repair.applicant_name,
            "date": _day(today),
            "number_label": _("受理编号"),
            "number": repair.number,
            "clock": _("期限 %(days)s 个工作日，本文书在第 %(day)s 个工作日作出。")
            % {"days": repair.total_days, "day": clock.used_days(repair, today)},
            **words(repair),
        }
        summary = str(repair.get_outcome_display()) if kind == Kind.REPAIR_DECISION else ""
    return issue(
        repair,
        kind,
        serial=serial,
        department=repair.department,
        content=content,
        summary=summary,
        actor=actor,
        today=today,
    )


def _receipt(repair):
    kinds = [paper.kind for paper in repair.papers.all()] or [_("无")]
    return {
        "opening": _("你（单位）%(day)s提交的信用修复申请已经收到。")
        % {"day": _day(repair.received_on)},
        "sections": [
            {"label": _("一、收到的材料："), "lines": ["、".join(kinds)]},
            {
                "label": _("二、办理。"),
                "lines": [
                    _("最迟于%(due)s答复是否受理。") % {"due": _day(repair.due_on)},
                    FREE,
                ],
            },
        ],
    }


def _supplement(repair, text):
    stopped = _("等候补正的时间不计入办理期限。")
    running = _("办理期限照常计算，最迟%(due)s答复是否受理。") % {"due": _day(repair.due_on)}
    by = _("请最迟在%(day)s补充；到期没有补充的，根据已有材料决定是否受理。")
    return {
        "opening": _("你（单位）%(day)s提交的信用修复申请，需要补充下列材料：")
        % {"day": _day(repair.received_on)},
        "sections": [
            {"label": _("一、补充什么。"), "lines": text.splitlines()},
            {
                "label": _("二、期限。"),
                "lines": [
                    by % {"day": _day(repair.supplement_by)},
                    stopped if repair.stopped_on else running,
                    FREE,
                ],
            },
        ],
    }


def _acceptance(repair):
    return {
        "opening": _("你（单位）的信用修复申请符合受理条件，予以受理。"),
        "sections": [
            {
                "label": _("办理。"),
                "lines": [_("最迟于%(due)s作出决定。") % {"due": _day(repair.due_on)}, FREE],
            }
        ],
    }


def _refusal(repair):
    return {
        "opening": _("你（单位）的信用修复申请不予受理。"),
        "sections": [
            {"label": _("一、理由。"), "lines": repair.reasons.splitlines()},
            {"label": _("二、后续。"), "lines": [_("原因消除后，可以再次申请。"), FREE]},
        ],
    }


def _granted(repair, today):
    """What follows from a grant on that day; who is off already is not taken off again."""
    person = repair.responsible_person
    if not repair.listing.is_public(today):
        return _("记录此前已不在名单上。")
    if person is None:
        return _("记录已于今日移出名单，并通知收到过它的单位解除措施。")
    told = {"name": person.person.display_name}
    if not person.answers_on(today):
        return _("责任人员%(name)s此前已经解除。") % told
    return _("责任人员%(name)s自今日起解除，并通知收到过记录的单位；记录仍在名单上。") % told


def _refused(repair):
    if repair.retry_from:
        return _("自%(day)s起可以再次申请。") % {"day": _day(repair.retry_from)}
    return _("原因消除后，可以再次申请。")


def _decision(repair, today):
    granted = repair.outcome == Repair.Outcome.GRANTED
    after = _granted(repair, today) if granted else _refused(repair)
    remedy = _("不服本决定的，可以依法申请行政复议或者提起行政诉讼。")
    return {
        "opening": _("你（单位）%(day)s提出的信用修复申请，经核实，现决定如下：")
        % {"day": _day(repair.received_on)},
        "sections": [
            {
                "label": _("一、决定："),
                "lines": [_("%(outcome)s。") % {"outcome": repair.get_outcome_display()}],
            },
            {"label": _("二、理由。"), "lines": repair.reasons.splitlines()},
            {"label": _("三、后续。"), "lines": [after, FREE]},
            {"label": _("四、救济。"), "lines": [remedy]},
        ],
    }


def _day(day):
    return date_format(day, "Y年n月j日")

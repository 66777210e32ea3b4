"""The supervisor's order (督办): a numbered letter to a unit that has not answered."""

from datetime import date

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from casework.models import Letter
from casework.moves import IllegalMove, lock, record
from casework.services import issue, refuse, storable, take_serial
from jointaction import policies
from jointaction.models import Push
from notices.services import tell

LONGEST_NOTE = 500


@transaction.atomic
def order(push, *, actor, note, by, today):
    """Order a unit to answer a push, or to confirm a recall, until `by`; returns the letter.

    The letter is numbered here and set as PDF later; the unit is told, and its page shows
    the order until it has answered. Raises PermissionDenied where the actor is no
    supervisor, IllegalMove where nothing is awaited any more, ValidationError where the push
    informs only, an earlier order still runs, or words or day are missing.
    """
    if not policies.may_order(actor.user):
        raise PermissionDenied
    push = lock(push)
    if not push.can("answer"):
        raise IllegalMove(push, "answer")
    refuse(
        {
            "push": (push.advisory_only and _("只供参考的推送不能督办。"))
            or (_runs(push, today) and _("上一次督办的期限还没有到。")),
            "note": _note_error(note),
            "by": (not isinstance(by, date) or by < today) and _("督办期限不能早于今天。"),
        }
    )
    letter = _issue(push, note, by, actor, today)
    push.ordered_on, push.ordered_until = today, by
    push.save(update_fields=["ordered_on", "ordered_until"])
    told = {"number": letter.number, "day": date_format(by), "note": note}
    record(push, "order", actor=actor, note=_("%(number)s，最迟 %(day)s：%(note)s") % told)
    tell(
        key=f"push-order:{push.pk}:{letter.pk}",
        department=push.unit,
        title=_("督办：推送 %(number)s 最迟 %(day)s 反馈") % {**told, "number": push.number},
        text=note,
        link=f"/desk/pushes/{push.public_id}/",
    )
    return letter


def _runs(push, today):
    return push.ordered_until is not None and push.ordered_until >= today


def _note_error(note):
    if not note.strip():
        return _("写明督办的要求。")
    if len(note) > LONGEST_NOTE:
        return _("最多 %(most)s 个字。") % {"most": LONGEST_NOTE}
    return not storable(note) and _("含有不能保存的字符。")


def _issue(push, note, by, actor, today):
    department = actor.department
    with override("zh-hans"):  # a letter is Chinese whatever the language of the page
        content = _words(push, note, by, today)
    return issue(
        push,
        Letter.Kind.ORDER,
        serial=take_serial(Letter.Kind.ORDER, department, today),
        department=department,
        content=content,
        actor=actor,
        today=today,
    )


def _words(push, note, by, today):
    told = {
        "pushed": _day(timezone.localdate(push.created_at)),
        "number": push.number,
        "kind": push.get_kind_display(),
        "list": push.listing.get_kind_display(),
        "owner": push.listing.department,
        "due": _day(push.feedback_due),
        "by": _day(by),
    }
    opening = _("平台%(pushed)s向你单位推送的%(list)s记录（%(owner)s认定，%(kind)s）尚未反馈完毕。")
    if push.kind == Push.Kind.LIFT:
        opening = _("平台%(pushed)s向你单位发出的撤回通知（%(list)s记录，%(owner)s认定）尚未确认。")
    return {
        "addressee": push.unit.name,
        "opening": opening % told,
        "sections": [
            {"label": _("一、期限。"), "lines": [_("原定最迟%(due)s反馈。") % told]},
            {
                "label": _("二、要求。"),
                "lines": [
                    _("请最迟于%(by)s逐项反馈，未执行的说明理由。") % told,
                    *note.split("\n"),
                ],
            },
        ],
        "date": _day(today),
        "number_label": _("推送编号"),
        "number": push.number,
        "clock": "",
    }


def _day(day):
    return date_format(day, "Y年n月j日")

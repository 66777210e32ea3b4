"""The clock's part: the date counted anew, reminders before it, the supervisor once it is past.

And the period to decide lengthened, where its rule allows it.
"""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from casework.moves import IllegalMove, lock, record
from casework.services import clock, refuse
from parties.models import Department
from repair import policies
from repair.models import Repair
from repair.services.contact import tell_applicant, tell_department
from rulebook.models import parameter_row


def extendable(repair, today):
    """By how many working days the period to decide may still be lengthened; 0 where not."""
    if repair.accepted_on is None or not repair.is_open or repair.is_overdue(today):
        return 0
    rule = parameter_row("repair_decide", on=repair.accepted_on)
    return max(rule.extendable_by - repair.extended_days, 0)


@transaction.atomic
def extend(repair, *, actor, days, reasons, today):
    """Lengthen the period to decide by working days, as far as its rule allows; a reviewer does it.

    Raises PermissionDenied, IllegalMove where it is not accepted, decided or late,
    ValidationError.
    """
    if not policies.may_extend(actor.user, repair):
        raise PermissionDenied
    repair = lock(repair)
    if repair.accepted_on is None or not repair.is_open or repair.is_overdue(today):
        raise IllegalMove(repair, "extend")
    left = extendable(repair, today)
    refuse(
        {
            "days": not 0 < days <= left
            and _("按规定还可以延长 %(days)s 个工作日。") % {"days": left},
            "reasons": len((reasons or "").strip()) < 10 and _("请写明理由，至少 10 个字。"),
        }
    )
    before = repair.due_on
    clock.extend(repair, days).save(update_fields=["extended_days", *clock.COLUMNS])
    told = {"old": date_format(before), "new": date_format(repair.due_on)}
    note = _("办理期限由 %(old)s延长到 %(new)s") % told
    changes = {"due_on": [str(before), str(repair.due_on)]}
    record(repair, "extend", actor=actor, note=f"{note}：{reasons.strip()}", changes=changes)
    title = _("信用修复 %(number)s 的办理期限延长") % {"number": repair.number}
    tell_applicant(repair, f"extend-{repair.extended_days}", title, f"{note}。", actor=actor)
    return repair


def chase_due(*, today, lead_unit):
    """Remind of what is due soon and tell the lead unit of what is overdue, each once.

    Where a calendar was imported since, the due date is counted anew first and both sides
    are told. A bad row blocks no other.
    """
    lead = Department.objects.get(code=lead_unit)
    clock.chase(
        Repair.objects.all(),
        today=today,
        moved=_tell_moved,
        remind=_remind,
        escalate=lambda repair: _tell_overdue(repair, lead),
    )


def _tell_moved(repair, before):
    told = {"number": repair.number, "old": before, "new": repair.due_on}
    title = _("信用修复 %(number)s 的办理期限有变") % told
    text = _("放假安排有变，办理期限由 %(old)s 改为 %(new)s。") % told
    step = f"moved-{repair.counts_from}-{repair.calendar_version}"
    tell_department(repair, step, title, text)
    tell_applicant(repair, step, title, text)


def _remind(repair, left, step):
    """One notice per step of each period: the key holds the step, not the day."""
    title = _("信用修复 %(number)s 还剩 %(left)s 个工作日")
    told = {"number": repair.number, "left": left}
    tell_department(repair, f"due-{_period(repair)}-{step}", title % told)


def _tell_overdue(repair, lead):
    step, title = f"overdue-{_period(repair)}", _("信用修复 %(number)s 已逾期")
    tell_department(repair, step, title)
    tell_department(repair, step, title, department=lead)


def _period(repair):
    """Each of the two periods is reminded of, and escalated, by itself."""
    return "decide" if repair.accepted_on else "accept"

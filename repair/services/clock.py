"""The clock's part: the date counted anew, reminders before it, the supervisor once it is past."""

from django.utils.translation import gettext as _

from casework.services import clock
from notices.models import Notice
from notices.services import tell, tell_missing
from parties.models import Department
from repair.models import Repair
from repair.services.contact import tell_applicant


def chase_due(*, today, lead_unit):
    """Remind of what is due soon and tell the lead unit of what is overdue, each once.

    Where a calendar was imported since, the due date is counted anew first and both sides
    are told. A bad row blocks no other.
    """
    lead = Department.objects.get(code=lead_unit)
    clock.chase(
        Repair.objects.select_related("department"),
        today=today,
        moved=_tell_moved,
        remind=lambda due: tell_missing(_reminder(*one) for one in due),
        escalate=lambda repair: _tell_overdue(repair, lead),
    )


def _tell_moved(repair, line):
    title = _("信用修复 %(number)s 的办理期限重新计算") % {"number": repair.number}
    tell(**_notice(repair, f"moved-{line.pk}", repair.department, title, f"{line.note}。"))
    tell_applicant(repair, f"moved-{line.pk}", title, f"{line.note}。")


def _reminder(repair, left, step):
    """One per step of each due date: the key holds the step that was reached, not the day."""
    told = {"number": repair.number, "left": left, "day": repair.due_on}
    title = _("信用修复 %(number)s 还剩 %(left)s 个工作日") % told
    text = _("办理期限到 %(day)s。") % told
    return Notice(**_notice(repair, f"due-{step}", repair.department, title, text))


def _tell_overdue(repair, lead):
    told = {"number": repair.number, "day": repair.due_on}
    title, text = _("信用修复 %(number)s 已逾期") % told, _("办理期限到 %(day)s。") % told
    for department in (repair.department, lead):
        tell(**_notice(repair, "overdue", department, title, text))


def _notice(repair, step, department, title, text):
    """What a department is told of a due date, once each."""
    return {
        "key": f"repair-{step}:{repair.number}:{department.code}:{repair.due_on}",
        "department": department,
        "title": title,
        "text": text,
        "link": f"/desk/repairs/{repair.public_id}/",
    }

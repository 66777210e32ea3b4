"""The clock's part: the date counted anew, reminders before it, the supervisor once it is past."""

from django.utils.translation import gettext as _

from casework.services import clock
from notices.models import Notice
from notices.services import tell, tell_missing
from objections.models import Objection
from objections.services.contact import tell_applicant
from parties.models import Department


def chase_due(*, today, lead_unit):
    """Remind of what is due soon and tell the lead unit of what is overdue, each once.

    Where a calendar was imported since, the due date is counted anew first and both sides
    are told. A bad row blocks no other.
    """
    lead = Department.objects.get(code=lead_unit)
    clock.chase(
        Objection.objects.select_related("department"),
        today=today,
        moved=_tell_moved,
        remind=lambda due: tell_missing(_reminder(*one) for one in due),
        escalate=lambda objection: _tell_overdue(objection, lead),
    )


def _tell_moved(objection, line):
    title = _("异议 %(number)s 的答复期限重新计算") % {"number": objection.number}
    tell(**_notice(objection, f"moved-{line.pk}", objection.department, title, f"{line.note}。"))
    tell_applicant(objection, f"moved-{line.pk}", title, f"{line.note}。")


def _reminder(objection, left, step):
    """One per step of each due date: the key holds the step that was reached, not the day."""
    told = {"number": objection.number, "left": left, "day": objection.due_on}
    title = _("异议 %(number)s 还剩 %(left)s 个工作日") % told
    text = _("最迟 %(day)s 书面答复。") % told
    return Notice(**_notice(objection, f"due-{step}", objection.department, title, text))


def _tell_overdue(objection, lead):
    told = {"number": objection.number, "day": objection.due_on}
    title = _("异议 %(number)s 已逾期") % told
    text = _("应于 %(day)s 前书面答复。") % told
    for department in (objection.department, lead):
        tell(**_notice(objection, "overdue", department, title, text))


def _notice(objection, step, department, title, text):
    day = objection.due_on
    return {
        "key": f"objection-{step}:{objection.number}:{department.code}:{day}",
        "department": department,
        "title": title,
        "text": text,
        "link": f"/desk/objections/{objection.public_id}/",
    }

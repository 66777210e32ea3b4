"""The clock's part: the date counted anew, reminders before it, the supervisor once it is past."""

from django.utils.translation import gettext as _

from casework.services import clock
from notices.services import tell
from objections.models import Objection
from objections.services.contact import tell_applicant
from parties.models import Department


def chase_due(*, today, lead_unit):
    """Remind of what is due soon and tell the lead unit of what is overdue, each once.

    Where a calendar was imported since, the due date is counted anew first and both sides
    are told. One matter at a time: a bad row is logged and blocks no other.
    """
    lead = Department.objects.get(code=lead_unit)
    clock.chase(
        Objection.objects.all(),
        today=today,
        moved=_tell_moved,
        remind=_remind,
        escalate=lambda objection: _tell_overdue(objection, lead),
    )


def _tell_moved(objection, before):
    told = {"number": objection.number, "old": before, "new": objection.due_on}
    title = _("异议 %(number)s 的答复期限有变") % told
    text = _("放假安排有变，答复期限由 %(old)s 改为 %(new)s。") % told
    _tell(objection, f"moved-{objection.calendar_version}", objection.department, title, text)
    tell_applicant(objection, f"moved-{objection.calendar_version}", title, text)


def _remind(objection, left, step):
    """One notice per step: the key holds the step that was reached, not the day."""
    told = {"number": objection.number, "left": left, "day": objection.due_on}
    title = _("异议 %(number)s 还剩 %(left)s 个工作日") % told
    _tell(
        objection, f"due-{step}", objection.department, title, _("最迟 %(day)s 书面答复。") % told
    )


def _tell_overdue(objection, lead):
    told = {"number": objection.number, "day": objection.due_on}
    for department in (objection.department, lead):
        title = _("异议 %(number)s 已逾期") % told
        text = _("应于 %(day)s 前书面答复。") % told
        _tell(objection, "overdue", department, title, text)


def _tell(objection, step, department, title, text):
    tell(
        key=f"objection-{step}:{objection.number}:{department.code}",
        department=department,
        title=title,
        text=text,
        link=f"/desk/objections/{objection.public_id}/",
    )

"""The clock's part: the date counted anew, reminders before it, the supervisor once it is past."""

from django.utils.translation import gettext as _

from casework.services import clock
from parties.models import Department
from repair.models import Repair
from repair.services.contact import tell_applicant, tell_department


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
    tell_department(repair, f"due-{repair.counts_from}-{step}", title % told)


def _tell_overdue(repair, lead):
    title = _("信用修复 %(number)s 已逾期")
    tell_department(repair, "overdue", title)
    tell_department(repair, "overdue", title, department=lead)

"""The clock of the step that a report waits for: set, reminded of, handed to the lead unit."""

from django.utils.translation import gettext as _

from casework.services import clock
from notices.models import Notice
from notices.services import tell, tell_missing
from parties.models import Department
from rulebook.models import parameter
from tipoffs.models import Report


def begin(report, rule, today):
    """The clock's columns for a step of as many working days as the rule `rule` says from today.

    Sets them on `report` too; nothing is saved.
    """
    report.counts_from, report.period_days = today, parameter(rule, on=today)
    report.escalated_on = None
    clock.count(report)
    return {name: getattr(report, name) for name in ("counts_from", "period_days", *clock.COLUMNS)}


def chase_due(*, today, lead_unit):
    """Remind of what is due soon and tell the lead unit of what is overdue, each once.

    Where a calendar was imported since, the due date is counted anew first. A bad row blocks
    no other.
    """
    lead = Department.objects.get(code=lead_unit)
    clock.chase(
        Report.objects.select_related("department"),
        today=today,
        moved=_tell_moved,
        remind=lambda due: tell_missing(_reminder(*one) for one in due),
        escalate=lambda report: _tell_overdue(report, lead),
    )


def _tell_moved(report, line):
    title = _("举报 %(number)s 的办理期限重新计算") % {"number": report.number}
    tell(**notice(report, f"moved-{line.pk}", report.department, title, f"{line.note}。"))


def _reminder(report, left, step):
    told = {"number": report.number, "left": left, "day": report.due_on}
    title = _("举报 %(number)s 还剩 %(left)s 个工作日") % told
    text = _("%(status)s，最迟 %(day)s。") % {"status": report.get_status_display(), **told}
    return Notice(**notice(report, f"due-{step}", report.department, title, text))


def _tell_overdue(report, lead):
    told = {"number": report.number, "day": report.due_on}
    title = _("举报 %(number)s 已逾期") % told
    text = _("%(status)s，应于 %(day)s 前办理。") % {"status": report.get_status_display(), **told}
    for department in {report.department, lead}:
        tell(**notice(report, "overdue", department, title, text))


def notice(report, step, department, title, text):
    """A message for a department's inbox: it holds the number, and no word of the report."""
    return {
        "key": f"report-{step}:{report.number}:{department.code}:{report.due_on}",
        "department": department,
        "title": title,
        "text": text,
        "link": f"/desk/reports/{report.public_id}/",
    }

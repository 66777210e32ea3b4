"""The clock's part: the date counted anew, reminders before it, the supervisor once it is past."""

import logging

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from casework.moves import lock, record
from casework.workdays import (
    add_working_days,
    calendar_version,
    is_provisional,
    working_days_between,
)
from notices.services import tell
from objections.models import Objection
from parties.models import CLOCK, Department

log = logging.getLogger(__name__)
REMIND_BEFORE = (5, 3, 1)  # working days


def chase_due(*, today, lead_unit):
    """Remind of what is due soon and tell the lead unit of what is overdue, each once.

    Where a calendar was imported since, the due date is counted anew first. One matter at
    a time: a bad row is logged and blocks no other.
    """
    for objection in Objection.objects.open().order_by("pk").iterator():
        try:
            _chase(objection, today, lead_unit)
        except Exception:
            log.exception("objection %s could not be chased", objection.number)


@transaction.atomic
def _chase(objection, today, lead_unit):
    if _version(objection) != objection.calendar_version:
        objection = _recount(objection)
    if objection.is_overdue(today):
        if objection.escalated_on is None:
            _escalate(objection, today, lead_unit)
        return
    left = working_days_between(today, objection.due_on)
    if left <= max(REMIND_BEFORE):
        _remind(objection, left)


def _version(objection):
    return str(calendar_version(objection.received_on, objection.due_on))


def _recount(objection):
    """Count the due date on the calendar as it is now; a date that moves leaves a line."""
    objection = lock(objection)
    before = objection.due_on
    objection.due_on = add_working_days(objection.received_on, objection.period_days)
    objection.provisional = is_provisional(objection.received_on, objection.due_on)
    objection.calendar_version = _version(objection)
    objection.save(update_fields=["due_on", "provisional", "calendar_version"])
    if objection.due_on != before:
        note = _("放假安排有变，答复期限由 %(old)s 改为 %(new)s")
        told = {"old": date_format(before), "new": date_format(objection.due_on)}
        changes = {"due_on": [str(before), str(objection.due_on)]}
        record(objection, "recount", actor=CLOCK, note=note % told, changes=changes)
    return objection


def _remind(objection, left):
    """One notice per step: the key holds the step that was reached, not the day."""
    step = min(days for days in REMIND_BEFORE if days >= left)
    tell(
        key=f"objection-due:{objection.number}:{step}",
        department=objection.department,
        title=_("异议 %(number)s 还剩 %(left)s 个工作日")
        % {"number": objection.number, "left": left},
        text=_("最迟 %(day)s 书面答复。") % {"day": objection.due_on},
        link=f"/desk/objections/{objection.public_id}/",
    )


def _escalate(objection, today, lead_unit):
    objection = lock(objection)
    if objection.escalated_on or objection.status == Objection.Status.REPLIED:
        return
    objection.escalated_on = today
    objection.save(update_fields=["escalated_on"])
    record(objection, "escalate", actor=CLOCK, note=_("逾期，报督办"))
    for department in (objection.department, Department.objects.get(code=lead_unit)):
        tell(
            key=f"objection-overdue:{objection.number}:{department.code}",
            department=department,
            title=_("异议 %(number)s 已逾期") % {"number": objection.number},
            text=_("应于 %(day)s 前书面答复。") % {"day": objection.due_on},
            link=f"/desk/objections/{objection.public_id}/",
        )

"""The clock's part: reminders before the due date, the supervisor once it is past."""

import logging

from django.db import transaction
from django.utils.translation import gettext as _

from casework.moves import lock, record
from casework.workdays import working_days_between
from notices.services import tell
from objections.models import Objection
from parties.models import CLOCK, Department

log = logging.getLogger(__name__)
REMIND_BEFORE = (5, 3, 1)  # working days


def chase_due(*, today, lead_unit):
    """Remind of what is due soon and tell the lead unit of what is overdue, each once.

    One matter at a time: a bad row is logged and blocks no other.
    """
    for objection in Objection.objects.open().order_by("pk").iterator():
        try:
            _chase(objection, today, lead_unit)
        except Exception:
            log.exception("objection %s could not be chased", objection.number)


@transaction.atomic
def _chase(objection, today, lead_unit):
    if objection.is_overdue(today):
        if objection.escalated_on is None:
            _escalate(objection, today, lead_unit)
        return
    left = working_days_between(today, objection.due_on)
    if left <= max(REMIND_BEFORE):
        _remind(objection, left)


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

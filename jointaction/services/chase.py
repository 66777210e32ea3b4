"""Late answers: a reminder first, then the supervisor, each once."""

from django.db import transaction
from django.utils.translation import gettext as _

from casework.moves import record_many
from casework.workdays import add_working_days
from jointaction.models import Occasion, Push
from jointaction.services.webhooks import announce_pushes
from notices.models import Notice
from notices.services import tell_many
from parties.models import CLOCK, Department
from rulebook.models import parameter

BATCH = 5_000


@transaction.atomic
def chase_late(*, today, lead_unit):
    """Remind the units whose answers are overdue, and tell the lead unit of those long overdue.

    Asks for what is late and not yet chased, so a gap of days loses nothing and a second
    run finds nothing to do.
    """
    _remind(Push.objects.overdue(today).filter(reminded_on=None), today)
    grace = parameter("push_escalate", on=today)
    late = Push.objects.overdue(today).filter(escalated_on=None, reminded_on__isnull=False)
    longest = [due for due in _due_days(late) if add_working_days(due, grace) < today]
    _escalate(late.filter(feedback_due__in=longest), today, lead_unit)


def _due_days(pushes):
    return pushes.order_by("feedback_due").values_list("feedback_due", flat=True).distinct()


def _remind(late, today):
    rows = _take(late)
    Push.objects.filter(pk__in=rows).update(reminded_on=today)
    record_many(Push, list(rows), "remind", actor=CLOCK, note=str(_("已逾期，催办")))
    announce_pushes(Occasion.PUSH_OVERDUE, Push.objects.filter(pk__in=rows))
    tell_many(
        Notice(
            key=f"push-late:{unit}:{today}",
            department_id=unit,
            title=_("有 %(count)s 件推送逾期未反馈") % {"count": list(rows.values()).count(unit)},
            text=_("请尽快逐项反馈。"),
            link="/desk/pushes/",
        )
        for unit in sorted(set(rows.values()))
    )


def _escalate(late, today, lead_unit):
    rows = _take(late)
    if not rows:
        return
    Push.objects.filter(pk__in=rows).update(escalated_on=today)
    record_many(Push, list(rows), "escalate", actor=CLOCK, note=str(_("逾期已久，报督办")))
    names = Department.objects.filter(pk__in=set(rows.values())).values_list("name", flat=True)
    tell_many(
        [
            Notice(
                key=f"push-escalated:{today}:{min(rows)}",
                department=Department.objects.get(code=lead_unit),
                title=_("%(count)s 件推送催办后仍未反馈") % {"count": len(rows)},
                text="、".join(names),
                link="/desk/pushes/",
            )
        ]
    )


def _take(pushes):
    locked = pushes.order_by("pk").select_for_update(skip_locked=True)
    return dict(locked.values_list("pk", "unit_id")[:BATCH])

"""Answers that are due or late: the unit is reminded, then the supervisor told, each once."""

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
WARN_BEFORE = 2  # working days


@transaction.atomic
def chase_late(*, today, lead_unit):
    """Remind the units of what is nearly due and of what is late, then tell the lead unit.

    Asks for what is due and not yet chased, so a gap of days loses nothing and a second
    run finds nothing to do. Which are late is decided by their dates, whether this runs or not.
    """
    soon = Push.objects.due_between(today, add_working_days(today, WARN_BEFORE))
    _remind(soon.filter(warned_on=None), "warn", today)
    _remind(Push.objects.overdue(today).filter(reminded_on=None), "remind", today)
    grace = parameter("push_escalate", on=today)
    late = Push.objects.overdue(today).filter(escalated_on=None, reminded_on__isnull=False)
    longest = [due for due in _due_days(late) if add_working_days(due, grace) < today]
    _escalate(late.filter(feedback_due__in=longest), today, lead_unit)


def _due_days(pushes):
    return pushes.order_by("feedback_due").values_list("feedback_due", flat=True).distinct()


def _remind(pushes, step, today):
    """Write down and tell each unit that its pushes are nearly due (`warn`) or late (`remind`)."""
    column, key, note, title = {
        "warn": ("warned_on", "soon", _("快到期，提醒"), _("有 %(count)s 件推送快到反馈期限")),
        "remind": ("reminded_on", "late", _("已逾期，催办"), _("有 %(count)s 件推送逾期未反馈")),
    }[step]
    rows = _take(pushes)
    if not rows:
        return
    Push.objects.filter(pk__in=rows).update(**{column: today})
    record_many(Push, list(rows), step, actor=CLOCK, note=note)
    if step == "remind":
        announce_pushes(Occasion.PUSH_OVERDUE, Push.objects.filter(pk__in=rows))
    tell_many(
        Notice(
            key=f"push-{key}:{unit}:{today}:{min(mine)}",
            department_id=unit,
            title=title % {"count": len(mine)},
            text=_("请尽快逐项反馈。"),
            link="/desk/pushes/",
        )
        for unit, mine in sorted(_by_unit(rows).items())
    )


def _escalate(late, today, lead_unit):
    rows = _take(late)
    if not rows:
        return
    Push.objects.filter(pk__in=rows).update(escalated_on=today)
    record_many(Push, list(rows), "escalate", actor=CLOCK, note=str(_("逾期已久，报督办")))
    names = Department.objects.filter(pk__in=set(rows.values())).values_list("name", flat=True)
    calls = Push.objects.filter(pk__in=rows, kind=Push.Kind.LIFT).count()
    text = "、".join(names)
    if calls:
        text += _("。其中 %(count)s 件是撤下的记录，单位还没有确认停用。") % {"count": calls}
    tell_many(
        [
            Notice(
                key=f"push-escalated:{today}:{min(rows)}",
                department=Department.objects.get(code=lead_unit),
                title=_("%(count)s 件推送催办后仍未反馈") % {"count": len(rows)},
                text=text,
                link="/desk/pushes/?status=overdue",
            )
        ]
    )


def _take(pushes):
    locked = pushes.order_by("pk").select_for_update(skip_locked=True)
    return dict(locked.values_list("pk", "unit_id")[:BATCH])


def _by_unit(rows):
    found = {}
    for pk, unit in rows.items():
        found.setdefault(unit, []).append(pk)
    return found

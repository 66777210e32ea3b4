"""Hits that nobody has answered: a reminder first, then the lead unit, each once."""

from collections import Counter

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils.translation import gettext as _

from casework.models import Event
from casework.workdays import add_working_days
from jointaction.models import Hit
from notices.models import Notice
from notices.services import tell_many
from parties.models import CLOCK, Department
from rulebook.models import parameter

BATCH = 5_000


@transaction.atomic
def chase_late_hits(*, today, lead_unit):
    """Remind the units of hits whose feedback is overdue; tell the lead unit of those long so.

    Asks for what is late and not yet chased, so a gap of days loses nothing and a second
    run finds nothing to do.
    """
    late = Hit.objects.overdue(today)
    _remind(late.filter(reminded_on=None), today)
    grace = parameter("push_escalate", on=today)
    told = late.filter(escalated_on=None, reminded_on__isnull=False)
    days = told.order_by("feedback_due").values_list("feedback_due", flat=True).distinct()
    longest = [due for due in days if add_working_days(due, grace) < today]
    _escalate(told.filter(feedback_due__in=longest), today, lead_unit)


def _remind(late, today):
    hits = _take(late)
    if not hits:
        return
    Hit.objects.filter(pk__in=[hit.pk for hit in hits]).update(reminded_on=today)
    _record(hits, "remind", _("已逾期，催办"))
    tell_many(
        Notice(
            key=f"hit-late:{unit}:{today}:{hits[0].pk}",
            department_id=unit,
            title=_("有 %(count)s 条查询命中逾期未反馈") % {"count": count},
            text=_("请尽快反馈处理结果。"),
            link="/desk/checks/",
        )
        for unit, count in sorted(Counter(hit.unit_id for hit in hits).items())
    )


def _escalate(late, today, lead_unit):
    hits = _take(late)
    if not hits:
        return
    Hit.objects.filter(pk__in=[hit.pk for hit in hits]).update(escalated_on=today)
    _record(hits, "escalate", _("逾期已久，报督办"))
    units = Department.objects.filter(pk__in={hit.unit_id for hit in hits})
    notice = Notice(
        key=f"hit-escalated:{today}:{hits[0].pk}",
        department=Department.objects.get(code=lead_unit),
        title=_("%(count)s 条查询命中催办后仍未反馈") % {"count": len(hits)},
        text="、".join(units.values_list("name", flat=True)),
        link="/desk/board/",
    )
    tell_many([notice])


def _take(hits):
    """Those that nobody else holds; what is answered at this moment is left alone."""
    return list(hits.order_by("pk").select_for_update(skip_locked=True)[:BATCH])


def _record(hits, action, note):
    kind = ContentType.objects.get_for_model(Hit)
    Event.objects.bulk_create(
        Event(
            content_type=kind,
            object_id=hit.pk,
            action=action,
            status=hit.status,
            version=hit.version,
            note=note,
            **CLOCK.columns,
        )
        for hit in hits
    )

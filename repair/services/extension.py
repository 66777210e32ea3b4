"""The period to decide, lengthened where its rule allows it."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from casework.moves import IllegalMove, lock, record
from casework.services import clock, refuse
from repair import policies
from repair.services.contact import tell_applicant
from rulebook.models import parameter_row


def extendable(repair, today):
    """By how many working days the period to decide may still be lengthened; 0 where not."""
    if repair.accepted_on is None or not repair.is_open or repair.is_overdue(today):
        return 0
    rule = parameter_row("repair_decide", on=repair.accepted_on)
    return max(rule.extendable_by - repair.extended_days, 0)


@transaction.atomic
def extend(repair, *, actor, days, reasons, today):
    """Lengthen the period to decide by working days, as far as its rule allows; a reviewer does it.

    Raises PermissionDenied, IllegalMove where it is not accepted, decided or late,
    ValidationError.
    """
    if not policies.may_extend(actor.user, repair):
        raise PermissionDenied
    repair = lock(repair)
    if repair.accepted_on is None or not repair.is_open or repair.is_overdue(today):
        raise IllegalMove(repair, "extend")
    left = extendable(repair, today)
    refuse(
        {
            "days": not 0 < days <= left
            and _("按规定还可以延长 %(days)s 个工作日。") % {"days": left},
            "reasons": len((reasons or "").strip()) < 10 and _("请写明理由，至少 10 个字。"),
        }
    )
    before = repair.due_on
    clock.extend(repair, days).save(update_fields=["extended_days", *clock.COLUMNS])
    told = {"old": date_format(before), "new": date_format(repair.due_on)}
    note = _("办理期限由 %(old)s延长到 %(new)s") % told
    changes = {"due_on": [str(before), str(repair.due_on)]}
    record(repair, "extend", actor=actor, note=f"{note}：{reasons.strip()}", changes=changes)
    title = _("信用修复 %(number)s 的办理期限延长") % {"number": repair.number}
    tell_applicant(repair, f"extend-{repair.extended_days}", title, f"{note}。", actor=actor)
    return repair

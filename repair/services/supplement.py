"""Papers that are missing: asked for once, all together, and taken in or waited for in vain."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from casework.models import Letter
from casework.moves import lock, move
from casework.services import clock, refuse, take_serial
from repair import policies
from repair.models import Repair
from repair.services import letters
from repair.services.apply import hand_in
from repair.services.contact import tell_applicant, tell_department
from rulebook.models import parameter_row


@transaction.atomic
def ask(repair, *, actor, text, by, today):
    """Ask the applicant once for all that is missing, until the day `by`.

    The clock goes on, unless its rule says that it stands still meanwhile. Raises
    PermissionDenied, IllegalMove, ValidationError.
    """
    if not policies.may_handle(actor.user, repair):
        raise PermissionDenied
    refuse(
        {
            "text": len((text or "").strip()) < 10 and _("写明要补充什么，至少 10 个字。"),
            "by": by <= today and _("补正期限应在今天以后。"),
        }
    )
    repair = lock(repair)
    serial = take_serial(Letter.Kind.REPAIR_SUPPLEMENT, repair.department, today)
    rule = parameter_row("repair_accept", on=repair.received_on)
    repair = move(
        repair,
        "ask",
        actor=actor,
        note=text.strip(),
        supplement_by=by,
        stopped_on=today if rule.stops else None,
    )
    letters.issue_supplement(repair, text.strip(), serial, actor=actor, today=today)
    title = _("信用修复 %(number)s 需要补充材料") % {"number": repair.number}
    words = {"day": date_format(by), "text": text.strip()}
    told = _("请最迟在 %(day)s补充：%(text)s") % words
    tell_applicant(repair, f"ask-{repair.version}", title, told, actor=actor)
    return repair


@transaction.atomic
def supplement(repair, *, actor, text, today, papers=()):
    """Take in what the applicant adds; a clock that stood still runs again from tomorrow.

    `papers` are what `apply` takes. Raises IllegalMove where nothing is waited
    for, ValidationError, PermissionDenied.
    """
    if actor.user and not policies.may_handle(actor.user, repair):
        raise PermissionDenied
    text = (text or "").strip()
    if not (text or papers) or len(text) > 2_000:
        message = _("补充说明最多 2000 个字，说明和材料至少有一样。")
        raise ValidationError({"text": message})
    repair = lock(repair)
    columns = clock.columns(clock.resume(repair, today))
    repair = move(repair, "supplement", actor=actor, note=text, **columns)
    hand_in(repair, papers, today)
    title = _("信用修复 %(number)s 已补充材料")
    tell_department(repair, f"supplement-{repair.version}", title)
    return repair


def lapse(*, today):
    """Let clocks that stood still run again where the applicant has not answered in time."""
    clock.lapse(Repair.objects.all(), today=today, tell=_tell_lapsed)


def _tell_lapsed(repair):
    title = _("信用修复 %(number)s 补正期满没有补充") % {"number": repair.number}
    told = _("最迟 %(day)s 决定是否受理。") % {"day": date_format(repair.due_on)}
    tell_department(repair, f"lapsed-{repair.version}", title, told)
    tell_applicant(repair, f"lapsed-{repair.version}", title, told)

"""Changes that one officer proposes and another approves: correction, withdrawal, release.

Every removal and every correction by hand takes two people; the proposer never approves.
"""

import logging
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from casework.moves import IllegalMove, lock, move, record
from casework.services import refuse
from casework.workdays import add_working_days, working_days_between
from listings import policies
from listings.models import Listing, Proposal
from listings.services.change import (
    check_correction,
    correct,
    plain,
    refuse_over,
    refuse_unchanged,
    refuse_withdrawal_reason,
    withdraw,
)
from listings.services.foreign import refuse_foreign
from listings.services.persons import refuse_reason, refuse_released, release_person
from notices.services import tell
from parties.models import CLOCK, Department
from rulebook.models import parameter

log = logging.getLogger(__name__)
REMIND_BEFORE = 1  # working days
QUASHED = Listing.EndReason.DOCUMENT_QUASHED


def propose_correction(listing, fields, *, actor, note, today=None):
    """Put a correction before another officer. Raises PermissionDenied, ValidationError."""
    refuse_foreign(listing)
    if not policies.may_edit(actor.user, listing):
        raise PermissionDenied
    refuse_unchanged(listing, check_correction(listing, fields, today=today))
    new = {name: plain(value) for name, value in fields.items()}
    return _propose(listing, Proposal.Action.CORRECT, actor=actor, note=note, fields=new)


def propose_withdrawal(listing, *, reason, actor, note, quashed_on=None, quashed_by="", today=None):
    """Put a withdrawal before another officer. Raises PermissionDenied, ValidationError.

    Where the document was quashed, the entry must be off its list within the rule's working
    days of `quashed_on` (`today` where it is not given): `due_on` says until when.
    """
    refuse_foreign(listing)
    if not policies.may_edit(actor.user, listing):
        raise PermissionDenied
    refuse_withdrawal_reason(reason)
    if reason != QUASHED:
        _refuse_quashing(quashed_on, quashed_by)
        return _propose(listing, Proposal.Action.WITHDRAW, actor=actor, note=note, reason=reason)
    return _propose(
        listing,
        Proposal.Action.WITHDRAW,
        actor=actor,
        note=note,
        reason=reason,
        **_quashed(listing, quashed_on, quashed_by, today),
    )


def propose_release(person, *, reason, actor, note, today):
    """Put the end of a responsible person's part before another officer; the entry stays."""
    refuse_foreign(person.listing)
    if not policies.may_edit(actor.user, person.listing):
        raise PermissionDenied
    refuse_reason(reason)
    refuse_released(person, today)
    return _propose(
        person.listing,
        Proposal.Action.RELEASE,
        actor=actor,
        note=note,
        reason=reason,
        person=person,
    )


@transaction.atomic
def approve(proposal, *, actor, today):
    """Carry a proposal out. Raises PermissionDenied for its own author, IllegalMove."""
    if not policies.may_decide_proposal(actor.user, proposal):
        raise PermissionDenied
    lock(Listing(pk=proposal.listing_id))  # the entry first: what ends it closes its proposals
    proposal = move(proposal, "approve", actor=actor)
    refuse_over(proposal.listing, _needs(proposal.action), today)
    _CARRY_OUT[proposal.action](proposal, actor=actor, note=proposal.note, today=today)
    return proposal


def _correct(proposal, **acting):
    correct(proposal.listing, proposal.fields, **acting)


def _withdraw(proposal, **acting):
    withdraw(proposal.listing, reason=proposal.reason, **acting)


def _release(proposal, **acting):
    release_person(proposal.person, reason=proposal.reason, **acting)


_CARRY_OUT = {
    Proposal.Action.CORRECT: _correct,
    Proposal.Action.WITHDRAW: _withdraw,
    Proposal.Action.RELEASE: _release,
}


@transaction.atomic
def reject(proposal, *, actor, note):
    """Turn a proposal down, with the reason."""
    if not policies.may_decide_proposal(actor.user, proposal):
        raise PermissionDenied
    if not note:
        raise ValidationError({"note": _("请写明不通过的理由。")})
    return move(proposal, "reject", actor=actor, note=note)


@transaction.atomic
def _propose(listing, action, *, actor, note, **fields):
    if not note:
        raise ValidationError({"note": _("请写明理由。")})
    listing = lock(Listing(pk=listing.pk))  # so that nothing ends it unseen
    if not listing.can(_needs(action)):
        raise IllegalMove(listing, _needs(action))
    try:
        with transaction.atomic():
            proposal = Proposal.objects.create(
                listing=listing, action=action, note=note, proposed_by=actor.user, **fields
            )
    except IntegrityError:
        raise ValidationError(_("这条记录已有一件待审核的提议。"), code="pending") from None
    record(proposal, f"propose_{action}", actor=actor, note=note)
    return proposal


def _needs(action):
    """What the entry must allow: for it, the release of a person is a correction."""
    return "correct" if action == Proposal.Action.RELEASE else str(action)


def _refuse_quashing(quashed_on, quashed_by):
    told = _("只有文书被撤销时才填写。")
    refuse({"quashed_on": quashed_on and told, "quashed_by": quashed_by and told})


def _quashed(listing, quashed_on, quashed_by, today):
    quashed_on = quashed_on or today
    if not isinstance(quashed_on, date):
        raise ValidationError({"quashed_on": _("请填写文书撤销的日期。")})
    dated = listing.document_date
    refuse(
        {
            "quashed_on": (today and quashed_on > today and _("不能晚于今天。"))
            or (dated and quashed_on < dated and _("不能早于文书日期。"))
        }
    )
    days = parameter("quashed_withdrawal", on=today or quashed_on)
    due_on = add_working_days(quashed_on, days)
    return {"quashed_on": quashed_on, "quashed_by": quashed_by.strip(), "due_on": due_on}


def chase_withdrawals(*, today, lead_unit):
    """Remind of entries whose document was quashed, then tell the lead unit, each once.

    Asks for what is open and due, and its journal for what was said already, so a gap of
    days loses nothing. One proposal at a time: a bad row is logged and blocks no other.
    """
    for proposal in Proposal.objects.urgent().order_by("pk"):
        try:
            _chase(proposal, today, lead_unit)
        except Exception:
            log.exception("proposal %s could not be chased", proposal.pk)


@transaction.atomic
def _chase(proposal, today, lead_unit):
    proposal = lock(proposal)
    if proposal.is_overdue(today):
        _say(proposal, "escalate", _("逾期未撤下，报督办"), also=lead_unit)
    elif proposal.can("approve") and working_days_between(today, proposal.due_on) <= REMIND_BEFORE:
        _say(proposal, "remind", _("快到期，提醒审核"))


def _say(proposal, step, note, also=None):
    """Leave a journal line and the notices of one step, unless it was taken already."""
    if proposal.journal.filter(action=step).exists():
        return
    record(proposal, step, actor=CLOCK, note=note)
    told = Department.objects.filter(pk=proposal.listing.department_id)
    for department in told | Department.objects.filter(code=also):
        tell(
            key=f"withdrawal-{step}:{proposal.pk}:{department.code}",
            department=department,
            title=_("文书已撤销，记录最迟 %(day)s 撤下") % {"day": date_format(proposal.due_on)},
            text=_("请审核人员尽快审核撤下提议。"),
            link=f"/desk/proposals/{proposal.public_id}/",
        )

"""What happens to an entry after publication: annotation, correction, and the three endings.

Each change a person makes has a proposer and another approver; the public sees only
the result, the journal both.
"""

import copy

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from casework.moves import IllegalMove, lock, move, record
from casework.services import clean_columns, refuse
from listings import ledger, policies
from listings.models import Listing, Proposal
from listings.services.draft import checked_details, one_of_two, refuse_duplicate
from listings.services.publish import bans_moved

# What a correction may change; the term is never restarted by it.
CORRECTABLE = frozenset(
    {
        "ground",
        "document_number",
        "document_kind",
        "document_organ",
        "document_date",
        "details",
        "visible_until",
        "basis_article",
    }
)
WITHDRAWAL_REASONS = (
    Listing.EndReason.ERROR,
    Listing.EndReason.DOCUMENT_QUASHED,
    Listing.EndReason.RECOGNITION_WITHDRAWN,
)


@transaction.atomic
def annotate(listing, *, disputed, actor, note=""):
    """Show or take off the badge 异议处理中. Nothing else about the entry changes."""
    if lock(listing).disputed == disputed:
        return listing
    return _act(listing, "annotate", actor=actor, note=note, disputed=disputed)


@transaction.atomic
def correct(listing, fields, *, actor, note, changes=None):
    """Replace values of an entry in force: a new version, the term as it was."""
    listing = lock(Listing(pk=listing.pk))
    fields = check_correction(listing, fields)
    old = {name: getattr(listing, name) for name in fields}
    changes = {
        name: [_plain(old[name]), _plain(value)]
        for name, value in fields.items()
        if old[name] != value
    }
    _refuse_unchanged(listing, fields)
    if "visible_until" in fields:
        fields["measure_until"] = bans_moved(listing, fields["visible_until"])
    with one_of_two():
        return _act(listing, "correct", actor=actor, note=note, changes=changes, **fields)


@transaction.atomic
def withdraw(listing, *, reason, actor, note, today):
    """Take an entry off its list before its term is over. Void from the start if in error."""
    if reason not in WITHDRAWAL_REASONS:
        raise ValidationError({"reason": _("撤下原因不对。")})
    _refuse_over(listing, "withdraw", today)
    return _act(
        listing,
        "withdraw",
        actor=actor,
        note=note,
        ended_on=today,
        end_reason=reason,
        disputed=False,
    )


@transaction.atomic
def repair(listing, *, actor, note, today):
    """Take an entry off the black list because its subject has put things right."""
    return _act(
        listing,
        "repair",
        actor=actor,
        note=note,
        ended_on=today,
        end_reason=Listing.EndReason.REPAIRED,
        disputed=False,
    )


def propose_correction(listing, fields, *, actor, note):
    """Put a correction before another officer. Raises PermissionDenied, ValidationError."""
    if not policies.may_edit(actor.user, listing):
        raise PermissionDenied
    _refuse_unchanged(listing, check_correction(listing, fields))
    plain = {name: _plain(value) for name, value in fields.items()}
    return _propose(listing, Proposal.Action.CORRECT, actor=actor, note=note, fields=plain)


def propose_withdrawal(listing, *, reason, actor, note):
    """Put a withdrawal before another officer. Raises PermissionDenied, ValidationError."""
    if not policies.may_edit(actor.user, listing):
        raise PermissionDenied
    if reason not in WITHDRAWAL_REASONS:
        raise ValidationError({"reason": _("撤下原因不对。")})
    return _propose(listing, Proposal.Action.WITHDRAW, actor=actor, note=note, reason=reason)


@transaction.atomic
def approve(proposal, *, actor, today):
    """Carry a proposal out. Raises PermissionDenied for its own author."""
    if not policies.may_decide_proposal(actor.user, proposal):
        raise PermissionDenied
    proposal = move(proposal, "approve", actor=actor)
    _refuse_over(proposal.listing, proposal.action, today)
    if proposal.action == Proposal.Action.CORRECT:
        correct(proposal.listing, proposal.fields, actor=actor, note=proposal.note)
    else:
        withdraw(
            proposal.listing, reason=proposal.reason, actor=actor, note=proposal.note, today=today
        )
    return proposal


@transaction.atomic
def reject(proposal, *, actor, note):
    """Turn a proposal down, with the reason."""
    if not policies.may_decide_proposal(actor.user, proposal):
        raise PermissionDenied
    if not note:
        raise ValidationError({"note": _("请写明不通过的理由。")})
    return move(proposal, "reject", actor=actor, note=note)


def _propose(listing, action, *, actor, note, **fields):
    if not note:
        raise ValidationError({"note": _("请写明理由。")})
    if not listing.can(action):
        raise IllegalMove(listing, action)
    try:
        with transaction.atomic():
            proposal = Proposal.objects.create(
                listing=listing, action=action, note=note, proposed_by=actor.user, **fields
            )
    except IntegrityError:
        raise ValidationError(_("这条记录已有一件待审核的提议。"), code="pending") from None
    record(proposal, f"propose_{action}", actor=actor, note=note)
    return proposal


def _refuse_over(listing, action, today):
    """What is over by its dates is over, whether or not the sweep has run."""
    listing = lock(Listing(pk=listing.pk))
    if not listing.is_public(today):
        raise IllegalMove(listing, action)


def _act(listing, action, *, actor, note, changes=None, **fields):
    """Move one entry and put the change in the ledger, in the caller's transaction."""
    moved = move(Listing(pk=listing.pk), action, actor=actor, note=note, changes=changes, **fields)
    entry = Listing.objects.with_parts().get(pk=moved.pk)
    ledger.append([ledger.Entry(entry, action, changes or {})])
    return entry


def check_correction(listing, fields):
    """The corrected columns as Python values. Raises ValidationError naming each bad one."""
    unknown = fields.keys() - CORRECTABLE
    if unknown or not fields:
        raise ValidationError(
            {name: _("这一项不能更正。") for name in unknown} or {"fields": _("没有要更正的。")}
        )
    cleaned, errors = clean_columns(listing, fields)
    if "details" in cleaned:
        cleaned["details"], bad = checked_details(listing, cleaned["details"])
        errors.update(bad)
    refuse({**_correction_errors(listing, cleaned), **errors})
    return cleaned


def _correction_errors(listing, new):
    """A correction empties nothing, lengthens nothing, and keeps the order of the dates."""
    errors = {
        name: _("更正不能删去这一项。")
        for name, value in new.items()
        if name != "details" and getattr(listing, name) and not value
    }
    until, dated = new.get("visible_until"), new.get("document_date")
    if until and until > listing.visible_until:
        errors["visible_until"] = _("更正不能延长公布期限。")
    if until and until < listing.published_on:
        errors["visible_until"] = _("不能早于公布日。")
    if dated and dated > listing.published_on:
        errors["document_date"] = _("文书日期不能晚于公布日。")
    return {**errors, **_duplicate_error(listing, new.get("document_number"))}


def _duplicate_error(listing, number):
    same = copy.copy(listing)
    same.document_number = number
    try:
        refuse_duplicate(same)
    except ValidationError as error:
        return error.error_dict
    return {}


def _refuse_unchanged(listing, fields):
    if all(getattr(listing, name) == value for name, value in fields.items()):
        raise ValidationError({"fields": _("新值和现在公布的一样，没有要更正的。")})


def _plain(value):
    return value if isinstance(value, (str, int, dict, list, type(None))) else str(value)

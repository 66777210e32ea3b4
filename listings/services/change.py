"""What happens to an entry after publication: annotation, correction, and the three endings.

Each change a person makes has a proposer and another approver; the public sees only
the result, the journal both.
"""

import copy

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from casework.moves import IllegalMove, lock, move
from casework.services import clean_columns, refuse
from listings import ledger
from listings.models import Listing, ResponsiblePerson
from listings.services.draft import checked_details, one_of_two, refuse_duplicate
from listings.services.foreign import refuse_foreign
from listings.services.lapse import lapse_proposals
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
    refuse_foreign(listing)
    if lock(listing).disputed == disputed:
        return listing
    return act(listing, "annotate", actor=actor, note=note, disputed=disputed)


@transaction.atomic
def correct(listing, fields, *, actor, note, today=None):
    """Replace values of an entry in force: a new version, the term as it was.

    An earlier last day cuts the terms of responsible persons as well.
    """
    refuse_foreign(listing)
    listing = lock(Listing(pk=listing.pk))
    fields = check_correction(listing, fields, today=today)
    old = {name: getattr(listing, name) for name in fields}
    changes = {
        name: [plain(old[name]), plain(value)]
        for name, value in fields.items()
        if old[name] != value
    }
    refuse_unchanged(listing, fields)
    if "visible_until" in fields:
        fields["measure_until"] = bans_moved(listing, fields["visible_until"])
        later = ResponsiblePerson.objects.filter(listing=listing, until__gt=fields["visible_until"])
        later.update(until=fields["visible_until"])
    with one_of_two():
        return act(listing, "correct", actor=actor, note=note, changes=changes, **fields)


@transaction.atomic
def withdraw(listing, *, reason, actor, note, today):
    """Take an entry off its list before its term is over. Void from the start if in error."""
    refuse_foreign(listing)
    refuse_withdrawal_reason(reason)
    refuse_over(listing, "withdraw", today)
    return act(
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
    refuse_foreign(listing)
    return act(
        listing,
        "repair",
        actor=actor,
        note=note,
        ended_on=today,
        end_reason=Listing.EndReason.REPAIRED,
        disputed=False,
    )


def refuse_over(listing, action, today):
    """What is over by its dates is over, whether or not the sweep has run."""
    listing = lock(Listing(pk=listing.pk))
    if not listing.is_public(today):
        raise IllegalMove(listing, action)


def refuse_withdrawal_reason(reason):
    if reason not in WITHDRAWAL_REASONS:
        message = _("撤下原因不对。")
        raise ValidationError({"reason": ValidationError(message, code="bad_reason")})


def act(listing, action, *, actor, note, changes=None, **fields):
    """Move one entry and put the change in the ledger, in the caller's transaction.

    Where the entry ends, whatever else was proposed for it lapses.
    """
    moved = move(Listing(pk=listing.pk), action, actor=actor, note=note, changes=changes, **fields)
    if action in Listing.ENDINGS:
        lapse_proposals([moved.pk], actor=actor)
    entry = Listing.objects.with_parts().get(pk=moved.pk)
    ledger.append([ledger.Entry(entry, action, changes or {})])
    return entry


def check_correction(listing, fields, *, today=None):
    """The corrected columns as Python values. Raises ValidationError naming each bad one.

    With `today`, a corrected last day lies between it and the present last day.
    """
    unknown = fields.keys() - CORRECTABLE
    if unknown or not fields:
        raise ValidationError(
            {name: _("这一项不能更正。") for name in unknown} or {"fields": _("没有要更正的。")}
        )
    cleaned, errors = clean_columns(listing, fields)
    if "details" in cleaned:
        cleaned["details"], bad = checked_details(listing, cleaned["details"])
        errors.update(bad)
    refuse({**_correction_errors(listing, cleaned, today), **errors})
    return cleaned


def _correction_errors(listing, new, today):
    """A correction empties nothing, lengthens nothing, and keeps the order of the dates."""
    errors = {
        name: _("更正不能删去这一项。")
        for name, value in new.items()
        if name != "details" and getattr(listing, name) and not value
    }
    dated = new.get("document_date")
    if new.get("visible_until"):
        errors["visible_until"] = _bad_last_day(listing, new["visible_until"], today)
    if dated and dated > listing.published_on:
        errors["document_date"] = _("文书日期不能晚于公布日。")
    return {**errors, **_duplicate_error(listing, new.get("document_number"))}


def _bad_last_day(listing, until, today):
    if until > listing.visible_until:
        return ValidationError(_("更正不能延长公布期限。"), code="longer_term")
    if until < listing.published_on:
        return ValidationError(_("不能早于公布日。"), code="bad_last_day")
    if today and until < today:
        return ValidationError(_("不能早于今天；不再公布的，请提议撤下。"), code="bad_last_day")
    return None


def _duplicate_error(listing, number):
    same = copy.copy(listing)
    same.document_number = number
    try:
        refuse_duplicate(same)
    except ValidationError as error:
        return error.error_dict
    return {}


def refuse_unchanged(listing, fields):
    if all(getattr(listing, name) == value for name, value in fields.items()):
        raise ValidationError({"fields": _("新值和现在公布的一样，没有要更正的。")})


def plain(value):
    return value if isinstance(value, (str, int, dict, list, type(None))) else str(value)

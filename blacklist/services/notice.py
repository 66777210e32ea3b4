"""The notice before listing, and what its subject says to it."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from blacklist import policies
from blacklist.models import BlackListing, PriorNotice
from casework.moves import IllegalMove, lock, move
from casework.workdays import add_working_days
from listings.models import ResponsiblePerson
from rulebook.models import parameter


@transaction.atomic
def serve_notice(listing, *, actor, today, served_on, means, defence_until):
    """Note that the prior notice was served, how, and until when the subject may answer.

    Raises ValidationError where the time to answer is shorter than the rule's.
    """
    return write_notice(
        listing,
        actor=actor,
        today=today,
        served_on=served_on,
        means=means,
        defence_until=defence_until,
    )


@transaction.atomic
def record_defence(listing, *, actor, received_on, text, opinion):
    """Note the subject's statement and defence, and the department's opinion of it."""
    if not policies.may_serve_notice(actor.user, listing):
        raise PermissionDenied
    listing = draft_of(listing)
    notice = PriorNotice.objects.filter(listing=listing).first()
    if notice is None:
        raise ValidationError({"prior_notice": no_notice()})
    notice.defence_received_on, notice.defence_text = received_on, text
    notice.opinion = opinion
    notice.full_clean()
    if not received_on or received_on < notice.served_on:
        raise ValidationError({"received_on": _("不能早于送达日期。")})
    notice.save()
    move(listing, "record_defence", actor=actor, note=f"{received_on}")
    return notice


def write_notice(
    listing, *, actor, today, served_on, means, defence_until, defence=None, step=move
):
    """Write the notice of a draft in the caller's transaction; `step` leaves the journal line."""
    if not policies.may_serve_notice(actor.user, listing):
        raise PermissionDenied
    listing = draft_of(listing)
    refuse_short_notice(served_on, defence_until, today, at="prior_notice")
    notice = PriorNotice.objects.filter(listing=listing).first() or PriorNotice(listing=listing)
    notice.served_on, notice.means, notice.defence_until = served_on, means, defence_until
    if defence:
        notice.defence_received_on = defence.get("received_on")
        notice.defence_text = defence.get("text", "")
        notice.opinion = defence.get("opinion", "")
    notice.full_clean(exclude=["listing"])
    refuse_early_defence(notice.defence_received_on, served_on, at="prior_notice")
    notice.save()
    step(listing, "serve_notice", actor=actor, note=f"{served_on} – {defence_until}")
    return notice


def told(department=None, **which):
    """The notice that was served for a draft, with the draft as it was then, or None."""
    owned = {"listing__department": department} if department else {}
    return PriorNotice.objects.select_related("listing").filter(**which, **owned).first()


def void_notice(before, listing, actor):
    """A notice about another subject or another misconduct is none: it has to be served anew.

    So are those to the responsible persons.
    """
    if before is None or before.listing_id != listing.pk:
        return
    was = before.listing
    if (was.subject_id, was.category_id) != (listing.subject_id, listing.category_id):
        before.delete()
        ResponsiblePerson.objects.filter(listing=listing.pk).update(**NO_NOTICE)
        move(listing, "void_notice", actor=actor)


# A responsible person to whom nothing was served.
NO_NOTICE = {
    "notice_served_on": None,
    "notice_means": "",
    "defence_until": None,
    "defence_received_on": None,
    "defence_text": "",
    "opinion": "",
}


def no_notice():
    return ValidationError(_("须先送达列入告知书。"), code="no_notice")


def draft_of(listing):
    """The locked draft; an entry that is no longer one is refused."""
    listing = lock(BlackListing(pk=listing.pk))
    if not listing.can("edit"):
        raise IllegalMove(listing, "edit")
    return listing


def refuse_short_notice(served_on, defence_until, today, *, at):
    """Raise ValidationError under `at` where a notice is of tomorrow or leaves too little time."""
    if served_on > today:
        raise ValidationError({f"{at}.served_on": _("送达日期不能晚于今天。")})
    days = parameter("defence", on=today)
    earliest = add_working_days(served_on, days)
    if defence_until < earliest:
        message = _("陈述申辩期至少 %(days)s 个工作日，最早到 %(day)s。")
        words = message % {"days": days, "day": earliest}
        raise ValidationError({f"{at}.defence_until": ValidationError(words, code="short_notice")})


def refuse_early_defence(received_on, served_on, *, at):
    if received_on and received_on < served_on:
        raise ValidationError({f"{at}.defence": _("收到陈述申辩不能早于送达日期。")})

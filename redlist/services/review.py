"""The black list looked at again: at nomination, and whenever a recognised subject gets on it.

The benefits of a red entry are suspended at once, by reading; what is decided here is the
entry itself.
"""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from casework.moves import move, move_many, record_many
from casework.workdays import add_working_days
from listings.models import Listing
from notices.models import Notice
from notices.services import tell_many
from parties.models import CLOCK, Department
from redlist import policies
from redlist.models import RedListing, Review, Screening
from rulebook.models import parameter

BATCH = 1_000


@transaction.atomic
def screen_nominations(*, today):
    """Look at the black list for every nomination that nobody has looked at; returns how many."""
    waiting = RedListing.objects.unscreened().order_by("pk")
    listings = list(waiting.select_for_update(of=("self",), skip_locked=True)[:BATCH])
    Screening.objects.bulk_create(screenings_of(listings, today, Screening.Stage.NOMINATION))
    return len(listings)


def screenings_of(listings, today, stage):
    """An unsaved Screening for each red entry, with what stands on the black list; one query."""
    found = {}
    black = Listing.objects.public(today).black().with_parts()
    for entry in black.filter(subject__in=[listing.subject_id for listing in listings]):
        found.setdefault(entry.subject_id, []).append(_in_words(entry))
    return [
        Screening(
            listing=listing,
            stage=stage,
            clear=listing.subject_id not in found,
            found="；".join(found.get(listing.subject_id, ()))[:300],
        )
        for listing in listings
    ]


def _in_words(entry):
    return _("%(unit)s“%(category)s”，%(day)s 公布") % {
        "unit": entry.department.short_name,
        "category": entry.category.name,
        "day": entry.published_on,
    }


@transaction.atomic
def review_black_listed(*, today):
    """Put to review every red entry whose subject got on the black list; close what is settled.

    Asks for pairs of a red and a black entry in force that have no review yet, so a gap of
    days loses nothing and a second run finds nothing. Returns how many reviews it opened.
    """
    settled = Review.objects.open().exclude(listing__in=RedListing.objects.public(today))
    move_many(settled, "end", actor=CLOCK, note=_("红名单记录已不在名单上"))
    rows = RedListing.objects.ours().public(today).beside_black(today).order_by("pk")
    locked = list(rows.select_for_update(of=("self",), skip_locked=True)[:BATCH])
    reviews = [
        Review(listing=red, black_id=black, due_on=_due(today))
        for red, black in _new_pairs(locked, today)
    ]
    Review.objects.bulk_create(reviews)
    if reviews:
        opened = [review.listing for review in reviews]
        record_many(Review, [review.pk for review in reviews], "open", actor=CLOCK)
        Screening.objects.bulk_create(screenings_of(opened, today, Screening.Stage.LATER))
        _tell(reviews)
    return len(reviews)


def _due(today):
    return add_working_days(today, parameter("red_review", on=today))


def _new_pairs(reds, today):
    """[(red entry, key of a black entry in force)] of those that have no review yet."""
    known = set(Review.objects.filter(listing__in=reds).values_list("listing_id", "black_id"))
    black = Listing.objects.public(today).black()
    by_subject = {}
    for pk, subject in black.filter(subject__in=[red.subject_id for red in reds]).values_list(
        "pk", "subject_id"
    ):
        by_subject.setdefault(subject, []).append(pk)
    return [
        (red, pk)
        for red in reds
        for pk in by_subject.get(red.subject_id, ())
        if (red.pk, pk) not in known
    ]


def _tell(reviews):
    units = {}
    for review in reviews:
        units.setdefault(review.listing.department_id, []).append(review)
    tell_many(
        Notice(
            key=f"red-review:{unit}:{mine[-1].pk}",
            department_id=unit,
            title=_("%(count)s 条红名单记录的主体被列入黑名单，请复核") % {"count": len(mine)},
            text=_("激励已经暂停。请决定撤下红名单记录，或者在黑名单记录结束后予以保留。"),
            link="/desk/?kind=review",
        )
        for unit, mine in sorted(units.items())
    )


@transaction.atomic
def keep(review, *, actor, note, today):
    """Decide that the red entry stays, once its subject is off the black list again.

    Raises PermissionDenied for all but a reviewer who wrote no part of the entry,
    ValidationError `black_listed` while a black entry is in force or where the opinion is
    missing, IllegalMove. A withdrawal goes the way of every withdrawal: two people.
    """
    if not policies.may_decide_review(actor.user, review):
        raise PermissionDenied
    if Listing.objects.public(today).black().filter(subject=review.listing.subject_id).exists():
        message = _("这个主体还在黑名单上，不能保留；请撤下，或者等黑名单记录结束。")
        raise ValidationError(ValidationError(message, code="black_listed"))
    if not note.strip():
        raise ValidationError({"note": _("请写明复核意见。")})
    return move(review, "keep", actor=actor, note=note)


@transaction.atomic
def chase_reviews(*, today, lead_unit):
    """Tell the department and the lead unit of each review that is overdue, once."""
    late = Review.objects.overdue(today).filter(reminded_on=None).with_parts().order_by("pk")
    reviews = list(late.select_for_update(of=("self",), skip_locked=True)[:BATCH])
    if not reviews:
        return 0
    pks = [review.pk for review in reviews]
    Review.objects.filter(pk__in=pks).update(reminded_on=today)
    record_many(Review, pks, "escalate", actor=CLOCK, note=_("复核逾期，报督办"))
    told = {review.listing.department_id for review in reviews}
    told.add(Department.objects.get(code=lead_unit).pk)
    tell_many(
        Notice(
            key=f"red-review-late:{unit}:{pks[-1]}",
            department_id=unit,
            title=_("%(count)s 件红名单复核逾期") % {"count": len(pks)},
            text=_("、").join(sorted({review.listing.department.name for review in reviews})),
            link="/desk/?kind=review",
        )
        for unit in sorted(told)
    )
    return len(pks)

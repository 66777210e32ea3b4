"""How an entry gets on the red list: nomination, screening, public notice, recognition."""

from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from casework.moves import IllegalMove, lock, move, record
from casework.workdays import add_working_days
from listings import services as listings
from redlist import policies
from redlist.models import Nomination, RedListing, Screening
from redlist.services.review import screenings_of
from rulebook.models import ListKind, parameter

A_YEAR = timedelta(days=366)
# What belongs to the black list alone.
NOT_RED = ("document_number", "document_kind", "document_organ", "document_date", "degree")


@transaction.atomic
def draft(
    *,
    actor,
    subject,
    category,
    today,
    source="",
    nominator="",
    evidence="",
    public_notice=None,
    **fields,
):
    """Write a nomination: a draft of the red list with its source and public notice.

    Returns (entry, made). `public_notice` holds `from` and `until`. Raises what
    `listings.services.draft` raises.
    """
    _refuse_black_fields(category, fields)
    if not nominator:
        raise ValidationError({"nominator": _("请写明推荐单位。")})
    announced = _announced(
        listing__reference=fields.get("reference") or None, listing__department=actor.department
    )
    listing, made = listings.draft(
        actor=actor, subject=subject, category=category, today=today, **fields
    )
    listing = RedListing.objects.get(pk=listing.pk)
    nomination = Nomination.objects.filter(listing=listing).first() or Nomination(listing=listing)
    nomination.source = source or category.code
    nomination.nominator, nomination.evidence = nominator, evidence
    if announced and announced != (listing.subject_id, listing.category_id):
        nomination.notice_from = nomination.notice_until = None
    if public_notice:
        _set_notice(nomination, today, public_notice["from"], public_notice["until"])
    nomination.full_clean(exclude=["listing"])
    nomination.save()
    step = record if made else move  # what a draft is made with is part of its first version
    step(listing, "nominate", actor=actor, note=nominator)
    Screening.objects.bulk_create(screenings_of([listing], today, Screening.Stage.NOMINATION))
    return RedListing.objects.get(pk=listing.pk), made


@transaction.atomic
def edit(
    listing,
    *,
    actor,
    today,
    source,
    nominator,
    evidence="",
    public_notice=None,
    expected_version=None,
    **fields,
):
    """Change a nomination and its draft together. Raises what `listings.services.edit` raises."""
    _refuse_black_fields(listing.category, fields)
    announced = _announced(listing=listing.pk)
    edited = listings.edit(
        listing, actor=actor, today=today, expected_version=expected_version, **fields
    )
    nomination = Nomination.objects.select_for_update().get(listing=edited.pk)
    nomination.source, nomination.nominator, nomination.evidence = source, nominator, evidence
    if announced != (edited.subject_id, edited.category_id):
        nomination.notice_from = nomination.notice_until = None
    if public_notice:
        _set_notice(nomination, today, public_notice["from"], public_notice["until"])
    nomination.full_clean(exclude=["listing"])
    nomination.save()
    return RedListing.objects.get(pk=edited.pk)


@transaction.atomic
def announce(listing, *, actor, today, notice_from, notice_until):
    """Set the public notice period of a nomination. Raises ValidationError for one too short."""
    if not policies.may_nominate(actor.user, listing):
        raise PermissionDenied
    listing = _draft_of(listing)
    nomination = Nomination.objects.select_for_update().get(listing=listing)
    _set_notice(nomination, today, notice_from, notice_until)
    nomination.save()
    move(listing, "announce", actor=actor, note=f"{notice_from} – {notice_until}")
    return nomination


@transaction.atomic
def publish(listing, *, actor, today, expected_version=None, attested=False):
    """Recognise the subject, once the public notice is over and the black list is clear of it.

    Raises PermissionDenied for an author, ValidationError `black_listed` or
    `notice_open` (409), or naming what is missing.
    """
    listing = lock(RedListing(pk=listing.pk))  # first: whoever writes now is an author
    if not policies.may_recognise(actor.user, listing):
        raise PermissionDenied
    if not listing.can("publish"):
        raise IllegalMove(listing, "publish")
    errors = missing(listing, today)
    if errors:
        raise ValidationError(errors)
    Screening.objects.create(listing=listing, clear=True)
    return listings.publish(
        listing,
        actor=actor,
        today=today,
        expected_version=expected_version,
        attested=attested,
    )


@transaction.atomic
def publish_many(drafts, *, actor, today, attested=False):
    """Recognise those of many nominated subjects where nothing is missing, as `publish` asks.

    Returns the published keys and {pk: (code, message)} of those held back. Raises
    PermissionDenied where `actor` is no reviewer of the department.
    """
    rows = _screened(today).filter(pk__in=drafts.values("pk"))
    ready, held = listings.publish_ready(
        rows, actor=actor, today=today, missing=_lacking, attested=attested
    )
    Screening.objects.bulk_create(Screening(listing_id=pk, clear=True) for pk in ready)
    return ready, held


def missing(listing, today):
    """What still stands between a nomination and the red list: {field: ValidationError}."""
    return _lacking(_screened(today).get(pk=listing.pk), today)


def _screened(today):
    """Nominations that say as `paused` whether their subject is on the black list."""
    return RedListing.objects.marking_paused(today).select_related("nomination")


def _lacking(listing, today):
    errors = {}
    if not listing.ground:
        errors["ground"] = ValidationError(_("请写明认定理由。"), code="no_ground")
    if listing.paused:
        errors["subject"] = ValidationError(
            _("这个主体在黑名单上，不能列入红名单。"), code="black_listed"
        )
    nomination = getattr(listing, "nomination", None)
    if nomination is None or not nomination.notice_until:
        errors["public_notice"] = ValidationError(_("须先公示。"), code="notice_open")
    elif today <= nomination.notice_until:
        errors["public_notice"] = ValidationError(
            _("公示到 %(day)s 才满。") % {"day": nomination.notice_until}, code="notice_open"
        )
    return errors


def _refuse_black_fields(category, fields):
    if category.kind != ListKind.RED:
        raise ValidationError({"category": _("这个类别不是红名单的。")})
    given = [name for name in NOT_RED if fields.get(name)]
    if given:
        raise ValidationError({name: _("红名单没有这一项。") for name in given})


def _announced(**which):
    """(subject, category) that the public notice of a nomination is about, or None."""
    found = Nomination.objects.filter(**which)
    return found.values_list("listing__subject_id", "listing__category_id").first()


def _set_notice(nomination, today, notice_from, notice_until):
    if notice_from > today + A_YEAR:
        raise ValidationError({"public_notice.from": _("日期太远了，请核对。")})
    days = parameter("public_notice", on=today)
    if notice_until < add_working_days(notice_from, days):
        raise ValidationError(
            {"public_notice.until": _("公示至少 %(days)s 个工作日。") % {"days": days}}
        )
    nomination.notice_from, nomination.notice_until = notice_from, notice_until


def _draft_of(listing):
    listing = lock(RedListing(pk=listing.pk))
    if not listing.can("edit"):
        raise IllegalMove(listing, "edit")
    return listing

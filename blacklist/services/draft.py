"""A draft of the black list with all that belongs to it: notice, defence, responsible persons."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from blacklist.models import BlackListing
from blacklist.services.notice import told, void_notice, write_notice
from blacklist.services.persons import name_responsible_persons
from casework.moves import move, record
from listings import services as listings
from rulebook.models import ListKind


@transaction.atomic
def draft(
    *, actor, subject, category, today, prior_notice=None, responsible_persons=None, **fields
):
    """Write a draft of the black list with its notice and responsible persons.

    Returns (entry, made). `prior_notice` holds served_on, means, defence_until and
    perhaps defence; `responsible_persons` is what `name_responsible_persons` takes. Raises
    what `listings.services.draft` raises.
    """
    if category.kind != ListKind.BLACK:
        raise ValidationError({"category": _("这个类别不是黑名单的。")})
    before = told(listing__reference=fields.get("reference") or None, department=actor.department)
    listing, made = listings.draft(
        actor=actor, subject=subject, category=category, today=today, **fields
    )
    void_notice(before, listing, actor)
    step = record if made else move  # what a draft is made with is part of its first version
    _write_parts(listing, prior_notice, responsible_persons, actor=actor, today=today, step=step)
    return BlackListing.objects.get(pk=listing.pk), made


@transaction.atomic
def edit(
    listing,
    *,
    actor,
    today,
    expected_version=None,
    prior_notice=None,
    responsible_persons=None,
    **fields,
):
    """Change a draft, its prior notice and its persons together.

    What is None stays as it is. Raises what `listings.services.edit` raises.
    """
    before = told(listing=listing.pk)
    edited = listings.edit(
        listing, actor=actor, today=today, expected_version=expected_version, **fields
    )
    void_notice(before, edited, actor)
    _write_parts(edited, prior_notice, responsible_persons, actor=actor, today=today, step=move)
    return BlackListing.objects.get(pk=edited.pk)


def _write_parts(listing, prior_notice, persons, *, actor, today, step):
    if prior_notice:
        write_notice(listing, actor=actor, today=today, step=step, **prior_notice)
    if persons is not None:
        name_responsible_persons(listing, persons, actor=actor, today=today, step=step)

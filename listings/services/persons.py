"""Responsible persons of an entry: their terms at publication, and their end before the entry's."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from casework.moves import IllegalMove, lock
from listings.models import Listing, ResponsiblePerson
from listings.services.change import act
from listings.services.foreign import refuse_foreign
from listings.services.lapse import lapse_releases

RELEASE_REASONS = (
    Listing.EndReason.ERROR,
    Listing.EndReason.DOCUMENT_QUASHED,
    Listing.EndReason.REPAIRED,
    Listing.EndReason.RECOGNITION_WITHDRAWN,
)


@transaction.atomic
def release_person(person, *, reason, actor, note, today):
    """End a person's part in an entry before the entry's own end; the entry itself stays.

    From `today` on no check hits the person. The ledger gets a correction that names the
    masked name and the role, so that the units are told. Raises IllegalMove where the entry
    is off its list, ValidationError `released` where the person's part is over already.
    """
    refuse_reason(reason)
    refuse_foreign(person.listing)
    listing = lock(Listing(pk=person.listing_id))
    if not listing.is_public(today):
        raise IllegalMove(listing, "correct")
    person = ResponsiblePerson.objects.select_related("person").get(pk=person.pk)
    refuse_released(person, today)
    person.ended_on, person.end_reason = today, reason
    person.save(update_fields=["ended_on", "end_reason"])
    lapse_releases(person, actor=actor)
    told = [person.person.display_name, person.role]
    changes = {"responsible_persons": [told, None]}
    return act(listing, "correct", actor=actor, note=note, changes=changes)


def refuse_reason(reason):
    if reason not in RELEASE_REASONS:
        message = _("解除责任人员的原因不对。")
        raise ValidationError({"reason": ValidationError(message, code="bad_reason")})


def refuse_released(person, today):
    if not person.answers_on(today):
        message = _("这名责任人员已经解除，或者期限已满。")
        raise ValidationError({"person": ValidationError(message, code="released")})

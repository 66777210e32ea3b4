"""Erasure: what was once public about an ended entry is taken out of the ledger, for good."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from casework.moves import IllegalMove, lock, record
from listings import ledger, policies
from listings.models import Change, ChangeBody, Listing, ListingVersion

SHORTEST_REASON = 10  # characters


@transaction.atomic
def erase(listing, *, actor, reason):
    """Delete the content that the ledger keeps of an entry that has ended (个人信息保护法 47).

    The digests stay, and an `erase` change names the positions, so that the chain still
    verifies and anybody can see that, when and by whose hand something was taken out. The
    department's own file, the entry and its journal, is not touched. Returns the erased
    positions. Raises PermissionDenied for all but the platform operator, IllegalMove while
    the entry is on its list, ValidationError for a reason too short or nothing left to erase.
    """
    if not policies.may_erase(actor.user):
        raise PermissionDenied
    if len(reason.strip()) < SHORTEST_REASON:
        message = _("请写明删除的原因和依据，至少 %(n)s 个字。") % {"n": SHORTEST_REASON}
        raise ValidationError({"reason": ValidationError(message, code="no_reason")})
    listing = lock(Listing(pk=listing.pk))
    if listing.status in {Listing.Status.DRAFT, Listing.Status.PUBLISHED}:
        raise IllegalMove(listing, "erase")
    bodies = ChangeBody.objects.filter(change__listing=listing)
    bodies = bodies.exclude(change__action=Change.Action.ERASE)
    seqs = sorted(bodies.values_list("pk", flat=True))
    if not seqs:
        raise ValidationError(_("这条记录的内容已经删除。"), code="nothing_to_erase")
    bodies.delete()
    ListingVersion.objects.filter(listing=listing).update(body={})
    record(listing, "erase", actor=actor, note=reason, changes={"erased": seqs})
    listing = Listing.objects.with_parts().get(pk=listing.pk)
    ledger.append([ledger.Entry(listing, "erase", {"erased": seqs})])
    return seqs

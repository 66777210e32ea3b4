"""What is still proposed for an entry, or for a person of it, once that has ended otherwise."""

from django.utils.translation import gettext as _

from casework.moves import move_many
from listings.models import Proposal


def lapse_proposals(listings, *, actor):
    """Close what is still proposed for ended entries (keys, or a queryset), a journal line each.

    A proposal is locked after its entry, here as everywhere: `approve` locks in that order.
    """
    rows = Proposal.objects.open().filter(listing__in=listings)
    return _lapse(rows, actor, _("记录已撤下或者到期，提议不再办理"))


def lapse_releases(person, *, actor):
    """Close what is still proposed about a responsible person who has been released."""
    rows = Proposal.objects.open().filter(person=person)
    return _lapse(rows, actor, _("责任人员已经解除，提议不再办理"))


def _lapse(rows, actor, note):
    return move_many(rows, "lapse", actor=actor, note=note, wait=True)

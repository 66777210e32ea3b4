"""What still lies open under the name of an officer who leaves."""

from listings.models import Listing, Proposal
from objections.models import Objection
from repair.models import Repair

SHOWN = 50


def open_work(user):
    """{kind: the first fifty} of drafts that the officer wrote a part of, and open proposals."""
    drafts = Listing.objects.written_by(user).select_related("subject").order_by("pk")
    proposals = Proposal.objects.open().filter(proposed_by=user).select_related("listing__subject")
    replies = Objection.objects.filter(
        status=Objection.Status.REPLY_PROPOSED, proposed_by=user
    ).order_by("pk")
    decisions = Repair.objects.filter(
        status=Repair.Status.DECISION_PROPOSED, proposed_by=user
    ).order_by("pk")
    return {
        "drafts": list(drafts[:SHOWN]),
        "proposals": list(proposals.order_by("pk")[:SHOWN]),
        "replies": list(replies[:SHOWN]),
        "decisions": list(decisions[:SHOWN]),
    }

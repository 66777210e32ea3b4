from django.utils import timezone
from django.utils.translation import gettext_lazy

from blacklist.models import BlackListing
from blacklist.services import repair_terms
from listings.services import export
from listings.views import ended, entry_page, list_page, shown_entry, shows_entries
from rulebook.models import parameter


def _served_on(row):
    return row.prior_notice.served_on if hasattr(row, "prior_notice") else None


SERVED_ON = export.Column(
    "notice_served_on", gettext_lazy("告知送达日期"), _served_on, join="prior_notice"
)


@shows_entries
def black_list(request):
    return list_page(request, BlackListing.objects.all(), kind="black", extra=[SERVED_ON])


@shows_entries
def black_entry(request, public_id):
    """A black entry; 410 once it has ended, 404 for a red one."""
    today = timezone.localdate()
    entries = BlackListing.objects.select_related("prior_notice")
    listing, public = shown_entry(entries, public_id, today)
    if not public:
        return ended(request)
    return entry_page(
        request,
        listing,
        "blacklist/entry.html",
        notice=getattr(listing, "prior_notice", None),
        persons=listing.responsible_persons.answerable(today).select_related("person"),
        repair=None if listing.is_foreign else repair_terms(listing),
        accept_days=parameter("repair_accept", on=today),
        decide_days=parameter("repair_decide", on=today),
        objection_days=parameter("objection_reply", on=today),
    )

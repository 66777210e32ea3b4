from django.utils import timezone

from listings.views import ended, entry_page, list_page, shown_entry, shows_entries
from redlist.models import RedListing


@shows_entries
def red_list(request):
    return list_page(request, RedListing.objects.all(), kind="red")


@shows_entries
def red_entry(request, public_id):
    """A red entry; 410 once it has ended, 404 for a black one."""
    entries = RedListing.objects.select_related("nomination")
    listing, public = shown_entry(entries, public_id, timezone.localdate())
    if not public:
        return ended(request)
    return entry_page(
        request,
        listing,
        "redlist/entry.html",
        nomination=getattr(listing, "nomination", None),
        screening=listing.screenings.first(),
    )

from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from listings.services import export
from listings.views import ended, entry_page, list_page, shown_entry, shows_entries
from redlist.models import RedListing


def _nominator(row):
    return row.nomination.nominator if hasattr(row, "nomination") else ""


NOMINATOR = export.Column("nominator", gettext_lazy("推荐单位"), _nominator, join="nomination")


@shows_entries
def red_list(request):
    return list_page(request, RedListing.objects.all(), kind="red", extra=[NOMINATOR])


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


@never_cache
@require_safe
def red_notices(request):
    """Who is about to be recognised, why, and until when anyone may say why not."""
    today = timezone.localdate()
    nominations = RedListing.objects.under_notice(today).with_parts().select_related("nomination")
    return render(request, "redlist/notices.html", {"nominations": nominations, "today": today})

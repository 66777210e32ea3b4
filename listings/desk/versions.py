"""Two versions of an entry side by side, for its department, the supervisor and the auditor."""

from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from listings import services
from listings.desk.entries import JOURNAL, entry_of
from listings.models import Listing
from parties.desk import desk_access


@require_safe
@desk_access
def versions(request, public_id):
    """`?old=` and `?new=` are numbers of versions; else the newest beside the one before."""
    listing = entry_of(request, Listing.objects.all(), public_id)
    found = services.versions_of(listing)
    by_number = {str(version.number): version for version in found}
    new = by_number.get(request.GET.get("new"), found[0] if found else None)
    old = by_number.get(request.GET.get("old"), _before(found, new))
    rows = services.differences(listing, old, new) if new else []
    context = {
        "entry": listing,
        "versions": [
            (version, JOURNAL.get(version.action, version.action), services.changed_titles(version))
            for version in found
        ],
        "old": old,
        "new": new,
        "old_words": old and gettext("第 %(n)s 版") % {"n": old.number},
        "new_words": new and gettext("第 %(n)s 版") % {"n": new.number},
        "rows": rows,
        "changed": [row.title for row in rows if row.is_changed],
    }
    return render(request, "listings/desk_versions.html", context)


def _before(found, version):
    """The version before; the first one stands beside itself."""
    place = found.index(version) if version else 0
    return found[min(place + 1, len(found) - 1)] if found else None

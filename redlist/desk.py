"""The desk of the red list: nomination, public notice, recognition by a second officer."""

from django.views.decorators.http import require_http_methods, require_safe

from jointaction.policies import may_see_answers
from listings.desk import draft_page, edit_page, entry_of, entry_page, publish_page
from parties.desk import desk_access
from redlist import services
from redlist.forms import RedDraftForm
from redlist.models import RedListing

ENTRIES = RedListing.objects.select_related("nomination")
TEMPLATE = "redlist/desk_draft.html"


@require_safe
@desk_access
def entry(request, public_id):
    """A red entry for staff; a black one's id is not found here."""
    listing = entry_of(request, ENTRIES.all(), public_id)
    return entry_page(
        request,
        listing,
        "redlist/desk_entry.html",
        missing=services.missing,
        nomination=getattr(listing, "nomination", None),
        screening=listing.screenings.first(),
        pushes=listing.pushes.answers() if may_see_answers(request.user, listing) else None,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def draft(request):
    return draft_page(
        request, kind="red", form_class=RedDraftForm, draft=services.draft, template=TEMPLATE
    )


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def edit(request, public_id):
    listing = entry_of(request, ENTRIES.all(), public_id)
    return edit_page(
        request, listing, form_class=RedDraftForm, edit=services.edit, template=TEMPLATE
    )


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def publish(request, public_id):
    listing = entry_of(request, ENTRIES.all(), public_id)
    return publish_page(request, listing, publish=services.publish, missing=services.missing)

"""The desk of the black list: draft, prior notice and defence, publication by a second officer."""

from django.views.decorators.http import require_http_methods, require_safe

from blacklist import services
from blacklist.forms import BlackDraftForm
from blacklist.models import BlackListing
from jointaction.policies import may_see_answers
from listings.desk import draft_page, edit_page, entry_of, entry_page, publish_page
from parties.desk import desk_access

ENTRIES = BlackListing.objects.select_related("prior_notice")
TEMPLATE = "blacklist/desk_draft.html"


@require_safe
@desk_access
def entry(request, public_id):
    """A black entry for staff; a red one's id is not found here."""
    listing = entry_of(request, ENTRIES.all(), public_id)
    return entry_page(
        request,
        listing,
        "blacklist/desk_entry.html",
        missing=services.missing,
        notice=getattr(listing, "prior_notice", None),
        pushes=listing.pushes.answers() if may_see_answers(request.user, listing) else None,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def draft(request):
    return draft_page(
        request, kind="black", form_class=BlackDraftForm, draft=services.draft, template=TEMPLATE
    )


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def edit(request, public_id):
    listing = entry_of(request, ENTRIES.all(), public_id)
    return edit_page(
        request, listing, form_class=BlackDraftForm, edit=services.edit, template=TEMPLATE
    )


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def publish(request, public_id):
    listing = entry_of(request, ENTRIES.all(), public_id)
    return publish_page(request, listing, publish=services.publish, missing=services.missing)

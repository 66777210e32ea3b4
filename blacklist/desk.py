"""The desk of the black list: draft, prior notice and defence, publication by a second officer."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from blacklist import policies, services
from blacklist.forms import BlackDraftForm
from blacklist.models import BlackListing
from casework.desk import uuid_of
from casework.forms import ActForm
from jointaction.desk.answers import answers_of
from listings.desk import (
    draft_page,
    edit_page,
    entry_of,
    entry_page,
    publish_page,
    refused_page,
    url_of,
)
from parties.desk import desk_access
from parties.models import Actor

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
        may_give_notice=listing.can("edit") and policies.may_serve_notice(request.user, listing),
        **answers_of(request.user, listing),
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


@require_POST
@desk_access
def notice(request, public_id):
    """Write the notice before listing, to the subject or to the person that was chosen."""
    listing = entry_of(request, ENTRIES.all(), public_id)
    persons = listing.responsible_persons.select_related("person")
    chosen = request.POST.get("person")
    person = get_object_or_404(persons, public_id=uuid_of(chosen)) if chosen else None
    form = ActForm(request.POST)
    actor, today = Actor.of(request.user), timezone.localdate()
    if not form.carry_out(services.issue_notice, listing, actor=actor, today=today, person=person):
        return refused_page(request, form, back=url_of(listing))
    messages.success(request, gettext("告知书已出具，送达以后登记。"))
    return redirect(url_of(listing))


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def publish(request, public_id):
    listing = entry_of(request, ENTRIES.all(), public_id)
    return publish_page(request, listing, publish=services.publish, missing=services.missing)

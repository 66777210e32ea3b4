"""The desk of the red list: nomination, public notice, recognition, review."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from casework.desk import given, timeline
from casework.forms import NoteForm
from jointaction.desk.answers import answers_of
from listings import policies as entries
from listings.desk import draft_page, edit_page, entry_of, entry_page, publish_page
from parties.desk import desk_access
from parties.models import Actor
from redlist import policies, services
from redlist.forms import RedDraftForm
from redlist.models import RedListing, Review

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
        reviews=listing.reviews.all(),
        **answers_of(request.user, listing),
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


REVIEW_JOURNAL = {
    "open": gettext_lazy("主体被列入黑名单，提交复核"),
    "escalate": gettext_lazy("复核逾期，报督办"),
    "keep": gettext_lazy("予以保留"),
    "end": gettext_lazy("红名单记录已撤出，复核结束"),
}


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def review(request, public_id):
    """A red entry whose subject got on the black list: keep it, or go and withdraw it."""
    rows = Review.objects.of_desk(request.user).with_parts()
    found = get_object_or_404(rows, public_id=public_id)
    form, today = NoteForm(given(request)), timezone.localdate()

    def keep():
        actor = Actor.of(request.user)
        return services.keep(found, actor=actor, today=today, **form.cleaned_data)

    if request.method == "POST" and form.carry_out(keep):
        messages.success(request, gettext("已予以保留，激励恢复。"))
        return redirect("desk-red-review", found.public_id)
    context = {
        "review": found,
        "entry": found.listing,
        "black": found.black,
        "black_public": found.black.is_public(today),
        "overdue": found.can("keep") and found.due_on < today,
        "may_decide": policies.may_decide_review(request.user, found),
        "may_withdraw": found.listing.is_public(today)
        and entries.may_edit(request.user, found.listing),
        "form": form,
        "steps": timeline(found.journal.all(), REVIEW_JOURNAL),
    }
    return render(request, "redlist/desk_review.html", context, status=form.status)

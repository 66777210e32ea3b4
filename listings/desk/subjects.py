"""The desk of subjects: names, entries, and the new names and mergers put to another officer."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from casework.desk import timeline
from listings import policies, services
from listings.desk.entries import JOURNAL
from listings.forms import (
    NO_SUBJECT,
    ApproveSubjectForm,
    MergeForm,
    RejectForm,
    RenameForm,
    SubjectFindForm,
)
from listings.models import Listing, SubjectChange
from parties.desk import desk_access
from parties.models import Actor, Subject

MOST_ENTRIES = 50
MERGE_ID = "merge_%s"  # beside the form for a new name, which has a note as well


@require_safe
@desk_access
def find(request):
    """To a subject's page, by its code or its own number; one that is not the user's is none."""
    form = SubjectFindForm(request.GET or None)
    if form.is_valid():
        found = form.cleaned_data["q"]
        if policies.may_see_subject(request.user, found):
            return redirect("desk-subject", found.public_id)
        form.add_error("q", NO_SUBJECT)
    return render(request, "listings/desk_subjects.html", {"form": form})


@require_safe
@desk_access
def subject(request, public_id):
    """A subject's names and entries, and what waits for approval; of a merged one, the other's."""
    found = _subject_of(request, public_id)
    if found.public_id != public_id:
        return redirect("desk-subject", found.public_id)
    return _page(request, found)


@require_POST
@desk_access
def rename(request, public_id):
    """Propose a new name."""
    found = _subject_of(request, public_id)
    form = RenameForm(request.POST)

    def propose():
        actor, today = Actor.of(request.user), timezone.localdate()
        return services.propose_rename(found, actor=actor, today=today, **form.cleaned_data)

    return _proposed(request, found, form, propose, rename=form)


@require_POST
@desk_access
def merge(request, public_id):
    """Propose that this is the same subject as another."""
    found = _subject_of(request, public_id)
    form = MergeForm(request.POST, auto_id=MERGE_ID)

    def propose():
        return services.propose_merge(found, actor=Actor.of(request.user), **form.cleaned_data)

    return _proposed(request, found, form, propose, merge=form)


def _proposed(request, found, form, propose, **forms):
    if form.carry_out(propose):
        messages.success(request, gettext("已提出，须由另一人审核，审核通过才生效。"))
        return redirect("desk-subject", found.public_id)
    return _page(request, found, failed=form, **forms)


@require_POST
@desk_access
def approve(request, public_id):
    """Carry a new name or a merger out."""
    change, found = _change_of(request, public_id)
    form = ApproveSubjectForm(request.POST, change=change)

    def act():
        actor, today = Actor.of(request.user), timezone.localdate()
        return services.approve_subject_change(
            change, actor=actor, today=today, **form.cleaned_data
        )

    if form.carry_out(act):
        messages.success(request, gettext("已通过，当即生效。"))
        return redirect("desk-subject", (change.into or change.subject).public_id)
    return _page(request, found, failed=form, approve=form)


@require_POST
@desk_access
def reject(request, public_id):
    """Turn a new name or a merger down, with the reason."""
    change, found = _change_of(request, public_id)
    form = RejectForm(request.POST)

    def turn_down():
        actor = Actor.of(request.user)
        return services.reject_subject_change(change, actor=actor, **form.cleaned_data)

    if form.carry_out(turn_down):
        messages.success(request, gettext("已退回。"))
        return redirect("desk-subject", found.public_id)
    return _page(request, found, failed=form, reject=form)


def _subject_of(request, public_id):
    rows = Subject.objects.select_related("merged_into")
    found = get_object_or_404(rows, public_id=public_id).kept
    if not policies.may_see_subject(request.user, found):
        raise Http404
    return found


def _change_of(request, public_id):
    rows = SubjectChange.objects.select_related("subject__merged_into", "into", "proposed_by")
    change = get_object_or_404(rows, public_id=public_id)
    if not policies.may_see_subject(request.user, change.subject):
        raise Http404
    return change, change.subject.kept


def _page(request, found, failed=None, **forms):
    user, today = request.user, timezone.localdate()
    changes = SubjectChange.objects.about(found).with_parts().prefetch_related("journal")
    change = next((row for row in changes if row.can("approve")), None)
    context = {
        "subject": found,
        "former": found.former_names.all(),
        "merged": found.merged.order_by("pk"),
        "entries": _entries(found, user, today),
        "today": today,
        "change": change,
        "form": failed,
        "forms": _forms(user, found, change, forms),
        "steps": timeline([line for row in changes for line in row.journal.all()], JOURNAL),
    }
    status = failed.status if failed else 200
    return render(request, "listings/desk_subject.html", context, status=status)


def _forms(user, found, change, given):
    """{act: form} of what the user may do now; a form that was refused takes its place."""
    offered = {}
    if change is None:
        if policies.may_propose_rename(user, found):
            offered["rename"] = RenameForm()
        if policies.may_propose_merge(user):
            offered["merge"] = MergeForm(auto_id=MERGE_ID)
    elif policies.may_decide_subject_change(user, change):
        offered = {"approve": ApproveSubjectForm(change=change), "reject": RejectForm()}
    return {name: given.get(name, form) for name, form in offered.items()}


def _entries(found, user, today):
    """What the user may see of the subject: public entries, and all of the own department."""
    rows = Listing.objects.readable_by(user, today).filter(subject=found).with_parts()
    rows = list(rows.order_by("-id")[:MOST_ENTRIES])
    for entry in rows:
        entry.reads = entry.status_on(today).label
        entry.own = user.sees_all or user.works_for(entry.department_id)
    return rows

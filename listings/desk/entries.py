"""The desk of both lists: the department's entries, drafting, publication, proposals of change."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from casework.desk import given, letters_of, timeline
from casework.forms import ActForm
from casework.workdays import add_working_days
from listings import policies, services
from listings.forms import (
    ApproveForm,
    CorrectForm,
    FindForm,
    PublishForm,
    RejectForm,
    ReleaseForm,
    WithdrawForm,
)
from listings.models import Audience, Listing, Proposal, SubjectChange, shown_details
from parties.desk import desk_access
from parties.models import Actor, Role
from rulebook.models import ListCategory, parameter

PAGE = 20
TABS = [*Listing.Status.choices, ("all", gettext_lazy("全部"))]
JOURNAL = {
    "create": gettext_lazy("起草"),
    "edit": gettext_lazy("修改草稿"),
    "nominate": gettext_lazy("推荐"),
    "announce": gettext_lazy("公示"),
    "serve_notice": gettext_lazy("送达列入告知书"),
    "void_notice": gettext_lazy("告知作废，须重新送达"),
    "record_defence": gettext_lazy("记录陈述申辩"),
    "name_responsible_persons": gettext_lazy("登记责任人员"),
    "serve_together": gettext_lazy("向责任人员一并送达"),
    "publish": gettext_lazy("公布"),
    "annotate": gettext_lazy("加注或取消加注"),
    "correct": gettext_lazy("更正"),
    "withdraw": gettext_lazy("撤下"),
    "repair": gettext_lazy("信用修复，撤下"),
    "expire": gettext_lazy("到期，撤下"),
    "propose_correct": gettext_lazy("提议更正"),
    "propose_withdraw": gettext_lazy("提议撤下"),
    "propose_rename": gettext_lazy("提议更名"),
    "propose_merge": gettext_lazy("提议合并主体"),
    "propose_release": gettext_lazy("提议解除责任人员"),
    "approve": gettext_lazy("提议通过"),
    "reject": gettext_lazy("提议未通过"),
    "lapse": gettext_lazy("提议自行终结"),
    "erase": gettext_lazy("删除内容"),
    "issue_letter": gettext_lazy("出具文书"),
    "serve": gettext_lazy("登记文书送达"),
    "download": gettext_lazy("下载文书"),
    "remind": gettext_lazy("提醒审核"),
    "escalate": gettext_lazy("报督办"),
}


# --- the department's entries ----------------------------------------------


@require_safe
@desk_access
def listings(request):
    """The department's entries, drafts first of all, by status and what was looked for."""
    today = timezone.localdate()
    form = FindForm(request.GET)
    rows = Listing.objects.of_desk(request.user)
    rows = form.narrow(rows) if form.is_valid() else rows.none()
    counts = _counts(rows, today)
    status = request.GET.get("status", Listing.Status.DRAFT)
    if status not in counts:
        status = "all"
    if status != "all":
        rows = rows.with_status(status, today)
    page = Paginator(rows.with_parts().order_by("-id"), PAGE).get_page(request.GET.get("page"))
    for entry in page.object_list:
        entry.reads = entry.status_on(today).label
    context = {
        "form": form,
        "status": status,
        "tabs": [(value, label, counts[value]) for value, label in TABS],
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "may_draft": categories_of(request.user).exists(),
    }
    return render(request, "listings/desk_list.html", context)


def _counts(rows, today):
    lapsed = Q(status=Listing.Status.PUBLISHED, visible_until__lt=today)
    readings = {value: Q(status=value) for value in Listing.Status.values}
    readings[Listing.Status.PUBLISHED] &= ~lapsed
    readings[Listing.Status.EXPIRED] |= lapsed
    readings["all"] = Q()
    return rows.aggregate(**{value: Count("id", filter=reads) for value, reads in readings.items()})


def categories_of(user):
    """The categories under which the user may draft."""
    if not user.has_role(Role.CLERK, Role.REVIEWER):
        return ListCategory.objects.none()
    return ListCategory.objects.filter(active=True, departments=user.department_id)


def entry_of(request, entries, public_id):
    """The entry, if it is the user's department's to see; else 404."""
    return get_object_or_404(entries.of_desk(request.user).with_parts(), public_id=public_id)


def url_of(listing):
    return reverse(f"desk-listing-{listing.kind}", args=[listing.public_id])


def entry_page(request, listing, template, *, missing, **context):
    """One entry as its own department sees it: all values, journal, and what may be done now."""
    today = timezone.localdate()
    user = request.user
    draft = listing.can("edit")
    measures = services.planned_measures(listing, today) if draft else None
    context |= {
        "entry": listing,
        "reads": listing.status_on(today),
        "is_public": listing.is_public(today),
        "today": today,
        "days_left": listing.visible_until and (listing.visible_until - today).days,
        "details": [
            (str(field), field.with_unit(value))
            for field, value in shown_details(listing, Audience.OWN)
        ],
        "persons": _persons(listing, today),
        "measures": measures or services.measures_of([listing])[listing.pk],
        "missing": words_of(missing(listing, today)) if draft else [],
        "may_edit": draft and policies.may_edit(user, listing),
        "may_publish": draft and policies.may_approve(user, listing),
        "proposal": listing.proposals.open().with_parts().first(),
        "may_propose": listing.is_public(today) and policies.may_edit(user, listing),
        "letters": letters_of(listing, user),
        "may_lift": listing.ended_on_as_of(today) and policies.may_edit(user, listing),
        "steps": timeline(_lines(listing), JOURNAL),
    }
    return render(request, template, context)


def _persons(listing, today):
    """All responsible persons, those released as well; each says whether it still answers."""
    rows = list(listing.responsible_persons.select_related("person").order_by("pk"))
    for row in rows:
        row.answers = row.answers_on(today)
    return rows


def _lines(listing):
    """The journal of the entry and of the changes proposed to it and to its subject."""
    proposals = listing.proposals.prefetch_related("journal")
    changes = SubjectChange.objects.about(listing.subject).prefetch_related("journal")
    beside = (line for row in [*proposals, *changes] for line in row.journal.all())
    return [*listing.journal.all(), *beside]


def words_of(errors):
    """The messages of {field: ValidationError}, for what a draft still lacks."""
    return [message for error in errors.values() for message in error.messages]


@require_POST
@desk_access
def lift(request, public_id):
    """Write the letter that tells the subject that its entry is off the list."""
    listing = entry_of(request, Listing.objects.all(), public_id)
    form = ActForm(request.POST)
    actor, today = Actor.of(request.user), timezone.localdate()
    if not form.carry_out(services.issue_lifting, listing, actor=actor, today=today):
        return refused_page(request, form, back=url_of(listing))
    messages.success(request, gettext("移出名单通知书已出具。"))
    return redirect(url_of(listing))


def refused_page(request, form, *, back):
    """What a service refused to do at the press of a button, in words, with the way back."""
    context = {"form": form, "back": back}
    return render(request, "listings/desk_refused.html", context, status=form.status)


# --- publication ----------------------------------------------------------


def publish_page(request, listing, *, publish, missing):
    """What publication will do, to be confirmed by who may; nothing is published by a look."""
    today = timezone.localdate()
    attest = services.needs_attestation(listing)
    initial = {"version": listing.version}
    form = PublishForm(given(request), attest=attest, initial=initial)

    def act():
        told = form.cleaned_data
        return publish(
            listing,
            actor=Actor.of(request.user),
            today=today,
            expected_version=told["version"],
            attested=told.get("attested", False),
        )

    if request.method == "POST" and form.carry_out(act):
        messages.success(request, gettext("已公布，将推送有关单位。"))
        return redirect(url_of(listing))
    measures = services.planned_measures(listing, today)
    lacking = missing(listing, today)
    context = {
        "entry": listing,
        "form": form,
        "is_draft": listing.can("publish"),
        "missing": words_of(lacking),
        "details": [
            (str(field), field.with_unit(value))
            for field, value in shown_details(listing, Audience.PUBLIC)
        ],
        "attestation": services.ATTESTATION,
        "may_publish": policies.may_approve(request.user, listing),
        "last_day": _last_day(listing, today),
        "persons": _persons(listing, today),
        "receivers": _receivers(measures, today),
    }
    return render(request, "listings/desk_publish.html", context, status=form.status)


def _receivers(measures, today):
    """Who will get a push and for what: per unit its measures, and the day it must answer by.

    A unit that is only informed must answer by no day.
    """
    due = add_working_days(today, parameter("push_feedback", on=today))
    by_unit = {}
    for row in measures:
        by_unit.setdefault(row["unit_name"], []).append(row)
    return [
        {"unit": unit, "measures": rows, "due": due if _binds(rows) else None}
        for unit, rows in by_unit.items()
    ]


def _binds(measures):
    return not all(row["advisory"] for row in measures)


def _last_day(listing, today):
    try:
        return services.last_day(listing, today)
    except ValidationError:
        return None


# --- changes after publication: one proposes, another decides ---------------


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def correct(request, public_id):
    """Propose other values for a published entry."""
    listing = entry_of(request, Listing.objects, public_id)
    form = CorrectForm(given(request), listing=listing)

    def propose():
        actor = Actor.of(request.user)
        note, today = form.cleaned_data["note"], timezone.localdate()
        return services.propose_correction(
            listing, form.corrections(), actor=actor, note=note, today=today
        )

    return _propose_page(request, listing, form, propose, "listings/desk_correct.html")


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def withdraw(request, public_id):
    """Propose to take a published entry off its list."""
    listing = entry_of(request, Listing.objects, public_id)
    form = WithdrawForm(given(request), kind=listing.kind)

    def propose():
        actor, today = Actor.of(request.user), timezone.localdate()
        return services.propose_withdrawal(listing, actor=actor, today=today, **form.cleaned_data)

    return _propose_page(request, listing, form, propose, "listings/desk_withdraw.html")


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def release(request, public_id, person_id):
    """Propose to end a responsible person's part while the entry stays."""
    listing = entry_of(request, Listing.objects.black(), public_id)
    rows = listing.responsible_persons.select_related("person", "listing")
    person = get_object_or_404(rows, public_id=person_id)
    form = ReleaseForm(given(request))

    def propose():
        actor, today = Actor.of(request.user), timezone.localdate()
        return services.propose_release(person, actor=actor, today=today, **form.cleaned_data)

    template = "listings/desk_release.html"
    return _propose_page(request, listing, form, propose, template, person=person)


def _propose_page(request, listing, form, propose, template, **context):
    if request.method == "POST" and form.carry_out(propose):
        messages.success(request, gettext("已提议，须由另一人审核，审核通过才生效。"))
        return redirect(url_of(listing))
    may_propose = listing.can("correct") and policies.may_edit(request.user, listing)
    context |= {"entry": listing, "form": form, "may_propose": may_propose}
    return render(request, template, context, status=form.status)


@require_safe
@desk_access
def proposal(request, public_id):
    return _proposal_page(request, _proposal_of(request, public_id))


@require_POST
@desk_access
def approve(request, public_id):
    """Carry a proposal out."""
    found = _proposal_of(request, public_id)
    form = ApproveForm(request.POST)
    today = timezone.localdate()
    if form.carry_out(services.approve, found, actor=Actor.of(request.user), today=today):
        messages.success(request, gettext("已通过，当即生效。"))
        return redirect(url_of(found.listing))
    return _proposal_page(request, found, approve_form=form)


@require_POST
@desk_access
def reject(request, public_id):
    """Turn a proposal down, with the reason."""
    found = _proposal_of(request, public_id)
    form = RejectForm(request.POST)

    def turn_down():
        return services.reject(found, actor=Actor.of(request.user), **form.cleaned_data)

    if form.carry_out(turn_down):
        messages.success(request, gettext("已退回提议。"))
        return redirect(url_of(found.listing))
    return _proposal_page(request, found, reject_form=form)


def _proposal_of(request, public_id):
    rows = Proposal.objects.of_desk(request.user).with_parts()
    return get_object_or_404(rows, public_id=public_id)


def _proposal_page(request, found, approve_form=None, reject_form=None):
    form = approve_form or reject_form
    today = timezone.localdate()
    context = {
        "proposal": found,
        "today": today,
        "late": found.is_overdue(today),
        "entry": found.listing,
        "form": form,
        "reject_form": reject_form or RejectForm(),
        "values": _values(found),
        "old_title": gettext("原公布") if found.status == "approved" else gettext("现公布"),
        "new_title": gettext("新值"),
        "reason": Listing.EndReason(found.reason).label if found.reason else "",
        "may_decide": found.can("approve") and policies.may_decide_proposal(request.user, found),
        "steps": timeline(found.journal.all(), JOURNAL),
    }
    status = form.status if form else 200
    return render(request, "listings/desk_proposal.html", context, status=status)


def _values(found):
    """Old and new of what a correction changes, as Difference rows, fields one by one.

    Once it is carried out, the old values are those of then, and not what they became.
    """
    listing, new = found.listing, found.fields
    old = {name: services.plain(getattr(listing, name)) for name in new} | _old_values(found)
    return services.compared(listing, {name: (old[name], new[name]) for name in new})


def _old_values(found):
    """Of a correction that was carried out what its own journal line says; else nothing."""
    approved = found.journal.filter(action="approve").first()
    if approved is None or not found.fields:
        return {}
    line = found.listing.journal.filter(action="correct", pk__gt=approved.pk).first()
    return {name: values[0] for name, values in line.changes.items()} if line else {}

"""The desk of repair: what is due when, one application with its acts, one on paper."""

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from casework import documents
from casework.desk import board, given, timeline, uuid_of
from casework.forms import PurposeForm
from casework.models import Document
from casework.moves import record
from casework.views import attachment, clock
from listings.models import Listing
from parties.desk import desk_access
from parties.models import Actor
from repair import policies, services
from repair.forms import (
    AcceptForm,
    ApproveForm,
    DecisionForm,
    FindForm,
    NotAcceptForm,
    PaperForm,
    ReturnForm,
    TargetForm,
)
from repair.models import Repair

STATES = {
    "open": (_("在办"), lambda rows, _today: rows.open()),
    "overdue": (_("逾期"), lambda rows, today: rows.overdue(today)),
    "approval": (
        _("待审核"),
        lambda rows, _today: rows.filter(status=Repair.Status.DECISION_PROPOSED),
    ),
    "decided": (_("已办结"), lambda rows, _today: rows.exclude(status__in=Repair.OPEN)),
    "all": (_("全部"), lambda rows, _today: rows),
}
JOURNAL = {
    "apply": _("收到申请"),
    "accept": _("受理"),
    "not_accept": _("不予受理"),
    "propose_decision": _("提出决定"),
    "return_decision": _("退回"),
    "grant": _("准予修复"),
    "refuse": _("不予修复"),
    "escalate": _("逾期，报督办"),
}


@require_safe
@desk_access
def repairs(request):
    """The department's applications, the most urgent first."""
    context = board(
        request,
        Repair.objects.of_desk(request.user),
        form=FindForm(request.GET),
        states=STATES,
        ended=("decided", "decided_on"),
    )
    context["may_record"] = policies.may_record(request.user, request.user.department)
    return render(request, "repair/desk_list.html", context)


# --- one matter ------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def repair(request, public_id):
    """One application with its papers, clock and journal, and a form per act allowed now."""
    matter = _matter(request, public_id)
    forms = _forms(request.user, matter)
    refused = contact = None
    if request.method == "POST":
        act = request.POST.get("act")
        if act not in ACTS:
            raise BadRequest
        form = _form(act, given(request))
        if form.carry_out(ACTS[act][1], matter, form, Actor.of(request.user)):
            if act != "contact":
                messages.success(request, DONE[act])
                return redirect("desk-repair", public_id=public_id)
            contact = form.result
        else:
            refused = form
            forms.update({act: form} if act in forms else {})
    return _page(request, matter, forms=forms, contact=contact, refused=refused)


def _matter(request, public_id):
    rows = Repair.objects.of_desk(request.user).with_parts()
    return get_object_or_404(rows, public_id=public_id)


def _form(act, data=None):
    return ACTS[act][0](data, auto_id=f"{act}_%s")


def _forms(user, matter):
    """The forms of the acts that the user may take now, by name."""
    handles, approves = policies.may_handle(user, matter), policies.may_approve(user, matter)
    allowed = {
        "accept": handles and matter.can("accept"),
        "not_accept": handles and matter.can("not_accept"),
        "propose": handles and matter.can("propose_decision"),
        "approve": approves and matter.can("grant"),
        "return": approves and matter.can("return_decision"),
        "contact": handles,
    }
    return {act: _form(act) for act, may in allowed.items() if may}


def _accept(matter, form, actor):
    return services.accept(matter, actor=actor, today=timezone.localdate(), **form.cleaned_data)


def _not_accept(matter, form, actor):
    return services.not_accept(matter, actor=actor, today=timezone.localdate(), **form.cleaned_data)


def _propose(matter, form, actor):
    today = timezone.localdate()
    return services.propose_decision(matter, actor=actor, today=today, **form.cleaned_data)


def _approve(matter, _form, actor):
    return services.approve_decision(matter, actor=actor, today=timezone.localdate())


def _return(matter, form, actor):
    return services.return_decision(matter, actor=actor, **form.cleaned_data)


def _contact(matter, form, actor):
    return services.contact_of(matter, actor=actor, **form.cleaned_data)


ACTS = {
    "accept": (AcceptForm, _accept),
    "not_accept": (NotAcceptForm, _not_accept),
    "propose": (DecisionForm, _propose),
    "approve": (ApproveForm, _approve),
    "return": (ReturnForm, _return),
    "contact": (PurposeForm, _contact),
}
DONE = {
    "accept": _("已受理，办理期限从今天的次日起算。"),
    "not_accept": _("已不予受理。"),
    "propose": _("决定已送审核，须由另一人审核。"),
    "approve": _("已作出决定。"),
    "return": _("已退回。"),
}


def _page(request, matter, *, forms, contact, refused):
    today = timezone.localdate()
    terms = services.repair_terms(matter.listing)
    context = {
        "repair": matter,
        "entry": matter.listing,
        "subject": matter.listing.subject,
        "evidence": [paper.document for paper in matter.papers.all() if paper.document],
        "asked": terms.evidence,
        "lacking": set(terms.evidence) - set(matter.evidence_kinds),
        "conditions": terms.conditions,
        "earliest": terms.first_day,
        "verifications": matter.verifications.select_related("unit"),
        "steps": timeline(matter.journal.exclude(action="download"), JOURNAL),
        "forms": forms,
        "contact": contact,
        "refused": refused,
        "open": matter.status in Repair.OPEN,
        "today": today,
        "is_public": matter.listing.is_public(today),
        "overdue": matter.is_overdue(today),
        **clock(matter, today),
    }
    status = refused.status if refused else 200
    return render(request, "repair/desk_matter.html", context, status=status)


@require_safe
@desk_access
def document(request, public_id, document_id):
    """A piece of evidence as a download, for the department that decides, with a journal line."""
    matter = _matter(request, public_id)
    found = get_object_or_404(Document, public_id=document_id, repairpaper__repair=matter)
    record(matter, "download", actor=Actor.of(request.user), note=found.name)
    return attachment(found)


# --- an application on paper -----------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def new(request):
    """Record an application that came on paper: first the entry, then what it says."""
    if not policies.may_record(request.user, request.user.department):
        raise PermissionDenied
    today = timezone.localdate()
    entries = Listing.objects.public(today).black().with_parts()
    entries = entries.filter(department=request.user.department_id)
    if "entry" not in request.GET:
        return _choose(request, entries)
    listing = get_object_or_404(entries, public_id=uuid_of(request.GET["entry"]))
    return _record_paper(request, listing, today)


def _choose(request, entries):
    form = TargetForm(request.GET if "code" in request.GET else None)
    entries = form.narrow(entries) if form.is_valid() else entries.none()
    return render(request, "repair/desk_choose.html", {"form": form, "entries": entries})


def _record_paper(request, listing, today):
    actor = Actor.of(request.user)
    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    terms = services.repair_terms(listing)
    form = PaperForm(*posted, asked=terms.evidence, initial={"received_on": today})

    def apply():
        return services.apply(
            listing,
            papers=form.papers(documents.keep_all(form.cleaned_data["evidence"], actor=actor)),
            received_on=form.cleaned_data["received_on"],
            actor=actor,
            today=today,
            **form.application,
        )

    if posted and form.carry_out(apply):
        matter, query_code = form.result
        context = {
            "repair": matter,
            "query_code": f"{query_code[:5]}-{query_code[5:]}",
            "today": today,
            **clock(matter, today),
        }
        return render(request, "repair/desk_receipt.html", context)
    context = {
        "form": form,
        "entry": listing,
        "earliest": terms.first_day,
        "conditions": terms.conditions,
    }
    return render(request, "repair/desk_new.html", context, status=form.status)

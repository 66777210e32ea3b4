"""The desk of repair: what is due when, one application with its acts, one on paper."""

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from casework import documents
from casework.desk import board, letters_of, timeline, uuid_of
from casework.documents import attachment
from casework.forms import ApproveForm, AskForm, ExtendForm, PurposeForm, ReturnForm
from casework.moves import record
from casework.views import clock
from listings.models import Listing
from parties.desk import desk_access
from parties.models import Actor
from repair import policies, services
from repair.forms import (
    AcceptForm,
    CounterSupplementForm,
    DecisionForm,
    FindForm,
    NotAcceptForm,
    PaperForm,
    TargetForm,
    VerifyForm,
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
    "ask": _("要求补正"),
    "supplement": _("收到补充材料"),
    "accept": _("受理"),
    "not_accept": _("不予受理"),
    "verify": _("登记核实"),
    "propose_decision": _("提出决定"),
    "return_decision": _("退回"),
    "grant": _("准予修复"),
    "refuse": _("不予修复"),
    "recount": _("期限重算"),
    "resume": _("期限继续计算"),
    "extend": _("延长期限"),
    "escalate": _("逾期，报督办"),
    "serve": _("送达文书"),
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
    terms = services.terms(matter.listing, matter.responsible_person)
    forms = _forms(request.user, matter, terms)
    refused = contact = None
    if request.method == "POST":
        act = request.POST.get("act")
        if act not in ACTS:
            raise BadRequest
        form = _form(act, matter, terms, request.POST, request.FILES)
        if form.carry_out(ACTS[act][1], matter, form, Actor.of(request.user)):
            if act != "contact":
                messages.success(request, DONE[act])
                return redirect("desk-repair", public_id=public_id)
            contact = form.result
        else:
            refused = form
            forms.update({act: form} if act in forms else {})
    return _page(request, matter, terms, forms=forms, contact=contact, refused=refused)


def _matter(request, public_id):
    rows = Repair.objects.of_desk(request.user).with_parts()
    return get_object_or_404(rows, public_id=public_id)


def _form(act, matter, terms, *given):
    asked = {
        "supplement": {"asked": terms.evidence},
        "propose": {"alone": matter.responsible_person_id is not None},
    }
    return ACTS[act][0](*given, auto_id=f"{act}_%s", **asked.get(act, {}))


def _forms(user, matter, terms):
    """The forms of the acts that the user may take now, by name."""
    handles, approves = policies.may_handle(user, matter), policies.may_approve(user, matter)
    extends = policies.may_extend(user, matter)
    allowed = {
        "ask": handles and matter.can("ask"),
        "supplement": handles and matter.can("supplement"),
        "accept": handles and matter.can("accept"),
        "not_accept": handles and matter.can("not_accept"),
        "verify": handles and matter.can("propose_decision"),
        "propose": handles and matter.can("propose_decision") and matter.verifications.exists(),
        "approve": approves and matter.can("grant"),
        "return": approves and matter.can("return_decision"),
        "extend": extends and services.extendable(matter, timezone.localdate()),
        "contact": handles,
    }
    return {act: _form(act, matter, terms) for act, may in allowed.items() if may}


def _dated(service):
    """A service that wants what its form says, and the day."""

    def act(matter, form, actor):
        return service(matter, actor=actor, today=timezone.localdate(), **form.cleaned_data)

    return act


def _supplement(matter, form, actor):
    return services.supplement(
        matter,
        actor=actor,
        text=form.cleaned_data["text"],
        papers=form.papers(actor),
        today=timezone.localdate(),
    )


def _verify(matter, form, actor):
    file = form.cleaned_data.pop("document")
    return services.verify(
        matter,
        actor=actor,
        today=timezone.localdate(),
        document=file and (lambda: next(documents.keep_all([file], actor=actor))),
        **form.cleaned_data,
    )


def _return(matter, form, actor):
    return services.return_decision(matter, actor=actor, **form.cleaned_data)


def _contact(matter, form, actor):
    return services.contact_of(matter, actor=actor, **form.cleaned_data)


ACTS = {
    "ask": (AskForm, _dated(services.ask)),
    "supplement": (CounterSupplementForm, _supplement),
    "accept": (AcceptForm, _dated(services.accept)),
    "not_accept": (NotAcceptForm, _dated(services.not_accept)),
    "verify": (VerifyForm, _verify),
    "propose": (DecisionForm, _dated(services.propose_decision)),
    "approve": (ApproveForm, _dated(services.approve_decision)),
    "return": (ReturnForm, _return),
    "extend": (ExtendForm, _dated(services.extend)),
    "contact": (PurposeForm, _contact),
}
DONE = {
    "ask": _("已通知申请人补正，补正通知书正在制作。"),
    "supplement": _("补充的材料已登记。"),
    "accept": _("已受理，办理期限从今天的次日起算。"),
    "not_accept": _("已不予受理。"),
    "verify": _("核实情况已登记。"),
    "propose": _("决定已送审核，须由另一人审核。"),
    "approve": _("已作出决定。"),
    "return": _("已退回。"),
    "extend": _("期限已延长，并已告知申请人。"),
}


def _page(request, matter, terms, *, forms, contact, refused):
    today = timezone.localdate()
    context = {
        "repair": matter,
        "entry": matter.listing,
        "subject": matter.listing.subject,
        "papers": matter.papers.all(),
        "letters": letters_of(matter, request.user),
        "asked": terms.evidence,
        "lacking": set(terms.evidence) - set(matter.evidence_kinds),
        "conditions": terms.conditions,
        "earliest": terms.first_day,
        "verifications": matter.verifications.select_related("unit", "document"),
        "steps": timeline(matter.journal.exclude(action="download"), JOURNAL),
        "forms": forms,
        "contact": contact,
        "refused": refused,
        "open": matter.is_open,
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
    """A paper handed in, or one that verifies, as a download, with a journal line."""
    matter = _matter(request, public_id)
    kept = [*matter.papers.all(), *matter.verifications.select_related("document")]
    found = next((row.document for row in kept if _holds(row, document_id)), None)
    if found is None:
        raise Http404
    record(matter, "download", actor=Actor.of(request.user), note=found.name)
    return attachment(found)


def _holds(row, document_id):
    return row.document is not None and row.document.public_id == document_id


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
    terms = services.terms(listing)
    persons = listing.responsible_persons.answerable(today).select_related("person")
    initial = {"received_on": today, "committed_on": today}
    form = PaperForm(*posted, asked=terms.evidence, persons=persons, initial=initial)

    def apply():
        return services.apply(
            listing, papers=form.papers(actor), actor=actor, today=today, **form.application
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

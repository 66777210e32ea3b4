"""The desk of objections: what is due when, one matter with its acts, a filing on paper."""

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from casework import documents
from casework.desk import board, given, timeline, uuid_of
from casework.forms import PurposeForm
from casework.moves import record
from casework.services import make
from casework.views import attachment, clock
from listings.models import AdverseRecord, Listing
from objections import policies, services
from objections.forms import (
    ApproveForm,
    FindForm,
    InvestigateForm,
    PaperForm,
    ReplyForm,
    ReturnForm,
    TargetForm,
    shown_values,
)
from objections.models import Objection
from objections.services.file import FIELDS
from parties.desk import desk_access
from parties.models import Actor

STATES = {
    "open": (_("在办"), lambda rows, _today: rows.open()),
    "overdue": (_("逾期"), lambda rows, today: rows.overdue(today)),
    "approval": (
        _("待审核"),
        lambda rows, _today: rows.filter(status=Objection.Status.REPLY_PROPOSED),
    ),
    "replied": (_("已答复"), lambda rows, _today: rows.filter(status=Objection.Status.REPLIED)),
    "all": (_("全部"), lambda rows, _today: rows),
}
JOURNAL = {
    "file": _("收到"),
    "investigate": _("开始核查"),
    "propose_reply": _("提出答复"),
    "return_reply": _("退回答复"),
    "reply": _("书面答复"),
    "escalate": _("逾期，报督办"),
    "recount": _("期限重算"),
}


@require_safe
@desk_access
def objections(request):
    """The department's objections, the most urgent first."""
    context = board(
        request,
        Objection.objects.of_desk(request.user),
        form=FindForm(request.GET),
        states=STATES,
        ended=("replied", "replied_on"),
    )
    context["may_record"] = policies.may_record(request.user, request.user.department)
    return render(request, "objections/desk_list.html", context)


# --- one matter ------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def objection(request, public_id):
    """One objection with its dispute, clock and journal, and a form per act allowed now."""
    matter = _matter(request, public_id)
    forms = _forms(request.user, matter)
    refused = contact = None
    if request.method == "POST":
        act = request.POST.get("act")
        if act not in ACTS:
            raise BadRequest
        form = _form(act, matter, given(request))
        if form.carry_out(ACTS[act][1], matter, form, Actor.of(request.user)):
            if act != "contact":
                messages.success(request, DONE[act])
                return redirect("desk-objection", public_id=public_id)
            contact = form.result
        else:
            refused = form
            forms.update({act: form} if act in forms else {})
    return _page(request, matter, forms=forms, contact=contact, refused=refused)


def _matter(request, public_id):
    rows = Objection.objects.of_desk(request.user).with_parts()
    return get_object_or_404(rows, public_id=public_id)


def _form(act, matter, data=None):
    form_class = ACTS[act][0]
    more = {"objection": matter} if form_class is ReplyForm else {}
    return form_class(data, auto_id=f"{act}_%s", **more)


def _forms(user, matter):
    """The forms of the acts that the user may take now, by name."""
    allowed = {
        "investigate": matter.can("investigate") and policies.may_handle(user, matter),
        "propose": matter.can("propose_reply") and policies.may_handle(user, matter),
        "approve": matter.can("reply") and policies.may_approve(user, matter),
        "return": matter.can("return_reply") and policies.may_approve(user, matter),
        "contact": policies.may_handle(user, matter),
    }
    return {act: _form(act, matter) for act, may in allowed.items() if may}


def _investigate(matter, form, actor):
    return services.investigate(matter, actor=actor, note=form.cleaned_data["note"])


def _propose(matter, form, actor):
    return services.propose_reply(
        matter,
        actor=actor,
        today=timezone.localdate(),
        outcome=form.cleaned_data["outcome"],
        reasons=form.cleaned_data["reasons"],
        corrections=form.corrections,
    )


def _approve(matter, _form, actor):
    return services.approve_reply(matter, actor=actor, today=timezone.localdate())


def _return(matter, form, actor):
    return services.return_reply(matter, actor=actor, note=form.cleaned_data["note"])


def _contact(matter, form, actor):
    return services.contact_of(matter, actor=actor, purpose=form.cleaned_data["purpose"])


ACTS = {
    "investigate": (InvestigateForm, _investigate),
    "propose": (ReplyForm, _propose),
    "approve": (ApproveForm, _approve),
    "return": (ReturnForm, _return),
    "contact": (PurposeForm, _contact),
}
DONE = {
    "investigate": _("已开始核查。"),
    "propose": _("答复已送审核，须由另一人审核。"),
    "approve": _("已书面答复，答复函即刻生成。"),
    "return": _("已退回。"),
}


def _page(request, matter, *, forms, contact, refused):
    today = timezone.localdate()
    shown = shown_values(matter.listing or matter.record)
    context = {
        "objection": matter,
        "subject": matter.subject,
        "disputed": [(FIELDS[code], shown.get(code, "")) for code in matter.fields],
        "evidence": matter.evidence.all(),
        "steps": timeline(matter.journal.exclude(action="download"), JOURNAL),
        "forms": forms,
        "contact": contact,
        "refused": refused,
        "corrections": _corrections(matter),
        "pushes": matter.listing and matter.listing.pushes.count(),
        "hits": matter.listing and matter.listing.hits.count(),
        "today": today,
        "is_public": matter.listing and matter.listing.is_public(today),
        "overdue": matter.is_overdue(today),
        **clock(matter, today),
    }
    status = refused.status if refused else 200
    return render(request, "objections/desk_matter.html", context, status=status)


def _corrections(matter):
    """The proposed new values beside the published ones: (title, old, new)."""
    target = matter.listing or matter.record
    new = dict(matter.corrections)
    details = new.pop("details", {})
    columns = {name: target._meta.get_field(name) for name in new}
    rows = [
        (column.verbose_name, getattr(target, name), column.to_python(new[name]))
        for name, column in columns.items()
    ]
    fields = matter.listing.category.fields.all() if details else ()
    old = target.details if details else {}
    return rows + [
        (str(field), *(field.with_unit(row.get(field.code, "")) for row in (old, details)))
        for field in fields
        if old.get(field.code) != details.get(field.code)
    ]


@require_safe
@desk_access
def document(request, public_id, document_id):
    """A piece of evidence as a download, for the department that decides, with a journal line."""
    matter = _matter(request, public_id)
    found = get_object_or_404(matter.evidence, public_id=document_id)
    record(matter, "download", actor=Actor.of(request.user), note=found.name)
    return attachment(found)


@require_safe
@desk_access
def letter(request, public_id):
    """The letter of reply, made now if the sweep has not yet."""
    matter = _matter(request, public_id)
    if matter.letter is None:
        raise Http404
    record(matter, "download", actor=Actor.of(request.user), note=matter.letter.number)
    return attachment(make(matter.letter))


# --- a filing on paper -----------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def new(request):
    """Record an objection that came on paper: first what it is about, then what it says."""
    if not policies.may_record(request.user, request.user.department):
        raise PermissionDenied
    target = _target(request)
    return _choose(request) if target is None else _record_paper(request, target)


def _target(request):
    """The entry or record of the user's own department that the address names, if any."""
    for name, rows in (
        ("entry", Listing.objects.with_parts().exclude(status=Listing.Status.DRAFT)),
        ("record", AdverseRecord.objects.select_related("subject", "department")),
    ):
        if name in request.GET:
            own = rows.filter(department=request.user.department_id)
            return get_object_or_404(own, public_id=uuid_of(request.GET[name]))
    return None


def _choose(request):
    form = TargetForm(request.GET if "code" in request.GET else None)
    entries, records = [], []
    if form.is_valid():
        entries, records = form.found(request.user.department_id)
    context = {"form": form, "entries": entries, "records": records}
    return render(request, "objections/desk_choose.html", context)


def _record_paper(request, target):
    today, actor = timezone.localdate(), Actor.of(request.user)
    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    form = PaperForm(*posted, target=target, initial={"received_on": today})

    def file():
        return services.file(
            target,
            door=Objection.Door.DEPARTMENT,
            applicant=form.applicant,
            evidence=documents.keep_all(form.cleaned_data["evidence"], actor=actor),
            actor=actor,
            today=today,
            **{name: form.cleaned_data[name] for name in ("fields", "grounds", "received_on")},
        )

    if posted and form.carry_out(file):
        matter, query_code = form.result
        context = {
            "objection": matter,
            "query_code": f"{query_code[:5]}-{query_code[5:]}",
            "today": today,
            **clock(matter, today),
        }
        return render(request, "objections/desk_receipt.html", context)
    context = {"form": form, "target": target, "today": today}
    return render(request, "objections/desk_new.html", context, status=form.status)

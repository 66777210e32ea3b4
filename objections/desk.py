"""The desk of objections: what is due when, one matter with its acts, a filing on paper."""

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from casework import documents
from casework.desk import board, given, letters_of, timeline, uuid_of
from casework.documents import attachment
from casework.forms import ApproveForm, AskForm, ExtendForm, PurposeForm, ReturnForm
from casework.moves import record
from casework.services import make
from casework.views import clock
from listings.models import AdverseRecord, Listing
from objections import policies, services
from objections.forms import (
    AttachForm,
    FindForm,
    ForwardForm,
    InvestigateForm,
    PaperForm,
    ReplyForm,
    SupplementForm,
    TargetForm,
    shown_values,
)
from objections.models import Objection
from objections.services.file import FIELDS
from parties.desk import desk_access
from parties.models import Actor
from rulebook.models import parameter_row

Status = Objection.Status
STATES = {
    "open": (_("在办"), lambda rows, _today: rows.open()),
    "overdue": (_("逾期"), lambda rows, today: rows.overdue(today)),
    "awaiting": (_("待补正"), lambda rows, _today: rows.filter(status=Status.AWAITING)),
    "approval": (_("待审核"), lambda rows, _today: rows.filter(status=Status.REPLY_PROPOSED)),
    "replied": (_("已答复"), lambda rows, _today: rows.filter(status=Status.REPLIED)),
    "all": (_("全部"), lambda rows, _today: rows),
}
JOURNAL = {
    "file": _("收到"),
    "attach": _("核对责任人员"),
    "forward": _("转办"),
    "investigate": _("开始核查"),
    "ask": _("要求补正"),
    "supplement": _("收到补充材料"),
    "resume": _("补正期满，期限继续计算"),
    "extend": _("延长期限"),
    "propose_reply": _("提出答复"),
    "return_reply": _("退回答复"),
    "reply": _("书面答复"),
    "serve": _("文书送达"),
    "escalate": _("逾期，报督办"),
    "recount": _("期限重算"),
}


def _states(user):
    """The tabs of the list: what the department decides, and what it passed on and only reads."""
    if user.sees_all:
        return STATES
    unit = user.department_id

    def own(narrow):
        return lambda rows, today: narrow(rows.of_department(unit), today)

    states = {name: (label, own(narrow)) for name, (label, narrow) in STATES.items()}
    elsewhere = (_("外单位办理"), lambda rows, _today: rows.exclude(department=unit))
    return states | {"elsewhere": elsewhere}


@require_safe
@desk_access
def objections(request):
    """The department's objections, the most urgent first."""
    context = board(
        request,
        Objection.objects.readable_by(request.user),
        form=FindForm(request.GET),
        states=_states(request.user),
        ended=("replied", "replied_on"),
    )
    context["may_record"] = policies.may_take_in(request.user)
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
        form = _form(act, matter, given(request), request.FILES)
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
    """A matter that the user's department decides, or one about its own entry that it may read."""
    rows = Objection.objects.readable_by(request.user).with_parts()
    return get_object_or_404(rows, public_id=public_id)


def _form(act, matter, data=None, files=None):
    form_class = ACTS[act][0]
    more = {"objection": matter} if form_class in OF_MATTER else {}
    return form_class(data, files, auto_id=f"{act}_%s", **more)


def _forms(user, matter):
    """The forms of the acts that the user may take now, by name."""
    handles, approves = policies.may_handle(user, matter), policies.may_approve(user, matter)
    allowed = {
        "attach": handles and services.can_attach(matter),
        "investigate": handles and matter.can("investigate"),
        "ask": handles and matter.can("ask"),
        "supplement": handles and matter.can("supplement"),
        "propose": handles and matter.can("propose_reply"),
        "forward": handles and matter.can("forward"),
        "extend": policies.may_extend(user, matter) and _may_be_extended(matter),
        "approve": approves and matter.can("reply"),
        "return": approves and matter.can("return_reply"),
        "contact": handles,
    }
    return {act: _form(act, matter) for act, may in allowed.items() if may}


def _may_be_extended(matter):
    late = matter.is_overdue(timezone.localdate())
    return matter.is_open and not late and services.extendable_by(matter) > 0


def _attach(matter, form, actor):
    return services.attach_person(matter, person=form.cleaned_data["person"], actor=actor)


def _forward(matter, form, actor):
    return services.forward(matter, actor=actor, **form.cleaned_data)


def _ask(matter, form, actor):
    return services.ask(matter, actor=actor, today=timezone.localdate(), **form.cleaned_data)


def _supplement(matter, form, actor):
    files = form.cleaned_data["evidence"]
    return services.supplement(
        matter,
        actor=actor,
        text=form.cleaned_data["text"],
        evidence=documents.keep_all(files, actor=actor) if files else (),
        today=timezone.localdate(),
    )


def _extend(matter, form, actor):
    return services.extend(matter, actor=actor, today=timezone.localdate(), **form.cleaned_data)


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
        findings=form.cleaned_data["findings"],
    )


def _approve(matter, _form, actor):
    return services.approve_reply(matter, actor=actor, today=timezone.localdate())


def _return(matter, form, actor):
    return services.return_reply(matter, actor=actor, note=form.cleaned_data["note"])


def _contact(matter, form, actor):
    return services.contact_of(matter, actor=actor, purpose=form.cleaned_data["purpose"])


ACTS = {
    "attach": (AttachForm, _attach),
    "forward": (ForwardForm, _forward),
    "ask": (AskForm, _ask),
    "supplement": (SupplementForm, _supplement),
    "extend": (ExtendForm, _extend),
    "investigate": (InvestigateForm, _investigate),
    "propose": (ReplyForm, _propose),
    "approve": (ApproveForm, _approve),
    "return": (ReturnForm, _return),
    "contact": (PurposeForm, _contact),
}
OF_MATTER = (AttachForm, ForwardForm, ReplyForm)  # those that ask the matter itself
DONE = {
    "attach": _("已关联责任人员，只办理这个人自己的部分。"),
    "forward": _("已转办，接办单位、认定部门和申请人都会收到通知。"),
    "ask": _("已要求补正，补正通知书即刻生成，申请人会收到通知。"),
    "supplement": _("已收下补充的材料。"),
    "extend": _("期限已延长，申请人会收到通知。"),
    "investigate": _("已开始核查。"),
    "propose": _("答复已送审核，须由另一人审核。"),
    "approve": _("已书面答复，答复函即刻生成。"),
    "return": _("已退回。"),
}


def _page(request, matter, *, forms, contact, refused):
    today = timezone.localdate()
    shown = shown_values(matter.listing or matter.record)
    running = services.resumed(matter, today)
    context = {
        "objection": matter,
        "subject": matter.subject,
        "disputed": [(FIELDS[code], shown.get(code, "")) for code in matter.fields],
        "evidence": matter.evidence.all(),
        "letters": letters_of(matter, request.user),
        "steps": timeline(matter.journal.exclude(action="download"), JOURNAL),
        "forms": forms,
        "contact": contact,
        "refused": refused,
        "corrections": _corrections(matter),
        "pushes": matter.listing and matter.listing.pushes.count(),
        "hits": matter.listing and matter.listing.hits.count(),
        "today": today,
        "rule": parameter_row("objection_reply", on=matter.received_on),
        "if_resumed": running.due_on if matter.stopped_on else None,
        "extendable": "extend" in forms and services.extendable_by(matter),
        "is_public": matter.listing and matter.listing.is_public(today),
        "overdue": matter.is_overdue(today),
        **clock(running, today),
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

FILED = ("fields", "grounds", "received_on", "national_number")


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def new(request):
    """Record an objection that came on paper: first what it is about, then what it says."""
    if not policies.may_take_in(request.user):
        raise PermissionDenied
    target = _target(request)
    return _choose(request) if target is None else _record_paper(request, target)


def _target(request):
    """The entry or record that the address names, if any, about which the user may record."""
    user = request.user
    entries = Listing.objects.with_parts().exclude(status=Listing.Status.DRAFT)
    records = AdverseRecord.objects.select_related("subject", "department")
    for name, rows in (
        ("entry", policies.recordable(entries, user, timezone.localdate())),
        ("record", records.filter(department=user.department_id)),
    ):
        if name in request.GET:
            return get_object_or_404(rows, public_id=uuid_of(request.GET[name]))
    return None


def _choose(request):
    form = TargetForm(request.GET if "code" in request.GET else None)
    entries, records = [], []
    if form.is_valid():
        entries, records = form.found(request.user, timezone.localdate())
    context = {"form": form, "entries": entries, "records": records}
    return render(request, "objections/desk_choose.html", context)


def _record_paper(request, target):
    today, actor = timezone.localdate(), Actor.of(request.user)
    window = policies.is_window(request.user)
    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    form = PaperForm(*posted, target=target, initial={"received_on": today})

    def file():
        return services.file(
            target,
            door=Objection.Door.PLATFORM if window else Objection.Door.DEPARTMENT,
            applicant=form.applicant,
            evidence=documents.keep_all(form.papers, actor=actor),
            actor=actor,
            today=today,
            responsible_person=form.cleaned_data.get("responsible_person"),
            **{name: form.cleaned_data[name] for name in FILED},
        )

    if posted and form.carry_out(file):
        matter, query_code = form.result
        context = {
            "objection": matter,
            "query_code": f"{query_code[:5]}-{query_code[5:]}",
            "may_open": policies.may_handle(request.user, matter),
            "today": today,
            **clock(matter, today),
        }
        return render(request, "objections/desk_receipt.html", context)
    context = {"form": form, "target": target, "today": today}
    return render(request, "objections/desk_new.html", context, status=form.status)

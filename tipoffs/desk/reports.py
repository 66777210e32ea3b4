"""The desk of those who hand out and look into reports. Nothing here knows who reported."""

import uuid

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from casework.desk import board, given, timeline
from casework.documents import attachment
from casework.moves import record
from casework.views import clock
from parties.desk import desk_access
from parties.models import Actor, Subject
from tipoffs import policies, services
from tipoffs.forms import (
    AssignForm,
    ConcludeForm,
    FindForm,
    LitigateForm,
    PlainForm,
    ReferForm,
    SendBackForm,
    TellForm,
    WriteForm,
)
from tipoffs.models import REPORTER, Message, Report
from tipoffs.services.file import pictures_of
from tipoffs.services.handle import LITIGABLE

Status = Report.Status
STATES = {
    "open": (_("在办"), lambda rows, _today: rows.open()),
    "overdue": (_("逾期"), lambda rows, today: rows.overdue(today)),
    "received": (_("待分办"), lambda rows, _today: rows.filter(status=Status.RECEIVED)),
    "inform": (_("待反馈"), lambda rows, _today: rows.filter(status=Status.CONCLUDED)),
    "closed": (_("已结束"), lambda rows, _today: rows.exclude(status__in=Report.OPEN)),
    "all": (_("全部"), lambda rows, _today: rows),
}
JOURNAL = {
    "file": _("收到"),
    "assign": _("分办"),
    "not_accept": _("不受理"),
    "send_back": _("退回重新分办"),
    "refer": _("转办"),
    "investigate": _("开始核查"),
    "write": _("写信给举报人"),
    "add": _("举报人补充"),
    "conclude": _("核查结束"),
    "inform": _("告知结果"),
    "litigate": _("移送公益诉讼"),
    "escalate": _("逾期，报督办"),
    "recount": _("期限重算"),
    "download": _("下载证据"),
    "open_identity": _("查看举报人信息"),
    "forget": _("举报人信息已清除"),
    "erase": _("举报内容已清除"),
}


@require_safe
@desk_access
def reports(request):
    """The department's reports, the most urgent first."""
    if policies.may_keep_vault(request.user) and not policies.may_see_handling(request.user):
        return redirect("desk-vault")
    if not policies.may_see_handling(request.user):
        raise PermissionDenied
    context = board(
        request,
        Report.objects.readable_by(request.user),
        form=FindForm(request.GET),
        states=STATES,
        ended=("closed", "closed_on"),
    )
    context["may_watch"] = policies.may_watch_vault(request.user)
    return render(request, "tipoffs/desk_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def report(request, public_id):
    """One report with its evidence and journal, and a form per act allowed now."""
    matter = _matter(request, public_id)
    forms = _forms(request.user, matter)
    refused = None
    if request.method == "POST":
        act = request.POST.get("act")
        if act not in ACTS:
            raise BadRequest
        form = _form(act, given(request))
        if form.carry_out(ACTS[act][1], matter, form, Actor.of(request.user)):
            messages.success(request, DONE[act])
            return _back(request, public_id)
        refused = form
        forms.update({act: form} if act in forms else {})
    return _page(request, matter, forms, refused)


def _matter(request, public_id):
    rows = Report.objects.readable_by(request.user).with_parts()
    return get_object_or_404(rows, public_id=public_id)


def _back(request, public_id):
    """The report again, or the list where it has gone to another department."""
    if Report.objects.readable_by(request.user).filter(public_id=public_id).exists():
        return redirect("desk-report", public_id=public_id)
    return redirect("desk-reports")


def _form(act, data=None):
    return ACTS[act][0](data, auto_id=f"{act}_%s", initial={"form_key": uuid.uuid4()})


def _forms(user, matter):
    """The forms of the acts that the user may take now, by name."""
    handles, triages = policies.may_handle(user, matter), policies.may_triage(user, matter)
    allowed = {
        "assign": triages and matter.can("assign"),
        "not_accept": triages and matter.can("not_accept"),
        "investigate": handles and matter.can("investigate"),
        "conclude": handles and matter.can("conclude"),
        "inform": handles and matter.can("inform"),
        "write": handles and matter.is_open,
        "refer": handles and matter.can("refer"),
        "send_back": handles and matter.can("send_back"),
        "litigate": handles and matter.status in LITIGABLE,
    }
    return {act: _form(act) for act, may in allowed.items() if may}


def _assign(matter, form, actor):
    today = timezone.localdate()
    return services.assign(matter, actor=actor, today=today, **form.cleaned_data)


def _not_accept(matter, form, actor):
    today = timezone.localdate()
    return services.not_accept(matter, actor=actor, today=today, **form.cleaned_data)


def _investigate(matter, _form, actor):
    return services.investigate(matter, actor=actor)


def _conclude(matter, form, actor):
    today = timezone.localdate()
    return services.conclude(matter, actor=actor, today=today, **form.cleaned_data)


def _inform(matter, form, actor):
    today = timezone.localdate()
    return services.inform(matter, actor=actor, today=today, **form.cleaned_data)


def _write(matter, form, actor):
    return services.write(matter, actor=actor, **form.cleaned_data)


def _refer(matter, form, actor):
    today = timezone.localdate()
    return services.refer(matter, actor=actor, today=today, **form.cleaned_data)


def _send_back(matter, form, actor):
    return services.send_back(
        matter,
        actor=actor,
        today=timezone.localdate(),
        lead_unit=settings.LEAD_UNIT,
        **form.cleaned_data,
    )


def _litigate(matter, form, actor):
    today = timezone.localdate()
    return services.litigate(matter, actor=actor, today=today, **form.cleaned_data)


ACTS = {
    "assign": (AssignForm, _assign),
    "not_accept": (TellForm, _not_accept),
    "investigate": (PlainForm, _investigate),
    "conclude": (ConcludeForm, _conclude),
    "inform": (TellForm, _inform),
    "write": (WriteForm, _write),
    "refer": (ReferForm, _refer),
    "send_back": (SendBackForm, _send_back),
    "litigate": (LitigateForm, _litigate),
}
DONE = {
    "assign": _("已分办，承办单位会收到通知。"),
    "not_accept": _("已告诉举报人不受理的理由。"),
    "investigate": _("已开始核查。"),
    "conclude": _("核查已结束，请在期限内告知举报人。"),
    "inform": _("已告知举报人。"),
    "write": _("已写给举报人。"),
    "refer": _("已转办，接办单位会收到通知。"),
    "send_back": _("已退回牵头单位。"),
    "litigate": _("移送已登记。"),
}


def _page(request, matter, forms, refused):
    today = timezone.localdate()
    context = {
        "report": matter,
        "known": Subject.objects.filter(code=matter.code).first() if matter.code else None,
        "evidence": pictures_of(matter),
        "letters": _letters(matter),
        "litigations": matter.litigations.all(),
        "steps": _journal(matter, request.user),
        "forms": forms,
        "refused": refused,
        "today": today,
        "overdue": matter.is_overdue(today),
        **clock(matter, today),
    }
    status = refused.status if refused else 200
    return render(request, "tipoffs/desk_report.html", context, status=status)


def _letters(matter):
    """What was written, newest first."""
    rows = matter.messages.select_related("department").order_by("-id")
    sides = {Message.Side.REPORTER: _("举报人"), Message.Side.INTERNAL: _("内部")}
    return [
        {
            "at": row.at,
            "by": "" if row.side == Message.Side.REPORTER else row.by_label,
            "title": sides.get(row.side) or _("给举报人"),
            "text": row.text,
            "state": "done",
        }
        for row in rows
    ]


def _journal(matter, user):
    """The journal; when the vault was opened is for supervisor and auditor."""
    lines = matter.journal.exclude(action="download")
    if not user.sees_all:
        lines = lines.exclude(action="open_identity")
    steps = timeline(lines, JOURNAL)
    for step in steps:
        step["by"] = "" if step["by"] == REPORTER.label else step["by"]
    return steps


@require_safe
@desk_access
def document(request, public_id, document_id):
    """A picture as a download, with a journal line."""
    matter = _matter(request, public_id)
    found = get_object_or_404(pictures_of(matter), public_id=document_id)
    record(matter, "download", actor=Actor.of(request.user), note=found.name)
    return attachment(found)

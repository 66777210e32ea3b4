"""The public doors of a report: telling, and following with nothing but the receipt code.

Nothing that could lead back to a visitor is kept: no cookie is set, no session is begun, and
limits count everybody together, not by address. So there is no token against forged requests
either: whoever knows the code may act, and nobody else has any power here to be borrowed.
"""

import uuid
from functools import wraps

from django.conf import settings
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters

from casework.services import count
from rulebook.models import parameter
from tipoffs import services
from tipoffs.forms import AddForm, CodeForm, ReportForm
from tipoffs.models import Message, Report, VaultKey

HOUR = 3600  # seconds
# an hour, of all visitors together
POSTS = {"report-new": 600, "report-track": 6_000, "report-pictures": 200}
Status = Report.Status


def unwatched(page):
    """A page that keeps nothing of who asks; `page` names its limit."""

    def decorate(view):
        @csrf_exempt
        @never_cache
        @sensitive_post_parameters()
        @wraps(view)
        def inner(request):
            response = _answer(request, view, page)
            response["Referrer-Policy"] = "no-referrer"
            return response

        return inner

    return decorate


def _answer(request, view, page):
    if request.method == "POST":
        counted = [page, "report-pictures"] if request.FILES else [page]
        rates = [count(what, "everybody", limit=POSTS[what], seconds=HOUR) for what in counted]
        if any(rate.is_over for rate in rates):
            response = render(request, "tipoffs/busy.html", status=429)
            response["Retry-After"] = max(rate.reset for rate in rates)
            return response
    return view(request)


@unwatched("report-new")
def new(request):
    """One form; then the receipt code, shown at once since it is kept nowhere.

    Another page may lead here with whom it is about: `?about=` and `?code=`.
    """
    today = timezone.localdate()
    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    about = {name: request.GET.get(name, "") for name in ("about", "code")}
    form = ReportForm(*posted, initial={**about, "form_key": uuid.uuid4()})
    if posted and form.carry_out(lambda: _file(form, today)):
        report, code = form.result
        context = {"code": grouped(code), "report": report, "today": today}
        return render(request, "tipoffs/receipt.html", context)
    context = {
        "form": form,
        "days": parameter("report_outcome", on=today),
        "months": parameter("report_identity_kept", on=today),
        "vault_open": VaultKey.objects.active().exists(),
    }
    return render(request, "tipoffs/new.html", context, status=form.status)


def _file(form, today):
    data = form.cleaned_data
    return services.file(
        facts=data["facts"],
        about=data["about"],
        code=data["code"],
        reporter=form.reporter,
        pictures=data["pictures"],
        form_key=data["form_key"],
        lead_unit=settings.LEAD_UNIT,
        today=today,
    )


def grouped(code):
    """The code in groups of four, as people copy it."""
    return "-".join(code[i : i + 4] for i in range(0, len(code), 4))


@unwatched("report-track")
def track(request):
    """Asks for the receipt code with every act; whoever has it reads and writes."""
    if request.method != "POST":
        return render(request, "tipoffs/ask.html", {"form": CodeForm()})
    form = CodeForm(request.POST)
    report = Report.objects.of_code(form.cleaned_data["code"]) if form.is_valid() else None
    if report is None:
        if form.is_valid():
            form.add_error("code", _("没有这个回执码的举报，请核对。期满清除的举报也查不到。"))
        return render(request, "tipoffs/ask.html", {"form": form}, status=400)
    if request.POST.get("act") != "add":
        return _progress(request, report, _empty())
    adding = AddForm(request.POST, request.FILES)
    if adding.carry_out(lambda: services.add(report, **_added(adding))):
        return _progress(request, adding.result, _empty(), added=True)
    return _progress(request, report, adding)


def _added(form):
    return {name: form.cleaned_data[name] for name in ("text", "pictures", "form_key")}


def _empty():
    return AddForm(initial={"form_key": uuid.uuid4()})


def _progress(request, report, form, *, added=False):
    context = {
        "report": report,
        "code": request.POST["code"],
        "form": form if report.is_open or form.errors else None,
        "added": added,
        "stage": STAGES[report.status],
        "steps": _steps(report),
        "pictures": report.evidence.count(),
        "today": timezone.localdate(),
    }
    return render(request, "tipoffs/progress.html", context, status=form.status)


STAGES = {
    Status.RECEIVED: gettext_lazy("已收到，正在分给主管部门"),
    Status.ASSIGNED: gettext_lazy("已转主管部门，等候核查"),
    Status.INVESTIGATING: gettext_lazy("正在核查"),
    Status.CONCLUDED: gettext_lazy("核查结束，结果将告诉您"),
    Status.INFORMED: gettext_lazy("已有结果"),
    Status.NOT_ACCEPTED: gettext_lazy("没有受理，理由见下"),
}
TITLES = {
    "file": gettext_lazy("收到举报"),
    "assign": gettext_lazy("转主管部门"),
    "refer": gettext_lazy("转别的部门"),
    "send_back": gettext_lazy("重新分办"),
    "not_accept": gettext_lazy("不受理"),
    "investigate": gettext_lazy("开始核查"),
    "conclude": gettext_lazy("核查结束"),
    "inform": gettext_lazy("告知结果"),
    "litigate": gettext_lazy("移送检察机关"),
    "escalate": gettext_lazy("逾期，已报牵头单位督办"),
    "open_identity": gettext_lazy("举报信息管理员查看了您的身份信息"),
    "forget": gettext_lazy("您的身份信息已经清除"),
}
NOTED = {"assign", "refer", "send_back", "litigate"}  # whose journal line says to whom


def _steps(report):
    """What happened and what was written, oldest first: no staff names, nothing of the inside."""
    steps = [
        {"at": event.at, "title": TITLES[event.action], "text": _note(event), "state": "done"}
        for event in report.journal.all()
        if event.action in TITLES
    ]
    told = report.messages.exclude(side=Message.Side.INTERNAL).select_related("department")
    steps += [
        {"at": row.at, "title": _writer(row), "text": row.text, "state": "done"} for row in told
    ]
    steps.sort(key=lambda step: step["at"])
    if not report.is_open:
        return steps
    steps[-1]["state"] = "now"
    latest = _("最迟 %(day)s") % {"day": date_format(report.due_on)}
    return [*steps, {"when": latest, "title": NEXT[report.status], "state": "next"}]


NEXT = {
    Status.RECEIVED: gettext_lazy("分给主管部门"),
    Status.ASSIGNED: gettext_lazy("核查结束"),
    Status.INVESTIGATING: gettext_lazy("核查结束"),
    Status.CONCLUDED: gettext_lazy("告知结果"),
}


def _note(event):
    return event.note if event.action in NOTED else ""


def _writer(message):
    if message.side == Message.Side.REPORTER:
        return _("您补充")
    return message.department.in_brief

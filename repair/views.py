"""The public doors of repair: the conditions, the application, following it."""

from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from casework import documents
from casework.views import clock, let_in, tracking
from listings.filters import PickForm
from listings.models import Listing
from parties.models import PUBLIC
from repair import services
from repair.forms import COMMITMENT, ApplyForm
from repair.models import Repair
from rulebook.models import parameter

Status = Repair.Status
TRACK = "repair-track"


@never_cache
def new(request):
    """First the entry; then conditions and earliest day; then, where it is time, the form."""
    today = timezone.localdate()
    entries = Listing.objects.public(today).black()
    if "entry" not in request.GET:
        return _pick(request, entries)
    target = PickForm({"code": request.GET["entry"]})
    listing = target.found(entries).first() if target.is_valid() else None
    if listing is None:
        return _pick(request, entries, gone=True)
    return _fill_in(request, listing, today)


def _pick(request, entries, *, gone=False):
    form = PickForm(request.GET if "code" in request.GET else None)
    found = form.found(entries) if form.is_valid() else None
    context = {"form": form, "found": found, "gone": gone, **_days()}
    return render(request, "repair/pick.html", context, status=404 if gone else 200)


def _days():
    today = timezone.localdate()
    return {name: parameter(f"repair_{name}", on=today) for name in ("accept", "decide")}


def _fill_in(request, listing, today):
    terms = services.repair_terms(listing)
    first_day = terms.first_day
    pending = listing.repairs.open().exists()
    open_now = first_day is not None and first_day <= today and not pending
    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    form = ApplyForm(*posted, asked=terms.evidence)
    if posted and form.carry_out(lambda: _apply(form, listing, today)):
        repair, query_code = form.result
        let_in(request, repair, TRACK)
        return _receipt(request, repair, query_code, today)
    context = {
        "entry": listing,
        "first_day": first_day,
        "pending": pending,
        "evidence_kinds": terms.evidence,
        "conditions": terms.conditions,
        "commitment": COMMITMENT,
        "today": today,
        "form": form if open_now or posted else None,
        **_days(),
    }
    return render(request, "repair/new.html", context, status=form.status)


def _apply(form, listing, today):
    return services.apply(
        listing,
        papers=form.papers(documents.keep_all(form.cleaned_data["evidence"], actor=PUBLIC)),
        received_on=today,
        actor=PUBLIC,
        today=today,
        **form.application,
    )


def _receipt(request, repair, query_code, today):
    """Answered at once and not by a redirect: the query code is kept nowhere."""
    context = {
        "repair": repair,
        "query_code": f"{query_code[:5]}-{query_code[5:]}",
        "today": today,
        **clock(repair, today),
        **_days(),
    }
    return render(request, "repair/receipt.html", context)


# --- following it ----------------------------------------------------------


@never_cache
def track(request):
    """Number and query code, then the matter with its clock, its course and its decision."""
    return tracking(
        request,
        rows=Repair.objects.with_parts(),
        page=TRACK,
        ask="repair/ask.html",
        show=lambda repair: _progress(request, repair),
    )


def _progress(request, repair):
    today = timezone.localdate()
    context = {
        "repair": repair,
        "today": today,
        "open": repair.status in Repair.OPEN,
        "overdue": repair.is_overdue(today),
        "stage": _stage(repair),
        "evidence": [paper.document for paper in repair.papers.all() if paper.document],
        "steps": _steps(repair),
        **clock(repair, today),
    }
    return render(request, "repair/progress.html", context)


def _stage(repair):
    """Where the matter is, in the applicant's words."""
    words = {
        Status.RECEIVED: _("已转%(unit)s，等待受理"),
        Status.ACCEPTED: _("%(unit)s已受理，正在核实"),
        Status.DECISION_PROPOSED: _("%(unit)s正在审核决定"),
        Status.NOT_ACCEPTED: _("%(unit)s不予受理"),
        Status.GRANTED: _("%(unit)s准予修复"),
        Status.REFUSED: _("%(unit)s不予修复"),
    }
    return words[repair.status] % {"unit": repair.department.in_brief}


def _steps(repair):
    """What happened and what comes, oldest first: no staff names, nothing not yet decided."""
    told = [_told(event, repair) for event in repair.journal.order_by("id")]
    steps = [step for step in told if step]
    steps[-1]["state"] = "now"
    if repair.status not in Repair.OPEN:
        return steps
    waiting = repair.status == Status.RECEIVED
    next_step = {
        "when": _("最迟 %(day)s") % {"day": date_format(repair.due_on)},
        "title": _("决定是否受理") if waiting else _("作出决定"),
        "text": "" if waiting else _("准予的，记录当日撤下；不予的，写明理由。"),
        "state": "next",
    }
    return [*steps, next_step]


def _told(event, repair):
    words = {
        "apply": (
            _("平台收到"),
            _("收到日期 %(day)s。") % {"day": date_format(repair.received_on)},
        ),
        "accept": (_("受理"), _("开始核实整改情况。")),
        "not_accept": (_("不予受理"), repair.reasons),
        "grant": (_("准予修复"), _("记录已撤下，并通知收到过它的单位解除措施。")),
        "refuse": (_("不予修复"), repair.reasons),
    }
    if event.action not in words:
        return None
    title, text = words[event.action]
    return {"at": event.at, "state": "done", "title": title, "text": text}

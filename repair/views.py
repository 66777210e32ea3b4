"""The public doors of repair: the conditions, the application, following it."""

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from blacklist.services import repair_from
from casework.documents import attachment
from casework.models import Letter
from casework.services import make
from casework.views import clock, let_in, limited, may_file, opened, tracking
from jointaction.services import told_of
from listings.filters import PickForm
from listings.models import Listing
from listings.views import elsewhere
from notices.models import Notice
from parties.models import PUBLIC
from repair import services
from repair.forms import COMMITMENT, ApplyForm, SupplementForm
from repair.models import Repair
from rulebook.models import parameter

Status = Repair.Status
TRACK = "repair-track"


@never_cache
@limited("file")
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
    if listing.is_foreign:
        return elsewhere(request, listing)
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
    terms = services.terms(listing)
    pending = listing.repairs.open().filter(responsible_person=None).exists()
    open_now = terms.first_day is not None and terms.first_day <= today and not pending
    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    form = ApplyForm(*posted, asked=terms.evidence)
    sent = posted and may_file(request, form)
    if sent and form.carry_out(lambda: _apply(form, listing, today)):
        repair, query_code = form.result
        let_in(request, repair, TRACK)
        return _receipt(request, repair, query_code, today)
    context = {
        "entry": listing,
        "first_day": terms.first_day,
        "by_rule": terms.first_day == repair_from(listing),
        "pending": pending,
        "evidence_kinds": terms.evidence,
        "conditions": terms.conditions,
        "commitment": COMMITMENT,
        "persons": listing.responsible_persons.answerable(today).exists(),
        "today": today,
        "form": form if open_now or posted else None,
        **_days(),
    }
    return render(request, "repair/new.html", context, status=form.status)


def _apply(form, listing, today):
    return services.apply(
        listing,
        papers=form.papers(PUBLIC),
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
        "letter": repair.letters.get(kind=Letter.Kind.REPAIR_RECEIPT),
        "today": today,
        **clock(repair, today),
        **_days(),
    }
    return render(request, "repair/receipt.html", context)


# --- following it ----------------------------------------------------------


@never_cache
@limited("track")
def track(request):
    """Number and query code, then the matter with its clock, its course and its letters.

    Who was asked for more adds it here.
    """
    rows = Repair.objects.with_parts()
    if "supplement" in request.POST:
        repair = opened(request, rows, TRACK)
        return _supplement(request, repair) if repair else redirect(TRACK)
    return tracking(
        request,
        rows=rows,
        page=TRACK,
        ask="repair/ask.html",
        show=lambda repair: _progress(request, repair),
    )


def _supplement(request, repair):
    today = timezone.localdate()
    form = _supplement_form(repair, request.POST, request.FILES)
    if form.carry_out(
        lambda: services.supplement(
            repair,
            actor=PUBLIC,
            text=form.cleaned_data["text"],
            papers=form.papers(PUBLIC),
            today=today,
        )
    ):
        messages.success(request, _("补充的材料已经收到。"))
        return redirect(TRACK)
    return _progress(request, repair, form)


def _supplement_form(repair, *given):
    return SupplementForm(*given, asked=services.terms(repair.listing).evidence)


def _progress(request, repair, form=None):
    today = timezone.localdate()
    if form is None and repair.can("supplement"):
        form = _supplement_form(repair)
    context = {
        "repair": repair,
        "today": today,
        "open": repair.is_open,
        "overdue": repair.is_overdue(today),
        "stage": _stage(repair),
        "papers": repair.papers.all(),
        "letters": repair.letters.all(),
        "notices": Notice.objects.to_applicant(repair.number),
        "steps": _steps(repair),
        "recalls": _recalls(repair),
        "form": form,
        "asked": form and repair.journal.filter(action="ask").last(),
        **clock(repair, today),
    }
    status = form.status if form else 200
    return render(request, "repair/progress.html", context, status=status)


def _stage(repair):
    """Where the matter is, in the applicant's words."""
    words = {
        Status.RECEIVED: _("已转%(unit)s，等待受理"),
        Status.AWAITING: _("%(unit)s等您补充材料"),
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
    if not repair.is_open:
        return steps
    to_decide = repair.accepted_on is not None
    next_step = {
        "when": _("最迟 %(day)s") % {"day": date_format(repair.due_on)},
        "title": _("作出决定") if to_decide else _("决定是否受理"),
        "text": _("准予或者不予，都写明理由，出具决定书。") if to_decide else "",
        "state": "next",
    }
    return [*steps, next_step]


TOLD = {
    "apply": gettext_lazy("平台收到"),
    "ask": gettext_lazy("通知补充材料"),
    "supplement": gettext_lazy("收到补充材料"),
    "accept": gettext_lazy("受理"),
    "not_accept": gettext_lazy("不予受理"),
    "verify": gettext_lazy("核实"),
    "recount": gettext_lazy("期限重算"),
    "resume": gettext_lazy("期限继续计算"),
    "extend": gettext_lazy("期限延长"),
    "escalate": gettext_lazy("逾期，报督办"),
    "grant": gettext_lazy("准予修复"),
    "refuse": gettext_lazy("不予修复"),
    "serve": gettext_lazy("文书送达"),
}


def _told(event, repair):
    if event.action not in TOLD:
        return None
    given = {
        "apply": lambda: _("收到日期 %(day)s。") % {"day": date_format(repair.received_on)},
        "accept": lambda: _("开始核实整改情况。"),
        "escalate": lambda: _("没有按期办理，已报牵头单位督办。"),
        "grant": lambda: _meaning(repair),
        "refuse": lambda: repair.reasons,
    }
    text = given[event.action]() if event.action in given else event.note
    return {"at": event.at, "state": "done", "title": TOLD[event.action], "text": text}


def _meaning(repair):
    if repair.responsible_person_id:
        return _("这名责任人员已经解除，并通知收到过记录的单位；记录继续公布。")
    return _("记录已撤下，并通知收到过它的单位解除措施。")


def _recalls(repair):
    """The units told that the entry, or one person, is off, and whether each has confirmed it."""
    if repair.status != Status.GRANTED:
        return []
    action = "correct" if repair.responsible_person_id else "repair"
    return told_of(repair.listing, action, repair.decided_on)


@never_cache
@require_safe
def letter(request, letter_id):
    """A letter of the matter this session was let in to; made now if the sweep has not yet."""
    repair = opened(request, Repair.objects.with_parts(), TRACK)
    if repair is None:
        return redirect(TRACK)
    return attachment(make(get_object_or_404(repair.letters, public_id=letter_id)))

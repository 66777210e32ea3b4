"""The public doors of an objection: filing, following, and proving a reply genuine."""

from django.core.cache import cache
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from casework import documents
from casework.documents import attachment
from casework.services import make
from casework.views import (
    WAIT,
    WRONG_TRIES,
    clock,
    let_in,
    limited,
    may_file,
    opened,
    too_many,
    tracking,
)
from jointaction.services import told_of
from listings.filters import PickForm
from listings.models import Listing
from listings.views import elsewhere
from notices.models import Notice
from objections import services
from objections.forms import ObjectionForm, SupplementForm
from objections.models import Objection
from objections.services.file import FIELDS
from parties.models import PUBLIC
from rulebook.models import parameter

Outcome = Objection.Outcome
Status = Objection.Status
TRACK = "objection-track"


@never_cache
@limited("file")
def new(request):
    """First the entry, found by code or number; then one form; then the receipt."""
    today = timezone.localdate()
    entries = Listing.objects.public(today)
    if "entry" not in request.GET:
        return _pick(request, entries, today)
    target = PickForm({"code": request.GET["entry"]})
    listing = target.found(entries).first() if target.is_valid() else None
    if listing is None:
        return _pick(request, entries, today, gone=True)
    if listing.is_foreign:
        return elsewhere(request, listing)
    return _fill_in(request, listing, today)


def _pick(request, entries, today, *, gone=False):
    form = PickForm(request.GET if "code" in request.GET else None)
    context = {
        "form": form,
        "found": form.found(entries) if form.is_valid() else None,
        "gone": gone,
        "days": parameter("objection_reply", on=today),
    }
    return render(request, "objections/pick.html", context, status=404 if gone else 200)


def _fill_in(request, listing, today):
    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    form = ObjectionForm(*posted, target=listing)
    sent = posted and may_file(request, form)
    if sent and form.carry_out(lambda: _file(form, listing, today)):
        objection, query_code = form.result
        let_in(request, objection, TRACK)
        return _receipt(request, objection, query_code, today)
    context = {
        "form": form,
        "entry": listing,
        "days": parameter("objection_reply", on=today),
    }
    return render(request, "objections/new.html", context, status=form.status)


def _file(form, listing, today):
    return services.file(
        listing,
        door=Objection.Door.PLATFORM,
        applicant=form.applicant,
        fields=form.cleaned_data["fields"],
        grounds=form.cleaned_data["grounds"],
        evidence=documents.keep_all(form.papers, actor=PUBLIC),
        national_number=form.cleaned_data["national_number"],
        received_on=today,
        actor=PUBLIC,
        today=today,
    )


def _receipt(request, objection, query_code, today):
    """Answered at once and not by a redirect: the query code is kept nowhere."""
    context = {
        "objection": objection,
        "query_code": f"{query_code[:5]}-{query_code[5:]}",
        "letter": objection.letters.first(),
        **clock(objection, today),
        "today": today,
    }
    return render(request, "objections/receipt.html", context)


# --- following it ----------------------------------------------------------


@never_cache
@limited("track")
def track(request):
    """Number and query code, then the matter with its clock, its course and its reply."""
    return tracking(
        request,
        rows=Objection.objects.with_parts(),
        page=TRACK,
        ask="objections/ask.html",
        show=lambda objection: _progress(request, objection),
    )


def _progress(request, objection, form=None):
    """The matter as its applicant sees it; while more is awaited, with the form for it."""
    today = timezone.localdate()
    running = services.resumed(objection, today)
    if form is None and objection.can("supplement"):
        form = SupplementForm()
    context = {
        "form": form,
        "asked": objection.can("supplement") and objection.journal.filter(action="ask").last(),
        "notices": Notice.objects.to_applicant(objection.number),
        "letters": objection.letters.all(),
        "objection": objection,
        "today": today,
        "overdue": objection.is_overdue(today),
        "stage": _stage(objection),
        "meaning": _meaning(objection),
        "fields": [FIELDS[code] for code in objection.fields],
        "evidence": objection.evidence.all(),
        "steps": _steps(objection),
        "recalls": _recalls(objection),
        "if_resumed": running.due_on if objection.stopped_on else None,
        **clock(running, today),
    }
    status = form.status if form else 200
    return render(request, "objections/progress.html", context, status=status)


def _stage(objection):
    """Where the matter is, in the applicant's words."""
    words = {
        Status.RECEIVED: _("已转%(unit)s办理"),
        Status.INVESTIGATING: _("%(unit)s核查中"),
        Status.AWAITING: _("等您补充材料"),
        Status.REPLY_PROPOSED: _("%(unit)s正在审核答复"),
        Status.REPLIED: _("%(unit)s已书面答复"),
    }
    return words[objection.status] % {"unit": objection.department.in_brief}


MEANINGS = {
    Outcome.REJECTED: gettext_lazy("经核查，记录没有错，继续公布到原定的日期。"),
    Outcome.UPHELD_CORRECTED: gettext_lazy(
        "记录有错，已经更正，并通知收到过它的单位。公布期限没有重新起算。"
    ),
    Outcome.UPHELD_WITHDRAWN: gettext_lazy(
        "记录不应列入，已经撤下，并逐家通知收到过它的单位停止使用、解除措施。"
    ),
}


RELEASED = gettext_lazy("责任人员的标注已经解除，记录本身不变，并通知收到过它的单位。")


def _meaning(objection):
    """What the outcome means for who objected, or None while there is none."""
    if objection.responsible_person_id and objection.outcome == Outcome.UPHELD_WITHDRAWN:
        return RELEASED
    return MEANINGS.get(objection.outcome)


def _steps(objection):
    """What happened and what comes, oldest first: no staff names, nothing not yet decided."""
    told = [_told(event, objection) for event in objection.journal.order_by("id")]
    steps = [step for step in told if step]
    if objection.status == Status.REPLIED:
        return [*steps, _remedy()]
    steps[-1]["state"] = "now"
    latest = _("最迟 %(day)s") % {"day": date_format(objection.due_on)}
    reply = {
        "when": latest if objection.stopped_on is None else _("补充以后接着计算期限"),
        "title": _("书面答复"),
        "text": _("答复函说明维持、更正或撤销及理由，在本页下载。"),
        "state": "next",
    }
    return [*steps, reply, _remedy()]


def _told(event, objection):
    if event.action in TOLD:
        step = {"title": TOLD[event.action], "text": event.note}
    elif event.action in TELLERS:
        step = TELLERS[event.action](event, objection)
    else:
        return None
    return {"at": event.at, "state": "done", **step}


# What the applicant is told in the words of the journal's public note.
TOLD = {
    "forward": gettext_lazy("转办"),
    "investigate": gettext_lazy("开始核查"),
    "ask": gettext_lazy("需要您补充材料"),
    "supplement": gettext_lazy("收到您补充的材料"),
    "resume": gettext_lazy("补正期满，期限继续计算"),
    "extend": gettext_lazy("延长期限"),
    "recount": gettext_lazy("期限重算"),
    "serve": gettext_lazy("文书送达"),
}


def _told_filed(event, objection):
    """Of the day of filing: what was added or passed on since has a step of its own."""
    unit = objection.home.in_brief
    online = objection.door == Objection.Door.PLATFORM
    title = _("平台收到") if online else _("%(unit)s收到") % {"unit": unit}
    text = _("收到日期 %(day)s，证据 %(n)s 份。由%(unit)s办理，期限不因转办改变。")
    n = objection.evidence.filter(created_at__lte=event.at).count()
    told = {"day": date_format(objection.received_on), "n": n, "unit": unit}
    return {"title": title, "text": text % told}


def _told_attached(_event, _objection):
    text = _("已核对您的身份，按责任人员本人的异议办理。")
    return {"title": _("核对身份"), "text": text}


def _told_overdue(_event, _objection):
    return {"title": _("逾期"), "text": _("没有按期答复，已报牵头单位督办。您不用重新提交。")}


def _told_replied(_event, objection):
    title = _("书面答复：%(outcome)s") % {"outcome": objection.get_outcome_display()}
    return {"title": title, "text": _meaning(objection), "state": "now"}


TELLERS = {
    "file": _told_filed,
    "attach": _told_attached,
    "escalate": _told_overdue,
    "reply": _told_replied,
}


def _remedy():
    return {
        "title": _("不同意答复的"),
        "text": _("可以依法申请行政复议或提起行政诉讼，答复函会写明期限。"),
        "state": "next",
    }


def _recalls(objection):
    """The units told of the correction or withdrawal, and whether each has confirmed it."""
    action = RECALLS.get(objection.outcome)
    if action and objection.responsible_person_id:  # the entry stays, without the person
        action = "correct"
    if not (action and objection.listing and objection.replied_on):
        return []
    return told_of(objection.listing, action, objection.replied_on)


RECALLS = {Outcome.UPHELD_CORRECTED: "correct", Outcome.UPHELD_WITHDRAWN: "withdraw"}


@never_cache
@require_safe
def letter(request):
    """The reply of the matter this session was let in to; made now if the sweep has not yet."""
    objection = opened(request, Objection.objects.with_parts(), TRACK)
    if objection is None:
        return redirect(TRACK)
    if objection.letter is None:
        raise Http404
    return attachment(make(objection.letter))


@never_cache
@require_safe
def one_letter(request, letter_id):
    """A letter of the matter this session was let in to; any other is not found."""
    objection = opened(request, Objection.objects.with_parts(), TRACK)
    if objection is None:
        return redirect(TRACK)
    letters = objection.letters.select_related("department", "document")
    return attachment(make(get_object_or_404(letters, public_id=letter_id)))


@never_cache
@limited("track")
def supplement(request):
    """What the applicant adds while it is asked for; refused ones are counted like wrong codes."""
    objection = opened(request, Objection.objects.with_parts(), TRACK)
    if objection is None or request.method != "POST" or not objection.can("supplement"):
        return redirect(TRACK)
    tries = f"wrong-supplements:{objection.pk}"
    wrong = cache.get(tries, 0)
    if wrong >= WRONG_TRIES:
        return too_many(request, WAIT)
    form = SupplementForm(request.POST, request.FILES)
    if form.carry_out(lambda: _supplement(objection, form)):
        return redirect(TRACK)
    cache.set(tries, wrong + 1, WAIT)
    return _progress(request, objection, form)


def _supplement(objection, form):
    files = form.cleaned_data["evidence"]
    return services.supplement(
        objection,
        actor=PUBLIC,
        text=form.cleaned_data["text"],
        evidence=documents.keep_all(files, actor=PUBLIC) if files else (),
        today=timezone.localdate(),
    )

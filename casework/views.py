"""What the public doors of all matters share: the clock in words, and the tracking page."""

from django.core.cache import cache
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from casework import workdays
from casework.forms import TrackForm

WRONG_TRIES = 10  # from one address, before it must wait
WAIT = 15 * 60  # seconds


def clock(filing, today):
    """What a page says of the period that runs on a filing.

    `explanation` is the count day by day; today is the `day`-th working day, `used` have
    passed before it, `left` come after it (negative once it is late). Of a clock that
    stands still all are as if it ran again from tomorrow.
    """
    start, stops = filing.counts_from, filing.pauses_by(today)
    explanation = workdays.explain(start, filing.total_days, stops)
    used = workdays.working_days_between(start, today - workdays.DAY, stops)
    return {
        "explanation": explanation,
        "start": start,
        "days": filing.total_days,
        "day": max(workdays.working_days_between(start, today, stops), 0),
        "used": max(used, 0),
        "left": workdays.working_days_between(today, explanation[-1]["date"]),
    }


def tracking(request, *, rows, page, ask, show):
    """The tracking page of a kind of matter: asks for number and query code, then shows it.

    `page` is its URL name, `ask` the template of the question, `show(matter)` the answer.
    Whoever was let in stays so for the session, so that reloading works.
    """
    if "leave" in request.POST:
        request.session.pop(page, None)
        return redirect(page)
    if request.method == "POST":
        return _try(request, rows, page, ask)
    matter = opened(request, rows, page)
    return show(matter) if matter else render(request, ask, {"form": TrackForm()})


def let_in(request, matter, page):
    request.session.cycle_key()  # whoever planted the session in this browser is left behind
    request.session[page] = str(matter.public_id)


def opened(request, rows, page):
    """The matter that this session was let in to, or None."""
    return rows.filter(public_id=request.session.get(page)).first()


def _try(request, rows, page, ask):
    tries = f"wrong-tries:{request.META.get('REMOTE_ADDR', '')}"
    wrong = cache.get(tries, 0)
    if wrong >= WRONG_TRIES:
        response = render(request, "429.html", status=429)
        response["Retry-After"] = WAIT
        return response
    form = TrackForm(request.POST)
    matter = rows.tracked(**form.cleaned_data) if form.is_valid() else None
    if matter:
        let_in(request, matter, page)
        return redirect(page)
    if form.is_valid():
        cache.set(tries, wrong + 1, WAIT)  # incr() of a table or of what has just lapsed is none
        form.add_error(None, _("受理编号或查询码不对，请核对回执后重新填写"))
    return render(request, ask, {"form": form}, status=400)

"""What the public doors share: how often they open, the clock in words, the tracking page."""

import math
from functools import wraps

from django.conf import settings
from django.core.cache import cache
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from casework import services, workdays
from casework.forms import TrackForm

WRONG_TRIES = 10  # from one address, before it must wait
WAIT = 15 * 60  # seconds
MINUTE, HOUR = 60, 3600  # seconds
EVERYBODY = "*"  # counted as one caller


# --- how often -------------------------------------------------------------


def limited(what):
    """Open a page only so often in a minute: to one address, and to all together.

    The two numbers are `settings.LIMITS[what]`. Whoever is one too many is told when to come back.
    """

    def decorate(view):
        @wraps(view)
        def opened(request, *args, **kwargs):
            rate = _over(what, _host(request), settings.LIMITS[what], MINUTE)
            return too_many(request, rate.reset) if rate else view(request, *args, **kwargs)

        return opened

    return decorate


def _over(what, host, limits, seconds):
    """Count a request; how its caller stands, if it is one too many, else None.

    What one address asked in vain is not counted against all others.
    """
    for caller, limit in zip((host, EVERYBODY), limits, strict=True):
        rate = services.count(what, caller, limit=limit, seconds=seconds)
        if rate.is_over:
            return rate
    return None


def _host(request):
    return services.host_of(request.META.get("REMOTE_ADDR", ""))


def too_many(request, wait):
    """The page that says in how many minutes to come back; `wait` is in seconds."""
    response = render(request, "429.html", {"minutes": _minutes(wait)}, status=429)
    response["Retry-After"] = wait
    response["Cache-Control"] = "no-store"
    return response


def _minutes(seconds):
    return math.ceil(seconds / MINUTE)


def may_file(request, form):
    """Whether what was sent may be read and filed; if not, the form says why and until when.

    An address has some filings an hour free; then each needs a proof of work, which the page
    computes by itself. Without one, by a browser without scripts, a few more are taken each hour.
    """
    host = _host(request)
    if not services.count("filing", host, limit=settings.FREE_FILINGS, seconds=HOUR).is_over:
        return True
    if services.spend(request.POST.get("altcha", "")):
        return True
    rate = _over("slow filing", host, settings.SLOW_FILINGS, HOUR)
    if rate:
        words = _(
            "这一小时从您的网络提交得太多，请在 %(minutes)s 分钟后再提交。填好的内容还在下面。"
        )
        form.refuse(429, words % {"minutes": _minutes(rate.reset)})
    return rate is None


@never_cache
@require_safe
@limited("proof")
def proof(request):
    """What the browser has to compute before the next filing from its address; 204 if nothing."""
    free, host = settings.FREE_FILINGS, _host(request)
    if services.standing("filing", host, limit=free, seconds=HOUR).remaining:
        return HttpResponse(status=204)
    return JsonResponse(services.challenge(now=timezone.now()))


# --- following a matter ----------------------------------------------------


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
        return too_many(request, WAIT)
    form = TrackForm(request.POST)
    matter = rows.tracked(**form.cleaned_data) if form.is_valid() else None
    if matter:
        let_in(request, matter, page)
        return redirect(page)
    if form.is_valid():
        cache.set(tries, wrong + 1, WAIT)  # incr() of a table or of what has just lapsed is none
        form.add_error(None, _("受理编号或查询码不对，请核对回执后重新填写"))
    return render(request, ask, {"form": form}, status=400)

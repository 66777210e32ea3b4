"""Doors of the whole house: what every page knows, errors, signs of life, signing in."""

import math
from collections import Counter
from datetime import timedelta
from functools import partial
from ipaddress import ip_address

from django.conf import settings
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import ValidationError
from django.db.models import Count, Max, Sum
from django.http import (
    Http404,
    HttpResponse,
    HttpResponseForbidden,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.template import loader
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.http import escape_leading_slashes, url_has_allowed_host_and_scheme
from django.utils.translation import get_language, gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST, require_safe

from casework.api import problem_body
from casework.documents import attachment
from casework.moves import record_act
from casework.views import limited
from listings.filters import SearchForm
from listings.models import Listing
from listings.views import etag_of, etag_with_records, shows_entries
from parties import identity
from parties.desk import ENROLLING, SIGNED_IN_AT
from parties.models import Actor, Subject
from portal import services
from portal.forms import SignInForm
from portal.models import CreditReport
from redlist import services as redlist
from redlist.models import RedListing
from rulebook.models import Memorandum, parameter

NEWEST = 4  # entries of each list on the home page
NEXT = 2  # nominations there, the next ones to be decided
DISPLAY = {
    "size": ("normal", "large"),
    "contrast": ("normal", "high"),
    "shortcuts": ("on", "off"),  # of the desk
}
YEAR = 365 * 24 * 3600
ONE_ADDRESS = ("/api/", "/desk/")  # in whichever language the browser asks for


def site(request):
    """What every page knows: names, language, and the display settings of the reader."""
    english = (get_language() or "").startswith("en")
    return {
        "site_name": settings.SITE_NAME,
        "site_host": settings.SITE_HOST,
        "site_filings": [filing for filing in settings.SITE_FILINGS if filing[1]],
        "html_lang": "en" if english else "zh-CN",
        "other_language": _other_language(request, english=english),
        **display_settings(request),
    }


def display_settings(request):
    """What the reader chose; anything unknown in a cookie is the first of its choices."""
    return {
        name: value if (value := request.COOKIES.get(name)) in allowed else allowed[0]
        for name, allowed in DISPLAY.items()
    }


def _other_language(request, *, english):
    path = request.get_full_path()
    if path.startswith(ONE_ADDRESS):
        return None
    if english:  # what follows /en may begin with two slashes: another site
        return {
            "url": escape_leading_slashes(path.removeprefix("/en")) or "/",
            "tag": "zh-CN",
            "name": "中文",
        }
    return {"url": f"/en{path}", "tag": "en", "name": "English"}


@csrf_exempt  # changes nothing but how pages look; so public pages need no token and may be kept
@require_POST
def display(request):
    """Remember 大字, 高对比 or whether the desk listens to keys, and lead back."""
    response = HttpResponseRedirect(_way_back(request))
    for name, allowed in DISPLAY.items():
        if request.POST.get(name) in allowed:
            response.set_cookie(
                name,
                request.POST[name],
                max_age=YEAR,
                httponly=True,
                samesite="Lax",
                secure=settings.HTTPS,
            )
    return response


def _way_back(request):
    back = request.POST.get("next", "")
    known = url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return back if known else resolve_url("home")


# --- pages -----------------------------------------------------------------


def _etag_with_notices(request):
    """Nominations under public notice are drafts, of which the ledger doesn't know."""
    rows = RedListing.objects.under_notice(timezone.localdate()).order_by()
    told = rows.aggregate(n=Count("pk"), last=Max("pk"), versions=Sum("version"))
    return etag_of(request, *map(str, told.values()))


@partial(shows_entries, etag=_etag_with_notices)
def home(request):
    """Search first, then the newest of both lists, the services and the figures."""
    today = timezone.localdate()
    newest = Listing.objects.public(today).with_parts().marking_paused(today)
    newest = newest.order_by("-published_on", "-id")
    context = {
        "red": newest.red()[:NEWEST],
        "black": newest.black()[:NEWEST],
        "figures": services.home_figures(today),
        "reply_days": parameter("objection_reply", on=today),
        "nominations": _next_nominations(today),
        "now": timezone.now(),
        "structured": _website(),
    }
    return render(request, "portal/home.html", context)


def _next_nominations(today):
    rows = RedListing.objects.under_notice(today).with_parts().select_related("nomination")
    return rows[:NEXT]


def _website():
    """The portal as search engines know a site with a search (schema.org)."""
    search = f"{settings.BASE_URL}{reverse('search')}?q={{q}}"
    return {
        "@context": "https://schema.org",
        "@type": "WebSite",
        "name": settings.SITE_NAME,
        "url": f"{settings.BASE_URL}/",
        "publisher": {"@type": "GovernmentOrganization", "name": settings.SITE_HOST},
        "potentialAction": {
            "@type": "SearchAction",
            "target": {"@type": "EntryPoint", "urlTemplate": search},
            "query-input": "required name=q",
        },
    }


@limited("hints")
@shows_entries
def hints(request):
    """Firms with entries in force whose name holds what was typed so far, for the search box."""
    form = SearchForm(request.GET)
    found = form.hints(timezone.localdate()) if form.is_valid() else []
    return JsonResponse({"firms": [{"code": code, "name": name} for code, name in found]})


@limited("search")
@shows_entries
def search(request):
    """Both lists by code or by name; nothing found is said in words, with what it does not mean."""
    form = SearchForm(request.GET or None)
    context = {"form": form, "now": timezone.now()}
    if form.is_valid():
        context |= {"query": form.cleaned_data["q"], "code": form.code}
        context["found"] = form.found(timezone.localdate())
    return render(request, "portal/search.html", context)


def _green_channel(code, entries, today):
    """Whether the firm may use the green channel, told only where it may; unknown firms may."""
    known = entries[0].subject if entries else Subject.objects.filter(code=code).first()
    return redlist.eligibility(known or Subject(), as_of=today)


@partial(shows_entries, etag=etag_with_records)
def subject(request, code):
    """A firm's entries in force. A firm nobody has heard of reads like one without entries."""
    try:
        code = identity.check_code(code)
    except ValidationError:
        raise Http404 from None
    today = timezone.localdate()
    entries = Listing.objects.public(today).with_parts().of_code(code)
    entries = list(entries.order_by("-published_on", "-id"))
    red, black = ([entry for entry in entries if entry.kind == kind] for kind in ("red", "black"))
    found = entries[0].subject if entries else None
    context = {
        "code": code,
        "subject": found,
        "former_names": found.former_names.all() if found else (),
        "lists": [("red", red), ("black", black)],
        "paused": bool(red and black),
        "green": _green_channel(code, entries, today),
        "now": timezone.now(),
    }
    return render(request, "portal/subject.html", context)


@csrf_exempt  # makes a report that anybody may have; so the firm's page needs no token
@require_POST
@never_cache
@limited("report")
def make_report(request, code):
    """Make the firm's credit report, or lead to the one that still says the same."""
    try:
        code = identity.check_code(code)
    except ValidationError:
        raise Http404 from None
    made = services.credit_report(code, now=timezone.now())
    return redirect("credit-report", made.verify_code)


@require_safe
@never_cache
@limited("verify")
def report(request, code):
    """A credit report as long as it holds: number, moment, until when, and the PDF."""
    made, holds = _report(code)
    context = {"report": made, "holds": holds}
    return render(request, "portal/report.html", context, status=200 if holds else 410)


@require_safe
@never_cache
@limited("verify")
def report_file(request, code):
    """The PDF; of a report that no longer holds nothing but that it does not."""
    made, holds = _report(code)
    return attachment(services.report_file(made)) if holds else report(request, code)


def _report(code):
    made = get_object_or_404(CreditReport, verify_code=code)
    return made, services.still_true(made, now=timezone.now())


@require_safe
@never_cache
def statistics(request):
    """The figures with their charts and the table under each."""
    today = timezone.localdate()
    reply_days = parameter("objection_reply", on=today)
    context = {"now": timezone.now(), "reply_days": reply_days, **services.statistics(today)}
    return render(request, "portal/statistics.html", context)


@require_safe
def memoranda(request):
    """The memoranda of cooperation in force, with how many measures and units each binds."""
    rows = Memorandum.objects.in_force(timezone.localdate()).select_related("lead")
    rows = rows.annotate(
        units=Count("measures__unit", distinct=True), n=Count("measures", distinct=True)
    )
    return render(request, "portal/memoranda.html", {"memoranda": rows})


@require_safe
def memorandum(request, public_id):
    """One memorandum: which unit applies which measure by which article."""
    rows = Memorandum.objects.select_related("lead")
    found = get_object_or_404(rows, public_id=public_id)
    measures = found.measures.select_related("unit", "measure").order_by("unit__name", "article")
    today = timezone.localdate()
    context = {
        "memorandum": found,
        "measures": measures,
        "signatories": found.signatories.all(),
        "categories": found.categories.all(),
        "in_force": Memorandum.objects.in_force(today).filter(pk=found.pk).exists(),
    }
    return render(request, "portal/memorandum.html", context)


@require_safe
@limited("verify")
def verify(request):
    """Asks for the code on a letter or receipt."""
    if asked := request.GET.get("code", "").strip():
        return redirect("verify-code", code="".join(filter(str.isalnum, asked.upper())) or "-")
    return render(request, "portal/verify.html")


@require_safe
@never_cache
@limited("verify")
def verify_code(request, code):
    """Whether we issued what bears this code: when, for which unit, with which conclusion.

    Of a letter or a receipt it says nothing of whom it concerns: whoever holds the paper can read
    that; of a receipt the number alone tells less than its code, since numbers can be guessed.
    Of a credit report it says whether it still holds.
    """
    found = services.issued(code)
    context = {"code": code, "found": found, "asked": True}
    if found and found.kind == "check":
        context["told"] = Counter(row["outcome"] for row in found.thing.content["subjects"])
    if found and found.kind == "report":
        context["holds"] = services.still_true(found.thing, now=timezone.now())
    return render(request, "portal/verify.html", context, status=200 if found else 404)


@require_safe
def about(request):
    return render(request, "portal/about.html")


@require_safe
def accessibility(request):
    return render(request, "portal/accessibility.html")


@require_safe
def favicon(request):
    """For what names no icon itself, as the back office does; browsers ask for it anyway."""
    return redirect(static("favicon.svg"))


@require_safe
def robots(request):
    """Machines may read the public pages; searches and the desk are no pages to keep."""
    lines = ["User-agent: *", "Disallow: /desk/", "Disallow: /admin/", "Disallow: /search/"]
    lines.append(f"Sitemap: {settings.BASE_URL}{reverse('sitemap')}")
    return HttpResponse("\n".join([*lines, ""]), content_type="text/plain")


SITEMAP = (
    "home", "red-list", "black-list", "statistics", "memoranda", "objection-new", "repair-new",
    "report-new", "about", "accessibility",
)  # fmt: skip


@require_safe
def sitemap(request):
    """The standing pages. Entries come and go; they are reached through the two lists."""
    pages = [f"{settings.BASE_URL}{reverse(name)}" for name in SITEMAP]
    return render(request, "portal/sitemap.xml", {"pages": pages}, "application/xml")


# --- signing in ------------------------------------------------------------


class SignIn(LoginView):
    """Each try at a known account is recorded for its owner; where too many tried, a page says so.

    The session that comes of it has a key of its own and says since when it runs.
    """

    template_name = "portal/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs):
        """The portal's name, where LoginView would show the host's."""
        told = {"site_name": settings.SITE_NAME, "hours": settings.SESSION_HOURS}
        return super().get_context_data(**kwargs) | told

    def get_redirect_url(self):
        """Where to go on; never round in a circle to this page."""
        address = super().get_redirect_url()
        return "" if address == self.request.path else address

    def form_valid(self, form):
        answer, now = super().form_valid(form), timezone.now()
        session = self.request.session
        session[SIGNED_IN_AT] = now.timestamp()
        if form.outcome == "enrolment":
            session[ENROLLING] = True
        services.signed_in(
            form.get_user(), session.session_key, outcome=form.outcome, now=now, **self._place()
        )
        return answer

    def form_invalid(self, form):
        now = timezone.now()
        if form.wait:
            return _wait(self.request, now + timedelta(seconds=form.wait), now=now)
        if form.tried and not getattr(self.request, "axes_locked_out", False):
            services.sign_in_failed(form.cleaned_data["username"], now=now, **self._place())
        return super().form_invalid(form)

    def _place(self):
        meta = self.request.META
        return {
            "address": meta.get("REMOTE_ADDR", ""),
            "user_agent": meta.get("HTTP_USER_AGENT", ""),
        }


def locked_out(request, _response, credentials):
    """What axes shows to whoever failed too often from one address."""
    username = (credentials or {}).get("username") or ""
    until = services.locked_until(username, request.META.get("REMOTE_ADDR"))
    return _wait(request, until, now=timezone.now())


def _wait(request, until, *, now):
    """429, and until when nobody can sign in from here."""
    seconds = max(math.ceil((until - now).total_seconds()), 1)
    told = {"until": until + timedelta(minutes=1)}  # pages tell minutes, and not one too early
    answer = render(request, "portal/locked_out.html", told, status=429)
    answer["Retry-After"] = str(seconds)
    return answer


class SignOut(LogoutView):
    next_page = "home"

    def post(self, request, *args, **kwargs):
        if request.user.is_authenticated:
            record_act(request.user, "sign_out", actor=Actor.of(request.user))
        return super().post(request, *args, **kwargs)


# --- errors ----------------------------------------------------------------


CODES = {400: "bad_request", 403: "permission_denied", 404: "not_found", 500: "error"}


def _refuse(request, status, title):
    """The refusal as a page, or for a machine as problem+json."""
    if request.path.startswith("/api/"):
        problem = problem_body(status, CODES[status], title)
        return JsonResponse(problem, status=status, content_type="application/problem+json")
    return render(request, f"{status}.html", status=status)


def bad_request(request, exception=None):
    return _refuse(request, 400, gettext("请求不完整或有误"))


def forbidden(request, exception=None):
    return _refuse(request, 403, gettext("您没有办这件事的权限"))


def not_found(request, exception=None):
    return _refuse(request, 404, gettext("没有这一页"))


def csrf_failure(request, reason=""):
    return _refuse(request, 403, gettext("页面放得太久，请返回刷新后再提交"))


def server_error(request):
    """The last page standing: asks neither context processors nor the database."""
    if request.path.startswith("/api/"):
        return _refuse(request, 500, "Internal Server Error")
    page = loader.get_template("500.html").render({"site_name": settings.SITE_NAME})
    return HttpResponse(page, status=500)


# --- signs of life ---------------------------------------------------------


@never_cache
@require_safe
def healthz(request):
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request):
    """200 once database, migrations and worker are there; 503 naming what is not."""
    unready = services.readiness()
    body = "".join(f"{part}: {what}\n" for part, what in unready.items()) or "ready\n"
    return HttpResponse(body, status=503 if unready else 200, content_type="text/plain")


@never_cache
@require_GET
def metrics(request):
    """Prometheus text, for this machine itself or for who holds METRICS_TOKEN."""
    if not _may_measure(request):
        return HttpResponseForbidden("", content_type="text/plain")
    return HttpResponse(
        services.measures(timezone.localdate()), content_type="text/plain; version=0.0.4"
    )


def _may_measure(request):
    token = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token and constant_time_compare(given, token):
        return True
    forwarded = "X-Forwarded-For" in request.headers  # what a proxy brings comes from outside
    return not forwarded and _is_local(request.META.get("REMOTE_ADDR", ""))


def _is_local(address):
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False

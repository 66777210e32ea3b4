"""What the pages of both lists share: the list with its filters and downloads, the entry."""

import json
from functools import wraps

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.translation import get_language, gettext
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import condition, require_safe

from casework.views import limited
from listings import ledger
from listings.filters import ListFilter, in_force
from listings.models import Audience, Change, ImportBatch, Listing, shown_details
from listings.services import export, own_end
from parties.models import Department
from rulebook.models import ListKind, Measure, Memorandum, RuleVersion

PAGE = 20


def etag_of(request, *more, **_kwargs):
    """A page of entries is the same while ledger, rules, day, language, display, release are."""
    display = request.COOKIES.get("size", ""), request.COOKIES.get("contrast", "")
    today = timezone.localdate().isoformat()
    told = ledger.head().seq, RuleVersion.objects.last_key()
    parts = (*map(str, told), today, get_language(), *display, settings.RELEASE, *more)
    return f'"{ledger.digest_of(b"", ledger.canonical(parts)).hex()[:32]}"'


def etag_with_records(request, **_kwargs):
    """The same for a page that tells of the credit file as well, which the ledger leaves out."""
    done = ImportBatch.objects.filter(kind=ImportBatch.Kind.RECORDS, state=ImportBatch.State.DONE)
    return etag_of(request, str(done.count()))


def shows_entries(view, *, etag=etag_of):
    """The page may be kept but is asked for anew each time: an ended entry comes from no cache."""

    @wraps(view)
    @require_safe
    @gzip_page
    @condition(etag_func=etag)
    def inner(request, *args, **kwargs):
        return view(request, *args, **kwargs)

    @wraps(view)
    def outer(request, *args, **kwargs):
        response = inner(request, *args, **kwargs)
        patch_cache_control(response, no_cache=True)
        patch_vary_headers(response, ["Cookie"])
        return response

    return outer


def list_page(request, entries, *, kind, extra=()):
    """One of the two lists: filtered, newest first, page by page or whole as a file.

    `extra` are columns of the file that only this list has.
    """
    today = timezone.localdate()
    rows = entries.public(today).with_parts().marking_paused(today)
    rows = rows.order_by("-published_on", "-id")
    found = ListFilter(request.GET, queryset=rows, kind=kind)
    rows = found.qs if found.is_valid() else rows.none()
    form = request.GET.get("format")
    if form in FORMS and found.is_valid():
        category = found.form.cleaned_data["category"]
        table = export.Table(rows, category=category, extra=extra)
        if form == ATOM:
            return _feed(table, kind)
        return _download(request, table, form, kind, today)
    pages = Paginator(rows, PAGE)
    if found.is_valid() and not any(found.form.cleaned_data.values()):
        pages.count = in_force(today)[kind]
    page = pages.get_page(request.GET.get("page"))
    context = {
        "kind": kind,
        "filter": found,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "today": today,
        "licence": export.LICENCE,
        "structured": _dataset(kind, today),
    }
    return render(request, "listings/list.html", context)


def _dataset(kind, today):
    """The list as search engines know a dataset (schema.org)."""
    page, label = f"{settings.BASE_URL}{reverse(f'{kind}-list')}", ListKind(kind).label
    return {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": f"{settings.SITE_NAME} {label}",
        "description": gettext("现在有效的%(list)s记录，可以整份下载。") % {"list": label},
        "url": page,
        "inLanguage": "zh-CN",
        "dateModified": today.isoformat(),
        "isAccessibleForFree": True,
        "license": f"{settings.BASE_URL}{reverse('about')}",
        "creator": {"@type": "GovernmentOrganization", "name": settings.SITE_HOST},
        "distribution": [
            {
                "@type": "DataDownload",
                "encodingFormat": FORMS[form][0].partition(";")[0],
                "contentUrl": f"{page}?format={form}",
            }
            for form in ("csv", "xlsx", "json")
        ],
    }


ATOM = "atom"
FORMS = {  # of a download: how it is named to browsers, and what makes it
    "csv": ("text/csv; charset=utf-8", lambda table, _today: export.csv_parts(table)),
    "json": ("application/json", lambda table, today: export.json_parts(table, today=today)),
    "xlsx": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        lambda table, today: export.xlsx_parts(table, today=today),
    ),
    ATOM: ("application/atom+xml; charset=utf-8", None),
}


@limited("download")
def _download(_request, table, form, kind, today):
    """The whole list as a file, made while it is sent."""
    media_type, parts = FORMS[form]
    response = StreamingHttpResponse(parts(table, today), content_type=media_type)
    name = f"{kind}-{today.isoformat()}.{form}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return _licensed(response)


def _feed(table, kind):
    """The newest entries for a feed reader."""
    page = f"{settings.BASE_URL}{reverse(f'{kind}-list')}"
    feed = export.atom(table, title=f"{settings.SITE_NAME} {ListKind(kind).label}", page=page)
    return _licensed(HttpResponse(feed, content_type=FORMS[ATOM][0]))


def _licensed(response):
    response["Link"] = f'<{settings.BASE_URL}{reverse("about")}>; rel="license"'
    return response


def shown_entry(entries, public_id, today):
    """The entry of this list with its parts and whether it is public; a draft is a 404."""
    rows = entries.with_parts().marking_paused(today).exclude(status=Listing.Status.DRAFT)
    listing = rows.filter(public_id=public_id).first()
    if listing is None:
        raise Http404
    return listing, listing.is_public(today)


def ended(request):
    """The plain sentence in an ended entry's place; nothing in it says whom it was about."""
    return render(request, "410.html", status=410)


def elsewhere(request, listing):
    """Where to turn with another city's entry: remedies lie with that city."""
    return render(request, "listings/elsewhere.html", {"entry": listing})


def entry_page(request, listing, template, **context):
    """An entry in force, with what both colours show; the caller adds what its list knows."""
    today = timezone.localdate()
    context |= {
        "entry": listing,
        "subject": listing.subject,
        "today": today,
        "days_left": (listing.visible_until - today).days,
        "details": details_of(listing),
        "measures": measures_of(listing),
        "steps": history_of(listing),
        "trail": _trail(listing),
        "address": export.address_of(listing),
    }
    response = render(request, template, context)
    if listing.subject.is_person:
        response["X-Robots-Tag"] = "noindex"
    return response


def details_of(listing):
    """The category's own fields that everybody may see, in their order: (title, value)."""
    shown = shown_details(listing, Audience.PUBLIC)
    return [(str(field), field.with_unit(value)) for field, value in shown]


def measures_of(listing):
    """The measures frozen at publication with the names of measure, unit and memorandum."""
    frozen = listing.measure_set.measures if listing.measure_set else []
    measures = Measure.objects.in_bulk({row["code"] for row in frozen}, field_name="code")
    units = Department.objects.in_bulk({row["unit"] for row in frozen}, field_name="code")
    memoranda = Memorandum.objects.in_bulk({row["memorandum"] for row in frozen}, field_name="code")
    return [
        {
            "name": measures[row["code"]],
            "unit": units[row["unit"]],
            "memorandum": memoranda[row["memorandum"]],
            "article": row["article"],
            "advisory": row["advisory"],
            "until": own_end(listing, row["code"]),
        }
        for row in frozen
    ]


def history_of(listing):
    """What the public saw happen to the entry, newest first; never a value that was replaced."""
    changes = Change.objects.filter(listing=listing).select_related("body").order_by("-seq")
    return [
        {"at": change.at, "text": _told(change, listing), "seq": change.seq} for change in changes
    ]


def _told(change, listing):
    if change.action == Change.Action.PUBLISH:
        units = {row["unit"] for row in listing.measure_set.measures} if listing.measure_set else ()
        return gettext("公布，推送 %(n)s 个单位") % {"n": len(units)}
    body = json.loads(bytes(change.body.body)) if hasattr(change, "body") else {}
    if change.action == Change.Action.ANNOTATE:
        taken = gettext("收到异议，加注“异议处理中”")
        return taken if body.get("disputed") else gettext("异议已答复，取消加注")
    changed = body.get("changes", ())
    if "responsible_persons" in changed:
        return gettext("解除一名责任人员")
    names = [str(Listing._meta.get_field(name).verbose_name) for name in changed]
    return gettext("更正：%(fields)s") % {"fields": gettext("、").join(names)}


def _trail(listing):
    url = reverse(f"{listing.kind}-list")
    return [
        (reverse("home"), gettext("首页")),
        (url, listing.get_kind_display()),
        (f"{url}?category={listing.category.code}", str(listing.category)),
    ]

"""Checks by table: upload, progress, hits, and the result to fetch."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import F
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from casework.desk import given, timeline
from casework.documents import XLSX, attachment
from casework.moves import IllegalMove
from casework.workdays import countdown
from jointaction import policies, services
from jointaction.forms import SheetForm
from jointaction.models import Hit, Sheet
from parties.desk import desk_access
from parties.models import Actor

PAGE = 20
STEPS = {
    "receive": gettext_lazy("上传"),
    "begin": gettext_lazy("开始查询"),
    "finish": gettext_lazy("查完，生成结果"),
    "refuse": gettext_lazy("不能查询"),
    "renew": gettext_lazy("名单有变动，重新生成结果"),
    "download": gettext_lazy("下载结果"),
    "forget": gettext_lazy("删除结果"),
}


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def sheets(request):
    """The unit's tables and what became of them; another one is uploaded here."""
    user = request.user
    form = SheetForm(given(request), request.FILES or None)

    def receive():
        return services.receive_sheet(actor=Actor.of(user), **form.cleaned_data)

    if request.method == "POST" and form.carry_out(receive):
        messages.success(request, gettext("已上传，排队等候查询。"))
        return redirect("desk-sheet", form.result.public_id)
    may_check = policies.may_check(user)
    rows = Sheet.objects.of_unit(user.department_id) if may_check else Sheet.objects.none()
    page = Paginator(rows.order_by("-pk"), PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "may_check": may_check,
    }
    return render(request, "jointaction/desk_sheets.html", context, status=form.status)


@require_safe
@desk_access
def template(request):
    """An empty table with the right columns."""
    response = HttpResponse(services.template(), content_type=XLSX)
    response["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=gettext("批量查询模板.xlsx")
    )
    return response


@require_safe
@desk_access
def sheet(request, public_id):
    """How far a table is, its hits, its checks, and its result."""
    found, today = _sheet_of(request, public_id), timezone.localdate()
    parts = list(found.parts.exclude(check_id=None).defer("lines", "listings"))
    hits = Hit.objects.filter(check_id__in=[part.check_id for part in parts]).with_parts()
    page = Paginator(hits.order_by(F("answered_at").asc(nulls_first=True), "pk"), PAGE)
    page = page.get_page(request.GET.get("page"))
    left = countdown(today, (hit.feedback_due for hit in page))
    for hit in page:
        hit.left = left[hit.feedback_due]
        hit.shows_entry = hit.listing.is_public(today)
    context = {
        "sheet": found,
        "parts": parts,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "open": hits.filter(answered_at=None).count(),
        "may_fetch": found.result_id and found.kept_until >= today,
        "steps": timeline(found.journal.all(), STEPS),
        "today": today,
    }
    return render(request, "jointaction/desk_sheet.html", context)


@require_safe
@desk_access
def result(request, public_id):
    """The result as a file; the journal tells who fetched it."""
    found = _sheet_of(request, public_id)
    acting = {"actor": Actor.of(request.user), "today": timezone.localdate()}
    try:
        document = services.fetch_result(found, **acting)
    except IllegalMove:
        raise Http404 from None
    if document is None:
        words = gettext("结果里有记录更正了或者已不在名单上，正在重新生成，请过一会儿再下载。")
        messages.warning(request, words)
        return redirect("desk-sheet", public_id)
    return attachment(document)


def _sheet_of(request, public_id):
    """The unit's own table; of another unit there is none, and others of the unit may not."""
    rows = Sheet.objects.of_unit(request.user.department_id)
    found = get_object_or_404(rows, public_id=public_id)
    if not policies.may_read_sheet(request.user, found):
        raise PermissionDenied
    return found

"""The desk's first page, the supervisor's board, the auditor's journal, the import wizard."""

from itertools import groupby
from operator import attrgetter

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from casework.desk import given, timeline
from casework.documents import DOCX, XLSX, attachment
from casework.forms import ActForm
from casework.moves import record, record_act
from jointaction.desk import endpoints as endpoints_desk
from jointaction.desk import pushes as pushes_desk
from jointaction.desk import sheets as sheets_desk
from jointaction.models import Push
from jointaction.policies import may_answer, may_check
from listings.desk import entries as entries_desk
from listings.desk import exchange as exchange_desk
from listings.models import ImportBatch
from listings.policies import may_import
from listings.services.export import csv_parts
from objections import desk as objections_desk
from parties.desk import desk_access
from parties.models import Actor
from portal import services
from portal.forms import ImportForm, JournalForm, MattersForm, ViewForm, YearForm
from portal.models import BoardExport, SavedView
from portal.services import wizard
from portal.services.matters import GROUPS, TABS
from redlist import desk as redlist_desk
from repair import desk as repair_desk
from rulebook.models import ListCategory
from tipoffs.desk import reports as reports_desk

PAGE = 20
QUESTIONS = ("tab", "text", "due", "who", "state", "sort")
EXPORTS = 5  # shown, the newest
BOARD_TYPES = {"xlsx": XLSX, "docx": DOCX}


@require_safe
@desk_access
def home(request):
    """My matters: everything open of the department, the first due first, or as the default view.

    An address that asks for nothing opens the user's default view; `?kind=` asks for everything.
    """
    if not request.GET:
        default = SavedView.objects.of_user(request.user).filter(is_default=True).first()
        if default and default.query:
            return redirect(f"{reverse('desk-home')}?{default.query}")
    return _home_page(request, MattersForm(request.GET))


def _home_page(request, form, view_form=None):
    """The matters that are asked for; `view_form` keeps the question, perhaps as it was refused."""
    user, now, asked = request.user, timezone.now(), form.asked
    names = {"tab": "kind", "text": "q"}
    wanted = {name: asked[names.get(name, name)] for name in QUESTIONS}
    found = services.Matters(user, today=timezone.localdate(now), **wanted)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    views = list(SavedView.objects.of_user(user))
    context = {
        "form": form,
        "tab": asked["kind"],
        "tabs": [(name, label, found.tabs[name]) for name, label in TABS.items()],
        "all": sum(found.tabs.values()),
        "groups": _grouped(page, found, asked["sort"]),
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "may_check": may_check(user),
        "may_acknowledge": may_answer(user, Push(unit=user.department)),
        "views": views,
        "view": next((view for view in views if view.query == form.query), None),
        "view_form": view_form or ViewForm(),
        "now": now,
        "today": found.today,
    }
    status = view_form.status if view_form else 200
    return render(request, "portal/desk_home.html", context, status=status)


def _grouped(page, found, sort):
    """The page's matters under their headings; a heading counts its matters on every page."""
    by, titles, counts = "group", GROUPS, found.groups
    if sort == "kind":
        by, titles, counts = "tab", TABS, found.tabs
    return [
        (titles[name], counts[name], list(rows))
        for name, rows in groupby(page.object_list, key=attrgetter(by))
    ]


@require_POST
@desk_access
def views(request):
    """Keep what is asked for under a name."""
    asked, form = MattersForm(request.POST), ViewForm(request.POST)

    def keep():
        return services.keep_view(request.user, query=asked.query, **form.cleaned_data)

    if not form.carry_out(keep):
        return _home_page(request, asked, form)
    messages.success(request, gettext("视图“%(name)s”已保存。") % {"name": form.result.name})
    return redirect(f"{reverse('desk-home')}?{form.result.query or 'kind='}")


@require_POST
@desk_access
def view(request, public_id):
    """Open the desk with this view from now on, or no longer, or delete it."""
    found = get_object_or_404(SavedView.objects.of_user(request.user), public_id=public_id)
    acts = {
        "default": (
            lambda: services.open_with(request.user, found),
            gettext("以后打开工作台就用它。"),
        ),
        "plain": (
            lambda: services.open_with(request.user, None),
            gettext("以后打开工作台看全部。"),
        ),
        "forget": (lambda: services.forget_view(found), gettext("视图已删除。")),
    }
    if request.POST.get("act") not in acts:
        raise Http404
    act, words = acts[request.POST["act"]]
    act()
    messages.success(request, words)
    return redirect(f"{reverse('desk-home')}?kind=")


# --- the supervisor's board -------------------------------------------------


@require_safe
@desk_access
def board(request):
    """By unit what was pushed, answered, in time and late; for the supervisor and the auditor."""
    form = _year_form(request)
    today = timezone.localdate()
    context = {
        "form": form,
        "year": form.chosen,
        "today": today,
        "exports": BoardExport.objects.filter(year=form.chosen)[:EXPORTS],
        **services.board(today, form.chosen),
    }
    return render(request, "portal/desk_board.html", context)


@require_safe
@desk_access
def board_file(request):
    """The board as a table or as a text to send on; who took it away is written down."""
    year, kind = _year_form(request).chosen, request.GET.get("format", "xlsx")
    if kind not in BoardExport.Form.values:
        raise Http404
    actor, today = Actor.of(request.user), timezone.localdate()
    content = services.export_board(year, kind, actor=actor, today=today)
    response = HttpResponse(content, content_type=BOARD_TYPES[kind])
    name = gettext("联合奖惩督办 %(year)s.%(kind)s") % {"year": year, "kind": kind}
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    return response


def _year_form(request):
    """The year that is asked for; 403 for who does not see every department's matters."""
    if not request.user.sees_all:
        raise PermissionDenied
    return YearForm(request.GET, today=timezone.localdate())


# --- the journals ----------------------------------------------------------

TITLES = {  # of a matter's kind: its actions in words, as its own page says them
    "listings.importbatch": {
        "receive": gettext_lazy("由接口送来"),
        "preview": gettext_lazy("上传并预览"),
        "commit": gettext_lazy("导入"),
        "discard": gettext_lazy("放弃"),
        "refuse": gettext_lazy("不能导入"),
        "download": gettext_lazy("下载退回的行"),
    },
    "listings.listing": entries_desk.JOURNAL,
    "listings.proposal": entries_desk.JOURNAL,
    "listings.partnercity": exchange_desk.JOURNAL,
    "jointaction.push": pushes_desk.JOURNAL,
    "jointaction.hit": pushes_desk.JOURNAL,
    "jointaction.sheet": sheets_desk.STEPS,
    "jointaction.endpoint": endpoints_desk.JOURNAL,
    "redlist.review": redlist_desk.REVIEW_JOURNAL,
    "objections.objection": objections_desk.JOURNAL,
    "repair.repair": repair_desk.JOURNAL,
    "tipoffs.report": reports_desk.JOURNAL,
}
FILES = {
    "csv": ("text/csv; charset=utf-8", csv_parts),
    "xlsx": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        services.journal_book,
    ),
}


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def journal(request):
    """Who did what, over all the journals; a post takes the lines along as a file."""
    if not request.user.sees_all:
        raise PermissionDenied
    form = JournalForm(getattr(request, request.method, request.GET), today=timezone.localdate())
    asked = services.Asked(**form.cleaned_data, titles=TITLES) if form.is_valid() else None
    if request.method == "POST":
        if asked and request.POST.get("format") in FILES:
            return _journal_file(request, asked, request.POST["format"])
        return redirect("desk-journal")
    found = services.Journal(asked, _cursor(request.GET.get("after", ""))) if asked else None
    lines, more = found.page() if found else ([], False)
    context = {
        "form": form,
        "lines": lines,
        "after": more and ".".join(f"{name}-{pk}" for name, pk in found.cursor.items()),
        "later": request.GET.get("after"),
    }
    return render(request, "portal/desk_journal.html", context)


def _journal_file(request, asked, kind):
    """The lines as a file; taking them along is a line of the journal itself."""
    media_type, parts = FILES[kind]
    record_act(
        request.user.department, "export", actor=Actor.of(request.user),
        note=f"{gettext('办理记录')} {kind} {asked.words}",
    )  # fmt: skip
    table = services.JournalTable(services.Journal(asked))
    response = StreamingHttpResponse(parts(table), content_type=media_type)
    name = f"journal-{timezone.localdate().isoformat()}.{kind}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _cursor(text):
    """{journal: key of its last line shown}, of what the link to earlier lines says."""
    pairs = (part.partition("-") for part in text[:200].split("."))
    return {
        name: int(pk)
        for name, _dash, pk in pairs
        if pk.isascii() and pk.isdecimal() and len(pk) < 19
    }


# --- files that a department brings ----------------------------------------

IMPORT_STEPS = TITLES["listings.importbatch"]
ERRORS = 200


@require_safe
@desk_access
def imports(request):
    """The files that the department brought, the newest first."""
    user = request.user
    rows = ImportBatch.objects.of_desk(user).with_parts()
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "may_import": may_import(user, user.department_id),
    }
    return render(request, "portal/desk_imports.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def import_new(request):
    """A file is tried; what its import would do is shown before anything is written."""
    user = request.user
    if not may_import(user, user.department_id):
        raise PermissionDenied
    categories = ListCategory.objects.filter(active=True, departments=user.department_id)
    form = ImportForm(given(request), request.FILES or None, categories=categories)

    def look():
        return wizard.preview(
            form.cleaned_data["file"],
            **form.chosen,
            department=user.department,
            actor=Actor.of(user),
        )

    if request.method == "POST" and form.carry_out(look):
        return redirect("desk-import", form.result.public_id)
    return render(request, "portal/desk_import_new.html", {"form": form}, status=form.status)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def import_batch(request, public_id):
    """What a file would do, or did; from here it is taken in or given up."""
    batch = _batch_of(request, public_id)
    form = ActForm(given(request))
    acts = {
        "commit": (wizard.commit, gettext("已导入。")),
        "discard": (wizard.discard, gettext("已放弃，上传的文件已删除。")),
    }
    if request.method == "POST":
        if request.POST.get("act") not in acts:
            raise Http404
        act, words = acts[request.POST["act"]]
        if form.carry_out(act, batch, actor=Actor.of(request.user)):
            messages.success(request, words)
            return redirect("desk-import", public_id)
    may = may_import(request.user, batch.department_id)
    context = {
        "batch": batch,
        "form": form,
        "errors": batch.errors[:ERRORS],
        "waits": batch.state == ImportBatch.State.PREVIEWED,
        "may_import": may,
        "may_fetch": may and batch.rejected_file,
        "steps": timeline(batch.journal.all(), IMPORT_STEPS),
    }
    return render(request, "portal/desk_import.html", context, status=form.status)


@require_safe
@desk_access
def import_rejected(request, public_id):
    """The rejected rows with their reasons: the sender's own rows, for the sender's unit alone."""
    batch = _batch_of(request, public_id)
    if not may_import(request.user, batch.department_id):
        raise PermissionDenied
    if batch.rejected_file is None:
        raise Http404
    record(batch, "download", actor=Actor.of(request.user), note=batch.rejected_file.name)
    return attachment(batch.rejected_file)


def _batch_of(request, public_id):
    rows = ImportBatch.objects.of_desk(request.user).with_parts()
    return get_object_or_404(rows, public_id=public_id)

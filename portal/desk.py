"""The desk's first page, and the supervisor's board."""

from itertools import groupby

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from jointaction.models import Push
from jointaction.policies import may_answer, may_check
from parties.desk import desk_access
from portal import services
from portal.forms import MattersForm, YearForm
from portal.services.matters import GROUPS, TABS

PAGE = 20


@require_safe
@desk_access
def home(request):
    """My matters: everything open of the department, the first due first."""
    user, now = request.user, timezone.now()
    form = MattersForm(request.GET)
    tab = request.GET.get("kind", "")
    tab = tab if tab in TABS else ""
    text = form.cleaned_data["q"] if form.is_valid() else ""
    found = services.Matters(user, today=timezone.localdate(now), tab=tab, text=text)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "tab": tab,
        "tabs": [(name, label, found.tabs[name]) for name, label in TABS.items()],
        "all": sum(found.tabs.values()),
        "groups": _grouped(page, found.groups),
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "may_check": may_check(user),
        "may_acknowledge": may_answer(user, Push(unit=user.department)),
        "now": now,
        "today": found.today,
    }
    return render(request, "portal/desk_home.html", context)


def _grouped(page, counts):
    """The page's matters under their headings; a heading counts its matters on every page."""
    return [
        (GROUPS[name], counts[name], list(rows))
        for name, rows in groupby(page.object_list, key=lambda matter: matter.group)
    ]


@require_safe
@desk_access
def board(request):
    """By unit what was pushed, answered, in time and late; for the supervisor and the auditor."""
    if not request.user.sees_all:
        raise PermissionDenied
    today = timezone.localdate()
    form = YearForm(request.GET, today=today)
    context = {"form": form, "year": form.chosen, **services.board(today, form.chosen)}
    return render(request, "portal/desk_board.html", context)

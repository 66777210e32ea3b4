"""The inbox of a department."""

from django.core.paginator import Paginator
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from casework.desk import ticked
from notices import services
from notices.models import Notice
from parties.desk import desk_access

PAGE = 20


@require_safe
@desk_access
def inbox(request):
    """What the department was told, newest first."""
    rows = Notice.objects.inbox(request.user)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "unread": rows.filter(read_at=None).count(),
    }
    return render(request, "notices/desk_inbox.html", context)


@require_POST
@desk_access
def read(request):
    """Mark the ticked messages as read, or all where none is ticked."""
    rows = Notice.objects.inbox(request.user)
    chosen = ticked(request, "notice")
    if chosen:
        rows = rows.filter(pk__in=chosen)
    services.mark_read(rows, now=timezone.now())
    return redirect("desk-notices")

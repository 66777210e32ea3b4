"""What the desks of all matters show alike."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parties.models import CLOCK, PUBLIC

PAGE = 30
NOBODY = {CLOCK.label: _("系统"), PUBLIC.label: _("申请人")}


def timeline(events, titles):
    """A journal as steps for the page, newest first; `titles` says in words what each action was.

    Takes lines of several matters too, if they are told apart by their actions.
    """
    lines = sorted(events, key=lambda event: event.pk, reverse=True)
    return [
        {
            "at": event.at,
            "by": NOBODY.get(event.by_label, event.by_label),
            "title": titles.get(event.action, event.action),
            "text": "　".join(filter(None, [event.note, event.private_note])),
            "state": "done" if index else "now",
        }
        for index, event in enumerate(lines)
    ]


def board(request, rows, *, form, states, ended):
    """What the list page of a department's matters shows, the most urgent first.

    `form` narrows the rows by what was asked for; `states` is {state: (label, narrow)} with
    `narrow(rows, today)`; `ended` is (state, its day): there the newest come first.
    """
    today = timezone.localdate()
    rows = form.narrow(rows) if form.is_valid() else rows.none()
    state = request.GET.get("state", "open")
    if state not in states:
        raise Http404
    found = {name: narrow(rows, today) for name, (_label, narrow) in states.items()}
    order = (f"-{ended[1]}", "-id") if state == ended[0] else ("due_on", "id")
    page = Paginator(found[state].with_parts().order_by(*order), PAGE)
    page = page.get_page(request.GET.get("page"))
    for matter in page.object_list:
        matter.late = matter.is_overdue(today)
    return {
        "form": form,
        "state": state,
        "tabs": [(name, label, found[name].count()) for name, (label, _rows) in states.items()],
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
    }


def ticked(request, name):
    """The primary keys ticked on a list; what is none is passed over."""
    values = request.POST.getlist(name)
    return [int(value) for value in values if value.isdecimal() and len(value) < len(str(2**63))]


def uuid_of(text):
    """The number of something that an address asks for; what is none is not found."""
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def given(request):
    """What was posted, for a form to be bound to; None where the page is only looked at."""
    return request.POST if request.method == "POST" else None

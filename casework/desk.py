"""What the desks of all matters show alike."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from casework import policies, services
from casework.documents import attachment
from casework.forms import ServeForm
from casework.models import Letter
from casework.moves import record
from parties.desk import desk_access
from parties.models import CLOCK, PUBLIC, Actor

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


# --- official letters ------------------------------------------------------


def letters_of(matter, user):
    """The letters of a matter, each with the form of its `service` where the user may record it."""
    letters = list(matter.letters.all())
    for letter in letters:
        may = letter.served_on is None and policies.may_serve_letter(user, letter)
        letter.service = ServeForm(auto_id=f"served_{letter.pk}_%s") if may else None
    return letters


def _letter(request, public_id):
    """The letter, if it is the user's to read; else 404."""
    letter = get_object_or_404(Letter.objects.with_parts(), public_id=public_id)
    if not policies.may_read_letter(request.user, letter):
        raise Http404
    return letter


@require_safe
@desk_access
def letter(request, public_id):
    """A letter as PDF, made now if the sweep has not yet; the matter's journal tells it."""
    found = _letter(request, public_id)
    document = services.make(found)
    record(found.matter, "download", actor=Actor.of(request.user), note=found.number)
    return attachment(document)


@require_POST
@desk_access
def serve(request, public_id):
    """Record how and when a letter reached whom it is for, and go back to its matter."""
    found = _letter(request, public_id)
    if not policies.may_serve_letter(request.user, found):
        raise PermissionDenied
    back = request.POST.get("back", "")
    if not (back.startswith("/") and url_has_allowed_host_and_scheme(back, None)):
        back = "/desk/"
    form = ServeForm(request.POST)

    def act():
        actor, today = Actor.of(request.user), timezone.localdate()
        return services.serve(found, actor=actor, today=today, **form.cleaned_data)

    if form.carry_out(act):
        messages.success(request, _("送达已登记。"))
        return redirect(back)
    context = {"form": form, "letter": found, "back": back}
    return render(request, "casework/desk_serve.html", context, status=form.status)

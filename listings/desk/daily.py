"""The file of the day, for units that no program reads for."""

from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from casework import documents
from casework.moves import record_act
from listings.models import DailyFile
from listings.services import feed
from parties.desk import desk_access
from parties.models import Actor


@require_safe
@desk_access
def daily(request):
    """What there is to download today, how it is checked, and the proofs of earlier days."""
    today = timezone.localdate()
    current = feed.handed_out(today, today=today)
    asked = request.GET.get("file")
    if asked is not None:
        return _download(asked, current, request.user)
    context = {
        "file": current,
        "files": current and [_row(current, form) for form in DailyFile.CONTENT],
        "signature": feed.FORMS["signature"][0].format(day=today),
        "lists": current and feed.lists_of(current),
        "today": today,
    }
    return render(request, "listings/desk_daily.html", context)


def _row(file, form):
    return form, DailyFile._meta.get_field(form).verbose_name, getattr(file, form)


def _download(asked, current, user):
    """One of the files, with a journal line.

    Where it has just been overtaken, the page that says so.
    """
    if asked not in feed.FORMS:
        raise Http404
    if current is None:
        return redirect("desk-daily")
    record_act(user.department, "download", actor=Actor.of(user), note=f"{asked} {current.day}")
    if asked == "signature":
        name = feed.FORMS[asked][0].format(day=current.day)
        return documents.text_attachment(feed.signed_text(current), name)
    return documents.large_attachment(getattr(current, asked))

"""The desk of lists from other cities: which are trusted, which files came, what was taken."""

from pathlib import Path
from tempfile import TemporaryDirectory

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods

from casework.desk import given, timeline
from listings import policies
from listings.forms import CityForm, CityNoteForm, ExchangeFileForm
from listings.models import ExchangeFile, PartnerCity
from listings.services import exchange
from parties.desk import desk_access
from parties.models import Actor

PAGE = 20
JOURNAL = {
    "register": gettext_lazy("登记"),
    "change": gettext_lazy("修改"),
    "take": gettext_lazy("接收文件"),
    "refuse_file": gettext_lazy("退回文件"),
    "pause": gettext_lazy("停用"),
    "resume": gettext_lazy("恢复使用"),
}
JOURNAL_LINES = 50
form_methods = require_http_methods(["GET", "HEAD", "POST"])


@form_methods
@desk_access
def files(request):
    """The cities and the files that came from them; the operator brings a new one here."""
    may = _let_in(request)
    form = ExchangeFileForm(given(request), request.FILES or None)
    if request.method == "POST" and form.carry_out(lambda: _take(form, request.user)):
        return _taken(request, form.result)
    rows = ExchangeFile.objects.select_related("city")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "may": may,
        "cities": PartnerCity.objects.all(),
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
    }
    return render(request, "listings/desk_exchange.html", context, status=form.status)


def _take(form, user):
    """Take the uploaded file in; it is kept nowhere, since what it says is in the lists then."""
    upload = form.cleaned_data["file"]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        with path.open("wb") as file:
            for piece in upload.chunks():
                file.write(piece)
        return exchange.take(
            path, actor=Actor.of(user), today=timezone.localdate(), name=upload.name
        )


def _taken(request, file):
    if file.state == ExchangeFile.State.REFUSED:
        messages.error(request, gettext("没有接收：%(why)s") % {"why": file.reason})
    else:
        words = gettext("已接收：新增 %(created)s，变更 %(changed)s，撤下 %(ended)s。")
        told = {name: getattr(file, name) for name in ("created", "changed", "ended")}
        messages.success(request, words % told)
    return redirect("desk-exchange")


@form_methods
@desk_access
def register(request):
    """Trust another city."""
    if not policies.may_exchange(request.user):
        raise PermissionDenied
    form = CityForm(given(request))

    def act():
        return exchange.register_city(actor=Actor.of(request.user), **form.cleaned_data)

    if request.method == "POST" and form.carry_out(act):
        messages.success(request, gettext("已登记。"))
        return redirect("desk-exchange-city", form.result.public_id)
    return render(request, "listings/desk_exchange_new.html", {"form": form}, status=form.status)


@form_methods
@desk_access
def city(request, public_id):
    """One city: its key and position, the journal, and what the operator may do with it."""
    may = _let_in(request)
    found = get_object_or_404(PartnerCity, public_id=public_id)
    forms = _forms(request, found)
    form = None
    if request.method == "POST":
        if request.POST.get("act") not in forms:
            raise Http404
        form, act = forms[request.POST["act"]]
        if form.carry_out(act):
            messages.success(request, gettext("已办理。"))
            return redirect("desk-exchange-city", public_id)
    lines = found.journal.order_by("-pk")[:JOURNAL_LINES]
    context = {
        "city": found,
        "form": form,
        "forms": {name: form for name, (form, _act) in forms.items() if may and found.can(name)},
        "steps": timeline(lines, JOURNAL),
    }
    status = form.status if form else 200
    return render(request, "listings/desk_exchange_city.html", context, status=status)


def _forms(request, found):
    """{act: (form, what it does)}; the posted one is bound."""
    actor = Actor.of(request.user)
    asked = request.POST.get("act")

    def bound(name, make, **more):
        return make(request.POST if asked == name else None, auto_id=f"{name}_%s", **more)

    change = bound("change", CityForm, city=found)
    pause, resume = bound("pause", CityNoteForm), bound("resume", CityNoteForm)

    def do_change():
        fields = dict(change.cleaned_data)
        note = fields.pop("note")
        return exchange.change_city(found, fields, actor=actor, note=note)

    return {
        "change": (change, do_change),
        "pause": (
            pause,
            lambda: exchange.pause_city(found, actor=actor, **pause.cleaned_data),
        ),
        "resume": (
            resume,
            lambda: exchange.resume_city(found, actor=actor, **resume.cleaned_data),
        ),
    }


def _let_in(request):
    """Whether the user may act here; who may not, or may not even look, is refused."""
    may = policies.may_exchange(request.user)
    if not (may or (policies.may_see_exchange(request.user) and request.method != "POST")):
        raise PermissionDenied
    return may

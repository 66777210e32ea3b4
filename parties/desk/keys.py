"""The keys of a department's machines, looked after by its reviewers."""

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from parties import services
from parties.desk import desk_access
from parties.desk.account import given, journal
from parties.forms import KeyForm, MoveKeyForm, ReasonForm, RotateForm
from parties.models import AccountEvent, Actor, ApiKey, User
from parties.policies import may_manage_keys

PAGE = 20


def _reviewed(request):
    """The department whose keys the user looks after; 403 for anybody else."""
    user = request.user
    if not may_manage_keys(user, user.department_id):
        raise PermissionDenied
    return user.department


def _officers(department):
    rows = User.objects.filter(department=department, is_active=True)
    return rows.order_by("full_name", "pk")


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def keys(request):
    """The department's keys; a new one's secret stands on the answer alone, in no address."""
    department = _reviewed(request)
    form = KeyForm(given(request), officers=_officers(department))

    def make():
        return services.manage(actor=Actor.of(request.user), **form.cleaned_data)

    if request.method == "POST" and form.carry_out(make):
        return _secret_page(request, *form.result)
    rows = ApiKey.objects.of_department(department.pk).with_officer()
    page = Paginator(rows.order_by("revoked", "-created", "pk"), PAGE)
    page, now = page.get_page(request.GET.get("page")), timezone.now()
    for key in page:
        key.live = key.is_live(now)
    context = {
        "form": form,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
    }
    return render(request, "parties/desk_keys.html", context, status=form.status)


def _secret_page(request, key, secret):
    return render(request, "parties/desk_key_secret.html", {"key": key, "secret": secret})


FORMS = {"rotate": RotateForm, "revoke": ReasonForm, "move": MoveKeyForm}


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def key(request, prefix):
    """One key with its journal, and a form per act that is allowed now."""
    department = _reviewed(request)
    rows = ApiKey.objects.of_department(department.pk).with_officer()
    found = get_object_or_404(rows.select_related("replaces"), prefix=prefix)
    if request.method != "POST":
        return _page(request, found)
    name, actor = request.POST.get("act"), Actor.of(request.user)
    if name not in FORMS:
        raise BadRequest
    form = _form(name, department, request.POST)
    acts = {
        "rotate": lambda: services.rotate_key(found, actor=actor, **form.cleaned_data),
        "revoke": lambda: services.revoke_key(found, actor=actor, **form.cleaned_data),
        "move": lambda: services.move_key(
            found,
            actor=actor,
            heir=form.cleaned_data["officer"],
            reason=form.cleaned_data["reason"],
        ),
    }
    if not form.carry_out(acts[name]):
        return _page(request, found, {name: form})
    if name == "rotate":
        return _secret_page(request, *form.result)
    said = {"revoke": _("密钥已停用，立即生效。"), "move": _("已换负责人。")}
    messages.success(request, said[name])
    return redirect("desk-key", prefix)


def _form(name, department, data=None):
    given_ = {"officers": _officers(department)} if name == "move" else {}
    return FORMS[name](data, auto_id=f"{name}_%s", **given_)


def _page(request, found, filled=None):
    filled = filled or {}
    refused = next(iter(filled.values()), None)
    live = found.is_live(timezone.now())
    forms = {
        name: filled.get(name) or _form(name, found.officer.department)
        for name in (FORMS if live else ())
    }
    replaced_by = found.replaced_by.first()
    if replaced_by:
        forms.pop("rotate", None)
    context = {
        "key": found,
        "live": live,
        "forms": forms,
        "refused": refused,
        "replaced_by": replaced_by,
        "steps": journal(AccountEvent.objects.filter(key_prefix=found.prefix)),
    }
    status = refused.status if refused else 200
    return render(request, "parties/desk_key.html", context, status=status)

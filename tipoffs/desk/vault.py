"""The desk of the vault: keys, the one page that opens an identity, and the list of openings."""

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from casework.desk import given, timeline, uuid_of
from casework.models import Event
from parties.desk import desk_access
from parties.models import AccessLog, Actor
from tipoffs import policies, services
from tipoffs.forms import ChangeForm, GrantForm, NewPassphraseForm, OpenForm, PlainForm, TellForm
from tipoffs.models import Report, VaultKey
from tipoffs.services.vault import PLACE

PAGE = 30
LINES = 50  # of the keys' journals, on one page
KEYS = {
    "make": _("启用密钥"),
    "retire": _("停用密钥"),
    "grant": _("授权"),
    "change_passphrase": _("更换口令"),
    "wrong_passphrase": _("口令不对"),
    "locked": _("口令试得太多，暂停"),
}


def _lead():
    return {"lead_unit": settings.LEAD_UNIT}


# ── keys ──────────────────────────────────────────────────────────────────────────────────────


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def vault(request):
    """The officer's own key, those of others, and the named reports."""
    if not policies.may_keep_vault(request.user):
        raise PermissionDenied
    refused = None
    if request.method == "POST":
        act = request.POST.get("act")
        if act not in ACTS:
            raise BadRequest
        form = ACTS[act][0](given(request), auto_id=f"{_target(request)}{act}_%s")
        if form.carry_out(ACTS[act][1], request, form, Actor.of(request.user)):
            messages.success(request, DONE[act])
            return redirect("desk-vault")
        refused = form
    return _vault_page(request, refused)


def _target(request):
    return f"{request.POST['key']}_" if request.POST.get("key") else ""


def _key(request):
    return get_object_or_404(VaultKey, public_id=uuid_of(request.POST.get("key", "")))


def _make(_request, form, actor):
    passphrase = form.cleaned_data["passphrase"]
    return services.make_key(passphrase=passphrase, actor=actor, **_lead())


def _change(_request, form, actor):
    old, new = form.cleaned_data["old"], form.cleaned_data["passphrase"]
    return services.change_passphrase(old=old, new=new, actor=actor)


def _grant(request, form, actor):
    passphrase = form.cleaned_data["passphrase"]
    return services.grant(_key(request), passphrase=passphrase, actor=actor, **_lead())


def _retire(request, _form, actor):
    return services.retire(_key(request), actor=actor, **_lead())


ACTS = {
    "make": (NewPassphraseForm, _make),
    "change": (ChangeForm, _change),
    "grant": (GrantForm, _grant),
    "retire": (PlainForm, _retire),
}
DONE = {
    "make": _("密钥已启用。以后的实名举报您打得开；已有的，请别的管理员授权。"),
    "change": _("口令已更换。"),
    "grant": _("已授权。"),
    "retire": _("密钥已停用。"),
}


def _vault_page(request, refused):
    keys = list(VaultKey.objects.filter(status=VaultKey.Status.ACTIVE).with_missing())
    own = next((key for key in keys if key.officer_id == request.user.pk), None)
    acted, target = request.POST.get("act"), _target(request)
    for key in keys:
        failed = refused if target == f"{key.public_id}_" and acted == "grant" else None
        key.form = failed or GrantForm(auto_id=f"{key.public_id}_grant_%s")
    page = Paginator(Report.objects.named().with_parts().order_by("-id"), PAGE)
    page = page.get_page(request.GET.get("page"))
    context = {
        "own": own,
        "keys": keys,
        "make": _bound(refused, acted, "make", NewPassphraseForm),
        "change": _bound(refused, acted, "change", ChangeForm),
        "refused": refused,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
    }
    status = refused.status if refused else 200
    return render(request, "tipoffs/desk_vault.html", context, status=status)


def _bound(refused, acted, act, form_class):
    return refused if refused and acted == act else form_class(auto_id=f"{act}_%s")


# ── one identity ──────────────────────────────────────────────────────────────────────────────


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def identity(request, public_id):
    """Who reported, shown once in the answer to passphrase and purpose; and that they were told.

    What was reported is not shown here: the vault handles nothing.
    """
    matter = get_object_or_404(Report.objects.filter(named=True).with_parts(), public_id=public_id)
    if not policies.may_open(request.user, matter):
        raise PermissionDenied
    forms = {"open": OpenForm(auto_id="open_%s"), "inform": TellForm(auto_id="inform_%s")}
    opened = refused = None
    if request.method == "POST":
        act = request.POST.get("act")
        if act not in OPENING:
            raise BadRequest
        form = type(forms[act])(given(request), auto_id=f"{act}_%s")
        if not form.carry_out(OPENING[act], matter, form, Actor.of(request.user)):
            refused = forms[act] = form
        elif act == "inform":
            messages.success(request, _("已登记告知举报人。"))
            return redirect("desk-vault-report", public_id=public_id)
        else:
            opened = form.result
    context = {
        "report": matter,
        "forms": forms,
        "opened": opened,
        "refused": refused,
        "may_inform": matter.can("inform"),
    }
    status = refused.status if refused else 200
    return render(request, "tipoffs/desk_identity.html", context, status=status)


def _open(matter, form, actor):
    return services.open_identity(matter, actor=actor, **form.cleaned_data, **_lead())


def _inform(matter, form, actor):
    text, today = form.cleaned_data["text"], timezone.localdate()
    return services.inform(matter, text=text, actor=actor, today=today)


OPENING = {"open": _open, "inform": _inform}


# ── who looked ────────────────────────────────────────────────────────────────────────────────


@require_safe
@desk_access
def openings(request):
    """Every opening with its purpose, and what was done with the keys, newest first."""
    if not policies.may_watch_vault(request.user):
        raise PermissionDenied
    page = Paginator(AccessLog.objects.filter(**PLACE).order_by("-id"), PAGE)
    page = page.get_page(request.GET.get("page"))
    rows = list(page.object_list)
    numbers = Report.objects.filter(public_id__in=[row.row for row in rows])
    numbers = {str(key): number for key, number in numbers.values_list("public_id", "number")}
    for row in rows:
        row.number = numbers.get(row.row, "")
    context = {
        "rows": rows,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "steps": _keys_journal(),
    }
    return render(request, "tipoffs/desk_openings.html", context)


def _keys_journal():
    lines = Event.objects.filter(
        content_type__app_label="tipoffs", content_type__model="vaultkey"
    ).order_by("-id")[:LINES]
    return timeline(lines, KEYS)

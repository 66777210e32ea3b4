"""The own account: who I am, where I am signed in, password, second factor, who stands in."""

from uuid import UUID

import segno
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.core.paginator import Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_otp import login as otp_login

from parties import services
from parties.desk import (
    ENROLLING,
    account_access,
    is_enrolling,
    is_let_in,
    password_access,
    sign_in_first,
)
from parties.forms import CodesForm, DelegationForm, EnrolForm, PasswordForm, ServiceForm
from parties.models import AccountEvent, Actor, Delegation, StaffSession, User
from parties.policies import may_manage_keys

PAGE = 20
DELEGATIONS = 10
LINES = 50


def given(request):
    """What was posted, for a form to be bound to; None where the page is only looked at."""
    return request.POST if request.method == "POST" else None


def journal(rows):
    """Lines of the journal of accounts as steps for a page, the latest fifty, newest first."""
    return [
        {
            "at": row.at,
            "by": row.by_label,
            "title": row.get_action_display(),
            "text": row.note,
            "state": "done" if index else "now",
        }
        for index, row in enumerate(rows.order_by("-pk")[:LINES])
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@account_access
def account(request):
    """Who I am, my sessions and sign-ins, and who stands in for me; a button per act."""
    if request.method != "POST":
        return _page(request)
    acts = {"end_others": _end_others, "delegate": _delegate, "end_delegation": _end_delegation}
    act = acts.get(request.POST.get("act"))
    if act is None:
        raise Http404
    return act(request)


def _page(request, form=None, refused=None):
    user, now = request.user, timezone.now()
    today = timezone.localdate(now)
    page = Paginator(user.sign_ins.order_by("-pk"), PAGE).get_page(request.GET.get("page"))
    sessions = StaffSession.objects.filter(user=user).running(now).order_by("-started_at", "-pk")
    delegations = list(Delegation.objects.of(user)[:DELEGATIONS])
    for row in delegations:
        row.current, row.may_end = row.is_in_force(today), row.is_open(today)
    context = {
        "form": form or DelegationForm(colleagues=User.objects.colleagues(user)),
        "refused": refused or form,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "sessions": sessions,
        "own_key": request.session.session_key,
        "delegations": delegations,
        "steps": journal(AccountEvent.objects.filter(account=user)),
        "codes_left": services.spare_codes_left(user),
        "may_delegate": user.department_id is not None,
        "may_manage_keys": may_manage_keys(user, user.department_id),
        "hours": settings.SESSION_HOURS,
        "most": settings.SESSIONS_EACH,
        "kept": settings.SIGN_INS_KEPT.days,
    }
    status = context["refused"].status if context["refused"] else 200
    return render(request, "parties/desk_account.html", context, status=status)


def _end_others(request):
    actor, own = Actor.of(request.user), request.session.session_key
    ended = services.end_others(request.user, but=own, actor=actor)
    messages.success(request, gettext("已结束其他会话 %(n)s 个。") % {"n": ended})
    return redirect("desk-account")


def _delegate(request):
    form = DelegationForm(request.POST, colleagues=User.objects.colleagues(request.user))

    def act():
        actor = Actor.of(request.user)
        return services.delegate(request.user, actor=actor, **form.cleaned_data)

    if not form.carry_out(act):
        return _page(request, form=form)
    messages.success(request, gettext("已登记，到日子自动生效、自动结束。"))
    return redirect("desk-account")


def _end_delegation(request):
    own = Delegation.objects.filter(from_user=request.user)
    found, form = get_object_or_404(own, public_id=_uuid(request)), ServiceForm(request.POST)
    if not form.carry_out(services.end_delegation, found, actor=Actor.of(request.user)):
        return _page(request, refused=form)
    messages.success(request, gettext("代办已结束。"))
    return redirect("desk-account")


def _uuid(request):
    try:
        return UUID(request.POST.get("delegation", ""))
    except ValueError:
        raise Http404 from None


@require_http_methods(["GET", "HEAD", "POST"])
@password_access
def password(request):
    """Another password of one's own; sessions elsewhere end."""
    form = PasswordForm(given(request), request=request)
    own = request.session.session_key

    def act():
        new, actor = form.cleaned_data["password"], Actor.of(request.user)
        return services.change_password(request.user, new, actor=actor, session_key=own)

    if request.method == "POST" and form.carry_out(act):
        update_session_auth_hash(request, request.user)  # gives the session another key
        services.rename_session(own, request.session.session_key)
        messages.success(request, gettext("密码已修改，其他地方的会话都已结束。"))
        return redirect("desk-account")
    return render(request, "parties/desk_password.html", {"form": form}, status=form.status)


@require_http_methods(["GET", "HEAD", "POST"])
@account_access
def codes(request):
    """New recovery codes in the place of the old; they stand on the answer alone."""
    form, user = CodesForm(given(request), request=request), request.user

    def act():
        if services.token_is_right(user, form.cleaned_data["otp_token"]) is None:
            form.add_error("otp_token", gettext("动态口令不对，或者已经用过，请等下一个"))
            return None
        return services.make_recovery_codes(user, actor=Actor.of(user))

    if request.method == "POST" and form.carry_out(act):
        return _codes_page(request, form.result)
    context = {"form": form, "left": services.spare_codes_left(user)}
    return render(request, "parties/desk_codes.html", context, status=form.status)


def _codes_page(request, made):
    context = {"codes": made, "next": reverse("desk-account")}
    return render(request, "parties/desk_codes_made.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def enrol(request):
    """Bind a device: scan, and show its first code. From then on the session is a whole one."""
    if is_let_in(request):
        return redirect("desk-account")
    if not is_enrolling(request):
        return sign_in_first(request, reverse("desk-account"))
    form, device = EnrolForm(given(request)), services.enrolment(request.user)

    def act():
        actor = Actor.of(request.user)
        made = services.confirm_device(device, form.cleaned_data["otp_token"], actor=actor)
        if made is None:
            form.add_error("otp_token", gettext("口令不对。请核对手机的时间，用最新的 6 位数字"))
        return made

    if request.method == "POST" and form.carry_out(act):
        own = request.session.session_key
        del request.session[ENROLLING]
        request.session.cycle_key()
        services.rename_session(own, request.session.session_key)
        otp_login(request, device)
        return _codes_page(request, form.result)
    context = {
        "form": form,
        "qr": segno.make(device.config_url, error="m").svg_data_uri(scale=5),
        "secret": services.secret_of(device),
    }
    return render(request, "parties/desk_enrol.html", context, status=form.status)

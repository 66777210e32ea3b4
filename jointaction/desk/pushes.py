"""Pushes at the desk: acknowledged, and answered measure by measure."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from casework.desk import ticked, timeline
from casework.forms import ActForm
from casework.workdays import countdown
from jointaction import policies, services
from jointaction.forms import AnswerForm, FindForm
from jointaction.models import Push
from listings.models import Audience, shown_details
from parties.desk import desk_access
from parties.models import Actor

PAGE = 20
TABS = [
    ("open", gettext_lazy("待签收")),
    ("waiting", gettext_lazy("待反馈")),
    ("overdue", gettext_lazy("已逾期")),
    ("answered", gettext_lazy("已反馈")),
    ("superseded", gettext_lazy("已被代替")),
    ("all", gettext_lazy("全部")),
]
JOURNAL = {
    "acknowledge": gettext_lazy("签收"),
    "answer_part": gettext_lazy("反馈了一部分"),
    "answer": gettext_lazy("反馈完毕"),
    "supersede": gettext_lazy("被后来的推送代替"),
    "remind": gettext_lazy("催办"),
    "escalate": gettext_lazy("报督办"),
}


@require_safe
@desk_access
def pushes(request):
    """What was put before the unit, the first due first; the supervisor sees every unit's."""
    today = timezone.localdate()
    rows = Push.objects.all() if request.user.sees_all else _own_pushes(request)
    form = FindForm(request.GET)
    rows = form.narrow(rows) if form.is_valid() else rows.none()
    readings = _readings(today)
    counts = rows.aggregate(
        **{value: Count("id", filter=reads) for value, reads in readings.items()}
    )
    tab = request.GET.get("status", "open")
    tab = tab if tab in readings else "all"
    rows = rows.filter(readings[tab]).with_parts().order_by("feedback_due", "pk")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    left = countdown(today, (push.feedback_due for push in page))
    for push in page:
        push.left = left.get(push.feedback_due)
        push.late = push.is_overdue(today)
    context = {
        "form": form,
        "tab": tab,
        "tabs": [(value, label, counts[value]) for value, label in TABS],
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "today": today,
        "may_acknowledge": tab == "open" and _may_answer(request),
    }
    return render(request, "jointaction/desk_pushes.html", context)


def _readings(today):
    is_open = Q(status__in=Push.OPEN)
    acknowledged = [Push.Status.ACKNOWLEDGED, Push.Status.PARTLY_ANSWERED]
    return {
        "open": Q(status=Push.Status.OPEN),
        "waiting": Q(status__in=acknowledged),
        "overdue": is_open & Q(advisory_only=False, feedback_due__lt=today),
        "answered": Q(status=Push.Status.ANSWERED),
        "superseded": Q(status=Push.Status.SUPERSEDED),
        "all": Q(),
    }


def _own_pushes(request):
    return Push.objects.of_unit(request.user.department_id)


def _may_answer(request):
    return policies.may_answer(request.user, Push(unit=request.user.department))


@require_POST
@desk_access
def acknowledge_many(request):
    """Acknowledge the ticked pushes of the unit; ticks of anything else change nothing."""
    form = ActForm(request.POST)
    chosen = _own_pushes(request).filter(pk__in=ticked(request, "push"))
    if not form.carry_out(services.acknowledge_many, chosen, actor=Actor.of(request.user)):
        raise PermissionDenied
    count = form.result
    done = ngettext("已签收 %(n)d 件。", "已签收 %(n)d 件。", count) % {"n": count}
    messages.success(request, done if count else gettext("没有选中要签收的推送。"))
    return redirect("desk-pushes")


@require_safe
@desk_access
def push(request, public_id):
    return _push_page(request, _push_of(request, public_id))


@require_POST
@desk_access
def acknowledge(request, public_id):
    """Say that the push has been seen."""
    found = _push_of(request, public_id)
    form = ActForm(request.POST)
    if form.carry_out(services.acknowledge, found, actor=Actor.of(request.user)):
        messages.success(request, gettext("已签收，请逐项反馈。"))
        return redirect("desk-push", public_id)
    return _push_page(request, found, refused=form)


@require_POST
@desk_access
def answer(request, public_id):
    """Answer the measures that were filled in; the others can follow."""
    found = _push_of(request, public_id)
    form = AnswerForm(request.POST, push=found)

    def say():
        actor, today = Actor.of(request.user), timezone.localdate()
        return services.answer(found, form.answers(), actor=actor, today=today)

    if form.carry_out(say):
        messages.success(request, gettext("反馈已提交，认定部门可以看到。"))
        return redirect("desk-push", public_id)
    return _push_page(request, found, form=form)


def _push_of(request, public_id):
    rows = Push.objects.of_desk(request.user).with_parts()
    return get_object_or_404(rows, public_id=public_id)


def _push_page(request, found, form=None, refused=None):
    today = timezone.localdate()
    user, listing = request.user, found.listing
    may_answer = found.can("answer") and policies.may_answer(user, found)
    left = countdown(today, [found.feedback_due])
    audience = Audience.of(user, listing, otherwise=Audience.UNIT)
    context = {
        "push": found,
        "entry": listing,
        "is_public": listing.is_public(today),
        "shows_entry": audience is Audience.OWN or listing.is_public(today),
        "details": [
            (str(field), field.with_unit(value))
            for field, value in shown_details(listing, audience)
        ],
        "late": found.is_overdue(today),
        "left": left.get(found.feedback_due),
        "today": today,
        "form": form or (AnswerForm(push=found) if may_answer else None),
        "refused": refused,
        "may_acknowledge": found.can("acknowledge") and may_answer,
        "steps": timeline(found.journal.all(), JOURNAL),
    }
    bound = form or refused
    status = bound.status if bound else 200
    return render(request, "jointaction/desk_push.html", context, status=status)

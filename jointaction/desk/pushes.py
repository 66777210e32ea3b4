"""Pushes at the desk: acknowledged, answered measure by measure or together, ordered by 督办."""

import json

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from casework.desk import letters_of, ticked, timeline
from casework.forms import ActForm
from casework.workdays import countdown
from jointaction import policies, services
from jointaction.forms import AnswerForm, AnswerManyForm, FindForm, OrderForm
from jointaction.models import Feedback, Push
from listings.models import Audience, Listing, ResponsiblePerson, shown_details
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
ANSWERED = {"open", "waiting", "overdue"}  # the tabs whose pushes can be answered together
USUAL = {  # what most measures of a push are answered with
    Push.Kind.APPLY: Feedback.Outcome.APPLIED,
    Push.Kind.LIFT: Feedback.Outcome.LIFTED,
}
JOURNAL = {
    "acknowledge": gettext_lazy("签收"),
    "answer_part": gettext_lazy("反馈了一部分"),
    "answer": gettext_lazy("反馈完毕"),
    "supersede": gettext_lazy("被后来的推送代替"),
    "warn": gettext_lazy("到期提醒"),
    "remind": gettext_lazy("催办"),
    "escalate": gettext_lazy("报督办"),
    "order": gettext_lazy("督办"),
    "download": gettext_lazy("下载文书"),
    "serve": gettext_lazy("登记文书送达"),
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
        push.named = push.names_subject(request.user, today)
    context = {
        "form": form,
        "tab": tab,
        "tabs": [(value, label, counts[value]) for value, label in TABS],
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "today": today,
        "may_acknowledge": tab == "open" and _may_answer(request),
        "together": _may_answer(request) and tab in ANSWERED and AnswerManyForm(),
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


@require_POST
@desk_access
def answer_many(request):
    """One answer for the ticked pushes: shown first for each of them, then done on a second word.

    Each is answered by itself; the page says of each what became of it.
    """
    if not _may_answer(request):
        raise PermissionDenied
    form, sure = AnswerManyForm(request.POST), request.POST.get("act") == "confirm"
    ticks = ticked(request, "push")
    chosen = _own_pushes(request).filter(pk__in=ticks)
    act = services.answer_many if sure else services.plan_answers

    def say():
        actor, today = Actor.of(request.user), timezone.localdate()
        return act(chosen, actor=actor, today=today, **form.cleaned_data)

    rows = form.result if form.carry_out(say) else []
    fit = [row for row in rows if not row.refusal]
    context = {
        "form": form,
        "rows": [(row, row.push.names_subject(request.user, timezone.localdate())) for row in rows],
        "ticks": ticks[: services.MOST_TOGETHER],
        "fit": len(fit),
        "unfit": len(rows) - len(fit),
        "measures": sum(len(row.measures) for row in fit),
        "done": sure and not form.errors,
    }
    return render(request, "jointaction/desk_push_together.html", context, status=form.status)


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
    """Answer the measures that were filled in; the others can follow.

    With `act=all` every measure left gets the usual answer: applied today, or lifted.
    """
    found = _push_of(request, public_id)
    if request.POST.get("act") == "all":
        return _answer_all(request, found)
    form = AnswerForm(request.POST, push=found)

    def say():
        actor, today = Actor.of(request.user), timezone.localdate()
        return services.answer(found, form.answers(), actor=actor, today=today)

    if form.carry_out(say):
        messages.success(request, gettext("反馈已提交，认定部门可以看到。"))
        return redirect("desk-push", public_id)
    return _push_page(request, found, form=form)


def _answer_all(request, found):
    form, today = ActForm(request.POST), timezone.localdate()
    outcome = USUAL.get(found.kind)
    said = {
        "outcome": outcome,
        "applied_on": today if outcome == Feedback.Outcome.APPLIED else None,
    }
    answers = [{"code": row["code"], **said} for row in found.unanswered if outcome]
    if form.carry_out(services.answer, found, answers, actor=Actor.of(request.user), today=today):
        messages.success(request, gettext("反馈已提交，认定部门可以看到。"))
        return redirect("desk-push", found.public_id)
    return _push_page(request, found, refused=form)


@require_POST
@desk_access
def order(request, public_id):
    """The supervisor orders the unit to answer; others meet a 403."""
    if not policies.may_order(request.user):
        raise PermissionDenied
    found = _push_of(request, public_id)
    form = OrderForm(request.POST)
    actor, today = Actor.of(request.user), timezone.localdate()

    def act():
        return services.order(found, actor=actor, today=today, **form.cleaned_data)

    if form.carry_out(act):
        told = gettext("已出具督办函 %(number)s，并通知该单位。") % {"number": form.result.number}
        messages.success(request, told)
        return redirect("desk-push", public_id)
    return _push_page(request, found, order=form)


def _push_of(request, public_id):
    rows = Push.objects.of_desk(request.user).with_parts()
    return get_object_or_404(rows, public_id=public_id)


def _push_page(request, found, form=None, refused=None, order=None):
    today = timezone.localdate()
    user, listing = request.user, found.listing
    may_answer = found.can("answer") and policies.may_answer(user, found)
    may_order = found.is_awaited and policies.may_order(user)
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
        "named": found.names_subject(user, today),
        "late": found.is_overdue(today),
        "left": left.get(found.feedback_due),
        "today": today,
        "form": form or (AnswerForm(push=found) if may_answer and found.measures else None),
        "corrected": _corrected(found) if listing.is_public(today) else [],
        "letters": _letters(found, user),
        "order": found.is_ordered and found.journal.filter(action="order").last(),
        "order_form": order or (OrderForm() if may_order else None),
        "refused": refused,
        "may_acknowledge": found.can("acknowledge") and may_answer,
        "may_answer_all": may_answer and found.kind in USUAL and len(found.unanswered),
        "steps": timeline(found.journal.all(), JOURNAL),
    }
    bound = form or refused or order
    status = bound.status if bound else 200
    return render(request, "jointaction/desk_push.html", context, status=status)


def _letters(found, user):
    """The supervisor's orders are between it and the unit; the department that listed has none."""
    reads = user.sees_all or user.works_for(found.unit_id)
    return letters_of(found, user) if reads else []


def _corrected(found):
    """What a correction changed, in words: fields by name, a released person by mask and role."""
    body = getattr(found.change, "body", None) if found.kind == Push.Kind.CORRECT else None
    changes = json.loads(bytes(body.body)).get("changes", {}) if body else {}
    return [_changed(name, values) for name, values in changes.items()]


def _changed(name, values):
    if name == "responsible_persons":
        person, role = values[0]
        told = {"name": person, "role": ResponsiblePerson.Role(role).label}
        return gettext("责任人员 %(name)s（%(role)s）已解除，请停用对其采取的措施") % told
    return str(Listing._meta.get_field(name).verbose_name)

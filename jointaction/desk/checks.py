"""Checks at the counter: the answer, its receipt, and the feedback to what was met."""

import base64
from collections import Counter

import segno
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from casework.desk import given
from casework.workdays import countdown
from jointaction import policies, services
from jointaction.forms import CheckForm, HitForm
from jointaction.models import Check, Hit
from jointaction.services.asked import REASONS
from parties.desk import desk_access
from parties.models import Actor

PAGE = 20
OUTCOMES = {
    "listed": gettext_lazy("命中"),
    "clear": gettext_lazy("未命中"),
    "invalid": gettext_lazy("不能查询"),
}


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def checks(request):
    """Ask about one subject; the answer and the feedback to it stand on the same page.

    The answer to a POST is the page itself: a person's paper is kept in no address.
    """
    form = CheckForm(given(request))
    if request.method == "POST":
        actor, today = Actor.of(request.user), timezone.localdate()

        def ask():
            business = {name: form.cleaned_data[name] for name in ("purpose", "reference")}
            return services.check([form.asked()], actor=actor, today=today, **business)

        if form.carry_out(ask):
            return _answer_page(request, form, *form.result)
    pending = Hit.objects.pending(request.user.department_id).with_parts()
    page = Paginator(pending.order_by("feedback_due", "pk"), PAGE)
    page = page.get_page(request.GET.get("page"))
    left = countdown(timezone.localdate(), (hit.feedback_due for hit in page))
    for hit in page:
        hit.left = left[hit.feedback_due]
        hit.shows_entry = hit.listing.is_public(timezone.localdate())
    context = {
        "form": form,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "may_check": policies.may_check(request.user),
        "today": timezone.localdate(),
    }
    return render(request, "jointaction/desk_checks.html", context, status=form.status)


def _answer_page(request, form, logged, results):
    (result,) = results
    suppressed = [match.listing for match in result.matches if match.suppressed]
    context = {
        "form": form,
        "result": result,
        "reason": REASONS.get(result.reason, ""),
        "subject": result.subject,
        "suppressed": suppressed,
    }
    return _hits_page(request, logged, _hits_of(logged), **context)


def _hits_of(logged):
    hits = (
        Hit.objects.filter(check_public_id=logged.public_id)
        .with_parts()
        .order_by("listing__kind", "pk")
    )
    return [HitForm(hit=hit) for hit in hits]


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def check(request, public_id):
    """The hits of one of the unit's checks, and what was done about them."""
    logged = _own(request, public_id)
    if request.method != "POST":
        return _hits_page(request, logged, _hits_of(logged))
    forms = [
        HitForm(request.POST, hit=form.hit) if not form.hit.answered_at else form
        for form in _hits_of(logged)
    ]
    said = [form for form in forms if form.is_bound and form.touched]
    refused = [form for form in said if not _feed_back(request, form)]
    if said and not refused:
        messages.success(request, gettext("反馈已提交，可以办下一件。"))
        return redirect("desk-checks")
    return _hits_page(request, logged, forms, nothing_said=not said)


@require_safe
@desk_access
def receipt(request, public_id):
    """The receipt of one of the unit's checks, to be printed and shown to whom it may concern."""
    logged = _own(request, public_id)
    content = logged.content
    address = f"{settings.BASE_URL}/verify/"
    context = {
        "check": logged,
        "content": content,
        "rows": [{**row, "words": OUTCOMES[row["outcome"]]} for row in content["subjects"]],
        "told": Counter(row["outcome"] for row in content["subjects"]),
        "salt": services.salt_of(logged),
        "signature": base64.urlsafe_b64encode(logged.signature).decode(),
        "address": address,
        "qr": segno.make(f"{address}{logged.code}/", error="m").svg_data_uri(scale=4),
    }
    return render(request, "jointaction/desk_receipt.html", context)


def _own(request, public_id):
    """The check, if the user's own unit made it; else 404."""
    rows = Check.objects.of_unit(request.user.department_id).select_related("unit")
    return get_object_or_404(rows, public_id=public_id)


def _feed_back(request, form):
    acting = {"actor": Actor.of(request.user), "today": timezone.localdate()}

    def say():
        if form.hit.measures:
            return services.answer_hit_by_measure(form.hit, form.answers(), **acting)
        result = form.cleaned_data["result"]
        return services.answer_hit(form.hit, measures=[], handling="other", result=result, **acting)

    return form.carry_out(say)


def _hits_page(request, logged, forms, **context):
    today = timezone.localdate()
    hits = [form.hit for form in forms]
    for hit in hits:
        hit.shows_entry = hit.listing.is_public(today)
    open_hits = [hit for hit in hits if not hit.answered_at]
    context |= {
        "check": logged,
        "forms": forms,
        "subject": context.get("subject") or (hits[0].listing.subject if hits else None),
        "suppressed": context.get("suppressed", []),
        "black": sum(hit.listing.kind == "black" for hit in hits),
        "red": sum(hit.listing.kind == "red" for hit in hits) + len(context.get("suppressed", [])),
        "to_do": sum(len(hit.measures) for hit in open_hits),
        "open_hits": open_hits,
        "due": open_hits[0].feedback_due if open_hits else None,
        "may_answer": bool(open_hits) and policies.may_answer(request.user, open_hits[0]),
        "today": today,
    }
    status = max((form.status for form in forms), default=200)
    return render(request, "jointaction/desk_check.html", context, status=status)

"""Webhooks at the desk: a department's endpoints, and what became of each delivery."""

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from casework.desk import given, timeline
from casework.forms import ActForm
from jointaction import policies
from jointaction.forms import EndpointForm
from jointaction.models import Delivery, Endpoint
from jointaction.services import webhooks
from parties.desk import desk_access
from parties.models import Actor

PAGE = 20
Status = Delivery.Status
JOURNAL = {
    "create": _("登记"),
    "rotate": _("换密钥"),
    "ping": _("试发"),
    "disable": _("停用"),
    "enable": _("启用"),
    "redeliver": _("重新发送一条"),
    "replay": _("重新发送多条"),
    "close": _("删除"),
}
ACTS = {  # act: (what the service does, what is said when it is done)
    "ping": (webhooks.ping, _("稍后试发一条，结果在下面看。")),
    "rotate": (webhooks.rotate, ""),
    "disable": (webhooks.disable, _("已停用。停用期间的事，启用以后接着通知。")),
    "enable": (webhooks.enable, _("已启用，从停下的地方接着通知。")),
    "replay": (webhooks.replay, _("未能送达的都会重新发送。")),
    "close": (webhooks.close, _("已删除。")),
}


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def endpoints(request):
    """The department's endpoints; a new one's secret stands on the answer alone, in no address."""
    user, form = request.user, EndpointForm(given(request))

    def add():
        return webhooks.add_endpoint(actor=Actor.of(user), **form.cleaned_data)

    if request.method == "POST" and form.carry_out(add):
        return _secret_page(request, *form.result)
    rows = Endpoint.objects.of_desk(user).select_related("department").order_by("-pk")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    counts = Delivery.objects.undelivered_of(list(page))
    for row in page:
        row.waiting = counts.get((row.pk, Status.WAITING), 0)
        row.dead = counts.get((row.pk, Status.DEAD), 0)
    context = {
        "form": form,
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "may_add": policies.may_manage_endpoints(user, user.department_id),
    }
    return render(request, "jointaction/desk_endpoints.html", context, status=form.status)


def _secret_page(request, endpoint, secret):
    context = {"endpoint": endpoint, "secret": secret}
    return render(request, "jointaction/desk_secret.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@desk_access
def endpoint(request, public_id):
    """One endpoint with its deliveries and its journal, and a button per act allowed now."""
    found = get_object_or_404(Endpoint.objects.of_desk(request.user), public_id=public_id)
    if request.method != "POST":
        return _page(request, found)
    act, form = request.POST.get("act"), ActForm(request.POST)
    if act not in ACTS:
        raise BadRequest
    service, said = ACTS[act]
    if not form.carry_out(service, found, actor=Actor.of(request.user)):
        return _page(request, found, refused=form)
    if act == "rotate":
        return _secret_page(request, *form.result)
    messages.success(request, said)
    return redirect("desk-endpoints") if act == "close" else redirect("desk-endpoint", public_id)


@require_POST
@desk_access
def redeliver(request, public_id):
    """Send one delivery again, and go back to its endpoint."""
    own = Endpoint.objects.of_desk(request.user)
    rows = Delivery.objects.with_parts().filter(endpoint__in=own)
    found, form = get_object_or_404(rows, public_id=public_id), ActForm(request.POST)
    if not form.carry_out(webhooks.redeliver, found, actor=Actor.of(request.user)):
        return _page(request, found.endpoint, refused=form)
    messages.success(request, _("稍后重新发送。"))
    return redirect("desk-endpoint", found.endpoint.public_id)


def _page(request, found, refused=None):
    counts = found.deliveries.aggregate(
        all=Count("pk"), **{state: Count("pk", filter=Q(status=state)) for state in Status}
    )
    state = request.GET.get("status", "all")
    if state not in counts:
        raise Http404
    rows = found.deliveries.with_parts()
    rows = (rows if state == "all" else rows.filter(status=state)).order_by("-pk")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    labels = [(one.value, one.label) for one in Status] + [("all", _("全部"))]
    context = {
        "endpoint": found,
        "refused": refused,
        "state": state,
        "tabs": [(value, label, counts[value]) for value, label in labels],
        "dead": counts[Status.DEAD],
        "page": page,
        "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "may_run": policies.may_run_endpoint(request.user, found),
        "may_manage": policies.may_manage_endpoints(request.user, found.department_id),
        "overlaps": found.previous_until and found.previous_until > timezone.now(),
        "steps": timeline(found.journal.all(), JOURNAL),
    }
    status = refused.status if refused else 200
    return render(request, "jointaction/desk_endpoint.html", context, status=status)

"""What a department does with its endpoints: made, tried, rotated, stopped, started, deleted."""

import base64
import os
import uuid
from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from casework.moves import IllegalMove, lock, move, record
from casework.services import refuse
from jointaction import policies
from jointaction.models import PING, Delivery, Endpoint, Occasion
from jointaction.services.webhooks import addresses
from listings import ledger
from parties import sealing

MOST = 20  # endpoints of one department
RESOLVE = 2  # seconds that a name may take to be looked up when it is saved
LEASE = timedelta(seconds=60)
LONGEST_OVERLAP = 7 * 24  # hours
OLDEST = timedelta(days=3650)
Status = Endpoint.Status


@transaction.atomic
def add_endpoint(*, url, events, actor):
    """A new endpoint of the actor's department: (endpoint, its secret, told only here).

    It hears of what happens from now on. Raises PermissionDenied, ValidationError naming `url`
    or `events`; `duplicate` where the department has the address already.
    """
    department = actor.department
    if not policies.may_manage_endpoints(actor.user, department and department.pk):
        raise PermissionDenied
    _refuse_bad(department, url, events)
    chosen = [event for event in Occasion.values if event in events]
    endpoint = Endpoint(department=department, url=url, events=chosen, seq=ledger.head().seq)
    secret = _give_secret(endpoint)
    endpoint.save(force_insert=True)
    record(endpoint, "create", actor=actor, note=url)
    return endpoint, secret


def _refuse_bad(department, url, events):
    unknown = [event for event in events if event not in Occasion.values]
    refuse(
        {
            "events": (not events and _("至少选一种要通知的事。"))
            or (unknown and _("没有这种通知：%(names)s") % {"names": "、".join(unknown)[:100]})
        }
    )
    own = Endpoint.objects.of_department(department.pk)
    if own.filter(url=url).exists():
        raise ValidationError({"url": ValidationError(_("这个地址已经登记过。"), "duplicate")})
    refuse({"url": own.count() >= MOST and _("一个单位最多登记 %(n)s 个接口。") % {"n": MOST}})
    try:
        addresses.check(url, seconds=RESOLVE)
    except ValidationError as error:
        raise ValidationError({"url": error}) from error


def _give_secret(endpoint):
    secret = f"whsec_{base64.b64encode(os.urandom(32)).decode()}"
    endpoint.secret_key_id, endpoint.secret_sealed = sealing.seal(secret, **_place(endpoint))
    return secret


def _place(endpoint):
    # the same for the new secret and the one before it, so that a rotation moves ciphertext
    return {"table": "jointaction_endpoint", "row": endpoint.public_id, "field": "secret"}


def secrets_of(endpoint, *, actor, now):
    """The secrets that sign for an endpoint now, the newest first; the reading is logged."""
    sealed = [(endpoint.secret_sealed, endpoint.secret_key_id)]
    if endpoint.previous_until and now < endpoint.previous_until:
        sealed.append((endpoint.previous_sealed, endpoint.previous_key_id))
    signs = {"actor": actor, "purpose": _("给接口通知签名"), **_place(endpoint)}
    return [sealing.unseal(secret, key_id, **signs) for secret, key_id in sealed]


@transaction.atomic
def rotate(endpoint, *, actor, hours=24):
    """Give an endpoint a new secret: (endpoint, secret). The old one signs beside it for a while.

    Raises PermissionDenied, IllegalMove once deleted, ValidationError naming `hours`.
    """
    endpoint = _held(endpoint, actor, "rotate")
    within = {"most": LONGEST_OVERLAP}
    refuse({"hours": not 0 <= hours <= LONGEST_OVERLAP and _("应是 0 到 %(most)s 小时。") % within})
    endpoint.previous_sealed, endpoint.previous_key_id = (
        endpoint.secret_sealed,
        endpoint.secret_key_id,
    )
    endpoint.previous_until = timezone.now() + timedelta(hours=hours)
    secret = _give_secret(endpoint)
    endpoint.save(update_fields=[*_SECRETS, "previous_until"])
    record(endpoint, "rotate", actor=actor)
    return endpoint, secret


_SECRETS = ("secret_sealed", "secret_key_id", "previous_sealed", "previous_key_id")


def _held(endpoint, actor, action):
    """The endpoint, locked: the actor's department's own and not deleted."""
    if not policies.may_manage_endpoints(actor.user, endpoint.department_id):
        raise PermissionDenied
    endpoint = lock(endpoint)
    if endpoint.status == Status.CLOSED:
        raise IllegalMove(endpoint, action)
    return endpoint


@transaction.atomic
def close(endpoint, *, actor, expected_version=None):
    """Delete an endpoint: nothing is sent any more, its secrets are wiped, its journal stays."""
    _held(endpoint, actor, "close")
    return move(
        endpoint,
        "close",
        actor=actor,
        expected_version=expected_version,
        secret_sealed=None,
        secret_key_id="",
        previous_sealed=None,
        previous_key_id="",
        previous_until=None,
    )


def disable(endpoint, *, actor, expected_version=None):
    """Send nothing to an endpoint until it is enabled again; meanwhile what happens is kept."""
    if not policies.may_run_endpoint(actor.user, endpoint):
        raise PermissionDenied
    return move(
        endpoint,
        "disable",
        actor=actor,
        expected_version=expected_version,
        disabled_reason=Endpoint.Reason.BY_HAND,
    )


@transaction.atomic
def enable(endpoint, *, actor, expected_version=None):
    """Go on where sending stopped; what waits has its three days anew. Raises IllegalMove."""
    if not policies.may_run_endpoint(actor.user, endpoint):
        raise PermissionDenied
    endpoint = move(
        endpoint,
        "enable",
        actor=actor,
        expected_version=expected_version,
        disabled_reason="",
        failures=0,
        failing_since=None,
        paused_until=None,
    )
    _wait_anew(endpoint.deliveries.waiting())
    return endpoint


@transaction.atomic
def ping(endpoint, *, actor):
    """Have a trial sent by the next sweep, once, also to a disabled endpoint; the delivery.

    While one waits it is the answer.
    """
    if not policies.may_run_endpoint(actor.user, endpoint):
        raise PermissionDenied
    endpoint = lock(endpoint)
    if endpoint.status == Status.CLOSED:
        raise IllegalMove(endpoint, "ping")
    waiting = endpoint.deliveries.waiting().filter(event=PING).first()
    if waiting:
        return waiting
    record(endpoint, "ping", actor=actor)
    return endpoint.deliveries.create(
        event=PING,
        key=f"ping:{uuid.uuid4()}",
        data={"endpoint": str(endpoint.public_id)},
        at=timezone.now(),
    )


@transaction.atomic
def redeliver(delivery, *, actor):
    """Send one delivery again, under the same id, whatever became of it; returns it.

    One that is being sent at this moment goes its way. Raises PermissionDenied, IllegalMove
    where the endpoint is not enabled.
    """
    endpoint = _running(delivery.endpoint, actor, "redeliver")
    chosen = endpoint.deliveries.filter(pk=delivery.pk)
    under_way = Q(status=Delivery.Status.WAITING, tried_at__gt=timezone.now() - LEASE)
    _wait_anew(chosen.exclude(under_way))
    record(endpoint, "redeliver", actor=actor, note=str(delivery.public_id))
    return chosen.with_parts().get()


@transaction.atomic
def replay(endpoint, *, actor, since=None):
    """Send all dead letters again, or with `since` all that is kept from then on; how many.

    Raises PermissionDenied, IllegalMove where the endpoint is not enabled, ValidationError
    naming `since` where it is not within the last ten years.
    """
    endpoint = _running(endpoint, actor, "replay")
    now = timezone.now()
    odd = since and not now - OLDEST <= since <= now
    refuse({"since": odd and _("应是最近十年里的时刻。")})
    rows = endpoint.deliveries.exclude(event=PING)
    rows = rows.dead() if since is None else rows.filter(at__gte=since)
    count = _wait_anew(rows.exclude(status=Delivery.Status.WAITING))
    since = since and timezone.localtime(since).isoformat(" ", "minutes")
    note = _("%(since)s 以来 %(n)s 件") if since else _("未能送达的 %(n)s 件")
    record(endpoint, "replay", actor=actor, note=note % {"since": since, "n": count})
    return count


def _running(endpoint, actor, action):
    if not policies.may_run_endpoint(actor.user, endpoint):
        raise PermissionDenied
    endpoint = lock(endpoint)
    if endpoint.status != Status.ACTIVE:
        raise IllegalMove(endpoint, action)
    endpoint.paused_until = None  # whoever asks for it knows that somebody listens again
    endpoint.save(update_fields=["paused_until"])
    return endpoint


def _wait_anew(deliveries):
    return deliveries.update(
        status=Delivery.Status.WAITING,
        attempts=0,
        first_tried_at=None,
        next_try_at=timezone.now(),
        delivered_at=None,
    )

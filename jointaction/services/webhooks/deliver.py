"""Sending what is due: taken by row, told outside any transaction, noted row by row.

One sender works at a time. Its requests run beside each other in threads that touch no
database; a share of them for each endpoint, so that a slow one holds up itself alone.
"""

import logging
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from http import HTTPStatus
from secrets import SystemRandom

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from casework.moves import move
from jointaction.models import PING, Delivery, Endpoint
from jointaction.services.webhooks import backoff, content
from jointaction.services.webhooks.endpoints import LEASE, secrets_of
from jointaction.services.webhooks.post import Answer, post
from notices.services import tell
from parties.models import CLOCK

log = logging.getLogger(__name__)
chance = SystemRandom()
AT_ONCE = 16  # requests
EACH = 4  # of them to one endpoint; to one that fails, one, and to all that fail, half
RUN = 15  # seconds in which a run begins requests
SENDER = 0x77656273  # the advisory lock of the one sender


def send(*, shown, seconds=RUN):
    """Send what is due, for about `seconds` and what is then under way; how many arrived.

    `shown` is `listings.api.shown`. Does nothing where another sender works.
    """
    with _alone() as alone:
        return _Run(shown, time.monotonic() + seconds).go() if alone else 0


@contextmanager
def _alone():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [SENDER])
        alone = cursor.fetchone()[0]
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [SENDER])


class _Run:
    """One run of the sender."""

    def __init__(self, shown, ends):
        self.shown, self.ends = shown, ends
        self.running = {}  # future: (delivery, endpoint)
        self.taken = Counter()  # by endpoint, in this run
        self.secrets = {}
        self.arrived = 0

    def go(self):
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while True:
                self._begin(pool)
                if not self.running:
                    return self.arrived
                done, _running = wait(self.running, return_when=FIRST_COMPLETED)
                for future in done:
                    delivery, _endpoint = self.running.pop(future)
                    self._note(delivery, future.result())

    def _begin(self, pool):
        """Take what is due as far as there is room, and begin to send it."""
        while time.monotonic() < self.ends and (taken := self._take()):
            bodies = self._bodies([row for row, _endpoint in taken])
            for row, endpoint in taken:
                self._submit(pool, row, endpoint, bodies.get(row.pk))

    def _take(self):
        """[(delivery, endpoint)] of what is sent next: the least served endpoint first."""
        now, taken = timezone.now(), []
        free = AT_ONCE - len(self.running)
        waited_for = list(Endpoint.objects.waited_for(now)) if free else []
        share = max(free // max(len(waited_for), 1), 1)
        for endpoint in sorted(waited_for, key=lambda endpoint: self.taken[endpoint.pk]):
            under_way = [*self.running.values(), *taken]
            room = min(share, _most(endpoint, under_way), AT_ONCE - len(under_way))
            rows = claim(endpoint, room, now) if room > 0 else []
            self.taken[endpoint.pk] += len(rows)
            taken += [(row, endpoint) for row in rows]
        return taken

    def _bodies(self, rows):
        """{key: body}; one that can't be made is left out, and stops no other."""
        try:
            return content.bodies(rows, shown=self.shown, today=timezone.localdate())
        except Exception:
            if len(rows) == 1:
                log.exception("delivery %s has no content", rows[0].pk)
                return {}
            return {key: body for row in rows for key, body in self._bodies([row]).items()}

    def _submit(self, pool, row, endpoint, body):
        try:
            secrets = self._secrets(endpoint)
        except Exception:
            log.exception("the secret of endpoint %s can't be read", endpoint.pk)
            body = None
        if body is None:
            self._note(row, Answer(fault=Delivery.Fault.CONTENT))
            return
        signed = content.headers(str(row.public_id), body, secrets, at=int(time.time()))
        self.running[pool.submit(post, endpoint.url, body, signed)] = row, endpoint

    def _secrets(self, endpoint):
        """Read once in a run, so that the log of readings tells runs and not deliveries."""
        place = endpoint.pk, bytes(endpoint.secret_sealed)
        if place not in self.secrets:
            self.secrets[place] = secrets_of(endpoint, actor=CLOCK, now=timezone.now())
        return self.secrets[place]

    def _note(self, row, answer):
        self.arrived += answer.delivered
        note(row, answer, now=timezone.now())


def _most(endpoint, under_way):
    """How many more requests may go to an endpoint, beside those [(delivery, endpoint)]."""
    busy = sum(other.pk == endpoint.pk for _row, other in under_way)
    if not endpoint.failing_since:
        return EACH - busy
    failing = sum(bool(other.failing_since) for _row, other in under_way)
    return min(1 - busy, AT_ONCE // 2 - failing)


@transaction.atomic
def claim(endpoint, most, now):
    """Take at most so many of an endpoint's due deliveries; they are due again after the lease.

    Of one entry only the first that waits: its later ones wait for it, and no others do.
    """
    due = Delivery.objects.due(now).filter(endpoint=endpoint).first_of_listing()
    locked = due.order_by("next_try_at", "pk").select_for_update(of=("self",), skip_locked=True)
    rows = list(locked[:most])
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(
        attempts=F("attempts") + 1,
        next_try_at=now + LEASE,
        first_tried_at=Coalesce("first_tried_at", now),
        tried_at=now,
    )
    for row in rows:
        row.attempts, row.first_tried_at = row.attempts + 1, row.first_tried_at or now
    return rows


@transaction.atomic
def note(row, answer, *, now):
    """Write down what came of an attempt, on the delivery and on its endpoint.

    Nothing where the delivery was taken by another since: the lease was over.
    """
    endpoint = Endpoint.objects.select_for_update(no_key=True).get(pk=row.endpoint_id)
    still_ours = Delivery.objects.waiting().filter(pk=row.pk, attempts=row.attempts)
    became = _became(row, answer, now)
    if not still_ours.update(**became):
        return
    if answer.delivered:
        _note_success(endpoint)
        return
    if became.get("status") == Delivery.Status.DEAD and row.event != PING:
        _tell_dead(endpoint, now)
    _note_failure(endpoint, row, answer, now)


def _became(row, answer, now):
    """The columns of a delivery after an attempt."""
    told = {"http_status": answer.http_status, "fault": answer.fault, "answer": answer.text}
    if answer.delivered:
        return {**told, "status": Delivery.Status.DELIVERED, "delivered_at": now}
    later = None
    if row.event != PING:  # a trial is made once
        later = backoff.next_try(
            row.attempts,
            first_tried_at=row.first_tried_at,
            now=now,
            chance=chance.random(),
            asked=answer.wait,
        )
    return {**told, "next_try_at": later} if later else {**told, "status": Delivery.Status.DEAD}


def _note_success(endpoint):
    if endpoint.failing_since:
        anew = {"failures": 0, "failing_since": None, "paused_until": None}
        Endpoint.objects.filter(pk=endpoint.pk).update(**anew)


def _note_failure(endpoint, row, answer, now):
    """Count it, let an endpoint that is down as a whole rest, and stop one that stays so."""
    if row.event != PING:
        endpoint.failures += 1
        endpoint.failing_since = endpoint.failing_since or now
        endpoint.paused_until = now + backoff.pause(endpoint.failures)
        endpoint.save(update_fields=["failures", "failing_since", "paused_until"])
    if endpoint.status != Endpoint.Status.ACTIVE:
        return
    if answer.http_status == HTTPStatus.GONE:
        _disable(endpoint, Endpoint.Reason.GONE)
    elif endpoint.failing_since and now - endpoint.failing_since >= backoff.GIVE_UP_AFTER:
        _disable(endpoint, Endpoint.Reason.FAILING)


def _disable(endpoint, reason):
    label = str(reason.label)
    endpoint = move(endpoint, "disable", actor=CLOCK, note=label, disabled_reason=reason)
    tell(
        key=f"webhook-disabled:{endpoint.pk}:{endpoint.version}",
        department=endpoint.department,
        title=_("通知接口已停用：%(reason)s") % {"reason": label},
        text=_("地址 %(url)s。修好以后在“通知接口”里启用，停用期间的事接着通知。")
        % {"url": endpoint.url},
        link=f"/desk/endpoints/{endpoint.public_id}/",
    )


def _tell_dead(endpoint, now):
    tell(
        key=f"webhook-dead:{endpoint.pk}:{timezone.localdate(now)}",
        department=endpoint.department,
        title=_("有通知三天没有送达"),
        text=_("地址 %(url)s。可以在“通知接口”里重新发送。") % {"url": endpoint.url},
        link=f"/desk/endpoints/{endpoint.public_id}/?status=dead",
    )

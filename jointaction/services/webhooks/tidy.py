"""Removing deliveries that nobody needs any more, as long after as the rule book says."""

from datetime import timedelta

from django.utils import timezone

from jointaction.models import Delivery, Endpoint
from rulebook.models import parameter

BATCH = 5_000
KEPT = {  # status: how many days it is kept
    Delivery.Status.DELIVERED: "webhook_delivered_kept",
    Delivery.Status.DEAD: "webhook_dead_kept",
}


def remove_old(*, today):
    """Remove what was delivered or given up long ago, and all of deleted endpoints; how many."""
    now, removed = timezone.now(), 0
    for status, rule in KEPT.items():
        before = now - timedelta(days=parameter(rule, on=today))
        removed += _remove(Delivery.objects.filter(status=status, tried_at__lt=before))
    return removed + _remove(Delivery.objects.filter(endpoint__status=Endpoint.Status.CLOSED))


def _remove(rows):
    """In batches, each its own transaction."""
    removed = 0
    while (count := Delivery.objects.filter(pk__in=rows.values("pk")[:BATCH]).delete()[0]) > 0:
        removed += count
    return removed

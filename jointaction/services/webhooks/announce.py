"""Making the rows of what is to be told, each once, set-based however many changes there are."""

from django.db import connection, transaction
from django.utils import timezone

from jointaction.models import Delivery, Endpoint, Occasion
from listings import ledger

BATCH = 5_000
OF_ACTION = {
    "publish": Occasion.PUBLISHED,
    "correct": Occasion.CORRECTED,
    "withdraw": Occasion.WITHDRAWN,
    "repair": Occasion.REPAIRED,
    "expire": Occasion.EXPIRED,
}


def announce_changes():
    """Make a delivery of every public change that an endpoint is to be told of; returns how many.

    Each endpoint goes on from its own position of the ledger, moved in the same transaction as
    the rows it stands for. One that is disabled stays where it is.
    """
    made = 0
    for pk in Endpoint.objects.served().order_by("pk").values_list("pk", flat=True):
        while (batch := _announce_batch(pk)) is not None:
            made += batch
    return made


@transaction.atomic
def _announce_batch(pk):
    """The next rows of one endpoint, or None where there is nothing new, or it is held."""
    # no lock that a foreign key's check waits for: whoever makes rows may hold the ledger
    held = Endpoint.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
    endpoint = held.served().filter(pk=pk).first()
    head = ledger.head().seq
    if endpoint is None or endpoint.seq >= head:
        return None
    last = min(endpoint.seq + BATCH, head)
    wanted = {action: told for action, told in OF_ACTION.items() if told in endpoint.events}
    made = _insert(
        _CHANGES,
        {
            "endpoint": pk,
            "first": endpoint.seq,
            "last": last,
            "actions": list(wanted),
            "events": list(wanted.values()),
        },
    )
    Endpoint.objects.filter(pk=pk).update(seq=last)
    return made


def announce_pushes(occasion, pushes):
    """Tell the units' own endpoints of a queryset of pushes, in the caller's transaction."""
    if not Endpoint.objects.hearing(occasion).exists():
        return 0
    pks = list(pushes.values_list("pk", flat=True))
    return _insert(_PUSHES, {"occasion": occasion, "pushes": pks})


def announce_reply(*, number, outcome, replied_on, department, listing):
    """Tell a department's endpoints that an objection to its entry was answered.

    In the transaction that answers. `listing` is None for an objection to another record.
    """
    now = timezone.now()
    endpoints = Endpoint.objects.of_department(department.pk).hearing(Occasion.OBJECTION_REPLIED)
    data = {"number": number, "outcome": outcome, "replied_on": str(replied_on)}
    Delivery.objects.bulk_create(
        [
            Delivery(
                endpoint=endpoint,
                event=Occasion.OBJECTION_REPLIED,
                key=f"objection:{number}",
                listing=listing,
                data=data,
                at=now,
            )
            for endpoint in endpoints
        ],
        ignore_conflicts=True,
    )


def _insert(rows, values):
    with connection.cursor() as cursor:
        cursor.execute(_INSERT.format(rows=rows), {"now": timezone.now(), **values})
        return cursor.rowcount


_INSERT = """
INSERT INTO jointaction_delivery (public_id, endpoint_id, event, key, listing_id, push_id, at,
    data, created_at, next_try_at, status, attempts, fault, answer)
SELECT gen_random_uuid(), r.*, '{{}}', %(now)s, %(now)s, 'waiting', 0, '', '' FROM ({rows}) r
ON CONFLICT (endpoint_id, key) DO NOTHING
"""

_CHANGES = """
SELECT %(endpoint)s::bigint, w.event, 'change:' || c.seq, c.listing_id, NULL::bigint, c.at
FROM listings_change c
JOIN unnest(%(actions)s::text[], %(events)s::text[]) AS w(action, event) ON w.action = c.action
WHERE c.seq > %(first)s AND c.seq <= %(last)s
ORDER BY c.seq
"""

_PUSHES = """
SELECT e.id, %(occasion)s::text, %(occasion)s || ':' || p.id, p.listing_id, p.id, %(now)s
FROM jointaction_push p
JOIN jointaction_endpoint e ON e.department_id = p.unit_id AND e.status <> 'closed'
    AND %(occasion)s = ANY(e.events)
WHERE p.id = ANY(%(pushes)s::bigint[])
ORDER BY p.id
"""

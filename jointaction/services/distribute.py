"""Putting changes before the units: one push per change and unit, exactly once."""

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from casework import workdays
from casework.moves import move_many
from jointaction.models import DistributionCursor, Occasion, Push
from jointaction.services.webhooks import announce_pushes
from listings.models import Change
from notices.models import Notice
from notices.services import tell_many
from parties.models import CLOCK
from rulebook.models import parameter

BATCH = 1_000


def distribute(*, today):
    """Put every change since the last run before the units concerned; returns how many pushes.

    The cursor moves in the same transaction as the pushes it stands for, so a crash
    repeats a batch or does not: it never loses or doubles one. The push row itself is
    its first journal line.
    """
    made = 0
    while (batch := _distribute_batch(today)) is not None:
        made += batch
    return made


@transaction.atomic
def _distribute_batch(today):
    cursor = _lock_cursor()
    changes = list(Change.objects.after(cursor.seq)[:BATCH].values_list("seq", "listing_id"))
    if not changes:
        return None
    first, last = changes[0][0], changes[-1][0]
    _insert(_APPLY, first, last, _due(today, "push_feedback"))
    _insert(_LIFT, first, last, _due(today, "recall_confirm"))
    _supersede({listing for _seq, listing in changes})
    made = Push.objects.filter(change__gte=first, change__lte=last)
    count = _tell(made, last)
    announce_pushes(Occasion.PUSH_CREATED, made)
    DistributionCursor.objects.filter(pk=1).update(seq=last)
    return count


def _lock_cursor():
    DistributionCursor.objects.get_or_create(pk=1)
    return DistributionCursor.objects.select_for_update().get(pk=1)


def _due(today, rule):
    due = workdays.add_working_days(today, parameter(rule, on=today))
    return {"due": due, "provisional": workdays.is_provisional(today, due)}


def _insert(rows, first, last, due):
    values = {"first": first, "last": last, "now": timezone.now(), **due}
    with connection.cursor() as cursor:
        cursor.execute(_INSERT.format(rows=rows), values)


def _supersede(listings):
    """Close what a later push of the same entry to the same unit makes pointless.

    One that its unit is just answering is waited for: no later run would look at it again.
    """
    later = Push.objects.filter(
        listing=OuterRef("listing"), unit=OuterRef("unit"), change__gt=OuterRef("change")
    )
    pointless = Push.objects.open().filter(Exists(later), listing__in=listings)
    move_many(pointless, "supersede", actor=CLOCK, wait=True)


def _tell(pushes, last):
    counts = {}
    for unit in pushes.values_list("unit_id", flat=True):
        counts[unit] = counts.get(unit, 0) + 1
    tell_many(
        Notice(
            key=f"push:{unit}:{last}",
            department_id=unit,
            title=_("收到 %(count)s 件联合奖惩推送") % {"count": count},
            text=_("请在“推送”里签收，并逐项反馈。"),
            link="/desk/pushes/",
        )
        for unit, count in sorted(counts.items())
    )
    return sum(counts.values())


_INSERT = """
INSERT INTO jointaction_push (public_id, status, version, created_at, change_id, listing_id,
    unit_id, kind, measures, advisory_only, feedback_due, provisional)
{rows}
ON CONFLICT (change_id, unit_id) DO NOTHING
"""

# A published or corrected entry goes to each unit that its measures name.
_APPLY = """
SELECT gen_random_uuid(), 'open', 1, %(now)s, c.seq, c.listing_id, d.id,
    CASE c.action WHEN 'publish' THEN 'apply' ELSE 'correct' END,
    jsonb_agg(jsonb_build_object(
        'code', m.row ->> 'code', 'name', r.name, 'article', m.row ->> 'article',
        'memorandum', o.name, 'advisory', m.row -> 'advisory',
        'until', coalesce(l.measure_until ->> (m.row ->> 'code'), l.visible_until::text)
    ) ORDER BY m.row ->> 'code'),
    bool_and((m.row ->> 'advisory')::boolean),
    CASE WHEN bool_and((m.row ->> 'advisory')::boolean) THEN NULL ELSE %(due)s::date END,
    %(provisional)s
FROM listings_change c
JOIN listings_listing l ON l.id = c.listing_id
JOIN listings_measureset s ON s.id = l.measure_set_id
CROSS JOIN LATERAL jsonb_array_elements(s.measures) AS m(row)
JOIN parties_department d ON d.code = m.row ->> 'unit'
JOIN rulebook_measure r ON r.code = m.row ->> 'code'
JOIN rulebook_memorandum o ON o.code = m.row ->> 'memorandum'
WHERE c.seq BETWEEN %(first)s AND %(last)s AND c.action IN ('publish', 'correct')
GROUP BY c.seq, c.listing_id, c.action, d.id
"""

# An ended entry is called back from every unit that received it or met it in a check.
_LIFT = """
SELECT gen_random_uuid(), 'open', 1, %(now)s, x.seq, x.listing_id, x.unit_id, 'lift',
    x.measures, x.advisory_only,
    CASE WHEN x.advisory_only THEN NULL ELSE %(due)s::date END, %(provisional)s
FROM (
    SELECT DISTINCT ON (c.seq, u.unit_id)
        c.seq, c.listing_id, u.unit_id, u.measures, u.advisory_only
    FROM listings_change c
    JOIN listings_listing l ON l.id = c.listing_id
    JOIN (
        SELECT listing_id, unit_id, measures, advisory_only, change_id AS known
        FROM jointaction_push WHERE kind <> 'lift'
        UNION ALL
        SELECT listing_id, unit_id, measures, false, 0 FROM jointaction_hit
    ) u ON u.listing_id = c.listing_id AND u.known < c.seq AND u.unit_id <> l.department_id
    WHERE c.seq BETWEEN %(first)s AND %(last)s AND c.action IN ('withdraw', 'repair', 'expire')
    ORDER BY c.seq, u.unit_id, u.known DESC
) x
"""

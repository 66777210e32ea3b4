"""Putting changes before the units: one push per change and unit, exactly once."""

from django.db import connection, transaction
from django.db.models import Count, Exists, OuterRef, Q
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

BATCH = 1_000  # changes


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
    changes = Change.objects.after(cursor.seq)[:BATCH].values_list("seq", "listing_id", "action")
    changes = list(changes)
    if not changes:
        return None
    first, last = changes[0][0], changes[-1][0]
    actions = {action for _seq, _listing, action in changes}
    answer_by, confirm_by = _due(today, "push_feedback"), _due(today, "recall_confirm")
    for action, sql in _INSERTS:  # an entry's corrections see what its publication put before whom
        if action & actions:
            _insert(sql, first, last, answer_by, confirm_by)
    _supersede({listing for _seq, listing, action in changes if action != "publish"})
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
    return due, workdays.is_provisional(today, due)


def _insert(sql, first, last, answer_by, confirm_by):
    values = {
        "first": first,
        "last": last,
        "now": timezone.now(),
        "due": answer_by[0],
        "provisional": answer_by[1],
        "confirm": confirm_by[0],
        "confirm_provisional": confirm_by[1],
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


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
    by_unit = pushes.order_by("unit").values_list("unit")
    lifts = Count("id", filter=Q(kind=Push.Kind.LIFT))
    told = list(by_unit.annotate(count=Count("id"), lifts=lifts))
    tell_many(
        Notice(
            key=f"push:{unit}:{last}",
            department_id=unit,
            title=_("收到 %(count)s 件联合奖惩推送") % {"count": count},
            text=_words(lifted),
            link="/desk/pushes/",
        )
        for unit, count, lifted in told
    )
    return sum(count for _unit, count, _lifted in told)


def _words(lifted):
    words = [_("请在“推送”里签收，并逐项反馈。")]
    if lifted:
        words.append(_("其中 %(count)s 件要求停用记录、解除措施并确认。") % {"count": lifted})
    return "".join(words)


_INTO = """
INSERT INTO jointaction_push (public_id, status, version, created_at, change_id, listing_id,
    unit_id, kind, measures, advisory_only, feedback_due, provisional)
"""

# What the entries of a batch ask of which unit: worked out once for all entries that are alike
# in their measures and last days, and not for each.
_ASKED = """
WITH changed AS MATERIALIZED (
    SELECT c.seq, c.listing_id, l.department_id, l.measure_set_id, l.measure_until, l.visible_until
    FROM listings_change c
    JOIN listings_listing l ON l.id = c.listing_id
    WHERE c.seq BETWEEN %(first)s AND %(last)s AND c.action = {action}
), asked AS MATERIALIZED (
    SELECT g.measure_set_id, g.measure_until, g.visible_until, d.id AS unit_id,
        jsonb_agg(jsonb_build_object(
            'code', m.row ->> 'code', 'name', r.name, 'article', m.row ->> 'article',
            'memorandum', o.name, 'advisory', m.row -> 'advisory',
            'until', coalesce(g.measure_until ->> (m.row ->> 'code'), g.visible_until::text)
        ) ORDER BY m.row ->> 'code') AS measures,
        bool_and((m.row ->> 'advisory')::boolean) AS advisory_only
    FROM (SELECT DISTINCT measure_set_id, measure_until, visible_until FROM changed) g
    JOIN listings_measureset s ON s.id = g.measure_set_id
    CROSS JOIN LATERAL jsonb_array_elements(s.measures) AS m(row)
    JOIN parties_department d ON d.code = m.row ->> 'unit'
    JOIN rulebook_measure r ON r.code = m.row ->> 'code'
    JOIN rulebook_memorandum o ON o.code = m.row ->> 'memorandum'
    GROUP BY g.measure_set_id, g.measure_until, g.visible_until, d.id
)
"""

# Each unit that knows of an entry that changed, by the last push it got or, without one, a check.
_KNOWN = """
known AS (
    SELECT DISTINCT ON (c.seq, u.unit_id)
        c.seq, c.listing_id, u.unit_id, u.kind, u.measures, u.advisory_only
    FROM changed c
    CROSS JOIN LATERAL (
        SELECT unit_id, kind, measures, advisory_only, change_id AS since
        FROM jointaction_push p
        WHERE p.listing_id = c.listing_id AND p.change_id < c.seq
        UNION ALL
        SELECT unit_id, 'check', measures, false, 0
        FROM jointaction_hit h
        WHERE h.listing_id = c.listing_id
    ) u
    WHERE u.unit_id <> c.department_id
    ORDER BY c.seq, u.unit_id, u.since DESC
)
"""

_ONCE = "ON CONFLICT (change_id, unit_id) DO NOTHING"

# A published entry goes to each unit that its measures name.
_PUBLISHED = f"""
{_INTO}
{_ASKED.format(action="'publish'")}
SELECT gen_random_uuid(), 'open', 1, %(now)s, c.seq, c.listing_id, a.unit_id, 'apply',
    a.measures, a.advisory_only,
    CASE WHEN a.advisory_only THEN NULL ELSE %(due)s::date END, %(provisional)s
FROM changed c
JOIN asked a USING (measure_set_id, measure_until, visible_until)
{_ONCE}
"""  # noqa: S608 - put together from what stands here

# A correction goes to each unit that its measures name now, and to each that knew the entry
# before: named no more, it lifts what it was asked for; met in a check only, it takes note.
_CORRECTED = f"""
{_INTO}
{_ASKED.format(action="'correct'")}, {_KNOWN}
SELECT gen_random_uuid(), 'open', 1, %(now)s, x.*
FROM (
    SELECT c.seq, c.listing_id, a.unit_id,
        CASE WHEN k.unit_id IS NULL OR k.kind IN ('lift', 'check') THEN 'apply' ELSE 'correct' END,
        a.measures, a.advisory_only,
        CASE WHEN a.advisory_only THEN NULL ELSE %(due)s::date END, %(provisional)s
    FROM changed c
    JOIN asked a USING (measure_set_id, measure_until, visible_until)
    LEFT JOIN known k ON k.seq = c.seq AND k.unit_id = a.unit_id
    UNION ALL
    SELECT k.seq, k.listing_id, k.unit_id,
        CASE WHEN k.kind = 'check' OR k.measures = '[]' THEN 'correct' ELSE 'lift' END,
        CASE k.kind WHEN 'check' THEN '[]' ELSE k.measures END, k.advisory_only,
        CASE WHEN k.advisory_only THEN NULL ELSE %(confirm)s::date END, %(confirm_provisional)s
    FROM known k
    JOIN changed c USING (seq)
    WHERE k.kind <> 'lift' AND NOT EXISTS (
        SELECT FROM asked a
        WHERE a.unit_id = k.unit_id AND a.measure_set_id = c.measure_set_id
            AND a.measure_until = c.measure_until AND a.visible_until = c.visible_until
    )
) x
{_ONCE}
"""  # noqa: S608 - put together from what stands here

# An ended entry is called back from each unit that received it or met it in a check, once.
_ENDED = f"""
{_INTO}
WITH changed AS MATERIALIZED (
    SELECT c.seq, c.listing_id, l.department_id
    FROM listings_change c
    JOIN listings_listing l ON l.id = c.listing_id
    WHERE c.seq BETWEEN %(first)s AND %(last)s AND c.action IN ('withdraw', 'repair', 'expire')
), {_KNOWN}
SELECT gen_random_uuid(), 'open', 1, %(now)s, k.seq, k.listing_id, k.unit_id, 'lift',
    k.measures, k.advisory_only,
    CASE WHEN k.advisory_only THEN NULL ELSE %(confirm)s::date END, %(confirm_provisional)s
FROM known k
WHERE k.kind <> 'lift'
{_ONCE}
"""  # noqa: S608 - put together from what stands here

_INSERTS = (
    ({"publish"}, _PUBLISHED),
    ({"correct"}, _CORRECTED),
    ({"withdraw", "repair", "expire"}, _ENDED),
)

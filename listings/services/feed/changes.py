"""The feed: the ledger row by row, with the entries as they may be told today."""

from django.db import connection

from listings.services.feed.objects import rendered


def changes(*, after, limit, today):
    """(JSON text of at most `limit` rows after the position, the last position), in one moment.

    Each row has seq, action, at, listing, hash, previous_hash, digest, key, salt and body. The
    last two only where the body says nothing but what is public today: it is the last word on an
    entry on its list, no correction, which names old values, and its category's rule is the one
    under which it was written.
    """
    pieces, values = rendered(today)
    with connection.cursor() as cursor:
        cursor.execute(_PAGE % pieces, {**values, "after": after, "limit": limit})
        rows = sorted(cursor.fetchall())  # here, where a row is a pointer and not a kilobyte
    return ",".join([line for _seq, line, _head in rows if line]), rows[0][-1]


_PAGE = """
WITH page AS MATERIALIZED (
    SELECT * FROM listings_change WHERE seq > %%(after)s ORDER BY seq LIMIT %%(limit)s
), sets AS MATERIALIZED (
    %(sets)s WHERE id IN (
        SELECT measure_set_id FROM listings_listing
        WHERE id = ANY (ARRAY(SELECT listing_id FROM page)))
), told AS (
    SELECT page.seq, concat(
        '{"seq":', page.seq, ',"action":"', page.action,
        '","at":"', to_char(page.at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
        '+08:00","listing":', CASE WHEN public THEN %(entry)s ELSE %(ended)s END,
        ',"hash":"', encode(page.hash, 'hex'),
        '","previous_hash":"', encode(page.previous_hash, 'hex'),
        '","digest":"', encode(page.digest, 'hex'), '","key":', page.listing_id,
        ',"salt":', coalesce(to_json(encode(content.salt, 'hex'))::text, 'null'),
        ',"body":', coalesce(to_json(convert_from(content.body, 'UTF8'))::text, 'null'), '}'
    ) AS line
    FROM page JOIN listings_listing l ON l.id = page.listing_id
    CROSS JOIN LATERAL (
        SELECT l.status = 'published' AND l.visible_until >= %%(today)s AS public) AS seen
    %(tables)s
    LEFT JOIN listings_changebody content
        ON content.seq = page.seq AND public AND page.version = l.version
        AND page.action IN ('publish', 'annotate')
        AND (l.details = '{}' OR l.rule_version = category.version)
)
SELECT told.seq, told.line, head.seq
FROM (SELECT coalesce(max(seq), 0) AS seq FROM listings_ledgerhead) head LEFT JOIN told ON true
"""

"""The journals sealed: each stretch of lines digested once, each seal chained to the one before.

A line's id is given before its transaction commits, so a stretch is only sealed once nobody
who may still hold an id within it is at work.
"""

import hashlib
import struct
import time

from django.db import connection, transaction
from django.utils import timezone

from casework.models import JournalSeal

GENESIS = hashlib.sha256(b"credit portal journal").digest()
LOCK = 7311  # the advisory lock of whoever seals
SPAN = 50_000  # lines under one seal at most
PATIENCE = 2  # seconds to wait for those who are writing
TABLES = {  # what is sealed, every column by its text; an instant as µs since 1970
    "casework_event": (
        "id", "content_type_id", "object_id", "action", "status", "version", "@at", "note",
        "private_note", "changes", "by_user_id", "by_key_id", "by_label",
    ),
    "parties_accesslog": (
        "id", "@at", '"table"', '"row"', "field", "purpose", "by_user_id", "by_key_id", "by_label",
    ),
    "parties_accountevent": (
        "id", "@at", "account_id", "department_id", "action", "key_prefix", "note", "by_user_id",
        "by_key_id", "by_label",
    ),
    "django_admin_log": (
        "id", "@action_time", "user_id", "content_type_id", "object_id", "object_repr",
        "action_flag", "change_message",
    ),
}  # fmt: skip


def _packed(column):
    text = (
        f"(extract(epoch FROM {column[1:]}) * 1000000)::bigint::text"
        if column.startswith("@")
        else f"{column}::text"
    )
    raw = f"convert_to({text}, 'UTF8')"
    return f"coalesce(int4send(octet_length({raw})) || {raw}, int4send(-1))"


def _content(table, first, last):
    """SQL for (rows, digest) of a stretch: over the digests of its lines, in the order of ids."""
    line = " || ".join(map(_packed, TABLES[table]))
    return (
        f"SELECT count(*), sha256(coalesce(string_agg(sha256({line}), ''::bytea ORDER BY id), ''))"  # noqa: S608 - our own tables and columns
        f" FROM {table} WHERE id BETWEEN {first} AND {last}"
    )


def chain(previous, seq, table, first, last, rows, content):
    """The digest of one seal over its predecessor's and its own fields, each length-prefixed."""
    fields = [str(seq), table, str(first), str(last), str(rows)]
    packed = b"".join(
        struct.pack(">I", len(part)) + part for part in (*(f.encode() for f in fields), content)
    )
    return hashlib.sha256(previous + packed).digest()


def seal_journal():
    """Seal what was written since the last seal; returns how many lines. Twice is once."""
    return sum(_seal_table(table) for table in TABLES)


def _seal_table(table):
    settled = _settled(table)
    total = 0
    while sealed := _seal_next(table, settled):
        total += sealed
    return total


def _settled(table):
    """The last id up to which every line there will ever be is there; 0 while it isn't known."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")  # noqa: S608 - our own tables
        last = cursor.fetchone()[0]
    waiting, until = _writers(table), time.monotonic() + PATIENCE
    while waiting:
        if time.monotonic() > until:
            return 0
        time.sleep(0.02)
        waiting &= _writers(table)
    return last


def _writers(table):
    """The transactions of others that may write into the table: each locks it before any id."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT virtualtransaction FROM pg_locks
            WHERE relation = %s::regclass AND mode = 'RowExclusiveLock' AND granted
              AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
              AND pid <> pg_backend_pid()
            """,
            [table],
        )
        return {row[0] for row in cursor}


@transaction.atomic
def _seal_next(table, settled):
    """Seal the next stretch up to `settled`; how many lines, 0 where there is none to seal."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        seals = JournalSeal.objects
        reached = seals.filter(table=table).order_by("last").last()
        first = reached.last + 1 if reached else 1
        if settled < first:
            return 0
        cursor.execute(
            f"SELECT id FROM {table} WHERE id BETWEEN %s AND %s"  # noqa: S608 - our own tables
            " ORDER BY id OFFSET %s LIMIT 1",
            [first, settled, SPAN - 1],
        )
        (last,) = cursor.fetchone() or (settled,)
        cursor.execute(_content(table, first, last))
        rows, content = cursor.fetchone()
    head = seals.head()
    seq, previous = (head.seq + 1, bytes(head.digest)) if head else (1, GENESIS)
    stretch = {"seq": seq, "table": table, "first": first, "last": last, "rows": rows}
    digest = chain(previous, *stretch.values(), bytes(content))
    seals.create(**stretch, content=content, previous=previous, digest=digest, at=timezone.now())
    return max(rows, 1)  # a stretch may hold only ids that were never used


# ── verifying ─────────────────────────────────────────────────────────────────────────────────


def verify_journal():
    """Check every seal: its place in the chain, its stretch, its lines. A sentence, or None.

    Lines after the last seal are not vouched for yet. A chain can't show that its own end was
    cut: `verify_journal_head` compares with a head kept elsewhere.
    """
    previous, reached = GENESIS, dict.fromkeys(TABLES, 0)
    for number, seal in enumerate(JournalSeal.objects.order_by("seq").iterator(), start=1):
        if fault := _misplaced(seal, number, previous, reached):
            return f"{_name(seal)}: {fault}"
        previous, reached[seal.table] = bytes(seal.digest), seal.last
    for table in TABLES:
        if _has_early(table):
            return f"{table}: a line was added before its first"
        if (bad := _first_altered(table)) is not None:
            return f"{_name(JournalSeal.objects.get(seq=bad))}: its lines were altered"
    return None


def _misplaced(seal, number, previous, reached):
    fields = (seal.seq, seal.table, seal.first, seal.last, seal.rows, bytes(seal.content))
    if seal.seq != number or bytes(seal.previous) != previous:
        return "the seal before it is missing or another"
    if seal.first != reached.get(seal.table, -1) + 1 or seal.last < seal.first:
        return "it does not begin where the last one of its journal ended"
    if bytes(seal.digest) != chain(previous, *fields):
        return "the seal was altered"
    return None


def _has_early(table):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT FROM {table} WHERE id < 1)")  # noqa: S608 - our own
        return cursor.fetchone()[0]


def _first_altered(table):
    """The first seal of a journal whose lines are no longer what was sealed, all in one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT min(s.seq) FROM casework_journalseal s
            CROSS JOIN LATERAL ({_content(table, "s.first", "s.last")}) AS now(rows, content)
            WHERE s."table" = %s AND (s.rows, s.content) IS DISTINCT FROM (now.rows, now.content)
            """,  # noqa: S608 - our own tables and columns
            [table],
        )
        return cursor.fetchone()[0]


def verify_journal_head(kept):
    """Compare with the head of the seals kept elsewhere ({seq, digest}); a sentence, or None."""
    if not kept["seq"]:
        return None
    seal = JournalSeal.objects.filter(seq=kept["seq"]).first()
    if seal is None:
        return f"journal seal {kept['seq']}: it was the last once and is not there"
    if bytes(seal.digest).hex() != kept["digest"]:
        return f"journal seal {kept['seq']}: the journal up to here was rewritten"
    return None


def _name(seal):
    return f"journal seal {seal.seq} ({seal.table} {seal.first}–{seal.last})"


def journal_head():
    """The last seal as plain values {seq, digest}; before the first, seq 0."""
    seal = JournalSeal.objects.head()
    return {"seq": seal.seq if seal else 0, "digest": bytes(seal.digest if seal else GENESIS).hex()}


def unsealed():
    """{table: how far the ids of a journal are ahead of its last seal}."""
    reached, behind = JournalSeal.objects.reached(), {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")  # noqa: S608 - our tables
            behind[table] = cursor.fetchone()[0] - reached.get(table, 0)
    return behind

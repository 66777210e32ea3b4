"""The whole of a list as of one moment, and the digest that stands for it."""

from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import date

from django.core.cache import cache
from django.db import connection

from listings import ledger
from listings.services.feed.moment import one_moment
from listings.services.feed.objects import rendered
from rulebook.models import RuleVersion

AT_ONCE = 200  # lines, about a megabyte: more at once only leaves the processor's cache
KEPT = 24 * 3600  # seconds; a day has its own digest


@dataclass(frozen=True)
class State:
    """What a list (of both, None) came to at a position on a day: the thing to compare."""

    list: str | None
    seq: int
    day: date
    count: int
    digest: str
    rules: int | None


def state(*, today, kind=None):
    """The State of a list today; made once for each position, day and list."""
    if known := _kept_state(_place(today, kind)):
        return known
    with one_moment():
        found, place = _state(today, kind), _place(today, kind)
    cache.set(place, asdict(found), KEPT)
    return found


def position(today):
    """What a State depends on: of equal positions the states are equal."""
    head = ledger.head()
    return head.seq, bytes(head.hash).hex()[:16], RuleVersion.objects.last_key(), today


def _place(today, kind):
    return "state:" + ":".join(map(str, (*position(today), kind)))


def _kept_state(place):
    kept = cache.get(place)
    return State(**kept) if kept else None


def _state(today, kind):
    count, digest = ledger.list_digest(today, kind)
    rules = RuleVersion.objects.last_key()
    return State(kind, ledger.head().seq, today, count, digest, rules)


class Snapshot:
    """Every entry on a list today as lines of JSON, read from one moment piece by piece.

    `state` tells of the same moment. The moment ends with the last piece, or with `close()`.
    """

    def __init__(self, *, today, kind=None):
        place = _place(today, kind)
        known = _kept_state(place)  # before the moment: the cache may be a table too
        self._open = ExitStack()
        try:
            self._open.enter_context(one_moment())
            same = known and _place(today, kind) == place
            self.state = known if same else _state(today, kind)
            pieces, values = rendered(today)  # in the language of who asks, read when it may be
            self._pieces = _read(_LINES % pieces, {**values, "kind": kind})
        except BaseException:
            self._open.close()
            raise

    def __iter__(self):
        return self

    def __next__(self):
        try:
            return next(self._pieces)
        except BaseException:
            self.close()
            raise

    def close(self):
        self._pieces.close()
        self._open.close()


def _read(lines, values):
    """Pieces of AT_ONCE lines, as bytes."""
    with connection.cursor() as plain:
        plain.execute("SET LOCAL cursor_tuple_fraction = 1")  # all of it will be asked for
    with connection.chunked_cursor() as cursor:
        cursor.execute(lines, values)
        while rows := cursor.fetchmany(AT_ONCE):
            yield "".join([line for (line,) in rows]).encode()


_LINES = """
WITH sets AS MATERIALIZED (%(sets)s)
SELECT concat(%(entry)s, chr(10))
FROM listings_listing l %(tables)s
WHERE l.status = 'published' AND l.visible_until >= %%(today)s
    AND (%%(kind)s::text IS NULL OR l.kind = %%(kind)s)
"""

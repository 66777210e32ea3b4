"""Who asks too often: requests are counted in fixed windows, by all processes together.

Who may ask often is counted in lots: a process takes a lot of the limit at a time and deals it out
by itself. What it has not dealt when the window ends is lost, at most a thousandth of the limit
for each process.
"""

import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network

from django.db import connection
from django.utils.crypto import salted_hmac

from casework.models import RateCount
from parties.models import ip_of

COUNT = """
INSERT INTO casework_ratecount AS seen (slot, until, used) VALUES (%(slot)s, %(until)s, %(lot)s)
ON CONFLICT (slot) DO UPDATE SET used = seen.used + %(lot)s RETURNING used
"""
SHOWN = """
INSERT INTO casework_ratecount (slot, until, used) VALUES (%(slot)s, %(until)s, 1)
ON CONFLICT (slot) DO NOTHING RETURNING used
"""
LOTS = 1_000  # of a limit; one below twice as much is counted one by one
MOST = 50  # in a lot: a larger one would save nothing more
ONE_HOST = 64  # bits of an IPv6 address: whoever has one has them all

_dealt = {}  # slot to the end of its window and the numbers of a lot that are still to deal


@dataclass(frozen=True)
class Rate:
    """How a caller stands: `used` of `limit` in a window of `seconds` that ends in `reset`."""

    limit: int
    used: int
    seconds: int
    reset: int

    @property
    def remaining(self):
        return max(self.limit - self.used, 0)

    @property
    def is_over(self):
        return self.used > self.limit


def count(what, caller, *, limit, seconds=60):
    """Count a request and say how the caller stands. One statement, alone on its row, or none.

    `what` names the thing that is limited, `caller` whose requests count together. Outside a
    transaction it holds its row for no longer than the statement takes.
    """
    now = time.time()
    slot, ends = _window(what, caller, seconds, now)
    _ends, numbers = _dealt.get(slot, (0, iter(())))
    used = next(numbers, None)  # two threads never get the same one
    if used is None:
        used = _take(slot, ends, min(max(limit // LOTS, 1), MOST), now)
    return Rate(limit, used, seconds, math.ceil(ends - now))


def standing(what, caller, *, limit, seconds=60):
    """How a caller stands, without one more request; of a limit that is counted one by one."""
    now = time.time()
    slot, ends = _window(what, caller, seconds, now)
    row = RateCount.objects.filter(slot=slot).first()
    return Rate(limit, row.used if row else 0, seconds, math.ceil(ends - now))


def is_new(what, token, *, until):
    """Whether a token is shown for the first time, as far as those are kept: until that moment."""
    values = {"slot": _slot(what, token), "until": until}
    with connection.cursor() as cursor:
        cursor.execute(SHOWN, values)
        return cursor.fetchone() is not None


def _window(what, caller, seconds, now):
    """The slot in which a caller is counted now, and when its window ends."""
    window = int(now // seconds)
    return _slot(what, f"{caller}|{window}"), (window + 1) * seconds


def _slot(what, whose):
    digest = salted_hmac(f"casework.rates.{what}", whose, algorithm="sha256")
    return int.from_bytes(digest.digest()[:8], "big", signed=True)


def _take(slot, ends, lot, now):
    """Take the next numbers of a window for this process and return the first of them."""
    values = {"slot": slot, "until": datetime.fromtimestamp(ends, UTC), "lot": lot}
    with connection.cursor() as cursor:
        cursor.execute(COUNT, values)
        last = cursor.fetchone()[0]
    if lot > 1:
        for other, (end, _numbers) in list(_dealt.items()):
            if end <= now:
                _dealt.pop(other, None)
        _dealt[slot] = ends, iter(range(last - lot + 2, last + 1))
    return last - lot + 1


def host_of(address):
    """Whose address it is: an IPv6 host has a whole network, and what is none is one caller."""
    ip = ip_of(address)
    if ip is None:
        return ""
    return str(ip if ip.version == 4 else ip_network((int(ip), ONE_HOST), strict=False))


def sweep_rates(*, now):
    """Forget the counts of windows that are over."""
    RateCount.objects.filter(until__lt=now).delete()

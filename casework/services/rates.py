"""Who asks too often: requests are counted in fixed windows, by all processes together."""

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
INSERT INTO casework_ratecount AS seen (slot, until, used) VALUES (%s, %s, 1)
ON CONFLICT (slot) DO UPDATE SET used = seen.used + 1 RETURNING used
"""
ONE_HOST = 64  # bits of an IPv6 address: whoever has one has them all


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
    """Count a request and say how the caller stands. One statement, alone on its row.

    `what` names the thing that is limited, `caller` whose requests count together. Outside a
    transaction it holds its row for no longer than the statement takes.
    """
    now = time.time()
    window = int(now // seconds)
    ends = (window + 1) * seconds
    digest = salted_hmac(f"casework.rates.{what}", f"{caller}|{window}", algorithm="sha256")
    slot = int.from_bytes(digest.digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [slot, datetime.fromtimestamp(ends, UTC)])
        used = cursor.fetchone()[0]
    return Rate(limit, used, seconds, math.ceil(ends - now))


def host_of(address):
    """Whose address it is: an IPv6 host has a whole network, and what is none is one caller."""
    ip = ip_of(address)
    if ip is None:
        return ""
    return str(ip if ip.version == 4 else ip_network((int(ip), ONE_HOST), strict=False))


def sweep_rates(*, now):
    """Forget the counts of windows that are over."""
    RateCount.objects.filter(until__lt=now).delete()

"""When a delivery that failed is tried again, and when it is given up."""

from datetime import timedelta

FIRST, FACTOR, LONGEST = 10, 3, 6 * 3600  # seconds
GIVE_UP_AFTER = timedelta(days=3)
LATER = 10  # failures in a row, after which an endpoint is taken to be down as a whole
LONGEST_PAUSE = 600  # seconds


def next_try(attempts, *, first_tried_at, now, chance, asked=None):
    """When to try again what failed `attempts` times, or None once three days have passed.

    Each wait is three times the one before, up to six hours, a fifth more or less by `chance`
    (0 to 1), so that what failed together does not come back together. `asked` is the
    receiver's Retry-After in seconds: it makes a wait longer, within the same six hours. The
    last try is at the end of the three days.
    """
    last = first_tried_at + GIVE_UP_AFTER
    if now >= last:
        return None
    plain = min(FIRST * FACTOR ** min(attempts - 1, 20), LONGEST)
    wait = max(plain * (0.8 + 0.4 * chance), min(asked or 0, LONGEST))
    return min(now + timedelta(seconds=wait), last)


def pause(failures):
    """How long an endpoint rests after so many failures in a row: not at all before the tenth."""
    if failures < LATER:
        return timedelta(0)
    return timedelta(seconds=min(FIRST * 2 ** min(failures - LATER, 20), LONGEST_PAUSE))

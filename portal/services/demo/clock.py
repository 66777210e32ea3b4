"""A clock that can be set, for telling a story of past years.

Services take the day as an argument, but the instant of a journal line or of a ledger row is
always now. `at` lets Django's `timezone.now()`, which all of them ask, answer with another
instant for the length of a block. Only the demonstration does this, on a database of its own.
"""

from contextlib import contextmanager
from datetime import datetime
from unittest.mock import patch

from django.utils import timezone


@contextmanager
def at(instant):
    """Inside the block it is `instant`, an aware datetime."""

    class Stopped(datetime):
        @classmethod
        def now(cls, tz=None):
            return instant.astimezone(tz) if tz else timezone.make_naive(instant)

    # the module's own name: fields hold a reference to now() itself as their default
    with patch("django.utils.timezone.datetime", Stopped):
        yield

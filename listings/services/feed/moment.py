"""One moment of the database, however many questions are asked."""

from contextlib import contextmanager

from django.db import connection, transaction

STALLED = "60s"  # how long a reader may keep us waiting before the moment is given up


@contextmanager
def one_moment():
    """Every question inside is answered as of the first one; nothing may be written.

    Within a transaction of the caller its own rules hold on.
    """
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                cursor.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{STALLED}'")
        yield

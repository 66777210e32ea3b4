"""The demonstration: made-up subjects, entries and matters of four years, made by the services.

Nothing is written past a service: each act is done by the officer whose act it is, in the order
of time, with the clock standing at the moment of the act, so that journal and ledger read like
those of a portal that has been in use. The same day gives the same story.
"""

import random
from datetime import date

from django.db import transaction
from django.utils import timezone

from parties.models import User
from portal.services.demo import black, checks, penalties, red, reports, showcase, staff
from portal.services.demo.story import Story
from rulebook.services import seed_demo_units

SEED = 20180620
BLACK, RED = 210, 190

__all__ = ["exists", "seed"]


def exists():
    return User.objects.filter(username=staff.ACCOUNTS[0].username).exists()


@transaction.atomic
def seed(*, tell):
    """Make the whole demonstration; returns the accounts as rows of a table.

    `tell` is called with a line now and then. Everything is one transaction: a crash leaves
    nothing half done.
    """
    seed_demo_units()
    tell("账号 · accounts")
    accounts = staff.hire()
    now = timezone.now()
    today = timezone.localdate(now)
    story = Story(
        now=now,
        first=date(today.year - 3, 1, 4),
        rng=random.Random(SEED),  # noqa: S311  a story, not a secret
        tell=tell,
    )
    showcase.plan(story)
    red.plan(story, RED - showcase.RED)
    black.plan(story, BLACK - showcase.BLACK - red.SUSPENDED)
    penalties.plan(story)
    checks.plan(story)
    passphrase = reports.plan(story)
    story.play()
    return [*accounts, ("vault: 保险箱口令 · vault passphrase", "", "", passphrase, "")]

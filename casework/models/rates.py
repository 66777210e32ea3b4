"""How often somebody has asked lately."""

from django.db import models


class RateCount(models.Model):
    """The requests of one caller in one window of time; an unlogged table, empty after a crash.

    Who the caller is can't be read from it: `slot` is a keyed digest of what is counted, of
    whom, and in which window.
    """

    slot = models.BigIntegerField(primary_key=True)
    until = models.DateTimeField()
    used = models.IntegerField()

    def __str__(self):
        return f"{self.slot}: {self.used}"

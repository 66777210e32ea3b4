"""Numbers without gaps, and answers that are given only once."""

import hashlib

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parties.models import Sealed


class Counter(models.Model):
    """Numbers without gaps, one row per series and year, locked while a number is taken."""

    series = models.CharField(max_length=60)
    year = models.PositiveSmallIntegerField()
    value = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["series", "year"], name="counter_series")]

    def __str__(self):
        return f"{self.series} {self.year}"


class IdempotencyKey(models.Model):
    """The first answer to a POST, kept for a day so that asking again does nothing twice."""

    id = models.BigAutoField(primary_key=True)
    api_key = models.ForeignKey("parties.ApiKey", models.CASCADE, related_name="+")
    path = models.CharField(max_length=300)
    key = models.CharField(max_length=255)
    digest = models.BinaryField()  # sha256 of the body
    at = models.DateTimeField(default=timezone.now)
    http_status = models.PositiveSmallIntegerField()
    # sealed: an answer may hold what is told only once
    answer_sealed = models.BinaryField()
    answer_key_id = models.CharField(max_length=16)

    SEALED = (Sealed("answer_sealed", "answer_key_id", "answer", row="place"),)

    class Meta:
        verbose_name = verbose_name_plural = _("幂等键")
        constraints = [
            models.UniqueConstraint(fields=["api_key", "path", "key"], name="idempotencykey_once")
        ]
        # for dropping those of days ago
        indexes = [models.Index(fields=["api_key", "at"], name="idempotencykey_old")]

    def __str__(self):
        return self.key

    @property
    def place(self):
        """What the sealed answer is bound to: path and key, which are known before the row is."""
        return hashlib.sha256(f"{self.path}\n{self.key}".encode()).hexdigest()[:40]

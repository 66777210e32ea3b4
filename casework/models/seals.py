"""Seals over the journals, so that a line altered, added or taken away later is seen."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class JournalSealQuerySet(models.QuerySet):
    def head(self):
        """The last seal, or None before the first."""
        return self.order_by("seq").last()

    def reached(self):
        """{table: the last id that is sealed}."""
        rows = self.order_by().values_list("table").annotate(reached=models.Max("last"))
        return dict(rows)


class JournalSeal(models.Model):
    """The digest of a stretch of one journal, chained to the seal before it. Append-only.

    `content` is over the lines from `first` to `last`, `digest` over this row and `previous`.
    """

    seq = models.BigIntegerField(_("序号"), primary_key=True)
    table = models.CharField(_("表"), max_length=60)
    first = models.BigIntegerField(_("起"))
    last = models.BigIntegerField(_("止"))
    rows = models.BigIntegerField(_("行数"))
    content = models.BinaryField()
    previous = models.BinaryField()
    digest = models.BinaryField()
    at = models.DateTimeField(_("时间"), default=timezone.now)

    objects = JournalSealQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("经过的封存")
        ordering = ["seq"]
        constraints = [
            # also the index by which the next stretch is found
            models.UniqueConstraint(fields=["table", "last"], name="journalseal_once")
        ]

    def __str__(self):
        return f"{self.seq} {self.table} {self.first}–{self.last}"

"""What every matter has: a status that moves, a version, and a journal that nobody rewrites."""

import uuid

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parties.models import Acted


class Event(Acted):
    """A line of a matter's journal: who did what, when and why. Never changed, never deleted."""

    # No constraints here: a line is written by `record` and `record_many` alone, with keys that
    # they hold, and neither it nor a person or type that it names is ever deleted (PROTECT).
    id = models.BigAutoField(primary_key=True)
    content_type = models.ForeignKey(
        ContentType, models.PROTECT, db_index=False, db_constraint=False
    )
    by_user = models.ForeignKey(
        "parties.User",
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        related_name="+",
        verbose_name=_("办理人"),
    )
    object_id = models.BigIntegerField()
    matter = GenericForeignKey()
    action = models.CharField(_("动作"), max_length=40)
    status = models.CharField(_("动作后的状态"), max_length=30)
    version = models.PositiveIntegerField(_("版本"))
    at = models.DateTimeField(_("时间"), default=timezone.now)
    note = models.TextField(_("说明"), blank=True)
    private_note = models.TextField(_("内部说明"), blank=True)
    changes = models.JSONField(_("变化"), default=dict, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("经过")
        ordering = ["id"]
        indexes = [
            # for the timeline of one matter
            models.Index(fields=["content_type", "object_id", "id"], name="event_matter"),
            # for the auditor, who reads by days
            BrinIndex(fields=["at"], name="event_at"),
        ]


class Case(models.Model):
    """What every matter has: an id for outsiders, a status, a version, a journal.

    A subclass gives `status` its choices and `MOVES`: {action: (from statuses, to status)}.
    """

    MOVES = {}

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    status = models.CharField(_("状态"), max_length=30)
    version = models.PositiveIntegerField(_("版本"), default=1)
    created_at = models.DateTimeField(_("建立时间"), default=timezone.now, editable=False)
    journal = GenericRelation(Event)
    letters = GenericRelation("casework.Letter")

    class Meta:
        abstract = True

    def can(self, action):
        """Whether the table of arrows allows `action` now; who may is the policy's to say."""
        return action in self.MOVES and self.status in self.MOVES[action][0]

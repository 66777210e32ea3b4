"""How any matter moves, its journal, the working-day calendar, stored documents, numbers."""

import uuid

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parties.models import Acted


class Event(Acted):
    """A line of a matter's journal: who did what, when and why. Never changed, never deleted."""

    id = models.BigAutoField(primary_key=True)
    content_type = models.ForeignKey(ContentType, models.PROTECT, db_index=False)
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
        # for the timeline of one matter
        indexes = [models.Index(fields=["content_type", "object_id", "id"], name="event_matter")]


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

    class Meta:
        abstract = True

    def can(self, action):
        """Whether the table of arrows allows `action` now; who may is the policy's to say."""
        return action in self.MOVES and self.status in self.MOVES[action][0]


class CalendarYear(models.Model):
    """A year's public holidays: official once the State Council's notice is in."""

    class Status(models.TextChoices):
        OFFICIAL = "official", _("正式")
        PROVISIONAL = "provisional", _("暂定")

    year = models.PositiveSmallIntegerField(_("年份"), primary_key=True)
    status = models.CharField(_("状态"), max_length=20, choices=Status)
    source = models.CharField(_("来源"), max_length=300)
    version = models.PositiveIntegerField(_("版本"), default=1)

    class Meta:
        verbose_name = verbose_name_plural = _("日历年度")
        ordering = ["year"]

    def __str__(self):
        return f"{self.year}"


class SpecialDay(models.Model):
    """A day that breaks the Monday–Friday pattern: off for a holiday, or worked to make up."""

    class Kind(models.TextChoices):
        OFF = "off", _("休")
        WORK = "work", _("班")

    day = models.DateField(_("日期"), primary_key=True)
    year = models.ForeignKey(CalendarYear, models.CASCADE, verbose_name=_("年度"))
    kind = models.CharField(_("休班"), max_length=4, choices=Kind)
    name = models.CharField(_("名称"), max_length=40)
    name_en = models.CharField(_("英文名称"), max_length=60)

    class Meta:
        verbose_name = verbose_name_plural = _("节假日和调休")
        ordering = ["day"]

    def __str__(self):
        return f"{self.day} {self.name}"


class Document(Acted):
    """A stored file: checked by its content, kept outside the web root, served with permission."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("文件名"), max_length=200)
    media_type = models.CharField(_("类型"), max_length=100)
    size = models.PositiveBigIntegerField(_("字节数"))
    sha256 = models.CharField(max_length=64)
    path = models.CharField(max_length=100, unique=True, editable=False)
    created_at = models.DateTimeField(_("时间"), default=timezone.now)

    class Meta:
        verbose_name = verbose_name_plural = _("文件")

    def __str__(self):
        return self.name


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

    class Meta:
        verbose_name = verbose_name_plural = _("幂等键")
        constraints = [
            models.UniqueConstraint(fields=["api_key", "path", "key"], name="idempotencykey_once")
        ]
        # for dropping those of days ago
        indexes = [models.Index(fields=["api_key", "at"], name="idempotencykey_old")]

    def __str__(self):
        return self.key

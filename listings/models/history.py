"""The ledger's tables, and what was in force when as known when."""

from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from listings.models.entry import Listing


class LedgerHead(models.Model):
    """The one row that every appending transaction locks, last of all its locks."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    seq = models.BigIntegerField(default=0)
    hash = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(name="ledgerhead_single", condition=Q(id=1))]

    def __str__(self):
        return f"{self.seq}"


class ChangeQuerySet(models.QuerySet):
    def after(self, seq):
        return self.filter(seq__gt=seq).order_by("seq")


class Change(models.Model):
    """A public effect: at once the history, the feed and the outbox. Append-only, chained."""

    class Action(models.TextChoices):
        PUBLISH = "publish", _("公布")
        ANNOTATE = "annotate", _("加注")
        CORRECT = "correct", _("更正")
        WITHDRAW = "withdraw", _("撤下")
        REPAIR = "repair", _("修复")
        EXPIRE = "expire", _("到期")
        ERASE = "erase", _("删除内容")

    seq = models.BigIntegerField(_("账本序号"), primary_key=True)
    listing = models.ForeignKey(Listing, models.PROTECT, related_name="history")
    version = models.PositiveIntegerField(_("版本"))
    action = models.CharField(_("动作"), max_length=10, choices=Action)
    at = models.DateTimeField(_("时间"))
    digest = models.BinaryField()
    previous_hash = models.BinaryField()
    hash = models.BinaryField()

    objects = ChangeQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("账本")
        ordering = ["seq"]

    def __str__(self):
        return f"{self.seq} {self.action}"


class ChangeBody(models.Model):
    """The content of a change. It may be deleted (erased), never altered; the digest stays."""

    change = models.OneToOneField(
        Change, models.PROTECT, primary_key=True, related_name="body", db_column="seq"
    )
    salt = models.BinaryField()
    body = models.BinaryField()

    def __str__(self):
        return f"{self.change_id}"


class LedgerCheckpoint(models.Model):
    """A position up to which the chain was found good, signed: a later check may go on from it."""

    seq = models.BigIntegerField(_("账本序号"), primary_key=True)
    hash = models.BinaryField()
    at = models.DateTimeField(_("时间"))
    key_id = models.CharField(_("密钥编号"), max_length=16)
    signature = models.BinaryField()

    class Meta:
        verbose_name = verbose_name_plural = _("账本核对点")
        ordering = ["seq"]

    def __str__(self):
        return f"{self.seq}"


class ListingVersion(models.Model):
    """What was in force on which days, as known between two ledger positions."""

    id = models.BigAutoField(primary_key=True)
    listing = models.ForeignKey(Listing, models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    from_seq = models.BigIntegerField()
    to_seq = models.BigIntegerField(null=True, blank=True)
    in_force = DateRangeField()
    body = models.JSONField()
    rule_version = models.PositiveIntegerField()
    void_from_start = models.BooleanField(default=False)

    class Meta:
        verbose_name = verbose_name_plural = _("历次版本")
        constraints = [
            models.UniqueConstraint(fields=["listing", "from_seq"], name="listingversion_once"),
            models.UniqueConstraint(
                fields=["listing"], name="listingversion_one_open", condition=Q(to_seq=None)
            ),
        ]

    def __str__(self):
        return f"{self.listing_id} {self.version}"

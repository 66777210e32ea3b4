"""What copies of the lists elsewhere are compared with, and the files that are handed out."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from casework.models import Document
from listings.models.entry import Listing


class EntryDigestQuerySet(models.QuerySet):
    def effective(self, today, kind=None):
        """Those of entries that are on their list today; of one list, or of both."""
        rows = self.filter(visible_until__gte=today)
        return rows.filter(kind=kind) if kind else rows


class EntryDigest(models.Model):
    """The digest of an entry that is published, as a copy elsewhere computes it.

    Written with the ledger, in the transaction of the act, and gone when the entry ends: of
    what has ended not even a digest stays that content could be guessed from. List, day and
    id stand here too, so that the digest of a whole list is made of this narrow table alone.
    """

    # no constraint: written beside the change of the same entry, which has one
    listing = models.OneToOneField(
        Listing, models.PROTECT, primary_key=True, db_constraint=False, related_name="+"
    )
    public_id = models.UUIDField()
    kind = models.CharField(max_length=5)
    visible_until = models.DateField()
    digest = models.BinaryField()

    objects = EntryDigestQuerySet.as_manager()

    def __str__(self):
        return f"{self.public_id}"


class DailyFileQuerySet(models.QuerySet):
    def of_day(self, day):
        """The newest of a day: what it was remade for is no longer told."""
        return self.filter(day=day).order_by("-seq")

    def with_files(self):
        return self.select_related(*DailyFile.CONTENT)

    def outdated(self, newest):
        """Those whose content must go because `newest` took their place."""
        held = Q(*((f"{name}__isnull", False) for name in DailyFile.CONTENT), _connector=Q.OR)
        return self.exclude(pk=newest.pk).filter(held)


class DailyFile(models.Model):
    """Both lists as files of one day, signed, for units that no program reads for.

    `manifest` is the very text that was signed: it names the files with their digests. It
    and the signature stay as proof; the content is there only for the newest.
    """

    CONTENT = ("entries", "red", "black")

    id = models.BigAutoField(primary_key=True)
    day = models.DateField(_("日期"))
    seq = models.BigIntegerField(_("账本序号"))
    made_at = models.DateTimeField(_("生成时间"), default=timezone.now)
    manifest = models.TextField(_("文件清单"))
    key_id = models.CharField(_("密钥编号"), max_length=16)
    signature = models.BinaryField()
    entries = models.ForeignKey(
        Document,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("两张名单，供系统读取"),
    )
    red = models.ForeignKey(
        Document, models.PROTECT, null=True, related_name="+", verbose_name=_("红名单表格")
    )
    black = models.ForeignKey(
        Document, models.PROTECT, null=True, related_name="+", verbose_name=_("黑名单表格")
    )

    objects = DailyFileQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("每日名单文件")
        constraints = [models.UniqueConstraint(fields=["day", "seq"], name="dailyfile_once")]

    def __str__(self):
        return f"{self.day} {self.seq}"

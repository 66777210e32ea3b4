"""Other cities whose portals give us their lists, and the files that came from them."""

import uuid

from django.core.validators import RegexValidator, URLValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from casework.models import Case
from parties.models import Acted


class PartnerCity(Case):
    """A city whose lists we take: what it signs with, and up to which position we took them.

    `agreement` names the agreement by which its entries count for measures here; without one
    they inform only.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", _("在用")
        PAUSED = "paused", _("停用")

    MOVES = {
        "change": ({Status.ACTIVE}, Status.ACTIVE),
        "take": ({Status.ACTIVE}, Status.ACTIVE),
        "pause": ({Status.ACTIVE}, Status.PAUSED),
        "resume": ({Status.PAUSED}, Status.ACTIVE),
    }

    status = models.CharField(_("状态"), max_length=30, choices=Status, default=Status.ACTIVE)
    code = models.CharField(
        _("行政区划代码"),
        max_length=6,
        unique=True,
        validators=[RegexValidator(r"^[0-9]{6}\Z", _("应是六位数字"))],
    )
    name = models.CharField(_("名称"), max_length=40)
    name_en = models.CharField(_("英文名称"), max_length=80)
    url = models.CharField(
        _("网址"), max_length=200, validators=[URLValidator(schemes=["http", "https"])]
    )
    public_key = models.CharField(
        _("公钥"),
        max_length=64,
        help_text=_("Ed25519 公钥，64 位十六进制。"),
        validators=[RegexValidator(r"^[0-9a-f]{64}\Z", _("应是 64 位小写十六进制"))],
    )
    agreement = models.CharField(_("区域合作协议"), max_length=200, blank=True)
    position = models.BigIntegerField(_("已接收到"), default=0, editable=False)
    position_hash = models.BinaryField(null=True, editable=False)
    taken_at = models.DateTimeField(_("最近接收"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = verbose_name_plural = _("外市平台")
        ordering = ["code"]

    def __str__(self):
        return self.name_en if (get_language() or "").startswith("en") else self.name

    def address_of(self, listing):
        """The page of an entry on the portal of its own city."""
        return f"{self.url}/{listing.kind}/{listing.public_id}/"


class ExchangeFile(Acted):
    """One file of another city and what became of it: taken whole, or refused whole."""

    class State(models.TextChoices):
        TAKEN = "taken", _("已接收")
        REFUSED = "refused", _("已退回")

    class Kind(models.TextChoices):
        CHANGES = "changes", _("变更")
        SNAPSHOT = "snapshot", _("全部名单")

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # none where the file does not say whose it is
    city = models.ForeignKey(
        PartnerCity,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="files",
        verbose_name=_("城市"),
    )
    state = models.CharField(_("状态"), max_length=10, choices=State)
    kind = models.CharField(_("内容"), max_length=10, choices=Kind, blank=True)
    file_name = models.CharField(_("文件名"), max_length=200)
    sha256 = models.CharField(max_length=64, blank=True)
    first_seq = models.BigIntegerField(_("起始序号"), null=True, blank=True)
    last_seq = models.BigIntegerField(_("截止序号"), null=True, blank=True)
    at = models.DateTimeField(_("时间"), default=timezone.now)
    lines = models.PositiveIntegerField(_("行数"), default=0)
    created = models.PositiveIntegerField(_("新增"), default=0)
    changed = models.PositiveIntegerField(_("变更"), default=0)
    ended = models.PositiveIntegerField(_("撤下"), default=0)
    unchanged = models.PositiveIntegerField(_("未变"), default=0)
    persons = models.PositiveIntegerField(_("其中自然人"), default=0)
    # what somebody should look at though the file was taken: [{line, message}]
    remarks = models.JSONField(_("提示"), default=list, blank=True)
    reason = models.CharField(_("退回原因"), max_length=500, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("外市名单文件")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                name="exchangefile_says_why",
                condition=Q(state="taken", reason="", city__isnull=False)
                | (Q(state="refused") & ~Q(reason="")),
            )
        ]

    def __str__(self):
        return self.file_name

"""What is kept of reading sealed values and of signing."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parties.models.acts import Acted


class AccessLog(Acted):
    """Every reading of a sealed value: who, which, why."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(default=timezone.now)
    table = models.CharField(max_length=60)
    row = models.CharField(max_length=40)
    field = models.CharField(max_length=40)
    purpose = models.CharField(_("事由"), max_length=200)

    class Meta:
        verbose_name = verbose_name_plural = _("查阅记录")
        indexes = [
            models.Index(fields=["table", "row"], name="accesslog_row"),
            # for the auditor, who reads by days
            BrinIndex(fields=["at"], name="accesslog_at"),
        ]

    def __str__(self):
        return f"{self.table} {self.row} {self.field}"


class SigningKey(models.Model):
    """A public key under which this portal has signed: kept for ever, so that old signatures hold.

    The private half is derived from the sealing key of the same id and may be gone.
    """

    key_id = models.CharField(_("密钥编号"), max_length=16, primary_key=True)
    public_key = models.BinaryField()
    holder = models.CharField(_("签名方"), max_length=200)
    since = models.DateTimeField(_("起用时间"), default=timezone.now)

    class Meta:
        verbose_name = verbose_name_plural = _("签名公钥")
        ordering = ["since", "key_id"]

    def __str__(self):
        return self.key_id

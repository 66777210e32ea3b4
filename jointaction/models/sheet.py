"""Tables of customers that a unit without programs of its own has checked as a whole."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from casework.models import Case, Document
from jointaction.models.check import number_of
from parties.models import Acted, Department, Sealed

OPEN = ("received", "running")


class SheetQuerySet(models.QuerySet):
    def of_unit(self, unit_id):
        return self.filter(unit=unit_id)

    def open(self):
        """Those that still have rows to check, or a result to be written."""
        return self.filter(status__in=OPEN)

    def outlived(self, today):
        """Those whose result has been kept long enough."""
        kept = self.filter(status=Sheet.Status.DONE, result__isnull=False)
        return kept.filter(kept_until__lt=today)


class Sheet(Case, Acted):
    """An uploaded table whose rows are checked part by part; its result is a file of the unit.

    The upload may hold the numbers of persons' papers: it is kept sealed, and only until
    the result is there. The result holds none.
    """

    class Status(models.TextChoices):
        RECEIVED = "received", _("排队等候")
        RUNNING = "running", _("正在查询")
        DONE = "done", _("已查完")
        REFUSED = "refused", _("不能查询")

    SEALED_FILES = (Sealed("upload", "upload_key_id", "upload"),)  # until the result is there

    MOVES = {
        "begin": ({Status.RECEIVED}, Status.RUNNING),
        "finish": ({Status.RUNNING}, Status.DONE),
        "refuse": ({Status.RECEIVED, Status.RUNNING}, Status.REFUSED),
        "renew": ({Status.DONE}, Status.RUNNING),  # an entry in the result has changed
        "forget": ({Status.DONE}, Status.DONE),
    }

    status = models.CharField(_("状态"), max_length=30, choices=Status, default=Status.RECEIVED)
    unit = models.ForeignKey(
        Department, models.PROTECT, related_name="sheets", verbose_name=_("单位")
    )
    purpose = models.CharField(_("办什么事"), max_length=200)
    reference = models.CharField(_("业务编号"), max_length=200)
    file_name = models.CharField(_("文件"), max_length=200)
    digest = models.BinaryField(editable=False)  # keyed: the same file again is known by it
    upload = models.ForeignKey(
        Document, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("原文件")
    )
    upload_key_id = models.CharField(max_length=16, blank=True, editable=False)
    result = models.ForeignKey(
        Document, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("结果")
    )
    # the result says what was so at this position of the ledger, on this day
    seq = models.BigIntegerField(_("账本序号"), default=0)
    made_on = models.DateField(_("结果日期"), null=True, blank=True)
    kept_until = models.DateField(_("保存到"), null=True, blank=True)
    finished_at = models.DateTimeField(_("查完时间"), null=True, blank=True)
    tries = models.PositiveSmallIntegerField(_("次数"), default=0)  # since rows were last checked
    rows = models.PositiveIntegerField(_("行数"), default=0)
    position = models.PositiveIntegerField(_("已查行数"), default=0)
    listed = models.PositiveIntegerField(_("命中"), default=0)
    clear = models.PositiveIntegerField(_("没有命中"), default=0)
    invalid = models.PositiveIntegerField(_("不能查询"), default=0)
    repeated = models.PositiveIntegerField(_("重复"), default=0)
    reason = models.CharField(_("原因"), max_length=500, blank=True)

    objects = SheetQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("批量查询")
        indexes = [
            # for a unit's page
            models.Index(fields=["unit", "-id"], name="sheet_unit"),
            # for the sweep that checks them
            models.Index(fields=["tries", "id"], name="sheet_open", condition=Q(status__in=OPEN)),
            # for the sweep that forgets them
            models.Index(
                fields=["kept_until"], name="sheet_kept", condition=Q(result__isnull=False)
            ),
        ]

    def __str__(self):
        return self.number

    @property
    def number(self):
        return f"PL-{self.pk:06}"


class SheetPart(models.Model):
    """Up to a thousand rows of a table that were checked together, and what was answered.

    `lines` hold no number of a paper and of persons the mask; they are emptied with the result.
    """

    id = models.BigAutoField(primary_key=True)
    sheet = models.ForeignKey(
        Sheet, models.PROTECT, related_name="parts", verbose_name=_("批量查询")
    )
    first = models.PositiveIntegerField(_("起始行"))
    # the log of checks is kept by month, so no foreign key; empty where no row could be asked
    check_id = models.BigIntegerField(null=True, blank=True)
    check_public_id = models.UUIDField(null=True, blank=True)
    feedback_due = models.DateField(_("反馈期限"), null=True, blank=True)
    lines = models.JSONField(default=list, blank=True)
    listings = ArrayField(models.BigIntegerField(), default=list, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("批量查询的一批")
        ordering = ["first"]
        constraints = [models.UniqueConstraint(fields=["sheet", "first"], name="sheetpart_once")]

    def __str__(self):
        return f"{self.sheet_id} {self.first}"

    @property
    def number(self):
        return number_of(self.check_id)

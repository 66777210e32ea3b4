"""What the portal hands out about a firm for a day, and how a member of staff likes the desk."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from casework.models import Document
from parties.models import Acted, User


class CreditReportQuerySet(models.QuerySet):
    def valid(self, now):
        return self.filter(valid_until__gt=now)

    def spent(self, now):
        """Those whose day is over, and that still hold what they said."""
        return self.filter(valid_until__lte=now).exclude(content={})


class CreditReport(models.Model):
    """A public credit report (公共信用报告): what a firm's page said at one moment, numbered.

    Anybody may have one made and anybody who holds its code may verify it. It is shown for a
    day, and only while the firm's page still says the same; then its content is erased, so that
    nothing of an ended entry is left in it. Number, code and moment stay.
    """

    id = models.BigAutoField(primary_key=True)
    number = models.CharField(_("报告编号"), max_length=40, unique=True)
    verify_code = models.CharField(_("核验码"), max_length=24, unique=True)
    code = models.CharField(_("统一社会信用代码"), max_length=18)
    # of what the report says of the firm, without moment and number
    digest = models.CharField(max_length=64)
    content = models.JSONField(_("内容"), default=dict)
    ledger_seq = models.BigIntegerField(_("账本序号"))
    made_at = models.DateTimeField(_("出具时间"))
    valid_until = models.DateTimeField(_("有效期至"))
    document = models.ForeignKey(
        Document, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("文件")
    )

    objects = CreditReportQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("信用报告")
        indexes = [
            # for giving the same report again
            models.Index(fields=["code", "-valid_until"], name="creditreport_code"),
            # for the sweep that erases
            models.Index(
                fields=["valid_until"], name="creditreport_spent", condition=~Q(content={})
            ),
        ]

    def __str__(self):
        return self.number

    @property
    def spaced_code(self):
        """The code in groups of four, as people read it aloud."""
        code = self.verify_code
        return "-".join(code[i : i + 4] for i in range(0, len(code), 4))


class SavedViewQuerySet(models.QuerySet):
    def of_user(self, user):
        return self.filter(user=user)


class SavedView(models.Model):
    """A question to the desk's first page that its user asks again and again, under a name."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("用户"))
    name = models.CharField(_("名称"), max_length=40)
    query = models.CharField(_("条件"), max_length=1000)
    is_default = models.BooleanField(_("打开工作台就用它"), default=False)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("保存的视图")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="savedview_name"),
            models.UniqueConstraint(
                fields=["user"], name="savedview_one_default", condition=Q(is_default=True)
            ),
        ]

    def __str__(self):
        return self.name


class BoardExport(Acted):
    """The journal of the supervisor's board: who took which figures away, when, as what."""

    class Form(models.TextChoices):
        XLSX = "xlsx", "xlsx"
        DOCX = "docx", "docx"

    id = models.BigAutoField(primary_key=True)
    year = models.PositiveSmallIntegerField(_("年份"))
    form = models.CharField(_("格式"), max_length=4, choices=Form)
    at = models.DateTimeField(_("时间"))
    sha256 = models.CharField(_("摘要"), max_length=64)

    class Meta:
        verbose_name = verbose_name_plural = _("督办数据下载")
        ordering = ["-id"]

    def __str__(self):
        return f"{self.year} {self.form}"

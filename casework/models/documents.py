"""Stored files, and the official letters that become such files."""

import uuid

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parties.models import Acted, Department


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


class ServiceMeans(models.TextChoices):
    """How a notice or letter reached whom it is for."""

    DIRECT = "direct", _("直接送达")
    POST = "post", _("邮寄送达")
    LEFT = "left", _("留置送达")
    ELECTRONIC = "electronic", _("电子送达")
    PUBLIC = "public", _("公告送达")


class LetterQuerySet(models.QuerySet):
    def unmade(self):
        return self.filter(document=None)

    def with_parts(self):
        return self.select_related("department", "document")


class Letter(Acted):
    """An official letter: numbered and worded in the deciding transaction, made as PDF after it.

    `content` are the words that the PDF is set from, frozen; made again it says the same.
    """

    class Kind(models.TextChoices):
        OBJECTION_RECEIPT = "objection_receipt", _("异议受理通知书")
        OBJECTION_SUPPLEMENT = "objection_supplement", _("异议补正通知书")
        OBJECTION_REPLY = "objection_reply", _("异议答复函")
        REPAIR_RECEIPT = "repair_receipt", _("信用修复申请收件回执")
        REPAIR_SUPPLEMENT = "repair_supplement", _("信用修复补正通知书")
        REPAIR_ACCEPTANCE = "repair_acceptance", _("信用修复受理通知书")
        REPAIR_REFUSAL = "repair_refusal", _("信用修复不予受理通知书")
        REPAIR_DECISION = "repair_decision", _("信用修复决定书")
        PRIOR_NOTICE = "prior_notice", _("列入前告知书")
        LIFTING = "lifting", _("移出名单通知书")
        ORDER = "order", _("督办函")

    SIGNS = {
        Kind.OBJECTION_RECEIPT: "异收",
        Kind.OBJECTION_SUPPLEMENT: "异补",
        Kind.OBJECTION_REPLY: "异复",
        Kind.REPAIR_RECEIPT: "修收",
        Kind.REPAIR_SUPPLEMENT: "修补",
        Kind.REPAIR_ACCEPTANCE: "修受",
        Kind.REPAIR_REFUSAL: "修不受",
        Kind.REPAIR_DECISION: "修决",
        Kind.PRIOR_NOTICE: "信告",
        Kind.LIFTING: "信移",
        Kind.ORDER: "信督",
    }

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("种类"), max_length=30, choices=Kind)
    department = models.ForeignKey(
        Department, models.PROTECT, related_name="letters", verbose_name=_("出具单位")
    )
    content_type = models.ForeignKey(ContentType, models.PROTECT, db_index=False)
    object_id = models.BigIntegerField()
    matter = GenericForeignKey()
    year = models.PositiveSmallIntegerField(_("年份"))
    serial = models.PositiveIntegerField(_("序号"))
    number = models.CharField(_("文号"), max_length=80, unique=True)
    verify_code = models.CharField(_("核验码"), max_length=24, unique=True)
    summary = models.CharField(_("结论"), max_length=60, blank=True)  # told to who verifies it
    content = models.JSONField(_("内容"), default=dict)
    issued_on = models.DateField(_("出具日期"))
    document = models.ForeignKey(
        Document, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("文件")
    )
    served_on = models.DateField(_("送达日期"), null=True, blank=True)
    served_by = models.CharField(_("送达方式"), max_length=20, choices=ServiceMeans, blank=True)

    objects = LetterQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("文书")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["department", "kind", "year", "serial"], name="letter_serial"
            ),
            models.CheckConstraint(
                name="letter_served",
                condition=Q(served_on=None, served_by="")
                | Q(served_on__isnull=False) & ~Q(served_by=""),
            ),
        ]
        indexes = [
            # for the letters of one matter
            models.Index(fields=["content_type", "object_id", "id"], name="letter_matter"),
            # for the sweep that makes them
            models.Index(fields=["id"], name="letter_unmade", condition=Q(document=None)),
        ]

    def __str__(self):
        return self.number

    @property
    def spaced_code(self):
        """The code in groups of four, as people read it aloud."""
        code = self.verify_code
        return "-".join(code[i : i + 4] for i in range(0, len(code), 4))

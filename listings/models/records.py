"""The credit file's adverse records, and the files that things were imported from."""

import uuid

from django.contrib.contenttypes.fields import GenericRelation
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from casework.models import Document, Event
from parties.models import Acted, Department, Subject
from rulebook.models import ListCategory


class AdverseRecord(models.Model):
    """A penalty or another adverse fact of the credit file. Never an entry on a list by itself."""

    class State(models.TextChoices):
        VALID = "valid", _("有效")
        REPAIRED = "repaired", _("已修复")
        WRONG = "wrong", _("有误已撤")

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    origin = models.CharField(_("来源城市"), max_length=6)
    subject = models.ForeignKey(
        Subject, models.PROTECT, related_name="adverse_records", verbose_name=_("主体")
    )
    department = models.ForeignKey(Department, models.PROTECT, verbose_name=_("报送单位"))
    batch = models.ForeignKey("ImportBatch", models.PROTECT, null=True, blank=True)
    state = models.CharField(_("状态"), max_length=10, choices=State, default=State.VALID)
    document_number = models.CharField(_("决定书文号"), max_length=128)
    misconduct_text = models.TextField(_("违法行为类型"), blank=True)
    facts = models.TextField(_("违法事实"), blank=True)
    basis_text = models.TextField(_("处罚依据"), blank=True)
    penalty_kind = models.CharField(_("处罚类别"), max_length=200, blank=True)
    content = models.TextField(_("处罚内容"), blank=True)
    fine = models.DecimalField(
        _("罚款（万元）"), max_digits=18, decimal_places=6, null=True, blank=True
    )
    confiscated = models.DecimalField(
        _("没收（万元）"), max_digits=18, decimal_places=6, null=True, blank=True
    )
    licence = models.CharField(_("暂扣或吊销证照"), max_length=200, blank=True)
    decided_on = models.DateField(_("决定日期"))
    valid_until = models.DateField(_("有效期"), null=True, blank=True)
    public_until = models.DateField(_("公示截止期"), null=True, blank=True)
    organ_name = models.CharField(_("处罚机关"), max_length=200)
    organ_code = models.CharField(_("处罚机关代码"), max_length=18, db_collation="C", blank=True)
    source_name = models.CharField(_("数据来源单位"), max_length=200, blank=True)
    source_code = models.CharField(max_length=18, db_collation="C", blank=True)
    other_numbers = models.JSONField(_("其他注册号"), default=dict, blank=True)
    remark = models.TextField(_("备注"), blank=True)
    content_digest = models.BinaryField(editable=False)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = verbose_name_plural = _("不良信息")
        constraints = [
            models.UniqueConstraint(
                fields=["department", "document_number", "subject"], name="adverserecord_once"
            )
        ]
        indexes = [
            # for "three years clean"
            models.Index(fields=["subject", "-decided_on"], name="adverserecord_subject")
        ]

    def __str__(self):
        return self.document_number


class ImportBatchQuerySet(models.QuerySet):
    def of_desk(self, user):
        return self if user.sees_all else self.filter(department=user.department_id)

    def with_parts(self):
        return self.select_related("category", "department", "rejected_file")

    def received(self):
        """Those that wait for the clock to take them in."""
        return self.filter(state=ImportBatch.State.RECEIVED)


class ImportBatch(Acted):
    """One imported file and what became of its rows: tried first at the desk, taken in when a
    machine's file has its turn, or taken at once.
    """

    class Kind(models.TextChoices):
        RECORDS = "records", _("行政处罚")
        LISTINGS = "listings", _("名单")

    class State(models.TextChoices):
        RECEIVED = "received", _("等待导入")
        PREVIEWED = "previewed", _("已预览")
        DONE = "done", _("已导入")
        DISCARDED = "discarded", _("已放弃")
        REFUSED = "refused", _("未能导入")

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("内容"), max_length=10, choices=Kind)
    state = models.CharField(_("状态"), max_length=10, choices=State, default=State.DONE)
    category = models.ForeignKey(
        ListCategory, models.PROTECT, null=True, blank=True, verbose_name=_("类别")
    )
    # the uploaded file, kept while it waits for a person or for its turn
    source = models.ForeignKey(
        Document, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("原文件")
    )
    department = models.ForeignKey(Department, models.PROTECT, verbose_name=_("单位"))
    file_name = models.CharField(_("文件名"), max_length=200)
    sha256 = models.CharField(max_length=64)
    at = models.DateTimeField(_("时间"), default=timezone.now)
    rows = models.PositiveIntegerField(_("行数"), default=0)
    created = models.PositiveIntegerField(_("新增"), default=0)
    updated = models.PositiveIntegerField(_("更新"), default=0)
    unchanged = models.PositiveIntegerField(_("未变"), default=0)
    rejected = models.PositiveIntegerField(_("退回"), default=0)
    errors = models.JSONField(_("错误"), default=list, blank=True)
    tries = models.PositiveSmallIntegerField(default=0, editable=False)
    rejected_file = models.ForeignKey(
        Document, models.PROTECT, null=True, blank=True, verbose_name=_("退回的行")
    )

    journal = GenericRelation(Event)

    objects = ImportBatchQuerySet.as_manager()

    version = 1  # what was tried is never edited

    class Meta:
        verbose_name = verbose_name_plural = _("导入批次")
        ordering = ["-id"]

    def __str__(self):
        return self.file_name

    @property
    def status(self):
        """Under the name by which the journal of any matter knows it."""
        return self.state

    def get_status_display(self):
        return self.get_state_display()

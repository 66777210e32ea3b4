"""The entry on a list, its ledger, the credit file's adverse records, and what is public when."""

import uuid
from datetime import timedelta

from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField, DateRangeField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from casework.models import Case, Document, Event
from parties.models import Acted, Department, Subject
from rulebook.models import Degree, LegalBasis, ListCategory, ListKind, Misconduct

SEARCH_LIMIT = 1_000


class ListingQuerySet(models.QuerySet):
    def public(self, today):
        """What anyone may see: decided by the dates, whether or not the sweep has run."""
        return self.filter(status=Listing.Status.PUBLISHED, visible_until__gte=today)

    def lapsed(self, today):
        return self.filter(status=Listing.Status.PUBLISHED, visible_until__lt=today)

    def red(self):
        return self.filter(kind=ListKind.RED)

    def black(self):
        return self.filter(kind=ListKind.BLACK)

    def with_parts(self):
        """Everything that showing an entry needs, in one query."""
        return self.select_related(
            "subject", "category", "misconduct", "department", "basis", "measure_set"
        )

    def with_shared_parts(self):
        """The same for very many: what they share is loaded once, not with each row."""
        shared = ("category", "misconduct", "department", "basis", "measure_set")
        return self.select_related("subject").prefetch_related(*shared)

    def readable_by(self, user, today):
        """Public entries, and of the user's own department every entry."""
        if user.sees_all:
            return self
        return self.filter(
            Q(status=Listing.Status.PUBLISHED, visible_until__gte=today)
            | Q(department=user.department_id)
        )

    def of_desk(self, user):
        """The entries of the user's own department, drafts and ended ones too."""
        return self if user.sees_all else self.filter(department=user.department_id)

    def not_written_by(self, user):
        """Drafts of which the user wrote no part: those the user may approve."""
        written = Event.objects.filter(
            content_type=ContentType.objects.get_for_model(Listing),
            object_id=models.OuterRef("pk"),
            status=Listing.Status.DRAFT,
            by_user=user,
        )
        return self.filter(~models.Exists(written), status=Listing.Status.DRAFT)

    def known_to(self, user):
        """Everything but the drafts of other departments: of what has ended, that it has."""
        if user.sees_all:
            return self
        return self.exclude(~Q(department=user.department_id), status=Listing.Status.DRAFT)

    def in_force_on(self, day):
        """What was in force on `day` as known today; an entry made in error never was."""
        known = ListingVersion.objects.filter(
            in_force__contains=day, to_seq=None, void_from_start=False
        )
        return self.filter(pk__in=known.values("listing"))

    def with_status(self, status, today):
        """Rows that read as `status` today: a published row past its last day is expired."""
        if status == Listing.Status.PUBLISHED:
            return self.public(today)
        if status == Listing.Status.EXPIRED:
            lapsed = Q(status=Listing.Status.PUBLISHED, visible_until__lt=today)
            return self.filter(Q(status=status) | lapsed)
        return self.filter(status=status)

    def of_code(self, code):
        return self.filter(subject__code=code)

    def named_like(self, grams):
        """Organisations whose name holds all the bigrams; persons are never found by name."""
        return self.filter(bigrams__contains=grams)

    def marking_paused(self, today):
        """Each row says as `paused` whether its subject is on the black list as well."""
        black = Listing.objects.public(today).black().filter(subject=models.OuterRef("subject"))
        return self.annotate(paused=models.Exists(black))

    def ending_before(self, day):
        return self.filter(visible_until__lt=day)

    def duplicates_of(self, listing):
        """Entries of the same department, subject, category and document, ended ones too."""
        return self.filter(
            department=listing.department,
            subject=listing.subject,
            category=listing.category,
            document_number=listing.document_number,
        ).exclude(pk=listing.pk)


class MeasureSet(models.Model):
    """The measures that came with an entry, frozen at publication and shared by like entries.

    `measures` is a list of {code, unit, article, memorandum}; never changed.
    """

    id = models.BigAutoField(primary_key=True)
    digest = models.CharField(max_length=64, unique=True)
    measures = models.JSONField()

    class Meta:
        verbose_name = verbose_name_plural = _("措施组合")

    def __str__(self):
        return self.digest


class Listing(Case):
    """A department's published finding about a subject, on the red list or the black."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("草稿")
        PUBLISHED = "published", _("已公布")
        WITHDRAWN = "withdrawn", _("已撤下")
        REPAIRED = "repaired", _("已修复")
        EXPIRED = "expired", _("已到期")

    class EndReason(models.TextChoices):
        ERROR = "error", _("列入有误")
        DOCUMENT_QUASHED = "document_quashed", _("依据的文书被撤销或变更")
        RECOGNITION_WITHDRAWN = "recognition_withdrawn", _("撤销认定")
        REPAIRED = "repaired", _("信用修复")
        EXPIRED = "expired", _("期限届满")

    MOVES = {  # action: (from, to)
        "edit": ({Status.DRAFT}, Status.DRAFT),
        "publish": ({Status.DRAFT}, Status.PUBLISHED),
        "annotate": ({Status.PUBLISHED}, Status.PUBLISHED),
        "correct": ({Status.PUBLISHED}, Status.PUBLISHED),
        "withdraw": ({Status.PUBLISHED}, Status.WITHDRAWN),
        "repair": ({Status.PUBLISHED}, Status.REPAIRED),
        "expire": ({Status.PUBLISHED}, Status.EXPIRED),
        # what the list apps add to a draft: who approves it has seen its last version
        "nominate": ({Status.DRAFT}, Status.DRAFT),
        "announce": ({Status.DRAFT}, Status.DRAFT),
        "serve_notice": ({Status.DRAFT}, Status.DRAFT),
        "void_notice": ({Status.DRAFT}, Status.DRAFT),
        "record_defence": ({Status.DRAFT}, Status.DRAFT),
        "name_responsible_persons": ({Status.DRAFT}, Status.DRAFT),
    }
    ENDINGS = ("withdraw", "repair", "expire")

    status = models.CharField(
        _("状态"), max_length=30, choices=Status, default=Status.DRAFT, db_index=False
    )
    kind = models.CharField(_("名单"), max_length=5, choices=ListKind, editable=False)
    origin = models.CharField(_("来源城市"), max_length=6)
    subject = models.ForeignKey(
        Subject, models.PROTECT, related_name="listings", verbose_name=_("主体")
    )
    category = models.ForeignKey(
        ListCategory, models.PROTECT, related_name="listings", verbose_name=_("类别")
    )
    misconduct = models.ForeignKey(
        Misconduct, models.PROTECT, null=True, blank=True, verbose_name=_("失信行为")
    )
    degree = models.CharField(_("程度"), max_length=10, choices=Degree, blank=True)
    department = models.ForeignKey(
        Department, models.PROTECT, related_name="listings", verbose_name=_("认定部门")
    )
    reference = models.CharField(_("部门编号"), max_length=100, blank=True)
    document_number = models.CharField(_("文书文号"), max_length=128, blank=True)
    document_kind = models.CharField(_("文书种类"), max_length=60, blank=True)
    document_organ = models.CharField(_("作出机关"), max_length=200, blank=True)
    document_date = models.DateField(_("文书日期"), null=True, blank=True)
    ground = models.TextField(_("事实和理由"), blank=True)
    basis = models.ForeignKey(
        LegalBasis, models.PROTECT, null=True, blank=True, verbose_name=_("法律依据")
    )
    basis_article = models.CharField(_("条款"), max_length=60, blank=True)
    details = models.JSONField(_("类别字段"), default=dict, blank=True)
    measure_codes = ArrayField(
        models.CharField(max_length=8), null=True, blank=True, verbose_name=_("选定的措施")
    )
    measure_until = models.JSONField(_("措施截止日"), default=dict, blank=True)
    measure_set = models.ForeignKey(
        MeasureSet, models.PROTECT, null=True, blank=True, editable=False
    )
    term_months = models.PositiveSmallIntegerField(_("期限（月）"), null=True, blank=True)
    published_on = models.DateField(_("公布日"), null=True, blank=True)
    visible_until = models.DateField(_("最后公布日"), null=True, blank=True)
    ended_on = models.DateField(_("撤下日"), null=True, blank=True)
    end_reason = models.CharField(_("撤下原因"), max_length=30, choices=EndReason, blank=True)
    disputed = models.BooleanField(_("异议处理中"), default=False)
    rule_version = models.PositiveIntegerField(_("规则版本"), default=1)
    bigrams = ArrayField(models.CharField(max_length=2), default=list, editable=False)

    objects = ListingQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("名单记录")
        constraints = [
            models.CheckConstraint(name="listing_kind", condition=Q(kind__in=ListKind.values)),
            models.CheckConstraint(
                name="listing_published_has_dates",
                condition=Q(status="draft")
                | Q(published_on__isnull=False, visible_until__gte=F("published_on")),
            ),
            # an ended entry can't come back under the same document
            models.UniqueConstraint(
                fields=["subject", "category", "department", "document_number"],
                name="listing_once_per_document",
                condition=~Q(document_number=""),
            ),
            models.UniqueConstraint(
                fields=["department", "reference"],
                name="listing_reference",
                condition=~Q(reference=""),
            ),
        ]
        indexes = [
            # for the sweep and every public question: the few rows that are on a list
            models.Index(
                fields=["kind", "visible_until"],
                name="listing_live",
                condition=Q(status="published"),
            ),
            # for the public lists, newest first
            models.Index(
                fields=["kind", "-published_on", "-id"],
                name="listing_newest",
                condition=Q(status="published"),
            ),
            # for a department's own work
            models.Index(fields=["department", "status", "-id"], name="listing_department"),
            # for the search by name: organisations only, what is on a list only
            GinIndex(fields=["bigrams"], name="listing_bigrams", condition=Q(status="published")),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} {self.subject.display_name}"

    def status_on(self, today):
        """How the entry reads today: published past its last day is expired, sweep or no sweep."""
        if self.status == self.Status.PUBLISHED and self.visible_until < today:
            return self.Status.EXPIRED
        return self.Status(self.status)

    def is_public(self, today):
        return self.status_on(today) == self.Status.PUBLISHED

    def ended_on_as_of(self, today):
        """The first day on which the entry is off its list, or None while it is on it."""
        if self.ended_on is None and self.status_on(today) == self.Status.EXPIRED:
            return self.visible_until + timedelta(days=1)
        return self.ended_on

    def end_reason_as_of(self, today):
        expired = self.status_on(today) == self.Status.EXPIRED
        return self.EndReason.EXPIRED.value if expired else self.end_reason

    def author_ids(self):
        """The people who wrote any part of the draft; none of them may approve it."""
        return set(
            self.journal.filter(status=self.Status.DRAFT).values_list("by_user_id", flat=True)
        ) - {None}


class ResponsiblePersonQuerySet(models.QuerySet):
    def answerable(self, day):
        """Those whose own term, if they have one, is not over."""
        return self.filter(Q(until=None) | Q(until__gte=day))


class ResponsiblePerson(models.Model):
    """A person who answers for the misconduct of a black entry; never listed by listing the firm.

    Lives here and not with the black list because checks and objections ask for it.
    """

    class Role(models.TextChoices):
        LEGAL_REPRESENTATIVE = "legal_representative", _("法定代表人")
        PERSON_IN_CHARGE = "person_in_charge", _("主要负责人")
        PRACTITIONER = "practitioner", _("直接责任的注册执业人员")
        SENIOR_MANAGER = "senior_manager", _("高级管理人员")
        DIRECTOR = "director", _("董事")
        SHAREHOLDER = "shareholder", _("股东")
        OTHER = "other", _("其他直接责任人员")

    listing = models.ForeignKey(
        Listing, models.PROTECT, related_name="responsible_persons", verbose_name=_("记录")
    )
    person = models.ForeignKey(Subject, models.PROTECT, related_name="+", verbose_name=_("人员"))
    role = models.CharField(_("身份"), max_length=30, choices=Role)
    fact = models.TextField(_("责任事实"))
    basis = models.CharField(_("依据"), max_length=300)
    notice_served_on = models.DateField(_("单独告知日期"), null=True, blank=True)
    until = models.DateField(_("截止日"), null=True, blank=True)

    objects = ResponsiblePersonQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("责任人员")
        constraints = [
            models.UniqueConstraint(fields=["listing", "person"], name="responsibleperson_once")
        ]

    def __str__(self):
        return f"{self.person} {self.get_role_display()}"


class ProposalQuerySet(models.QuerySet):
    def of_desk(self, user):
        return self if user.sees_all else self.filter(listing__department=user.department_id)

    def open(self):
        return self.filter(status=Proposal.Status.PROPOSED)

    def with_parts(self):
        return self.select_related(
            "proposed_by", "listing__subject", "listing__category", "listing__department"
        )


class Proposal(Case):
    """A correction or withdrawal that one officer proposes and another approves."""

    class Status(models.TextChoices):
        PROPOSED = "proposed", _("待审核")
        APPROVED = "approved", _("已通过")
        REJECTED = "rejected", _("未通过")

    class Action(models.TextChoices):
        CORRECT = "correct", _("更正")
        WITHDRAW = "withdraw", _("撤下")

    MOVES = {
        "approve": ({Status.PROPOSED}, Status.APPROVED),
        "reject": ({Status.PROPOSED}, Status.REJECTED),
    }

    status = models.CharField(_("状态"), max_length=30, choices=Status, default=Status.PROPOSED)
    listing = models.ForeignKey(
        Listing, models.PROTECT, related_name="proposals", verbose_name=_("名单记录")
    )
    action = models.CharField(_("动作"), max_length=10, choices=Action)
    fields = models.JSONField(_("新值"), default=dict, blank=True)
    reason = models.CharField(_("原因"), max_length=30, blank=True)
    note = models.TextField(_("说明"))
    proposed_by = models.ForeignKey(
        "parties.User", models.PROTECT, related_name="+", verbose_name=_("提出人")
    )

    objects = ProposalQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("更正或撤下提议")
        constraints = [
            models.UniqueConstraint(
                fields=["listing"], name="proposal_one_open", condition=Q(status="proposed")
            )
        ]

    def __str__(self):
        return f"{self.get_action_display()} {self.listing_id}"


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


class ImportBatch(Acted):
    """One imported file and what became of its rows."""

    class Kind(models.TextChoices):
        RECORDS = "records", _("行政处罚")
        LISTINGS = "listings", _("名单")

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("内容"), max_length=10, choices=Kind)
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
    rejected_file = models.ForeignKey(
        Document, models.PROTECT, null=True, blank=True, verbose_name=_("退回的行")
    )

    class Meta:
        verbose_name = verbose_name_plural = _("导入批次")
        ordering = ["-id"]

    def __str__(self):
        return self.file_name

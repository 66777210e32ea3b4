"""Reports of misconduct: what was told, what came of it, and, locked away, who told it.

Journal lines are never deleted, so they hold no word of a report: words are rows of Message,
which the end of the period erases together with the report's own.
"""

import hashlib
import uuid

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from casework.models import Case, Document, FilingQuerySet
from parties import sealing
from parties.models import Acted, Actor, Department, Role, User

REPORTER = Actor(label="reporter")


class ReportQuerySet(FilingQuerySet):
    def with_parts(self):
        return self.select_related("department")

    def running(self):
        """Those whose clock runs: a report's never stands still."""
        return self.open()

    def readable_by(self, user):
        """Its department's handlers; new ones the platform operator too; supervisor, auditor."""
        return self if user.sees_all else self.to_handle(user)

    def to_handle(self, user):
        """Those that the user may act on while they are open."""
        own = Q(department=user.department_id) if user.has_role(*HANDLERS) else Q(pk=None)
        new = Q(status=Report.Status.RECEIVED) if user.has_role(Role.OPERATOR) else Q(pk=None)
        return self.filter(own | new)

    def named(self):
        """Those whose reporter's identity is in the vault."""
        return self.filter(identity_sealed__isnull=False)

    def of_code(self, code):
        """The report that this receipt code opens, or None; the code is kept nowhere."""
        typed = code.upper().replace("-", "").replace(" ", "")
        digests = sealing.all_digests(typed, purpose=RECEIPT)
        return self.with_parts().filter(receipt_digest__in=digests).first()

    def closed_before(self, day):
        return self.filter(closed_on__lt=day)


RECEIPT = "report-receipt"  # what the keyed digest of a receipt code is derived for
HANDLERS = (Role.CLERK, Role.REVIEWER)


class Report(Case):
    """One report, named or anonymous. Its clock is that of the step it waits for.

    `identity_sealed` is JSON under a content key that the portal itself can't open: see
    `tipoffs.sealing`. The subject is named by code and in words, without a row of Subject:
    a report makes nobody known to the platform.
    """

    class Status(models.TextChoices):
        RECEIVED = "received", _("待分办")
        ASSIGNED = "assigned", _("待核查")
        INVESTIGATING = "investigating", _("核查中")
        CONCLUDED = "concluded", _("已办结，待反馈")
        INFORMED = "informed", _("已反馈")
        NOT_ACCEPTED = "not_accepted", _("不受理")
        ERASED = "erased", _("已清除")

    class Outcome(models.TextChoices):
        CONFIRMED = "confirmed", _("属实")
        PARTLY = "partly", _("部分属实")
        NOT_CONFIRMED = "not_confirmed", _("未查实")

    OPEN = (Status.RECEIVED, Status.ASSIGNED, Status.INVESTIGATING, Status.CONCLUDED)
    MOVES = {
        "assign": ({Status.RECEIVED}, Status.ASSIGNED),
        "not_accept": ({Status.RECEIVED}, Status.NOT_ACCEPTED),
        "send_back": ({Status.ASSIGNED}, Status.RECEIVED),
        "refer": ({Status.ASSIGNED, Status.INVESTIGATING}, Status.ASSIGNED),
        "investigate": ({Status.ASSIGNED}, Status.INVESTIGATING),
        "conclude": ({Status.INVESTIGATING}, Status.CONCLUDED),
        "inform": ({Status.CONCLUDED}, Status.INFORMED),
        "erase": ({Status.INFORMED, Status.NOT_ACCEPTED}, Status.ERASED),
    }
    pauses = ()

    number = models.CharField(_("举报编号"), max_length=20, unique=True)
    status = models.CharField(_("状态"), max_length=30, choices=Status, default=Status.RECEIVED)
    department = models.ForeignKey(
        Department, models.PROTECT, related_name="reports", verbose_name=_("办理部门")
    )
    named = models.BooleanField(_("实名"), default=False)
    about = models.CharField(_("被举报的主体"), max_length=200, blank=True)
    code = models.CharField(_("统一社会信用代码"), max_length=18, blank=True, db_collation="C")
    facts = models.TextField(_("举报内容"), blank=True)
    form_key = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    receipt_digest = models.BinaryField(null=True, unique=True, editable=False)
    receipt_key_id = models.CharField(max_length=16, blank=True, editable=False)
    identity_sealed = models.BinaryField(null=True, editable=False)
    outcome = models.CharField(_("结论"), max_length=20, choices=Outcome, blank=True)
    findings = models.TextField(_("核查情况"), blank=True)  # never told outside
    received_on = models.DateField(_("收到日期"))
    closed_on = models.DateField(_("结束日期"), null=True, blank=True)
    counts_from = models.DateField(_("期限起算日"))  # itself never counted
    period_days = models.PositiveSmallIntegerField(_("工作日数"))
    due_on = models.DateField(_("办理期限"))
    provisional = models.BooleanField(_("期限暂定"), default=False)
    calendar_version = models.CharField(_("日历版本"), max_length=60)
    escalated_on = models.DateField(_("报督办日"), null=True, blank=True)

    objects = ReportQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("举报")
        indexes = [
            # for a department's desk and the reminder sweep
            models.Index(
                fields=["department", "due_on"],
                name="report_open",
                condition=~Q(status__in=["informed", "not_accepted", "erased"]),
            ),
            # for the sweep that erases
            models.Index(
                fields=["closed_on"],
                name="report_to_erase",
                condition=Q(status__in=["informed", "not_accepted"]),
            ),
        ]

    def __str__(self):
        return self.number

    @property
    def display_name(self):
        """Whom it is about, as its handlers see it."""
        return self.about or self.code

    @property
    def total_days(self):
        return self.period_days

    def pauses_by(self, _today):
        return self.pauses

    @property
    def is_open(self):
        return self.status in self.OPEN

    def is_overdue(self, today):
        return self.is_open and self.due_on < today


class Message(Acted):
    """Words about a report: between reporter and department, or the department's own."""

    class Side(models.TextChoices):
        REPORTER = "reporter", _("举报人")
        DEPARTMENT = "department", _("办理部门")
        INTERNAL = "internal", _("内部")

    id = models.BigAutoField(primary_key=True)
    report = models.ForeignKey(Report, models.CASCADE, related_name="messages")
    side = models.CharField(max_length=12, choices=Side)
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="+"
    )
    text = models.TextField(_("内容"), blank=True)
    form_key = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField(_("时间"), default=timezone.now)

    class Meta:
        verbose_name = verbose_name_plural = _("举报往来")
        ordering = ["id"]
        indexes = [models.Index(fields=["report", "id"], name="message_report")]

    def __str__(self):
        return f"{self.report_id} {self.side}"


class Evidence(models.Model):
    """A picture that a reporter handed in, drawn anew and under a name of ours."""

    id = models.BigAutoField(primary_key=True)
    report = models.ForeignKey(Report, models.CASCADE, related_name="evidence")
    document = models.OneToOneField(Document, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = _("举报证据")
        ordering = ["id"]

    def __str__(self):
        return str(self.document_id)


class Litigation(Acted):
    """That a matter was referred to the procuratorate for public-interest litigation (公益诉讼)."""

    id = models.BigAutoField(primary_key=True)
    report = models.ForeignKey(Report, models.PROTECT, related_name="litigations")
    organ = models.CharField(_("检察机关"), max_length=100)
    document_number = models.CharField(_("移送文号"), max_length=80)
    referred_on = models.DateField(_("移送日期"))
    at = models.DateTimeField(_("时间"), default=timezone.now)

    class Meta:
        verbose_name = verbose_name_plural = _("公益诉讼移送")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["report", "document_number"], name="litigation_once")
        ]

    def __str__(self):
        return self.document_number


# ── the vault ─────────────────────────────────────────────────────────────────────────────────


class VaultKeyQuerySet(models.QuerySet):
    def active(self):
        """Those that a new identity is wrapped to: of vault officers who serve, and recovery."""
        serving = Q(officer__is_active=True, officer__roles__contains=[Role.VAULT])
        return self.filter(Q(officer=None) | serving, status=VaultKey.Status.ACTIVE)

    def of_officer(self, user):
        return self.active().filter(officer=user).first()

    def with_missing(self):
        """Each with `missing`: whether an identity in the vault is not wrapped to it."""
        wrapped = Wrap.objects.filter(report=OuterRef("pk"), key=OuterRef(OuterRef("pk")))
        missing = Report.objects.named().filter(~Exists(wrapped))
        return self.select_related("officer").annotate(missing=Exists(missing))


class VaultKey(Case):
    """A public key that identities are wrapped to, of a vault officer or the recovery key.

    An officer's private half is kept under Argon2id of a passphrase that is kept nowhere;
    the recovery key's is kept outside the portal.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", _("在用")
        RETIRED = "retired", _("停用")

    MOVES = {"retire": ({Status.ACTIVE}, Status.RETIRED)}

    status = models.CharField(_("状态"), max_length=30, choices=Status, default=Status.ACTIVE)
    officer = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("持有人")
    )
    public_key = models.BinaryField(unique=True, editable=False)
    private_wrapped = models.BinaryField(null=True, blank=True, editable=False)
    salt = models.BinaryField(null=True, blank=True, editable=False)

    objects = VaultKeyQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("保险箱密钥")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["officer"], name="vaultkey_one", condition=Q(status="active")
            )
        ]

    def __str__(self):
        return str(self.officer) if self.officer_id else str(_("恢复密钥"))

    @property
    def fingerprint(self):
        """Eight signs by which people tell keys apart."""
        return hashlib.sha256(bytes(self.public_key)).hexdigest()[:8]


class Wrap(models.Model):
    """The content key of one identity, wrapped to one public key."""

    id = models.BigAutoField(primary_key=True)
    report = models.ForeignKey(Report, models.CASCADE, related_name="wraps")
    key = models.ForeignKey(VaultKey, models.PROTECT, related_name="wraps")
    wrapped = models.BinaryField(editable=False)

    class Meta:
        verbose_name = verbose_name_plural = _("内容密钥")
        constraints = [models.UniqueConstraint(fields=["report", "key"], name="wrap_once")]

    def __str__(self):
        return f"{self.report_id} {self.key_id}"

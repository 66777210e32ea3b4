"""What is kept of accounts: who signed in, where sessions run, spare codes, and a journal."""

from django.contrib.sessions.models import Session
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from parties.models.acts import Acted
from parties.models.people import Department, User


class AccountEvent(Acted):
    """A line of the journal of accounts: who did what to whose account or key, when and why.

    Never changed, never deleted. The journal of matters lies in an app above this one.
    """

    class Action(models.TextChoices):
        CREATE = "create", _("开户")
        CHANGE = "change", _("修改账号")
        LEAVE = "leave", _("离职交接")
        PASSWORD_GIVEN = "password_given", _("管理员设置密码")
        PASSWORD = "password", _("修改密码")
        RESET_FACTOR = "reset_factor", _("重置动态口令")
        ENROL = "enrol", _("绑定动态口令")
        RECOVERY_CODES = "recovery_codes", _("换发备用码")
        RECOVERY_USED = "recovery_used", _("用备用码登录")
        END_SESSIONS = "end_sessions", _("结束其他会话")
        DELEGATE = "delegate", _("委托代办")
        END_DELEGATION = "end_delegation", _("结束代办")
        KEY_CREATE = "key_create", _("新建密钥")
        KEY_ROTATE = "key_rotate", _("更换密钥")
        KEY_REVOKE = "key_revoke", _("停用密钥")
        KEY_MOVE = "key_move", _("移交密钥")
        KEY_CHANGE = "key_change", _("修改密钥")

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("时间"), default=timezone.now)
    account = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("账号"))
    # where the account belonged then
    department = models.ForeignKey(
        Department,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("单位"),
    )
    action = models.CharField(_("动作"), max_length=20, choices=Action)
    key_prefix = models.CharField(_("密钥"), max_length=8, blank=True)  # which key it is about
    note = models.TextField(_("说明"), blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("账号经过")
        ordering = ["id"]
        indexes = [
            models.Index(fields=["account", "-id"], name="accountevent_account"),
            # for the pages of a department's keys
            models.Index(
                fields=["key_prefix", "-id"],
                name="accountevent_key",
                condition=~models.Q(key_prefix=""),
            ),
        ]

    def __str__(self):
        return f"{self.account} {self.get_action_display()}"


class SignInRecord(models.Model):
    """One try to sign in to a known account, for its owner to look at; kept for some months."""

    class Outcome(models.TextChoices):
        TOKEN = "token", _("成功，动态口令")
        RECOVERY = "recovery", _("成功，备用码")
        ENROLMENT = "enrolment", _("成功，开通码")
        FAILED = "failed", _("没有成功")

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, models.PROTECT, related_name="sign_ins", verbose_name=_("账号"))
    at = models.DateTimeField(_("时间"), default=timezone.now)
    address = models.GenericIPAddressField(_("地址"), null=True, blank=True)
    browser = models.CharField(_("浏览器"), max_length=60, blank=True)
    outcome = models.CharField(_("结果"), max_length=20, choices=Outcome)

    class Meta:
        verbose_name = verbose_name_plural = _("登录记录")
        indexes = [
            models.Index(fields=["user", "-id"], name="signin_user"),
            models.Index(fields=["at"], name="signin_at"),  # for the sweep
        ]

    def __str__(self):
        return f"{self.user} {self.get_outcome_display()}"

    @property
    def succeeded(self):
        return self.outcome != self.Outcome.FAILED


class StaffSessionQuerySet(models.QuerySet):
    def running(self, now):
        """Those whose session has not ended by itself."""
        kept = Session.objects.filter(expire_date__gt=now)
        return self.filter(session_key__in=kept.values("session_key"))


class StaffSession(models.Model):
    """Where a session of an account was opened. Truth is the session itself; this names it."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, models.PROTECT, related_name="staff_sessions")
    session_key = models.CharField(max_length=40, unique=True)
    started_at = models.DateTimeField(_("登录时间"), default=timezone.now)
    address = models.GenericIPAddressField(_("地址"), null=True, blank=True)
    browser = models.CharField(_("浏览器"), max_length=60, blank=True)

    objects = StaffSessionQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("会话")

    def __str__(self):
        return f"{self.user} {self.started_at}"


class SpareCodeQuerySet(models.QuerySet):
    def usable(self, now):
        ends = models.Q(expires_at=None) | models.Q(expires_at__gt=now)
        return self.filter(ends, used_at=None)


class SpareCode(models.Model):
    """A code that takes the place of the one-time code, once. Only a keyed digest is kept."""

    class Kind(models.TextChoices):
        RECOVERY = "recovery", _("备用码")
        ENROLMENT = "enrolment", _("开通码")

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, models.PROTECT, related_name="spare_codes")
    kind = models.CharField(_("种类"), max_length=20, choices=Kind)
    digest = models.CharField(max_length=64, editable=False)
    made_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    objects = SpareCodeQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("备用码")
        constraints = [
            models.UniqueConstraint(fields=["user", "digest"], name="sparecode_once"),
        ]

    def __str__(self):
        return f"{self.user} {self.get_kind_display()}"


class PastPassword(models.Model):
    """The hash of a password that the account had before the present one."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, models.PROTECT, related_name="past_passwords")
    encoded = models.CharField(max_length=128)
    until = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = verbose_name_plural = _("用过的密码")

    def __str__(self):
        return f"{self.user} {self.until}"

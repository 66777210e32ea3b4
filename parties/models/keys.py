"""How machines are known: the keys that officers answer for."""

from ipaddress import ip_address, ip_network

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from rest_framework_api_key.models import AbstractAPIKey, BaseAPIKeyManager

from parties.models.people import User


def check_network(text):
    """Refuse what is neither an address nor a network (192.0.2.0/24). Raises ValidationError."""
    try:
        ip_network(text)
    except ValueError as error:
        message = _("“%(text)s”既不是地址，也不是网段（如 192.0.2.0/24）。")
        raise ValidationError(message, params={"text": text}) from error


def ip_of(text):
    """The IP address that a server names, or None; an IPv4 one as itself, however it is wrapped."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


class ApiKeyQuerySet(models.QuerySet):
    def with_officer(self):
        return self.select_related("officer__department")

    def of_department(self, department_id):
        """Those for which officers of the department answer."""
        return self.exclude(officer__department=None).filter(officer__department=department_id)

    def live(self, now):
        """Those that still open doors."""
        ends = models.Q(expiry_date=None) | models.Q(expiry_date__gt=now)
        return self.filter(ends, revoked=False)


class ApiKeyManager(BaseAPIKeyManager.from_queryset(ApiKeyQuerySet)):
    pass


class ApiKey(AbstractAPIKey):
    """A machine's key: it acts for one officer, who answers for it. Only a hash is kept."""

    class Scope(models.TextChoices):
        READ = "read", _("读取")
        CHECK = "check", _("查询")
        FEEDBACK = "feedback", _("反馈")
        PUBLISH = "publish", _("公布")
        MANAGE = "manage", _("管理")

    officer = models.ForeignKey(User, models.PROTECT, verbose_name=_("负责人"))
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope), verbose_name=_("权限范围"))
    addresses = ArrayField(
        models.CharField(max_length=49, validators=[check_network]),
        default=list,
        blank=True,
        verbose_name=_("允许的地址"),
        help_text=_("地址或网段，用逗号分开；不填则不限。"),
    )
    per_minute = models.PositiveIntegerField(
        _("每分钟请求上限"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("不填则按平台的上限。"),
    )
    # written at most once a day, so that a busy key costs no more than an idle one
    last_used_on = models.DateField(_("最近使用"), null=True, blank=True, editable=False)
    replaces = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="replaced_by",
        verbose_name=_("替换的密钥"),
    )

    objects = ApiKeyManager()

    class Meta(AbstractAPIKey.Meta):
        verbose_name = verbose_name_plural = _("接口密钥")

    def admits(self, address):
        """Whether the key may be used from this address; one that names none may from all."""
        if not self.addresses:
            return True
        came_from = ip_of(address)
        return came_from is not None and any(came_from in ip_network(net) for net in self.addresses)

    def is_live(self, now):
        return not self.revoked and (self.expiry_date is None or self.expiry_date > now)

    @property
    def scope_labels(self):
        known = self.Scope.values
        return [self.Scope(scope).label for scope in self.scopes if scope in known]

"""Webhooks: where a department wants to be told, and each thing it is to be told there."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from casework.models import Case
from jointaction.models.push import Push
from listings.models import Listing
from parties.models import Department, Role, Sealed


class Occasion(models.TextChoices):
    """What an endpoint may be told of."""

    PUBLISHED = "listing.published", _("名单记录公布")
    CORRECTED = "listing.corrected", _("名单记录更正")
    WITHDRAWN = "listing.withdrawn", _("名单记录撤下")
    REPAIRED = "listing.repaired", _("名单记录修复")
    EXPIRED = "listing.expired", _("名单记录到期")
    PUSH_CREATED = "push.created", _("收到推送")
    PUSH_OVERDUE = "push.overdue", _("推送逾期未反馈")
    OBJECTION_REPLIED = "objection.replied", _("异议已答复")


PING = "endpoint.ping"  # asked for, never subscribed to


class EndpointQuerySet(models.QuerySet):
    def of_department(self, department_id):
        """A department's own, without those that it deleted."""
        return self.known().filter(department=department_id)

    def of_desk(self, user):
        """The department's own; the platform operator, supervisor and auditor see every one."""
        if user.sees_all or user.has_role(Role.OPERATOR):
            return self.known()
        return self.of_department(user.department_id)

    def known(self):
        return self.exclude(status=Endpoint.Status.CLOSED)

    def served(self):
        """Those that are enabled, of departments in use."""
        return self.filter(status=Endpoint.Status.ACTIVE, department__active=True)

    def hearing(self, occasion):
        """Those that are to be told of it, once they are enabled again if not now."""
        return self.known().filter(events__contains=[occasion])

    def waited_for(self, now):
        """Those to which something may be sent now."""
        return self.filter(Exists(Delivery.objects.due(now).filter(endpoint=OuterRef("pk"))))


class Endpoint(Case):
    """An address of a department's own to which the portal sends what happened.

    Its secret is sealed and told once. After a rotation the old one signs beside the new one
    until `previous_until`. `seq` is the ledger position up to which its rows were made, so one
    that was disabled goes on where it stopped.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", _("启用")
        DISABLED = "disabled", _("停用")
        CLOSED = "closed", _("已删除")

    class Reason(models.TextChoices):
        BY_HAND = "by_hand", _("人工停用")
        GONE = "gone", _("对方答复此地址已不存在（410）")
        FAILING = "failing", _("连续三天没有送达")

    MOVES = {
        "disable": ({Status.ACTIVE}, Status.DISABLED),
        "enable": ({Status.DISABLED}, Status.ACTIVE),
        "close": ({Status.ACTIVE, Status.DISABLED}, Status.CLOSED),
    }

    status = models.CharField(_("状态"), max_length=30, choices=Status, default=Status.ACTIVE)
    department = models.ForeignKey(
        Department, models.PROTECT, related_name="endpoints", verbose_name=_("单位")
    )
    url = models.CharField(_("地址"), max_length=500)
    events = ArrayField(
        models.CharField(max_length=30, choices=Occasion), verbose_name=_("通知哪些事")
    )
    seq = models.BigIntegerField(_("账本序号"), default=0)
    secret_sealed = models.BinaryField(null=True, editable=False)
    secret_key_id = models.CharField(max_length=16, blank=True, editable=False)
    previous_sealed = models.BinaryField(null=True, editable=False)
    previous_key_id = models.CharField(max_length=16, blank=True, editable=False)
    previous_until = models.DateTimeField(_("旧密钥用到"), null=True, blank=True)
    disabled_reason = models.CharField(_("停用原因"), max_length=10, choices=Reason, blank=True)
    failures = models.PositiveIntegerField(_("连续失败次数"), default=0)
    failing_since = models.DateTimeField(_("从何时起送不到"), null=True, blank=True)
    paused_until = models.DateTimeField(_("暂缓到"), null=True, blank=True)

    SEALED = (
        Sealed("secret_sealed", "secret_key_id", "secret"),
        Sealed("previous_sealed", "previous_key_id", "secret"),
    )

    objects = EndpointQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("通知接口")
        constraints = [
            # nobody is told twice at one address
            models.UniqueConstraint(
                fields=["department", "url"], name="endpoint_once", condition=~Q(status="closed")
            )
        ]

    def __str__(self):
        return self.url

    @property
    def event_labels(self):
        return [Occasion(event).label for event in self.events]


class DeliveryQuerySet(models.QuerySet):
    def waiting(self):
        return self.filter(status=Delivery.Status.WAITING)

    def dead(self):
        return self.filter(status=Delivery.Status.DEAD)

    def undelivered_of(self, endpoints):
        """{(endpoint's key, status): how many} of what waits or was given up."""
        rows = self.filter(endpoint__in=endpoints).exclude(status=Delivery.Status.DELIVERED)
        counted = rows.order_by().values_list("endpoint", "status").annotate(n=models.Count("pk"))
        return {(endpoint, status): n for endpoint, status, n in counted}

    def due(self, now):
        """What may be sent now: to enabled endpoints that aren't paused, and pings to any.

        One that is being sent is due again only after its lease.
        """
        active = Q(endpoint__status=Endpoint.Status.ACTIVE, endpoint__department__active=True)
        unpaused = Q(endpoint__paused_until=None) | Q(endpoint__paused_until__lte=now)
        ping = Q(event=PING, endpoint__status=Endpoint.Status.DISABLED)
        return self.waiting().filter((active & unpaused) | ping, next_try_at__lte=now)

    def with_parts(self):
        return self.select_related("endpoint", "listing")

    def first_of_listing(self):
        """Those before which nothing of the same entry waits for the same endpoint."""
        earlier = Delivery.objects.waiting().filter(
            endpoint=OuterRef("endpoint"), listing=OuterRef("listing"), pk__lt=OuterRef("pk")
        )
        return self.filter(~Exists(earlier))


class Delivery(models.Model):
    """One thing to be told to one endpoint. What it says is made when it is sent.

    A worker takes it by moving `next_try_at` past the lease and counting the attempt; one that
    was killed has its row taken again after that.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("待送达")
        DELIVERED = "delivered", _("已送达")
        DEAD = "dead", _("未能送达")

    class Fault(models.TextChoices):
        ADDRESS = "address", _("地址不允许访问")
        UNREACHABLE = "unreachable", _("连接不上")
        TLS = "tls", _("证书不可信")
        TIMEOUT = "timeout", _("10 秒内没有答完")
        REDIRECT = "redirect", _("要求转到别的地址")
        REFUSED = "refused", _("对方没有接收")
        BROKEN = "broken", _("答复不完整，或者不是 HTTP")
        CONTENT = "content", _("本平台没能备好内容")

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    endpoint = models.ForeignKey(
        Endpoint,
        models.PROTECT,
        related_name="deliveries",
        db_index=False,
        verbose_name=_("通知接口"),
    )
    event = models.CharField(_("事项"), max_length=30)
    key = models.CharField(max_length=120)
    listing = models.ForeignKey(
        Listing, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("记录")
    )
    push = models.ForeignKey(
        Push, models.PROTECT, null=True, related_name="+", db_index=False, verbose_name=_("推送")
    )
    data = models.JSONField(default=dict)
    at = models.DateTimeField(_("发生时间"))
    created_at = models.DateTimeField(_("建立时间"), default=timezone.now)
    status = models.CharField(
        _("状态"), max_length=10, choices=Status, default=Status.WAITING, db_index=False
    )
    attempts = models.PositiveIntegerField(_("尝试次数"), default=0)
    next_try_at = models.DateTimeField(_("下次尝试"), default=timezone.now)
    first_tried_at = models.DateTimeField(_("首次尝试"), null=True, blank=True)
    tried_at = models.DateTimeField(_("最近尝试"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("送达时间"), null=True, blank=True)
    http_status = models.PositiveSmallIntegerField(_("对方答复"), null=True, blank=True)
    fault = models.CharField(_("没有送达的原因"), max_length=12, choices=Fault, blank=True)
    answer = models.CharField(_("答复内容"), max_length=300, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("接口通知")
        constraints = [
            # whoever announces may do so as often as it likes
            models.UniqueConstraint(fields=["endpoint", "key"], name="delivery_once")
        ]
        indexes = [
            # for the sender: what is due for an endpoint, the longest due first
            models.Index(
                fields=["endpoint", "next_try_at", "id"],
                name="delivery_due",
                condition=Q(status="waiting"),
            ),
            # for the order of what is told of one entry
            models.Index(
                fields=["endpoint", "listing", "id"],
                name="delivery_listing",
                condition=Q(status="waiting"),
            ),
            # for an endpoint's page, by state and in all
            models.Index(fields=["endpoint", "status", "-id"], name="delivery_status"),
            models.Index(fields=["endpoint", "-id"], name="delivery_newest"),
            # for the sweep that removes what is old
            models.Index(
                fields=["status", "tried_at"],
                name="delivery_old",
                condition=~Q(status="waiting"),
            ),
        ]

    def __str__(self):
        return f"{self.event} {self.endpoint_id}"

    @property
    def event_label(self):
        return Occasion(self.event).label if self.event in Occasion.values else _("试发")

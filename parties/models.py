"""Who: departments, the people who work there, the subjects of entries."""

import uuid
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from rest_framework_api_key.models import AbstractAPIKey, BaseAPIKeyManager


@dataclass(frozen=True)
class Sealed:
    """A sealed column of a table: which, beside which key id, and what binds it to its row.

    A model names its own in SEALED, so that a change of keys finds them all. `index` is the
    column of the blind index made of the same value, its key id in `<index>_key_id`; what is
    digested of a value says the row's `index_text(value)`.
    """

    column: str
    key_id: str
    field: str
    row: str = "public_id"
    index: str = ""


class Department(models.Model):
    class Kind(models.TextChoices):
        ORGAN = "organ", _("行政机关")
        COURT = "court", _("法院")
        BANK = "bank", _("金融机构")
        ASSOCIATION = "association", _("行业协会")
        PLATFORM = "platform", _("信用平台")
        SUPERVISOR = "supervisor", _("牵头单位")

    code = models.SlugField(_("代码"), max_length=40, unique=True)
    name = models.CharField(_("名称"), max_length=100)
    short_name = models.CharField(_("简称"), max_length=40)
    name_en = models.CharField(_("英文名称"), max_length=150)
    kind = models.CharField(_("性质"), max_length=20, choices=Kind)
    region = models.CharField(_("行政区划"), max_length=6)
    document_prefix = models.CharField(_("发文字头"), max_length=20, blank=True)
    active = models.BooleanField(_("在用"), default=True)

    class Meta:
        verbose_name = verbose_name_plural = _("单位")
        ordering = ["code"]

    def __str__(self):
        return self.name

    @property
    def in_brief(self):
        """The short name, on English pages the English one."""
        return self.name_en if (get_language() or "").startswith("en") else self.short_name

    @property
    def may_be_ordered(self):
        """Banks and associations are informed, never ordered (国办发〔2020〕49号)."""
        return self.kind not in {self.Kind.BANK, self.Kind.ASSOCIATION}


class Role(models.TextChoices):
    CLERK = "clerk", _("经办")
    REVIEWER = "reviewer", _("审核")
    LIAISON = "liaison", _("联络员")
    OPERATOR = "operator", _("平台管理员")
    SUPERVISOR = "supervisor", _("督办")
    VAULT = "vault", _("举报信息管理员")
    AUDITOR = "auditor", _("审计")


class User(AbstractUser):
    """A member of staff. Citizens and firms need no account."""

    full_name = models.CharField(_("姓名"), max_length=50)
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, verbose_name=_("单位")
    )
    roles = ArrayField(
        models.CharField(max_length=20, choices=Role),
        default=list,
        blank=True,
        verbose_name=_("角色"),
    )

    class Meta:
        verbose_name = verbose_name_plural = _("用户")

    def __str__(self):
        return self.full_name or self.username

    def has_role(self, *roles):
        return self.is_active and any(role in self.roles for role in roles)

    @property
    def sees_all(self):
        """The supervisor and the auditor read every department's matters."""
        return self.has_role(Role.SUPERVISOR, Role.AUDITOR)

    def works_for(self, department_id):
        return department_id is not None and self.department_id == department_id


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

    objects = ApiKeyManager()

    class Meta(AbstractAPIKey.Meta):
        verbose_name = verbose_name_plural = _("接口密钥")

    def admits(self, address):
        """Whether the key may be used from this address; one that names none may from all."""
        if not self.addresses:
            return True
        came_from = ip_of(address)
        return came_from is not None and any(came_from in ip_network(net) for net in self.addresses)


@dataclass(frozen=True)
class Actor:
    """Who acts: a person, a person through a key, or the clock (`label` alone)."""

    user: User | None = None
    key: ApiKey | None = None
    label: str = ""

    @classmethod
    def of(cls, user):
        return cls(user=user, label=str(user))

    @classmethod
    def through(cls, key):
        return cls(user=key.officer, key=key, label=f"{key.officer} ({key.name})")

    @property
    def columns(self):
        return {"by_user": self.user, "by_key": self.key, "by_label": self.label[:120]}

    @property
    def department(self):
        return self.user.department if self.user else None


CLOCK = Actor(label="clock")
PUBLIC = Actor(label="applicant")


class Acted(models.Model):
    """The three columns that say who did it, even after the account is gone."""

    by_user = models.ForeignKey(
        "parties.User",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("办理人"),
    )
    by_key = models.ForeignKey(
        "parties.ApiKey",
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        related_name="+",
        verbose_name=_("密钥"),
    )
    by_label = models.CharField(_("署名"), max_length=120)

    class Meta:
        abstract = True


class PaperType(models.TextChoices):
    RESIDENT_ID = "resident_id", _("居民身份证")
    PASSPORT = "passport", _("护照")
    HK_MACAU = "hk_macau", _("港澳居民来往内地通行证")
    TAIWAN = "taiwan", _("台湾居民来往大陆通行证")
    FOREIGN_RESIDENT = "foreign_resident", _("外国人永久居留身份证")
    OTHER = "other", _("其他")


class SubjectQuerySet(models.QuerySet):
    def organisations(self):
        return self.exclude(kind=Subject.Kind.PERSON)

    def behind(self, **number):
        """The key of the subject that a code or key stands for, as a subselect of one row.

        Of a merged record that is the one it was merged into. To be used with `=`, so that
        the index on the number answers first.
        """
        key = Coalesce("merged_into", "pk", output_field=models.BigIntegerField())
        return self.filter(**number).values(key=key)[:1]


class Subject(models.Model):
    """Whom an entry is about: a firm by its code, a person by the sealed number of a paper.

    A person whom another city lists has no paper here: no check can ever find that one.
    """

    class Kind(models.TextChoices):
        ORGANIZATION = "organization", _("法人及非法人组织")
        SOLE_TRADER = "sole_trader", _("个体工商户")
        PERSON = "person", _("自然人")

    id = models.BigAutoField(primary_key=True)
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("主体类别"), max_length=20, choices=Kind)
    code = models.CharField(  # noqa: DJ001 - a person has none, and no two may share ""
        _("统一社会信用代码"), max_length=18, null=True, blank=True, db_collation="C"
    )
    name = models.CharField(_("名称"), max_length=200)
    name_normalised = models.CharField(max_length=200, editable=False, db_collation="C")
    region = models.CharField(_("行政区划"), max_length=6, blank=True)
    legal_representative = models.CharField(_("法定代表人"), max_length=100, blank=True)
    paper_type = models.CharField(_("证件类型"), max_length=20, choices=PaperType, blank=True)
    paper_sealed = models.BinaryField(null=True, editable=False)
    paper_key_id = models.CharField(max_length=16, blank=True, editable=False)
    paper_index = models.BinaryField(null=True, editable=False)
    paper_index_key_id = models.CharField(max_length=16, blank=True, editable=False)
    # the same subject under the number that counts; everything about it hangs there
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="merged",
        verbose_name=_("并入"),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    SEALED = (Sealed("paper_sealed", "paper_key_id", "paper", index="paper_index"),)

    objects = SubjectQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("主体")
        constraints = [
            models.CheckConstraint(
                name="subject_has_its_identity",
                # a person whom another city lists is known by a masked name, without any paper
                condition=models.Q(kind="person", code=None)
                & (models.Q(paper_index__isnull=False) | models.Q(paper_type=""))
                | (~models.Q(kind="person") & models.Q(code__isnull=False, paper_index=None)),
            ),
            models.UniqueConstraint(fields=["code"], name="subject_code"),
            # one person per paper; the index is keyed, so rotation writes both columns
            models.UniqueConstraint(
                fields=["paper_type", "paper_index"],
                name="subject_one_per_paper",
                condition=models.Q(kind="person"),
            ),
        ]

    def __str__(self):
        return self.display_name

    def index_text(self, number):
        """What the blind index of the paper is made of."""
        return f"{self.paper_type}:{number}"

    @property
    def is_person(self):
        return self.kind == self.Kind.PERSON

    @property
    def kept(self):
        """The record that counts: this one, or the one that it was merged into."""
        return self.merged_into or self

    @property
    def display_name(self):
        """The name as anyone may see it: a person's is masked (张*)."""
        return mask_name(self.name) if self.is_person else self.name


class FormerNameQuerySet(models.QuerySet):
    def holding(self, normalised):
        """Those of organisations that hold the text; persons are never found by name."""
        rows = self.exclude(subject__kind=Subject.Kind.PERSON).select_related("subject")
        return rows.filter(name_normalised__contains=normalised)


class FormerName(models.Model):
    """A name that a subject bore until a day: still found, never an identity."""

    subject = models.ForeignKey(
        Subject, models.PROTECT, related_name="former_names", verbose_name=_("主体")
    )
    name = models.CharField(_("曾用名"), max_length=200)
    name_normalised = models.CharField(max_length=200, editable=False, db_collation="C")
    until = models.DateField(_("用到"))

    objects = FormerNameQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("曾用名")
        ordering = ["-until", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["subject", "name", "until"], name="formername_once")
        ]
        indexes = [models.Index(fields=["name_normalised"], name="formername_name")]

    def __str__(self):
        return mask_name(self.name) if self.subject.is_person else self.name


def mask_name(name):
    """Leave the first character of a person's name: 张三 → 张*, 欧阳示例 → 欧*."""
    name = name.strip()
    return f"{name[:1]}*" if name else "*"


def mask_value(value):
    """The same of any value that may name a person: its first sign, but never a digit."""
    masked = mask_name(str(value))
    return "*" if masked[0].isdigit() else masked


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


class IndexKey(models.Model):
    """The key of one kind of digest, kept sealed after the sealing key it came from is retired.

    Of a query code only the digest is kept, so it can't be made anew under a newer key.
    """

    key_id = models.CharField(_("密钥编号"), max_length=16)  # of the key that it was derived from
    purpose = models.CharField(_("用途"), max_length=20)
    sealed = models.BinaryField()
    sealed_key_id = models.CharField(max_length=16)

    SEALED = (Sealed("sealed", "sealed_key_id", "key", row="place"),)

    class Meta:
        verbose_name = verbose_name_plural = _("索引密钥")
        constraints = [models.UniqueConstraint(fields=["key_id", "purpose"], name="indexkey_once")]

    def __str__(self):
        return self.place

    @property
    def place(self):
        return f"{self.key_id}:{self.purpose}"

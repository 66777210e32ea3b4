"""Who: departments and the people who work there."""

from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import JSONObject
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from parties.models.absence import Delegation, Lent


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


class UserQuerySet(models.QuerySet):
    def with_standing(self, today):
        """With the department, and whom each stands in for on `today`: one query for a request."""
        standing = Delegation.objects.in_force(today).filter(to_user=models.OuterRef("pk"))
        row = JSONObject(
            user_id="from_user_id", name="from_user__full_name", roles="from_user__roles"
        )
        return self.select_related("department").annotate(
            lent_rows=ArraySubquery(standing.order_by("pk").values(row=row))
        )

    def colleagues(self, user):
        """Who else works in the user's department now."""
        own = self.filter(department=user.department_id, is_active=True)
        return own.exclude(department=None).exclude(pk=user.pk).order_by("full_name", "pk")


class StaffManager(UserManager.from_queryset(UserQuerySet)):
    pass


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
    # somebody else knows the password: whoever signs in with it gives an own one first
    must_change_password = models.BooleanField(_("须改密码"), default=False, editable=False)

    objects = StaffManager()

    lent_rows = None  # what `with_standing` asked for together with the account
    through_key = False  # a machine acts: a key stands in for nobody
    acting_for = None  # whose role the last question about roles was answered by

    class Meta:
        verbose_name = verbose_name_plural = _("用户")

    def __str__(self):
        return self.full_name or self.username

    @property
    def role_labels(self):
        return [Role(role).label for role in self.roles if role in Role.values]

    @cached_property
    def lent(self):
        """[Lent] of whom this person stands in for today, asked for once."""
        if self.lent_rows is not None:
            return [Lent(**row) for row in self.lent_rows]
        rows = Delegation.objects.in_force(timezone.localdate()).filter(to_user=self.pk)
        return [
            Lent(row.from_user_id, str(row.from_user), row.from_user.roles)
            for row in rows.select_related("from_user").order_by("pk")
        ]

    def has_role(self, *roles):
        """Whether the person holds one of the roles, or stands in today for somebody who does.

        Whose role it was stays in `acting_for`, for the journal line of what is done with it.
        """
        if not self.is_active:
            return False
        if any(role in self.roles for role in roles):
            self.acting_for = None
            return True
        if self.through_key:
            return False
        lender = next((one for one in self.lent if one.lends(roles)), None)
        if lender:
            self.acting_for = lender
        return lender is not None

    @property
    def sees_all(self):
        """The supervisor and the auditor read every department's matters."""
        return self.has_role(Role.SUPERVISOR, Role.AUDITOR)

    @property
    def speaks_for(self):
        """The keys of the people whose eyes these are: the own, and whom one stands in for today.

        Four eyes counts people: nobody approves what one of these wrote.
        """
        return {self.pk, *(one.user_id for one in self.lent)}

    def works_for(self, department_id):
        return department_id is not None and self.department_id == department_id

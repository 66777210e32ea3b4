"""What hangs on an entry: the persons responsible, and changes that wait for approval."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from casework.models import Case
from listings.models.entry import Listing
from parties.models import Subject


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

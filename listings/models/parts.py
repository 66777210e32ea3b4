"""What hangs on an entry: the persons responsible, and changes that wait for approval."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from casework.models import Case, ServiceMeans
from listings.models.entry import Listing
from parties.models import Role, Subject, mask_name
from rulebook.models import ResponsibleRole

# Who was named in error, or by a document since quashed, never answered for anything.
VOIDING = (Listing.EndReason.ERROR, Listing.EndReason.DOCUMENT_QUASHED)


class ResponsiblePersonQuerySet(models.QuerySet):
    def answerable(self, day):
        """Those who answer on `day` as known today: term not over, not released, not void."""
        running = Q(until=None) | Q(until__gte=day)
        released = Q(ended_on__gt=day) & ~Q(end_reason__in=VOIDING)
        return self.filter(running, Q(ended_on=None) | released)

    def unheard(self, today):
        """Those of a draft who stand against its publication: own defence open, own term over."""
        heard = Q(defence_text="", defence_received_on=None) | ~Q(opinion="")
        return self.filter(Q(until__lt=today) | Q(defence_until__gte=today) | ~heard)


class ResponsiblePerson(models.Model):
    """A person who answers for the misconduct of a black entry; never listed by listing the firm.

    Lives here and not with the black list because checks and objections ask for it.
    """

    Role = ResponsibleRole

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    listing = models.ForeignKey(
        Listing, models.PROTECT, related_name="responsible_persons", verbose_name=_("记录")
    )
    person = models.ForeignKey(Subject, models.PROTECT, related_name="+", verbose_name=_("人员"))
    role = models.CharField(_("身份"), max_length=30, choices=Role)
    fact = models.TextField(_("责任事实"))
    basis = models.CharField(_("依据"), max_length=300)
    notice_served_on = models.DateField(_("单独告知日期"), null=True, blank=True)
    notice_means = models.CharField(_("送达方式"), max_length=20, choices=ServiceMeans, blank=True)
    defence_until = models.DateField(_("陈述申辩截止"), null=True, blank=True)
    defence_received_on = models.DateField(_("收到陈述申辩"), null=True, blank=True)
    defence_text = models.TextField(_("陈述申辩意见"), blank=True)
    opinion = models.TextField(_("对陈述申辩的答复"), blank=True)
    until = models.DateField(_("截止日"), null=True, blank=True)
    ended_on = models.DateField(_("提前结束日"), null=True, blank=True)
    end_reason = models.CharField(
        _("提前结束的原因"), max_length=30, choices=Listing.EndReason, blank=True
    )

    objects = ResponsiblePersonQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("责任人员")
        constraints = [
            models.UniqueConstraint(fields=["listing", "person"], name="responsibleperson_once")
        ]

    def __str__(self):
        return f"{self.person} {self.get_role_display()}"

    @property
    def defence_made(self):
        return bool(self.defence_text or self.defence_received_on)

    def answers_on(self, day):
        """Whether this person still answers on `day`."""
        return (self.until is None or self.until >= day) and self.ended_on is None


class ProposalQuerySet(models.QuerySet):
    def of_desk(self, user):
        return self if user.sees_all else self.filter(listing__department=user.department_id)

    def open(self):
        return self.filter(status=Proposal.Status.PROPOSED)

    def urgent(self):
        """Those that must be decided by a day: the document of the entry was quashed."""
        return self.open().filter(due_on__isnull=False)

    def with_parts(self):
        return self.select_related(
            "proposed_by",
            "person__person",
            "listing__subject",
            "listing__category",
            "listing__department",
        )


class Proposal(Case):
    """A correction, withdrawal or release that one officer proposes and another approves.

    One whose entry ends otherwise before it is decided lapses by itself.
    """

    class Status(models.TextChoices):
        PROPOSED = "proposed", _("待审核")
        APPROVED = "approved", _("已通过")
        REJECTED = "rejected", _("未通过")
        LAPSED = "lapsed", _("已失去意义")

    class Action(models.TextChoices):
        CORRECT = "correct", _("更正")
        WITHDRAW = "withdraw", _("撤下")
        RELEASE = "release", _("解除责任人员")

    MOVES = {
        "approve": ({Status.PROPOSED}, Status.APPROVED),
        "reject": ({Status.PROPOSED}, Status.REJECTED),
        "lapse": ({Status.PROPOSED}, Status.LAPSED),
    }

    status = models.CharField(_("状态"), max_length=30, choices=Status, default=Status.PROPOSED)
    listing = models.ForeignKey(
        Listing, models.PROTECT, related_name="proposals", verbose_name=_("名单记录")
    )
    action = models.CharField(_("动作"), max_length=20, choices=Action)
    person = models.ForeignKey(
        ResponsiblePerson, models.PROTECT, null=True, blank=True, verbose_name=_("责任人员")
    )
    fields = models.JSONField(_("新值"), default=dict, blank=True)
    reason = models.CharField(_("原因"), max_length=30, blank=True)
    # a quashed document: since when, by which document, and the last day to take the entry off
    quashed_on = models.DateField(_("文书撤销日期"), null=True, blank=True)
    quashed_by = models.CharField(_("撤销文书"), max_length=200, blank=True)
    due_on = models.DateField(_("最迟撤下日"), null=True, blank=True)
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

    def is_overdue(self, today):
        open_ = self.status == self.Status.PROPOSED
        return open_ and self.due_on is not None and self.due_on < today


class SubjectChangeQuerySet(models.QuerySet):
    def open(self):
        return self.filter(status=SubjectChange.Status.PROPOSED)

    def about(self, subject):
        return self.filter(Q(subject=subject) | Q(into=subject))

    def to_decide(self, user):
        """Those that the user may approve: an operator all, a reviewer new names that concern."""
        others = self.open().exclude(proposed_by__in=user.speaks_for)
        if user.has_role(Role.OPERATOR):
            return others
        if not user.has_role(Role.REVIEWER):
            return others.none()
        own = Listing.objects.filter(
            subject=models.OuterRef("subject"), department=user.department_id
        )
        return others.filter(models.Exists(own), action=SubjectChange.Action.RENAME)

    def with_parts(self):
        return self.select_related("subject", "into", "proposed_by")


class SubjectChange(Case):
    """A new name of a subject, or two records of one subject made one: two people each time.

    Lives here and not with the subjects because entries and their ledger follow it.
    """

    class Status(models.TextChoices):
        PROPOSED = "proposed", _("待审核")
        APPROVED = "approved", _("已通过")
        REJECTED = "rejected", _("未通过")

    class Action(models.TextChoices):
        RENAME = "rename", _("更名")
        MERGE = "merge", _("合并")

    MOVES = {
        "approve": ({Status.PROPOSED}, Status.APPROVED),
        "reject": ({Status.PROPOSED}, Status.REJECTED),
    }

    status = models.CharField(_("状态"), max_length=30, choices=Status, default=Status.PROPOSED)
    action = models.CharField(_("动作"), max_length=10, choices=Action)
    subject = models.ForeignKey(
        Subject, models.PROTECT, related_name="changes", verbose_name=_("主体")
    )
    into = models.ForeignKey(
        Subject, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("并入")
    )
    name = models.CharField(_("新名称"), max_length=200, blank=True)
    changed_on = models.DateField(_("变更日期"), null=True, blank=True)
    note = models.TextField(_("说明"))
    proposed_by = models.ForeignKey(
        "parties.User", models.PROTECT, related_name="+", verbose_name=_("提出人")
    )

    objects = SubjectChangeQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("主体更名或合并")
        constraints = [
            models.UniqueConstraint(
                fields=["subject"], name="subjectchange_one_open", condition=Q(status="proposed")
            ),
            models.CheckConstraint(
                name="subjectchange_says_what",
                condition=Q(action="rename", into=None, changed_on__isnull=False) & ~Q(name="")
                | Q(action="merge", into__isnull=False, name=""),
            ),
        ]

    def __str__(self):
        return f"{self.get_action_display()} {self.subject}"

    @property
    def display_name(self):
        """The new name as pages show it: a person's is masked."""
        return mask_name(self.name) if self.subject.is_person else self.name

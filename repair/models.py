"""Credit repair: a subject that has put things right asks to be taken off the black list."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from casework.models import Document, Filing, FilingQuerySet
from listings.models import Listing, ResponsiblePerson
from parties.models import Acted, Department


class RepairQuerySet(FilingQuerySet):
    def with_parts(self):
        return self.select_related(
            "department", "listing__subject", "listing__category", "responsible_person__person"
        ).prefetch_related("letters", "papers__document")


class Repair(Filing):
    """One application for repair: accepted within one period, decided within another."""

    class Status(models.TextChoices):
        RECEIVED = "received", _("待受理")
        AWAITING = "awaiting", _("待补正")
        ACCEPTED = "accepted", _("已受理")
        NOT_ACCEPTED = "not_accepted", _("不予受理")
        DECISION_PROPOSED = "decision_proposed", _("决定待审核")
        GRANTED = "granted", _("准予修复")
        REFUSED = "refused", _("不予修复")

    class Outcome(models.TextChoices):
        GRANTED = "granted", _("准予修复")
        REFUSED = "refused", _("不予修复")

    OPEN = (Status.RECEIVED, Status.AWAITING, Status.ACCEPTED, Status.DECISION_PROPOSED)
    MOVES = {
        "ask": ({Status.RECEIVED}, Status.AWAITING),
        "supplement": ({Status.AWAITING}, Status.RECEIVED),
        "accept": ({Status.RECEIVED, Status.AWAITING}, Status.ACCEPTED),
        "not_accept": ({Status.RECEIVED, Status.AWAITING}, Status.NOT_ACCEPTED),
        "propose_decision": ({Status.ACCEPTED}, Status.DECISION_PROPOSED),
        "return_decision": ({Status.DECISION_PROPOSED}, Status.ACCEPTED),
        "grant": ({Status.DECISION_PROPOSED}, Status.GRANTED),
        "refuse": ({Status.DECISION_PROPOSED}, Status.REFUSED),
    }

    status = models.CharField(_("状态"), max_length=30, choices=Status, default=Status.RECEIVED)
    listing = models.ForeignKey(
        Listing, models.PROTECT, related_name="repairs", verbose_name=_("记录")
    )
    responsible_person = models.ForeignKey(
        ResponsiblePerson,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="repairs",
        verbose_name=_("责任人员"),
    )
    statement = models.TextField(_("整改情况"))
    commitment = models.TextField(_("信用承诺"))
    committed_by = models.CharField(_("承诺人"), max_length=200)
    committed_on = models.DateField(_("承诺日期"))
    accepted_on = models.DateField(_("受理日期"), null=True, blank=True)
    outcome = models.CharField(_("决定"), max_length=20, choices=Outcome, blank=True)
    reasons = models.TextField(_("理由"), blank=True)
    decided_on = models.DateField(_("决定日期"), null=True, blank=True)
    retry_from = models.DateField(_("最早再次申请日"), null=True, blank=True)

    objects = RepairQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("信用修复")
        constraints = [
            models.UniqueConstraint(
                fields=["listing", "responsible_person"],
                nulls_distinct=False,
                name="repair_one_open",
                condition=Q(status__in=["received", "awaiting", "accepted", "decision_proposed"]),
            )
        ]
        indexes = [
            # for a department's board and the reminder sweep
            models.Index(
                fields=["department", "due_on"],
                name="repair_open",
                condition=Q(status__in=["received", "awaiting", "accepted", "decision_proposed"]),
            )
        ]

    def letter(self, *kinds):
        """The letter of one of these kinds, or None."""
        return next((row for row in self.letters.all() if row.kind in kinds), None)

    @property
    def evidence_kinds(self):
        """The kinds of papers that were handed in, with or without a file."""
        return list(dict.fromkeys(paper.kind for paper in self.papers.all()))


class RepairPaper(models.Model):
    """A paper handed in for an application, under the kind that the rule asks for.

    Without a file where the paper itself came to the counter.
    """

    id = models.BigAutoField(primary_key=True)
    repair = models.ForeignKey(Repair, models.PROTECT, related_name="papers")
    kind = models.CharField(_("材料"), max_length=100)
    document = models.ForeignKey(
        Document, models.PROTECT, null=True, blank=True, verbose_name=_("文件")
    )
    handed_in_on = models.DateField(_("提交日期"))

    class Meta:
        verbose_name = verbose_name_plural = _("修复材料")
        ordering = ["id"]

    def __str__(self):
        return self.kind


class Verification(Acted):
    """How it was verified that the subject put things right, and what was found."""

    class Means(models.TextChoices):
        PAPERS = "papers", _("核对材料")
        VISIT = "visit", _("实地核查")
        OPINION = "opinion", _("有关单位意见")
        OTHER = "other", _("其他方式")

    id = models.BigAutoField(primary_key=True)
    repair = models.ForeignKey(Repair, models.PROTECT, related_name="verifications")
    means = models.CharField(_("核实方式"), max_length=20, choices=Means)
    done_on = models.DateField(_("核实日期"))
    unit = models.ForeignKey(
        Department,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("出具意见的单位"),
    )
    findings = models.TextField(_("核实情况"))
    document = models.ForeignKey(
        Document, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("文件")
    )

    class Meta:
        verbose_name = verbose_name_plural = _("核实记录")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="verification_opinion_has_unit",
                condition=~Q(means="opinion") | Q(unit__isnull=False),
            )
        ]

    def __str__(self):
        return self.get_means_display()

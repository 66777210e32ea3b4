"""Memoranda of cooperation: which unit applies what, by which article."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from parties.models import Department
from rulebook.models.laws import Dated, ListKind, Named
from rulebook.models.lists import ListCategory
from rulebook.models.measures import Measure, Misconduct


class Memorandum(Named, Dated):
    """A memorandum of cooperation (合作备忘录): per unit its measures and articles."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    code = models.SlugField(_("代码"), max_length=40, unique=True)
    kind = models.CharField(_("性质"), max_length=5, choices=ListKind)
    lead = models.ForeignKey(
        Department, models.PROTECT, related_name="memoranda_led", verbose_name=_("牵头单位")
    )
    signatories = models.ManyToManyField(
        Department, related_name="memoranda_signed", blank=True, verbose_name=_("签署单位")
    )
    signed_on = models.DateField(_("签署日期"))
    categories = models.ManyToManyField(
        ListCategory, related_name="memoranda", verbose_name=_("适用类别")
    )

    class Meta:
        verbose_name = verbose_name_plural = _("合作备忘录")
        ordering = ["code"]


class MemorandumMeasureQuerySet(models.QuerySet):
    def in_force_for(self, category, today):
        """What the memoranda in force ask of the units for entries of `category`.

        A measure that has nothing to do with the misconduct is left out (the relevance
        matrix): a food case does not stop anybody from flying.
        """
        in_force = Memorandum.objects.in_force(today).filter(categories=category)
        rows = self.filter(memorandum__in=in_force)
        if category.misconduct_id:
            rows = rows.filter(measure__relevant_to=category.misconduct_id)
            if category.misconduct.domain != Misconduct.Domain.JUDICIAL:
                rows = rows.exclude(measure__refusal_only=True)
        return rows.select_related("memorandum", "unit", "measure").order_by(
            "unit__code", "measure__code"
        )


class MemorandumMeasure(models.Model):
    """One unit's measure under a memorandum, with the article that says so."""

    memorandum = models.ForeignKey(Memorandum, models.CASCADE, related_name="measures")
    unit = models.ForeignKey(Department, models.PROTECT, verbose_name=_("执行单位"))
    measure = models.ForeignKey(Measure, models.PROTECT, verbose_name=_("措施"))
    article = models.CharField(_("条款"), max_length=60)

    objects = MemorandumMeasureQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("备忘录措施")
        ordering = ["memorandum", "unit", "measure"]
        constraints = [
            models.UniqueConstraint(
                fields=["memorandum", "unit", "measure"], name="memorandummeasure_once"
            )
        ]

    def __str__(self):
        return f"{self.unit} {self.measure}"

    @property
    def advisory(self):
        """Market measures and those of bodies that can't be ordered inform only."""
        return self.measure.advisory or not self.unit.may_be_ordered

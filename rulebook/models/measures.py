"""Kinds of misconduct, and the incentives and sanctions that go with them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from rulebook.models.laws import Named, ResponsibleRole


class Misconduct(Named):
    """A kind of serious misconduct of the plan's five classes."""

    class Domain(models.TextChoices):
        HEALTH = "H", _("危害群众身体健康和生命安全")
        MARKET = "M", _("破坏市场公平竞争秩序和社会正常秩序")
        JUDICIAL = "J", _("拒不履行法定义务")
        DEFENCE = "D", _("拒不履行国防义务")
        OTHER = "O", _("其他严重失信行为")

    code = models.CharField(_("代码"), max_length=4, unique=True)
    domain = models.CharField(_("领域"), max_length=1, choices=Domain)
    needs_basis = models.BooleanField(_("须另写法律依据"), default=False)

    class Meta:
        verbose_name = verbose_name_plural = _("失信行为")
        ordering = ["code"]


class Measure(Named):
    """An incentive or a sanction of the plan's catalogue."""

    class Group(models.TextChoices):
        IA = "IA", _("行政性激励")
        IM = "IM", _("市场性激励")
        IS = "IS", _("社会性激励")
        PA = "PA", _("行政性惩戒")
        PM = "PM", _("市场性惩戒")
        PI = "PI", _("行业性惩戒")
        PS = "PS", _("社会性惩戒")
        PO = "PO", _("其他惩戒")

    code = models.CharField(_("代码"), max_length=8, unique=True)
    group = models.CharField(_("类别"), max_length=2, choices=Group)
    advisory = models.BooleanField(_("供参考"), default=False)
    needs_end_date = models.BooleanField(_("须写明截止日"), default=False)
    persons_only = models.BooleanField(_("只适用于自然人"), default=False)
    refusal_only = models.BooleanField(_("只适用于有能力履行而拒不履行"), default=False)
    needs_basis = models.BooleanField(_("须另写法律依据"), default=False)
    relevant_to = models.ManyToManyField(Misconduct, blank=True, verbose_name=_("相关的失信行为"))
    roles = ArrayField(
        models.CharField(max_length=30, choices=ResponsibleRole),
        default=list,
        blank=True,
        verbose_name=_("适用的责任人员"),
    )

    class Meta:
        verbose_name = verbose_name_plural = _("措施")
        ordering = ["code"]

    @property
    def is_reward(self):
        return self.code.startswith("I")

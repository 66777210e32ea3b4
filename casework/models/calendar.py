"""The working-day calendar, one year's notice at a time."""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class CalendarYear(models.Model):
    """A year's public holidays: official once the State Council's notice is in."""

    class Status(models.TextChoices):
        OFFICIAL = "official", _("正式")
        PROVISIONAL = "provisional", _("暂定")

    year = models.PositiveSmallIntegerField(_("年份"), primary_key=True)
    status = models.CharField(_("状态"), max_length=20, choices=Status)
    source = models.CharField(_("来源"), max_length=300)
    version = models.PositiveIntegerField(_("版本"), default=1)

    class Meta:
        verbose_name = verbose_name_plural = _("日历年度")
        ordering = ["year"]

    def __str__(self):
        return f"{self.year}"


class SpecialDay(models.Model):
    """A day that breaks the Monday–Friday pattern: off for a holiday, or worked to make up."""

    class Kind(models.TextChoices):
        OFF = "off", _("休")
        WORK = "work", _("班")

    day = models.DateField(_("日期"), primary_key=True)
    year = models.ForeignKey(CalendarYear, models.CASCADE, verbose_name=_("年度"))
    kind = models.CharField(_("休班"), max_length=4, choices=Kind)
    name = models.CharField(_("名称"), max_length=40)
    name_en = models.CharField(_("英文名称"), max_length=60)

    class Meta:
        verbose_name = verbose_name_plural = _("节假日和调休")
        ordering = ["day"]

    def __str__(self):
        return f"{self.day} {self.name}"

    def clean(self):
        """A day is set by its own year's notice, 29–31 December perhaps by the next year's."""
        if not self.day or self.year_id is None:
            return
        if self.year_id not in {self.day.year, (self.day + timedelta(days=3)).year}:
            raise ValidationError({"year": gettext("年度应是这一天所在的年份。")})

"""How a subject gets on the red list: nomination, screening, public notice, recognition."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from listings.models import Listing, ListingQuerySet


class RedListingQuerySet(ListingQuerySet):
    def ready(self, today):
        """Nominations whose public notice is over; the black list is asked at recognition."""
        return self.exclude(ground="").filter(
            status=Listing.Status.DRAFT, nomination__notice_until__lt=today
        )

    def under_notice(self, today):
        """Nominations that anyone may read and object to these days, the next to end first."""
        return self.filter(
            status=Listing.Status.DRAFT,
            nomination__notice_from__lte=today,
            nomination__notice_until__gte=today,
        ).order_by("nomination__notice_until", "id")


class RedListingManager(models.Manager.from_queryset(RedListingQuerySet)):
    def get_queryset(self):
        return super().get_queryset().red()


class RedListing(Listing):
    """An entry of the red list. Its status moves by Listing.MOVES."""

    objects = RedListingManager()

    class Meta:
        proxy = True
        verbose_name = verbose_name_plural = _("红名单记录")


class Source(models.TextChoices):
    RS1 = "RS1", _("信用分类监管良好的行政相对人")
    RS2 = "RS2", _("诚信道德模范")
    RS3 = "RS3", _("优秀青年志愿者")
    RS4 = "RS4", _("行业协会商会推荐的诚信会员")
    RS5 = "RS5", _("新闻媒体挖掘的诚信主体")
    RS6 = "RS6", _("其他")


class Nomination(models.Model):
    """Who put the subject forward, from which source, and the public notice before recognition."""

    listing = models.OneToOneField(RedListing, models.PROTECT, related_name="nomination")
    source = models.CharField(_("推荐来源"), max_length=3, choices=Source)
    nominator = models.CharField(_("推荐单位"), max_length=200)
    evidence = models.TextField(_("推荐材料"), blank=True)
    notice_from = models.DateField(_("公示开始"), null=True, blank=True)
    notice_until = models.DateField(_("公示截止"), null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("红名单推荐")
        constraints = [
            models.CheckConstraint(
                name="nomination_notice_dates",
                condition=Q(notice_from=None, notice_until=None)
                | Q(notice_until__gte=F("notice_from")),
            )
        ]

    def __str__(self):
        return f"{self.source} {self.nominator}"


class Screening(models.Model):
    """A look at the black list before recognition: what was found, when."""

    listing = models.ForeignKey(RedListing, models.PROTECT, related_name="screenings")
    at = models.DateTimeField(_("时间"), default=timezone.now)
    clear = models.BooleanField(_("未在黑名单上"))
    found = models.CharField(_("查到的记录"), max_length=300, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("黑名单比对")
        ordering = ["-id"]

    def __str__(self):
        return f"{self.at:%Y-%m-%d} {self.found}"

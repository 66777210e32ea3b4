"""How a subject gets on the red list: nomination, screening, public notice, recognition."""

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from casework.models import Case
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

    def unscreened(self):
        """Nominations for which nobody has looked at the black list yet: imported ones."""
        seen = Screening.objects.filter(listing=OuterRef("pk"))
        return self.filter(~Exists(seen), status=Listing.Status.DRAFT, nomination__isnull=False)

    def beside_black(self, today):
        """Entries whose subject has a black entry in force that no review is about yet."""
        reviewed = Review.objects.filter(listing=OuterRef(OuterRef("pk")), black=OuterRef("pk"))
        black = Listing.objects.public(today).black().filter(subject=OuterRef("subject"))
        return self.filter(Exists(black.filter(~Exists(reviewed))))


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
    """A look at the black list: at nomination, before recognition, and at later black entries."""

    class Stage(models.TextChoices):
        NOMINATION = "nomination", _("推荐时")
        RECOGNITION = "recognition", _("认定时")
        LATER = "later", _("认定后")

    listing = models.ForeignKey(RedListing, models.PROTECT, related_name="screenings")
    stage = models.CharField(_("环节"), max_length=12, choices=Stage, default=Stage.RECOGNITION)
    at = models.DateTimeField(_("时间"), default=timezone.now)
    clear = models.BooleanField(_("未在黑名单上"))
    found = models.CharField(_("查到的记录"), max_length=300, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("黑名单比对")
        ordering = ["-id"]

    def __str__(self):
        return f"{self.at:%Y-%m-%d} {self.found}"


class ReviewQuerySet(models.QuerySet):
    def of_desk(self, user):
        return self if user.sees_all else self.filter(listing__department=user.department_id)

    def open(self):
        return self.filter(status=Review.Status.OPEN)

    def overdue(self, today):
        return self.open().filter(due_on__lt=today)

    def with_parts(self):
        return self.select_related(
            "listing__subject", "listing__category", "listing__department", "black__department"
        )


class Review(Case):
    """A red entry whose subject got on the black list: does it stay, or is it withdrawn?

    Its benefits are suspended at once, by reading; the review decides about the entry itself.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("待复核")
        KEPT = "kept", _("予以保留")
        ENDED = "ended", _("已撤出名单")

    MOVES = {
        "keep": ({Status.OPEN}, Status.KEPT),
        "end": ({Status.OPEN}, Status.ENDED),
    }

    status = models.CharField(_("状态"), max_length=30, choices=Status, default=Status.OPEN)
    listing = models.ForeignKey(
        RedListing, models.PROTECT, related_name="reviews", verbose_name=_("红名单记录")
    )
    black = models.ForeignKey(
        Listing, models.PROTECT, related_name="+", verbose_name=_("黑名单记录")
    )
    due_on = models.DateField(_("办理期限"))
    reminded_on = models.DateField(_("催办日期"), null=True, blank=True)
    note = models.TextField(_("复核意见"), blank=True)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        verbose_name = verbose_name_plural = _("红名单复核")
        constraints = [
            models.UniqueConstraint(fields=["listing", "black"], name="review_once"),
        ]
        # for the sweep and the desk: the few that wait
        indexes = [models.Index(fields=["due_on"], name="review_open", condition=Q(status="open"))]

    def __str__(self):
        return f"{self.listing} {self.get_status_display()}"

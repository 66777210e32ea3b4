"""How a subject gets on the black list: document, prior notice, defence, responsible persons."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from casework.models import ServiceMeans
from listings.models import Listing, ListingQuerySet, ResponsiblePerson
from rulebook.models import Degree


class BlackListingQuerySet(ListingQuerySet):
    def ready(self, today):
        """Drafts that lack nothing: what `services.missing` asks of one, of many at once."""
        heard = Q(prior_notice__defence_text="", prior_notice__defence_received_on=None)
        persons = ResponsiblePerson.objects.filter(listing=models.OuterRef("pk"))
        return (
            self.exclude(models.Exists(persons.unheard(today)))
            .exclude(
                Q(ground="")
                | Q(document_number="")
                | Q(document_kind="")
                | Q(document_organ="")
                | Q(document_date=None)
            )
            .filter(
                heard | ~Q(prior_notice__opinion=""),
                status=Listing.Status.DRAFT,
                degree=Degree.SERIOUS,
                prior_notice__defence_until__lt=today,
            )
        )


class BlackListingManager(models.Manager.from_queryset(BlackListingQuerySet)):
    def get_queryset(self):
        return super().get_queryset().black()


class BlackListing(Listing):
    """An entry of the black list. Its status moves by Listing.MOVES."""

    objects = BlackListingManager()

    class Meta:
        proxy = True
        verbose_name = verbose_name_plural = _("黑名单记录")


class PriorNotice(models.Model):
    """The notice served before listing, and the subject's statement and defence."""

    Means = ServiceMeans

    listing = models.OneToOneField(BlackListing, models.PROTECT, related_name="prior_notice")
    served_on = models.DateField(_("送达日期"))
    means = models.CharField(_("送达方式"), max_length=20, choices=Means)
    defence_until = models.DateField(_("陈述申辩截止"))
    defence_received_on = models.DateField(_("收到陈述申辩"), null=True, blank=True)
    defence_text = models.TextField(_("陈述申辩意见"), blank=True)
    opinion = models.TextField(_("对陈述申辩的答复"), blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("列入前告知")
        constraints = [
            models.CheckConstraint(
                name="priornotice_dates", condition=Q(defence_until__gte=F("served_on"))
            )
        ]

    def __str__(self):
        return f"{self.served_on} {self.get_means_display()}"

    @property
    def defence_made(self):
        return bool(self.defence_text or self.defence_received_on)

"""Entries of other cities: read here, changed by their own city alone."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from listings.models import PartnerCity


def refuse_foreign(listing):
    """Raise ValidationError `other_city`, with the portal to turn to, for another city's entry."""
    if not listing.is_foreign:
        return
    city = PartnerCity.objects.filter(code=listing.origin).first()
    if city is None:  # a row of a city that is no partner any more
        message = _("这条记录由外市（%(code)s）认定，本市不能改动。") % {"code": listing.origin}
    else:
        message = _("这条记录由%(city)s认定，本市不能改动，请到该市的平台办理：%(url)s") % {
            "city": city,
            "url": city.address_of(listing),
        }
    raise ValidationError({"listing": ValidationError(message, code="other_city")})

"""What stands in an exchange file of each entry: the Listing object as the public sees it."""

from listings.models import Audience, own_fields
from listings.services import told
from listings.services.publish import measures_of


def seen_by_public(listings, today):
    """{entry's key: the object} of published and ended entries; the queries don't grow with them.

    What has ended is told in five words.
    """
    open_ = [listing for listing in listings if listing.is_public(today)]
    measures = measures_of(open_)
    fields = own_fields({listing.category_id for listing in open_})
    persons = told.persons_of([listing.pk for listing in open_], today)
    found = {listing.pk: told.ended(listing, today) for listing in listings}
    for listing in open_:
        found[listing.pk] = told.whole(
            listing,
            today,
            audience=Audience.PUBLIC,
            fields=fields,
            measures=measures[listing.pk],
            persons=persons.get(listing.pk, 0),
        )
    return found

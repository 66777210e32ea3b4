"""The Listing object as the public sees it, for files; a test holds it equal to the API's."""

from django.conf import settings
from django.db.models import Count

from listings.models import Audience, ResponsiblePerson, own_fields, shown_details
from listings.services.publish import measures_of

MEASURE = ("code", "name", "article", "memorandum", "unit", "advisory", "until")


def seen_by_public(listings, today):
    """{entry's key: the object} of published and ended entries; the queries don't grow with them.

    What has ended is told in five words.
    """
    open_ = [listing for listing in listings if listing.is_public(today)]
    measures = measures_of(open_)
    fields = own_fields({listing.category_id for listing in open_})
    persons = _persons([listing.pk for listing in open_], today)
    told = {listing.pk: _five_words(listing, today) for listing in listings}
    for listing in open_:
        told[listing.pk] |= _content(listing, fields) | {
            "measures": [{name: row[name] for name in MEASURE} for row in measures[listing.pk]],
            "responsible_persons": persons.get(listing.pk, 0),
        }
    return told


def _five_words(listing, today):
    return {
        "id": str(listing.public_id),
        "list": listing.kind,
        "status": listing.status_on(today).value,
        "ended_on": listing.ended_on_as_of(today),
        "end_reason": listing.end_reason_as_of(today) or None,
    }


def _content(listing, fields):
    subject, category, department = listing.subject, listing.category, listing.department
    shown = shown_details(listing, Audience.PUBLIC, fields)
    return {
        **({"origin": listing.origin} if listing.is_foreign else {}),
        "subject": {
            "kind": subject.kind,
            "name": subject.display_name,
            "code": subject.code,
            "region": subject.region,
        },
        "category": {"code": category.code, "name": str(category)},
        "misconduct": listing.misconduct.code if listing.misconduct else None,
        "degree": listing.degree or None,
        "department": {"code": department.code, "name": department.name},
        "document": _document(listing),
        "ground": listing.ground,
        "basis": str(listing.basis) if listing.basis else None,
        "details": [{"code": f.code, "title": str(f), "value": value} for f, value in shown],
        "published_on": listing.published_on,
        "visible_until": listing.visible_until,
        "disputed": listing.disputed,
        "version": listing.version,
        "pending": None,
        "url": f"{settings.BASE_URL}/{listing.kind}/{listing.public_id}/",
    }


def _document(listing):
    if listing.kind == "red":
        return None
    return {
        "number": listing.document_number or None,
        "kind": listing.document_kind or None,
        "organ": listing.document_organ or None,
        "date": listing.document_date,
    }


def _persons(pks, today):
    rows = ResponsiblePerson.objects.answerable(today).filter(listing__in=pks).values("listing")
    return dict(rows.annotate(n=Count("pk")).values_list("listing", "n"))

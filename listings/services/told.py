"""The Listing object: what is told of an entry to machines and to other cities."""

from django.conf import settings
from django.db.models import Count

from listings.models import ResponsiblePerson, shown_details
from rulebook.models import ListKind


def ended(listing, today):
    """All that is told of an entry that has ended."""
    return {
        "id": str(listing.public_id),
        "list": listing.kind,
        "status": listing.status_on(today).value,
        "ended_on": listing.ended_on_as_of(today),
        "end_reason": listing.end_reason_as_of(today) or None,
    }


def whole(listing, today, *, audience, fields, measures, persons, pending=None):
    """The entry as the `audience` is told it.

    `fields` are those of `own_fields`, `measures` rows of `measures_of`, `persons` how many
    answer for it, `pending` what is proposed.
    """
    subject, category, department = listing.subject, listing.category, listing.department
    details = shown_details(listing, audience, fields)
    return {
        **ended(listing, today),
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
        "details": [
            {"code": field.code, "title": str(field), "value": value} for field, value in details
        ],
        "measures": [measure_shown(row) for row in measures],
        "published_on": listing.published_on,
        "visible_until": listing.visible_until,
        "disputed": listing.disputed,
        "responsible_persons": persons,
        "version": listing.version,
        "pending": pending,
        "url": f"{settings.BASE_URL}/{listing.kind}/{listing.public_id}/",
    }


def measure_shown(row):
    """A measure as `measures_of` tells it, with the contract's names alone."""
    names = ("code", "name", "article", "memorandum", "unit", "advisory", "until")
    return {name: row[name] for name in names}


def _document(listing):
    if listing.kind == ListKind.RED:
        return None
    return {
        "number": listing.document_number or None,
        "kind": listing.document_kind or None,
        "organ": listing.document_organ or None,
        "date": listing.document_date,
    }


def persons_of(pks, today):
    """{entry's key: how many persons answer for it today}; the persons themselves are not told."""
    rows = ResponsiblePerson.objects.answerable(today).filter(listing__in=pks).values("listing")
    return dict(rows.annotate(n=Count("pk")).values_list("listing", "n"))

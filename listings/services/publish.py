"""Publication: from a draft to an entry in force, with its measures frozen and its term set."""

import hashlib

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from casework.moves import move, move_many
from casework.workdays import add_months
from listings import ledger
from listings.models import Listing, MeasureSet
from listings.services.draft import refuse_duplicate
from parties.models import Department
from rulebook.models import DegreeTerm, Measure, Memorandum, MemorandumMeasure, parameter


@transaction.atomic
def publish(listing, *, actor, today, expected_version=None, note=""):
    """Put a draft on its list from `today`; the list apps have asked their own conditions first.

    Raises ValidationError where the legal basis is missing or too low, or the entry
    doubles another; IllegalMove where it is no draft; StaleVersion.
    """
    refuse_without_basis(listing, today)
    refuse_duplicate(listing)
    listing = move(
        Listing(pk=listing.pk),
        "publish",
        actor=actor,
        note=note,
        expected_version=expected_version,
        published_on=today,
        visible_until=last_day(listing, today),
        ended_on=None,
        end_reason="",
        measure_set=_measure_set(measures_for(listing, today)),
    )
    listing = Listing.objects.with_parts().get(pk=listing.pk)
    ledger.append([ledger.Entry(listing, "publish")])
    return listing


@transaction.atomic
def publish_many(drafts, *, actor, today, note=""):
    """Put many drafts of one category on their list, set-based; returns how many.

    The caller has checked what each needs; basis and measures are asked once, since
    they are the category's.
    """
    first = drafts.with_parts().first()
    if first is None:
        return 0
    refuse_without_basis(first, today)
    measure_set = _measure_set(measures_for(first, today))
    by_term = {}
    for pk, *terms in drafts.values_list("pk", "term_months", "visible_until", "degree"):
        by_term.setdefault(tuple(terms), []).append(pk)
    published = []
    for (months, until, degree), pks in by_term.items():
        sample = Listing(term_months=months, visible_until=until, degree=degree)
        published += move_many(
            Listing.objects.filter(pk__in=pks),
            "publish",
            actor=actor,
            note=note,
            published_on=today,
            visible_until=last_day(sample, today),
            measure_set=measure_set,
        )
    rows = Listing.objects.with_parts().filter(pk__in=published).order_by("pk")
    ledger.append([ledger.Entry(listing, "publish") for listing in rows])
    return len(published)


def refuse_without_basis(listing, today):
    """A list rests on law: below the level set by the operator nothing is published."""
    if listing.basis is None:
        raise ValidationError({"basis": ValidationError(_("请写明法律依据。"), code="no_basis")})
    if listing.basis.level > parameter("minimum_basis_level", on=today):
        raise ValidationError(
            {
                "basis": ValidationError(
                    _("依据“%(basis)s”的层级不够，不能据此公布名单。") % {"basis": listing.basis},
                    code="basis_too_low",
                )
            }
        )


def last_day(listing, today):
    """The last public day: the end of the term, or of the degree's maximum if that is sooner."""
    until = listing.visible_until or add_months(today, listing.term_months)
    if listing.degree:
        longest = DegreeTerm.objects.get(degree=listing.degree).maximum_months
        until = min(until, add_months(today, longest))
    if until < today:
        raise ValidationError(
            {"visible_until": ValidationError(_("截止日已过，不能公布。"), code="term_over")}
        )
    return until


def measures_for(listing, today):
    """Which unit is asked for which measure, by the memoranda in force and the draft's choice.

    The listing department itself is asked for nothing.
    """
    rows = MemorandumMeasure.objects.in_force_for(listing.category, today)
    chosen = listing.measure_codes
    return [
        {
            "code": row.measure.code,
            "unit": row.unit.code,
            "article": row.article,
            "memorandum": row.memorandum.code,
            "advisory": row.advisory,
        }
        for row in rows
        if row.unit_id != listing.department_id
        and (chosen is None or row.measure.code in chosen)
        and not (row.measure.persons_only and not listing.subject.is_person)
    ]


def measures_of(listings):
    """The frozen measures of entries in words: {listing pk: [{code, name, article, …}]}.

    Each row has code, name, article, memorandum, unit, unit_name, advisory and until, the
    last day of the measure. Three queries, however many the entries.
    """
    measures = Measure.objects.in_bulk(field_name="code")
    memoranda = Memorandum.objects.in_bulk(field_name="code")
    units = Department.objects.in_bulk(field_name="code")
    return {
        listing.pk: [
            {
                **row,
                "name": str(measures[row["code"]]),
                "memorandum": str(memoranda[row["memorandum"]]),
                "unit_name": str(units[row["unit"]]),
                "until": listing.measure_until.get(row["code"]) or listing.visible_until,
            }
            for row in (listing.measure_set.measures if listing.measure_set else ())
        ]
        for listing in listings
    }


def _measure_set(measures):
    digest = hashlib.sha256(ledger.canonical(measures)).hexdigest()
    found, _made = MeasureSet.objects.get_or_create(
        digest=digest, defaults={"measures": measures}
    )
    return found

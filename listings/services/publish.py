"""Publication: from a draft to an entry in force, with its measures frozen and its term set."""

import copy
import hashlib
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F, JSONField, Value
from django.db.models.expressions import CombinedExpression
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from casework.moves import move, move_many
from casework.workdays import add_months
from listings import ledger, policies
from listings.models import (
    Listing,
    MeasureSet,
    ResponsiblePerson,
    holds_undisclosed,
    own_fields,
)
from listings.services.draft import refuse_duplicate
from parties.models import Department
from rulebook.models import Measure, Memorandum, MemorandumMeasure, parameter
from rulebook.services import rule_of

CHUNK = 5_000  # entries that the ledger takes at once


@transaction.atomic
def publish(listing, *, actor, today, expected_version=None, note="", attested=False):
    """Put a draft on its list from `today`; the list apps have asked their own conditions first.

    From then on it stays under the version of its category's rule of that day. `attested`
    says that the actor vouches for what is made public. Raises ValidationError where the
    legal basis is missing or too low, the entry doubles another, or nobody vouches where
    somebody must (`not_attested`); IllegalMove where it is no draft; StaleVersion.
    """
    refuse_unattested(listing, attested=attested)
    refuse_without_basis(listing, today)
    refuse_category(listing)
    refuse_duplicate(listing)
    until, measures = last_day(listing, today), measures_for(listing, today)
    listing = move(
        Listing(pk=listing.pk),
        "publish",
        actor=actor,
        note=_with_attestation(note, attested=attested),
        expected_version=expected_version,
        attested_by=actor.user if attested else None,
        published_on=today,
        visible_until=until,
        ended_on=None,
        end_reason="",
        measure_set=measure_set_of(measures),
        measure_until=_bans_until(measures, until) | listing.measure_until,
        rule_version=listing.category.version,
    )
    _set_persons_terms([listing.pk], measures, until)
    listing = Listing.objects.with_parts().get(pk=listing.pk)
    ledger.append([ledger.Entry(listing, "publish")])
    return listing


@transaction.atomic
def publish_ready(drafts, *, actor, today, missing, settle=None, note="", attested=False):
    """Put those of many drafts on their list that lack nothing; the others stay drafts.

    `drafts` is a queryset of one list, with whatever its `missing(listing, today)` looks at;
    that function is the list's own condition, and `settle(keys)` what it still notes on those
    that go. Returns the published keys and what holds the others back: {pk: (code, message)}.
    `attested` says that the actor vouches for what is made public of all of them. Raises
    PermissionDenied where `actor` is no reviewer.
    """
    rows = drafts.order_by("pk").select_for_update(of=("self",))
    others = set(drafts.not_written_by(actor.user).values_list("pk", flat=True))
    hindered = _Hindrances(today, attested=attested)
    ready, held = [], {}
    for listing in rows.iterator(chunk_size=CHUNK):
        if not policies.may_review(actor.user, listing):
            raise PermissionDenied
        errors = {**missing(listing, today), **hindered.of(listing)}
        if listing.pk not in others:
            errors["approver"] = ValidationError(_("起草人不能审核自己的记录。"), code="own_draft")
        if errors:
            held[listing.pk] = _in_words(errors)
        else:
            ready.append(listing.pk)
    if settle:
        settle(ready)
    rows = Listing.objects.filter(pk__in=ready)
    publish_many(rows, actor=actor, today=today, note=note, attested=attested)
    return ready, held


@transaction.atomic
def publish_many(drafts, *, actor, today, note="", attested=False):
    """Put many drafts on their list, set-based; returns how many.

    The caller has checked what each needs. Drafts alike in what decides their measures and
    their term move together; the ledger comes last, a batch at a time.
    """
    published = []
    for sample, pks in _alike(drafts):
        until, measures = last_day(sample, today), measures_for(sample, today)
        moved = move_many(
            Listing.objects.filter(pk__in=pks),
            "publish",
            actor=actor,
            note=_with_attestation(note, attested=attested),
            wait=True,
            attested_by=actor.user if attested else None,
            published_on=today,
            visible_until=until,
            measure_set=measure_set_of(measures),
            measure_until=_merged(_bans_until(measures, until), "measure_until"),
            rule_version=sample.category.version,
        )
        _set_persons_terms(moved, measures, until)
        published += moved
    published.sort()
    for start in range(0, len(published), CHUNK):
        batch = published[start : start + CHUNK]
        rows = Listing.objects.with_shared_parts().filter(pk__in=batch).order_by("pk")
        ledger.append([ledger.Entry(listing, "publish") for listing in rows])
    return len(published)


def _alike(drafts):
    """[(a draft, keys of those alike)]: alike in category, unit, choice of measures, and term."""
    groups = {}
    names = ("category", "department", "subject__kind", "term_months", "visible_until", "degree")
    for pk, codes, *rest in drafts.values_list("pk", "measure_codes", *names):
        key = (*rest, None if codes is None else tuple(codes))
        groups.setdefault(key, []).append(pk)
    samples = Listing.objects.with_parts().in_bulk([pks[0] for pks in groups.values()])
    return [(samples[pks[0]], pks) for pks in groups.values()]


class _Hindrances:
    """What forbids publication whichever the list, asked once for all drafts alike."""

    def __init__(self, today, *, attested):
        self.today, self.known = today, {}
        self.fields = {} if attested else own_fields()  # of no field is there anything to attest

    def of(self, listing):
        key = (
            listing.category_id,
            listing.department_id,
            listing.basis_id,
            listing.term_months,
            listing.visible_until,
            listing.degree,
        )
        if key not in self.known:
            self.known[key] = self._ask(listing)
        if holds_undisclosed(listing, self.fields):
            return {**self.known[key], "attested": _not_attested()}
        return self.known[key]

    def _ask(self, listing):
        try:
            refuse_without_basis(listing, self.today)
            refuse_category(listing)
            last_day(listing, self.today)
        except ValidationError as error:
            return error.error_dict
        return {}


def _in_words(errors):
    """({field: ValidationError or list of them}) as (code of the first, all messages)."""
    found = [ValidationError(error).error_list[0] for error in errors.values()]
    return found[0].code or "", "；".join(str(error.messages[0]) for error in found)


ATTESTATION = gettext_lazy("请先核对：公开内容不含国家秘密、商业秘密和个人隐私。")


def needs_attestation(listing):
    """Whether somebody must vouch before publication: the draft holds what is not for everybody."""
    return holds_undisclosed(listing, own_fields({listing.category_id}))


def refuse_unattested(listing, *, attested):
    if not attested and needs_attestation(listing):
        raise ValidationError({"attested": _not_attested()})


def _not_attested():
    return ValidationError(str(ATTESTATION), code="not_attested")


def _with_attestation(note, *, attested):
    """The journal says that, and so by whom, the content was looked at."""
    return " ".join(filter(None, [note, _("已核对公开内容。") if attested else ""]))


def refuse_category(listing):
    """What was allowed when the draft was written must be allowed still."""
    category = listing.category
    allowed = category.departments.filter(pk=listing.department_id).exists()
    if not (category.active and allowed):
        message = _("“%(category)s”已停用，或者本单位不再可以列入。") % {"category": category}
        raise ValidationError({"category": ValidationError(message, code="category_closed")})


def refuse_without_basis(listing, today):
    """A list rests on law: below the level set by the operator nothing is published."""
    if listing.basis is None:
        raise ValidationError({"basis": ValidationError(_("请写明法律依据。"), code="no_basis")})
    if words := _not_in_force(listing.basis, today):
        message = words % {"basis": listing.basis}
        raise ValidationError({"basis": ValidationError(message, code="basis_not_in_force")})
    if listing.basis.level > parameter("minimum_basis_level", on=today):
        raise ValidationError(
            {
                "basis": ValidationError(
                    _("依据“%(basis)s”的层级不够，不能据此公布名单。") % {"basis": listing.basis},
                    code="basis_too_low",
                )
            }
        )


def _not_in_force(basis, today):
    if basis.in_force_from > today:
        return _("依据“%(basis)s”还没有施行。")
    ended = basis.in_force_to and basis.in_force_to < today
    return _("依据“%(basis)s”已经失效。") if ended else ""


def last_day(listing, today):
    """The last public day: the end of the term, or of the most that is allowed if that is sooner.

    The most is the category's own for the entry's degree, else the degree's.
    """
    until = listing.visible_until or add_months(today, listing.term_months)
    if listing.degree:
        longest = rule_of(listing.category).maximum_for(listing.degree)
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
    return _asked_of_units(listing, MemorandumMeasure.objects.in_force_for(listing.category, today))


def _asked_of_units(listing, rows):
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


def planned_measures(listing, today):
    """What publication today would ask of the units, as `measures_of` tells it."""
    return planned_measures_of([listing], today)[listing.pk]


def planned_measures_of(drafts, today):
    """`planned_measures` of many drafts: {pk: measures}, one query for each category."""
    categories = {draft.category_id: draft.category for draft in drafts}
    rows = {
        pk: list(MemorandumMeasure.objects.in_force_for(category, today))
        for pk, category in categories.items()
    }
    planned = [copy.copy(draft) for draft in drafts]
    for draft in planned:
        asked = _asked_of_units(draft, rows[draft.category_id])
        draft.measure_set = MeasureSet(measures=asked)
    return measures_of(planned) if planned else {}


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
                "until": own_end(listing, row["code"]) or listing.visible_until,
            }
            for row in (listing.measure_set.measures if listing.measure_set else ())
        ]
        for listing in listings
    }


def _bans_until(measures, until):
    """{code: ISO day} of the measures that must have an end date: by default the entry's own."""
    codes = {row["code"] for row in measures}
    bans = Measure.objects.filter(needs_end_date=True, code__in=codes)
    return {code: until.isoformat() for code in bans.values_list("code", flat=True)}


def _set_persons_terms(pks, measures, until):
    """Responsible persons answer no longer than the entry; whom a ban reaches has an end date."""
    persons = ResponsiblePerson.objects.filter(listing__in=pks)
    if not persons.exists():
        return
    persons.filter(until__gt=until).update(until=until)
    codes = {row["code"] for row in measures}
    bans = Measure.objects.filter(needs_end_date=True, code__in=codes)
    banned = {role for roles in bans.values_list("roles", flat=True) for role in roles}
    persons.filter(until=None, role__in=banned).update(until=until)


def _merged(days, column):
    """SQL: the days given and those of a JSON column, whose own count where both have one."""
    given = Value(days, JSONField())
    return CombinedExpression(given, "||", F(column), output_field=JSONField())


def bans_moved(listing, until):
    """What a correction to the last day `until` makes of bans that end with the entry."""
    last = listing.visible_until.isoformat()
    return {
        code: until.isoformat() if day == last else day
        for code, day in listing.measure_until.items()
    }


def own_end(listing, code):
    """The last day of a measure where it has one of its own, else None: the entry's counts."""
    text = listing.measure_until.get(code)
    return date.fromisoformat(text) if text else None


def measures_for_role(measures, role):
    """Those of an entry's measures, as `measures_of` tells them, that reach a person of `role`."""
    reaching = Measure.objects.filter(roles__contains=[role]).values_list("code", flat=True)
    codes = set(reaching)
    return [row for row in measures if row["code"] in codes]


def measure_set_of(measures):
    """The shared row of these measures, made if it is new."""
    digest = hashlib.sha256(ledger.canonical(measures)).hexdigest()
    found, _made = MeasureSet.objects.get_or_create(digest=digest, defaults={"measures": measures})
    return found

"""A category's rule as it was at one of its versions, or as it is now."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import get_language

from rulebook.models import CategoryField, DegreeTerm, ListCategory, RuleVersion

COLUMNS = (
    "term_months",
    "repairable",
    "repair_after_months",
    "repair_evidence",
    "repair_conditions",
    "repair_conditions_en",
)


@dataclass(frozen=True)
class Term:
    """How long entries of one degree last and may last, in months; None is the degree's own."""

    term_months: int
    minimum_months: int | None
    maximum_months: int | None


@dataclass(frozen=True)
class CategoryRule:
    """What a category says of the entries made under it.

    `fields` are rows of CategoryField, `terms` is {degree: Term} where the category has its
    own, `degrees` {degree: (minimum, maximum)} what the degrees' own rule allows.
    """

    code: str
    version: int
    term_months: int
    repairable: bool
    repair_after_months: int
    repair_evidence: list
    repair_conditions: str
    repair_conditions_en: str
    fields: Iterable
    terms: dict
    degrees: dict

    def term_for(self, degree):
        """How many months an entry of `degree` lasts where nothing else is decided."""
        own = self.terms.get(degree)
        return own.term_months if own else self.term_months

    def minimum_for(self, degree):
        """The least months of publicity: the category's own for this degree, else the degree's."""
        own = self.terms.get(degree)
        if own and own.minimum_months is not None:
            return own.minimum_months
        return self.degrees[degree][0] if degree else 0

    def maximum_for(self, degree):
        """The most months of publicity, never more than the degree allows; None without degree."""
        if not degree:
            return None
        own, most = self.terms.get(degree), self.degrees[degree][1]
        return min(own.maximum_months, most) if own and own.maximum_months is not None else most

    @property
    def conditions(self):
        """The conditions of repair in the reader's language."""
        english = (get_language() or "").startswith("en")
        return self.repair_conditions_en if english else self.repair_conditions


def rule_of(category, version=None, *, on=None):
    """The rule of a category (a row or its code) at `version`; without one, as it is now.

    With `on` the degrees' own rule is that of the day; a day before its first record finds
    the oldest. A version that nobody recorded reads as the present.
    """
    if not isinstance(category, ListCategory):
        category = ListCategory.objects.get(code=category)
    past, degrees = (None, {}) if version is None else _recorded(category, version, on)
    degrees = degrees or _degrees_now()
    if past is None or version == category.version:
        return _now(category, degrees)
    return CategoryRule(code=category.code, version=version, degrees=degrees, **_said_by(past))


def rules_of(categories):
    """{key: rule as it is now} of many categories, whose parts are best prefetched."""
    degrees = _degrees_now()
    return {category.pk: _now(category, degrees) for category in categories}


def field_in_use(category, code):
    """Whether an entry of the category holds a value of this field: then the field must stay."""
    return category.listings.filter(details__has_key=code).exists()


def _recorded(category, version, on):
    """The category's version and, given a day, {degree: limits} in force on it: one query."""
    wanted = Q(rule="listcategory", code=category.code, version=version)
    if on:
        wanted |= Q(rule="degreeterm")
    past, degrees = None, {}
    for row in RuleVersion.objects.filter(wanted).order_by("version"):
        if row.rule == "listcategory":
            past = row
        elif row.code not in degrees or row.in_force_from <= on:
            degrees[row.code] = (row.content["minimum_months"], row.content["maximum_months"])
    return past, degrees


def _said_by(past):
    said = past.content
    fields = [CategoryField(code=code, **columns) for code, columns in said["fields"].items()]
    return {
        **{name: said[name] for name in COLUMNS},
        "fields": sorted(fields, key=lambda field: field.position),
        "terms": {degree: Term(**columns) for degree, columns in said["terms"].items()},
    }


def _now(category, degrees):
    """The category's rows; its fields are asked for only where somebody looks at them."""
    return CategoryRule(
        code=category.code,
        version=category.version,
        fields=category.fields.all(),
        terms={
            term.degree: Term(term.term_months, term.minimum_months, term.maximum_months)
            for term in category.terms.all()
        },
        degrees=degrees,
        **{name: getattr(category, name) for name in COLUMNS},
    )


def _degrees_now():
    limits = DegreeTerm.objects.values_list("degree", "minimum_months", "maximum_months")
    return {degree: (least, most) for degree, least, most in limits}

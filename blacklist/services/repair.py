"""From which day on a black entry may be repaired, with which papers, on which conditions."""

from dataclasses import dataclass
from datetime import date

from django.db.models import prefetch_related_objects

from casework.workdays import add_months
from rulebook.models import ListKind
from rulebook.services import rule_of


@dataclass(frozen=True)
class RepairTerms:
    """From which day on (None: never), with which papers, under which conditions."""

    first_day: date | None
    evidence: list
    conditions: str


def repair_terms(listing):
    """What the repair of an entry asks for: 从新兼从轻.

    The rule under which the entry was made counts: its papers, its conditions, its months. A
    later, harsher rule does not reach back. A later, milder one does: of the two first days
    the earlier counts, and an entry can be repaired if either rule says so; where the old
    rule allowed none, papers and conditions are those of the new.
    """
    if listing.kind != ListKind.BLACK:
        return RepairTerms(None, [], "")
    prefetch_related_objects([listing.category], "terms")
    made = rule_of(listing.category, listing.rule_version, on=listing.published_on)
    now = rule_of(listing.category)
    days = [_first_day(listing, rule) for rule in (made, now) if rule.repairable]
    asked = made if made.repairable else now
    return RepairTerms(min(days, default=None), asked.repair_evidence, asked.conditions)


def _first_day(listing, rule):
    months = max(rule.minimum_for(listing.degree), rule.repair_after_months)
    return add_months(listing.published_on, months)


def repair_from(listing):
    """The first day on which repair may be asked for, or None where it never may."""
    return repair_terms(listing).first_day

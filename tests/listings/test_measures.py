"""Measures: which fit, until when they run, and whom they reach besides the firm."""

from datetime import date

import pytest

from listings import services as listings
from rulebook.models import Measure, ResponsibleRole
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]
TODAY = date(2026, 11, 23)

BANS = {"PA09"}
HONOURS = {"PA12", "PA13"}
LIMITS = {f"PM{number:02}" for number in range(2, 9)}
REACHING = {
    "legal_representative": BANS | {"PA11"} | HONOURS | LIMITS,
    "person_in_charge": BANS | {"PA11"} | HONOURS | LIMITS,
    "practitioner": {"PA11"},
    "senior_manager": HONOURS,
    "director": HONOURS,
    "shareholder": HONOURS,
    "other": LIMITS,
}


def codes(rows):
    return {row["code"] for row in rows}


# ── whom a measure reaches ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("role", ResponsibleRole.values)
def test_a_responsible_person_is_reached_by_the_measures_of_its_role_alone(role):
    rows = [{"code": code} for code in Measure.objects.values_list("code", flat=True)]
    assert codes(listings.measures_for_role(rows, role)) == REACHING[role]


def test_the_measures_of_a_role_are_among_those_of_the_entry(django_assert_num_queries):
    entry = builders.published_black(category="H04", unit="zjj", today=TODAY)
    measures = listings.measures_of([entry])[entry.pk]
    with django_assert_num_queries(1):
        reached = listings.measures_for_role(measures, "shareholder")
    assert codes(reached) == {"PA12", "PA13"}
    assert all(row in measures for row in reached)

"""Measures: which fit, until when they run, and whom they reach besides the firm."""

import tomllib
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from blacklist import services as blacklist
from blacklist.models import BlackListing
from listings import services as listings
from parties.models import Actor
from rulebook.models import Measure, ResponsibleRole
from tests import builders
from tests.builders import Machine, black_body

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


# ── the relevance matrix ──────────────────────────────────────────────────────────────────────


def shipped(table):
    """A table of the rules as it ships, read here anew and not by the code under test."""
    path = Path(__file__).parents[2] / "rulebook" / "data" / f"{table}.toml"
    return tomllib.loads(path.read_text())


MEASURES, MISCONDUCTS = shipped("measures"), shipped("misconducts")
CATEGORIES = shipped("categories")


def related(measure, misconduct):
    """What the table says: the domain's letter or the very code, limits for J alone."""
    fits = misconduct.startswith(tuple(MEASURES[measure].get("relevant_to", ["-"])))
    return fits and (misconduct[0] == "J" or measure not in LIMITS)


def reasons(draft):
    """The codes with which the draft's choice of measures is refused."""
    with pytest.raises(ValidationError) as refusal:
        draft()
    return [error.code for error in refusal.value.error_dict["measures"]]


def draft_of(misconduct, codes, subject=None, **fields):
    unit = CATEGORIES[misconduct]["departments"][0]
    return builders.black_draft(
        subject, unit=unit, category=misconduct, today=TODAY, measure_codes=codes, **fields
    )


@pytest.mark.parametrize("misconduct", MISCONDUCTS)
def test_a_measure_is_allowed_exactly_where_the_matrix_relates_it(misconduct):
    allowed = [code for code in MEASURES if related(code, misconduct)]
    refused = [code for code in MEASURES if not related(code, misconduct)]
    person = builders.person()  # whom the persons' own measures would fit
    draft = draft_of(misconduct, allowed, person)
    assert draft.measure_codes == allowed
    actor = Actor.of(builders.clerk(draft.department))
    edit = partial(listings.edit, draft, actor=actor, today=TODAY, measure_codes=refused)
    assert reasons(edit) == ["not_relevant"] * len(refused)


def test_a_flight_limit_on_a_food_case_is_refused_by_name():
    assert reasons(lambda: draft_of("H01", ["PM04"])) == ["not_relevant"]
    assert draft_of("J01", ["PM04"]).measure_codes == ["PM04"]


def test_a_reward_is_no_sanction_and_a_sanction_no_reward():
    assert reasons(lambda: draft_of("M05", ["IA01"])) == ["not_relevant"]
    with pytest.raises(ValidationError) as refusal:
        builders.red_draft(today=TODAY, measure_codes=["PA07"])
    assert refusal.value.error_dict["measures"][0].code == "not_relevant"


def test_a_measure_for_persons_is_refused_to_a_firm():
    fields = {"today": TODAY, "measure_codes": ["IA05"]}
    assert reasons(lambda: builders.red_draft(**fields)) == ["persons_only"]
    assert builders.red_draft(builders.person(), **fields).measure_codes == ["IA05"]


def test_a_measure_that_does_not_exist_is_refused_by_name():
    assert reasons(lambda: draft_of("M05", ["PA07", "PA99"])) == ["unknown_measure"]
    day = {"PA99": "2027-01-01"}
    assert reasons(lambda: draft_of("M05", None, measure_until=day)) == ["unknown_measure"]


@pytest.mark.parametrize("misconduct", MISCONDUCTS)
def test_units_are_asked_for_nothing_that_the_matrix_does_not_relate(misconduct):
    measures = listings.planned_measures(draft_of(misconduct, None), TODAY)
    assert measures
    assert all(related(row["code"], misconduct) for row in measures)


def test_banks_and_market_measures_only_inform():
    builders.department("bank-demo")
    measures = listings.planned_measures(draft_of("M05", None), TODAY)
    advisory = {(row["unit"], row["code"]) for row in measures if row["advisory"]}
    market = {"PM09", "PM10", "PM11", "PM12"}
    outside = {"bank-demo", "xh-demo"}
    assert advisory == {
        (row["unit"], row["code"])
        for row in measures
        if row["unit"] in outside or row["code"] in market
    }


# ── until when ────────────────────────────────────────────────────────────────────────────────


def until(entry, code):
    return {row["until"] for row in listings.measures_of([entry])[entry.pk] if row["code"] == code}


def test_a_ban_without_a_day_ends_with_the_entry_and_says_so():
    entry = builders.published_black(today=TODAY)
    last = entry.visible_until
    assert entry.measure_until == {"PA09": last.isoformat()}
    assert until(entry, "PA09") == {last}
    assert until(entry, "PA07") == {last}


def test_a_ban_keeps_the_day_that_was_written_for_it():
    entry = builders.published_black(today=TODAY, measure_until={"PA09": "2027-03-01"})
    assert until(entry, "PA09") == {date(2027, 3, 1)}


def test_many_drafts_published_together_have_the_same_ends_as_alone():
    plain = builders.black_draft(today=TODAY)
    dated = builders.black_draft(today=TODAY, measure_until={"PA09": "2027-03-01"})
    drafts = BlackListing.objects.filter(pk__in=[plain.pk, dated.pk])
    blacklist.publish_many(drafts, actor=Actor.of(builders.reviewer()), today=TODAY)
    plain.refresh_from_db()
    dated.refresh_from_db()
    assert plain.measure_until == {"PA09": plain.visible_until.isoformat()}
    assert dated.measure_until == {"PA09": "2027-03-01"}


@pytest.mark.parametrize("empty", [None, ""])
def test_a_ban_with_an_empty_end_is_refused(empty):
    ends = {"PA09": empty}
    assert reasons(lambda: draft_of("M05", ["PA09"], measure_until=ends)) == ["no_end_date"]
    ends = {"PA07": empty}
    assert draft_of("M05", ["PA07"], measure_until=ends).measure_until == {}


@pytest.mark.parametrize(
    ("day", "code"),
    [("很久", "bad_format"), (20270101, "bad_format"), ("2026-11-22", "bad_end_date")],
)
def test_a_measure_ends_on_a_real_day_to_come(day, code):
    assert reasons(lambda: draft_of("M05", ["PA09"], measure_until={"PA09": day})) == [code]


def test_a_ban_follows_the_entry_whose_last_day_is_corrected():
    entry = builders.published_black(today=TODAY, measure_until={"PA07": "2027-02-01"})
    earlier = date(2027, 5, 1)
    entry = listings.correct(
        entry, {"visible_until": earlier}, actor=Actor.of(builders.reviewer()), note="示例"
    )
    assert entry.measure_until == {"PA07": "2027-02-01", "PA09": earlier.isoformat()}


def test_a_machine_that_leaves_a_ban_open_is_refused_by_code():
    machine, today = Machine(builders.clerk()), timezone.localdate()
    for end in ({"until": None}, {"until": ""}):
        body = black_body(today=today, measures=["PA07", {"code": "PA09", **end}])
        assert machine.post("/listings/", body, 400)["code"] == "no_end_date"
    body = black_body(today=today, measures=["PA07", {"code": "PA09"}])
    assert {row["code"] for row in machine.post("/listings/", body, 201)["measures"]} == {
        "PA07",
        "PA09",
    }

"""Every due date of three years against a calendar made by hand, with and without stops."""

import random
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casework.models import SpecialDay
from casework.workdays import add_working_days, countdown, explain, working_days_between

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]
DAY = timedelta(days=1)
FIRST, LAST, MOST = date(2024, 1, 1), date(2026, 12, 31), 30
STARTS = [FIRST + DAY * i for i in range((LAST - FIRST).days + 1)]

slow = settings(
    deadline=None,
    max_examples=80,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def worked():
    """Every worked day from the first start on, in order: written out day by day."""
    special = dict(SpecialDay.objects.values_list("day", "kind"))
    kinds = {FIRST + DAY * i: special.get(FIRST + DAY * i) for i in range(1_400)}
    return [day for day, kind in kinds.items() if kind == "work" or (not kind and _weekday(day))]


def _weekday(day):
    return day.isoweekday() not in {6, 7}


def due_days(worked, start, stops=()):
    """The due days of 0 to MOST working days after `start`."""
    stopped = {first + DAY * i for first, last in stops for i in range((last - first).days + 1)}
    after = [day for day in worked if start < day < start + DAY * 300 and day not in stopped]
    return [start, *after[:MOST]]


def test_every_start_and_every_number_of_days_comes_out_as_on_the_calendar(worked):
    chance = random.Random(20260101)  # noqa: S311 - no secret
    for start in STARTS:
        due = due_days(worked, start)
        for n in {0, 15, chance.randint(1, MOST)}:
            assert add_working_days(start, n) == due[n], (start, n)
        told = {line["number"]: line["date"] for line in explain(start, MOST) if line["counts"]}
        assert [told[n] for n in range(1, MOST + 1)] == due[1:], start


def test_the_countdown_to_every_due_day_is_the_number_of_days_it_was_counted_by(worked):
    for start in STARTS:
        due = due_days(worked, start)
        left = countdown(start, due)
        assert [left[day] for day in due] == list(range(MOST + 1)), start


def test_the_days_between_are_the_inverse_in_both_directions(worked):
    for start in STARTS[::5]:
        for n, due in list(enumerate(due_days(worked, start)))[::7]:
            assert working_days_between(start, due) == n, start
            assert working_days_between(due, start) == -n, start


def _stops(start, gaps):
    """Stretches one after another: each begins some days on and lasts some days."""
    stops, day = [], start
    for ahead, long in gaps:
        first = day + DAY * ahead
        day = first + DAY * long
        stops.append((first, day))
    return stops


@slow
@given(
    start=st.dates(FIRST, LAST),
    n=st.integers(0, MOST),
    gaps=st.lists(st.tuples(st.integers(1, 12), st.integers(0, 40)), max_size=3),
)
def test_what_lies_within_a_stop_never_counts(worked, start, n, gaps):
    stops = _stops(start, gaps)
    due = add_working_days(start, n, stops)
    assert due == due_days(worked, start, stops)[n]
    assert working_days_between(start, due, stops) == n
    lines = explain(start, n, stops)
    assert lines[-1]["date"] == due
    assert [line["number"] for line in lines if line["counts"]] == list(range(1, n + 1))
    for line in lines[1:]:
        within = any(first <= line["date"] <= last for first, last in stops)
        assert (line["why"] == "等候补正，不计入") == within
        assert not (within and (line["counts"] or line["provisional"]))

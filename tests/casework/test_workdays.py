from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casework.models import CalendarYear, SpecialDay
from casework.workdays import (
    add_months,
    add_working_days,
    calendar_version,
    explain,
    is_provisional,
    working_days_between,
)

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)

VECTORS = [
    # receipt, +3, +10, +15
    ("2025-01-20", "2025-01-23", "2025-02-08", "2025-02-14"),
    ("2025-04-22", "2025-04-25", "2025-05-08", "2025-05-15"),
    ("2025-09-19", "2025-09-24", "2025-10-10", "2025-10-16"),
    ("2025-09-28", "2025-10-09", "2025-10-17", "2025-10-24"),
    ("2026-01-30", "2026-02-04", "2026-02-13", "2026-02-27"),
    ("2026-02-16", "2026-02-26", "2026-03-06", "2026-03-13"),
    ("2026-04-30", "2026-05-08", "2026-05-18", "2026-05-25"),
    ("2026-09-18", "2026-09-22", "2026-10-09", "2026-10-15"),
    ("2026-11-23", "2026-11-26", "2026-12-07", "2026-12-14"),
    ("2026-12-10", "2026-12-15", "2026-12-24", "2026-12-31"),
]


@pytest.fixture(autouse=True)
def rules(db):
    call_command("seed_rules", verbosity=0)


def brute_force(start, n, special):
    """The definition, word by word."""
    day = start
    while n:
        day += DAY
        kind = special.get(day)
        n -= kind == "work" or (kind is None and day.weekday() < 5)
    return day


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector[0])
def test_the_known_due_dates_come_out(vector):
    receipt, *due = map(date.fromisoformat, vector)
    assert [add_working_days(receipt, n) for n in (3, 10, 15)] == due


def test_an_instant_counts_as_its_day_in_shanghai():
    received = datetime(2026, 9, 17, 17, tzinfo=UTC)
    assert add_working_days(received, 15) == date(2026, 10, 15)


def test_no_day_is_the_day_itself_and_fewer_is_an_error():
    assert add_working_days(date(2026, 10, 1), 0) == date(2026, 10, 1)
    with pytest.raises(ValueError, match="negative"):
        add_working_days(date(2026, 10, 1), -1)
    with pytest.raises(ValueError, match="negative"):
        explain(date(2026, 10, 1), -1)


def test_one_query_finds_a_due_date(django_assert_num_queries):
    with django_assert_num_queries(1):
        add_working_days(date(2026, 1, 1), 250)
    with django_assert_num_queries(1):
        working_days_between(date(2026, 1, 1), date(2026, 12, 31))


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    start=st.dates(date(2023, 12, 1), date(2028, 2, 1)),
    n=st.integers(0, 120),
)
def test_counting_there_and_back_agrees_with_the_definition(start, n):
    special = dict(SpecialDay.objects.values_list("day", "kind"))
    due = add_working_days(start, n)
    assert due == brute_force(start, n, special)
    assert working_days_between(start, due) == n
    assert working_days_between(due, start) == -n
    lines = explain(start, n)
    assert sum(line["counts"] for line in lines) == n
    assert lines[-1]["date"] == due
    assert any(line["provisional"] for line in lines[1:]) == is_provisional(start, due)


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    start=st.dates(date(2023, 12, 1), date(2028, 2, 1)),
    later=st.integers(0, 40),
    n=st.integers(0, 60),
    more=st.integers(0, 30),
)
def test_working_days_never_go_backwards(start, later, n, more):
    due = add_working_days(start, n)
    assert start <= due <= add_working_days(start, n + more)
    assert due <= add_working_days(start + DAY * later, n)


def test_a_very_long_shutdown_is_still_counted_through():
    CalendarYear.objects.create(year=2030, status="official", source="示例")
    closed = [date(2030, 3, 1) + DAY * i for i in range(120)]
    SpecialDay.objects.bulk_create(
        SpecialDay(day=day, year_id=2030, kind="off", name="停工", name_en="Shutdown")
        for day in closed
    )
    assert add_working_days(date(2030, 2, 28), 1) == date(2030, 7, 1)


def test_the_count_explains_itself_day_by_day():
    lines = explain(date(2026, 9, 18), 3)
    assert [(line["date"].isoformat(), line["counts"], line["number"]) for line in lines] == [
        ("2026-09-18", False, None),
        ("2026-09-19", False, None),
        ("2026-09-20", True, 1),
        ("2026-09-21", True, 2),
        ("2026-09-22", True, 3),
    ]
    assert [line["why"] for line in lines] == [
        "收到当日不计入",
        "周末",
        "国庆节调休上班",
        "工作日",
        "工作日",
    ]
    assert not any(line["provisional"] for line in lines)


def test_a_holiday_is_named():
    assert explain(date(2026, 9, 24), 1)[1]["why"] == "中秋节放假"


@pytest.mark.parametrize(
    ("receipt", "due", "provisional"),
    [
        ("2026-11-23", "2026-12-14", False),
        ("2026-12-07", "2026-12-28", False),
        ("2026-12-08", "2026-12-29", True),
        ("2026-12-10", "2026-12-31", True),
        ("2026-12-11", "2027-01-04", True),
        ("2027-01-20", "2027-02-16", True),
        ("2025-12-29", "2026-01-20", False),
    ],
)
def test_a_due_date_on_an_unannounced_day_is_provisional(receipt, due, provisional):
    receipt, due = date.fromisoformat(receipt), date.fromisoformat(due)
    assert add_working_days(receipt, 15) == due
    assert is_provisional(receipt, due) is provisional


def test_the_day_of_receipt_never_makes_a_period_provisional():
    CalendarYear.objects.filter(year=2025).update(status="provisional")
    assert not is_provisional(date(2025, 12, 31), date(2026, 1, 5))


def test_a_year_that_has_no_rows_is_provisional():
    assert is_provisional(date(2031, 3, 3), add_working_days(date(2031, 3, 3), 1))


def test_importing_a_year_raises_the_version_of_the_periods_it_bears_on():
    spring = date(2026, 3, 2), date(2026, 3, 23)
    december = date(2026, 12, 8), date(2026, 12, 29)
    before = calendar_version(*spring), calendar_version(*december)
    CalendarYear.objects.filter(year=2027).update(status="official", version=2)
    assert calendar_version(*spring) == before[0]
    assert calendar_version(*december) == before[1] + 1
    assert not is_provisional(*december)


@pytest.mark.parametrize(
    ("day", "months", "end"),
    [
        ("2025-11-30", 3, "2026-02-28"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2026-04-01", 3, "2026-07-01"),
        ("2026-04-01", 12, "2027-04-01"),
        ("2026-11-23", -36, "2023-11-23"),
        ("2026-12-31", 2, "2027-02-28"),
        ("2026-12-15", 0, "2026-12-15"),
        ("2026-12-31", -1, "2026-11-30"),
    ],
)
def test_months_end_on_the_same_day_or_the_last_of_the_month(day, months, end):
    assert add_months(date.fromisoformat(day), months) == date.fromisoformat(end)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(-240, 240))
def test_months_land_in_the_right_month_and_never_after_the_same_day(day, months):
    end = add_months(day, months)
    assert (end.year * 12 + end.month) - (day.year * 12 + day.month) == months
    assert end.day == day.day or (end.day < day.day and (end + DAY).day == 1)

"""The clock of the law: working days, months and years, counted on the calendar's rows.

A working day is a make-up day (调休上班), or Monday to Friday that is not off. The day of
receipt never counts (民法典 201); a period of months ends on the corresponding day, else on
the month's last (民法典 202). Days are days in Asia/Shanghai.
"""

import calendar
from datetime import date, datetime, timedelta
from itertools import islice

from django.utils import timezone
from django.utils.translation import get_language, gettext

from casework.models import CalendarYear, SpecialDay

DAY = timedelta(days=1)


def add_working_days(start, n, stops=()):
    """The `n`-th working day strictly after `start`; `start` itself for 0.

    `start` is a date, or an aware datetime taken as its day in Shanghai. The days within
    `stops`, pairs of a first and a last day, are passed over.
    """
    if n < 0:
        raise ValueError("n must not be negative")
    start = _day(start)
    working = (day for day, special in _days_after(start, n) if _counts(day, special, stops))
    return next(islice(working, n - 1, None)) if n else start


def working_days_between(start, end, stops=()):
    """How many working days lie after `start` up to and with `end`; negative if `end` is earlier.

    `working_days_between(s, add_working_days(s, n)) == n`, also where both know the same `stops`.
    """
    start, end = _day(start), _day(end)
    if end < start:
        return -working_days_between(end, start, stops)
    special = _special_days(start, end)
    days = (start + DAY * i for i in range(1, (end - start).days + 1))
    return sum(_counts(day, special.get(day), stops) for day in days)


def countdown(today, days):
    """`working_days_between(today, day)` for each of many days, in one query: {day: number}."""
    days = {day for day in days if day}
    if not days:
        return {}
    first, last = min(days | {today}), max(days | {today})
    special = _special_days(first, last)
    counts, number = {first: 0}, 0
    for i in range(1, (last - first).days + 1):
        day = first + DAY * i
        number += _counts(day, special.get(day))
        counts[day] = number
    return {day: counts[day] - counts[today] for day in days}


def explain(start, n, stops=()):
    """The count of `add_working_days(start, n, stops)` day by day, from the day of receipt on.

    Each line is `{date, counts, why, number, provisional}`: `why` in the language of the
    request, `number` the count reached on that day or None.
    """
    if n < 0:
        raise ValueError("n must not be negative")
    start = _day(start)
    lines = [_line(start, gettext("收到当日不计入"))]
    number = 0
    days = _days_after(start, n)
    while number < n:
        day, special = next(days)
        counts = _counts(day, special, stops)
        number += counts
        why = gettext("等候补正，不计入") if _within(day, stops) else _why(day, special)
        lines.append(_line(day, why, number if counts else None))
    official = _official_years(start, lines[-1]["date"])
    for line in lines:
        day = line["date"]
        may_change = day != start and not _within(day, stops)
        line["provisional"] = may_change and _is_open(day, official)
    return lines


def is_provisional(start, due, stops=()):
    """Whether a day counted between `start` and `due` may yet change.

    It may while its year's notice is not in. A notice can also alter the last days of the
    December before it (2018-12-29 was worked), so 29–31 December wait for the next year's.
    A day within `stops` does not count, whatever a notice says of it.
    """
    start, due = _day(start), _day(due)
    official = _official_years(start, due)
    days = (start + DAY * i for i in range(1, (due - start).days + 1))
    return any(_is_open(day, official) and not _within(day, stops) for day in days)


def calendar_version(start, due):
    """A number that grows whenever a calendar year that bears on the period is imported anew."""
    start, due = _day(start), _day(due)
    years = CalendarYear.objects.filter(year__range=(start.year, _last_year(due)))
    return sum(years.values_list("version", flat=True))


def add_months(day, n):
    """The day `n` months on: the corresponding day, else the month's last. `n` may be negative."""
    months = day.year * 12 + day.month - 1 + n
    year, month = divmod(months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def _day(moment):
    return timezone.localdate(moment) if isinstance(moment, datetime) else moment


def _special_days(after, until):
    return SpecialDay.objects.filter(day__gt=after, day__lte=until).in_bulk()


def _days_after(start, n):
    """Every day after `start` with its special row or None. One query serves `n` working days."""
    span = timedelta(days=2 * n + 30)
    while True:
        special = _special_days(start, start + span)
        for _i in range(span.days):
            start += DAY
            yield start, special.get(start)


def _within(day, stops):
    return any(first <= day <= last for first, last in stops)


def _counts(day, special, stops=()):
    if _within(day, stops):
        return False
    return special.kind == SpecialDay.Kind.WORK if special else day.weekday() < calendar.SATURDAY


def _line(day, why, number=None):
    return {"date": day, "counts": number is not None, "why": why, "number": number}


def _why(day, special):
    if special is None:
        return gettext("工作日") if day.weekday() < calendar.SATURDAY else gettext("周末")
    name = special.name_en if (get_language() or "").startswith("en") else special.name
    if special.kind == SpecialDay.Kind.WORK:
        return gettext("%(holiday)s调休上班") % {"holiday": name}
    return gettext("%(holiday)s放假") % {"holiday": name}


def _in_late_december(day):
    return (day.month, day.day) >= (12, 29)


def _last_year(due):
    return due.year + _in_late_december(due)


def _official_years(start, due):
    years = CalendarYear.objects.filter(
        status=CalendarYear.Status.OFFICIAL, year__range=(start.year, _last_year(due))
    )
    return set(years.values_list("year", flat=True))


def _is_open(day, official):
    return day.year not in official or (_in_late_december(day) and day.year + 1 not in official)

"""The clock of a filing: set, stopped for the applicant, extended, counted anew, watched.

All days are days in Shanghai. What a rule says of a period is handed in: the rows are
the rulebook's.
"""

import logging

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from casework import workdays
from casework.moves import lock, record
from parties.models import CLOCK

log = logging.getLogger(__name__)
REMIND_BEFORE = (5, 3, 1)  # working days
COLUMNS = ("due_on", "provisional", "calendar_version")


def begin(filing, start, days):
    """Set the columns of a period of `days` working days after `start`; nothing is saved."""
    filing.counts_from, filing.period_days, filing.extended_days = start, days, 0
    filing.stops, filing.stopped_on = [], None
    return count(filing)


def count(filing):
    """Set the due date from what it is counted of; nothing is saved."""
    start, stops = filing.counts_from, filing.pauses
    filing.due_on = workdays.add_working_days(start, filing.total_days, stops)
    filing.provisional = workdays.is_provisional(start, filing.due_on)
    filing.calendar_version = _version(filing)
    return filing


def columns(filing):
    """The clock's columns as they stand on an unsaved row, for `move` to write."""
    names = ("counts_from", "period_days", "extended_days", "stops", "stopped_on", *COLUMNS)
    return {name: getattr(filing, name) for name in names}


def resume(filing, today):
    """Let a stopped clock run again: the days after the stop up to today never count."""
    if filing.stopped_on is not None and filing.stopped_on < today:
        first = filing.stopped_on + workdays.DAY
        filing.stops = [*filing.stops, [first.isoformat(), today.isoformat()]]
    filing.stopped_on = None
    return count(filing)


def extend(filing, days):
    """Add `days` working days to the period that runs; nothing is saved."""
    filing.extended_days += days
    return count(filing)


def _version(filing):
    return str(workdays.calendar_version(filing.counts_from, filing.due_on))


def used_days(filing, day):
    """On which working day of its period `day` lies, for a letter to say."""
    return workdays.working_days_between(filing.counts_from, day, filing.pauses)


# ── watching it ───────────────────────────────────────────────────────────────────────────────


def chase(rows, *, today, moved, remind, escalate):
    """Count anew what an imported calendar shifts, remind of what is due soon, escalate once.

    `moved(filing, before)`, `remind(filing, left, step)` and `escalate(filing)` tell whom it
    concerns, within the filing's own transaction. One filing at a time: a bad row is logged
    and blocks no other.
    """
    for filing in rows.open().order_by("pk").iterator():
        try:
            with transaction.atomic():
                _chase(filing, today, moved, remind, escalate)
        except Exception:
            log.exception("%s could not be chased", filing.number)


def _chase(filing, today, moved, remind, escalate):
    if _version(filing) != filing.calendar_version:
        filing = _recount(filing, moved)
    if filing.is_overdue(today):
        if filing.escalated_on is None:
            _escalate(filing, today, escalate)
        return
    left = workdays.working_days_between(today, filing.due_on)
    if filing.stopped_on is None and left <= max(REMIND_BEFORE):
        remind(filing, left, min(step for step in REMIND_BEFORE if step >= left))


def _recount(filing, moved):
    """Count the due date on the calendar as it is now; a date that moves leaves a line."""
    filing = lock(filing)
    if not filing.is_open:
        return filing
    before = filing.due_on
    count(filing).save(update_fields=COLUMNS)
    if filing.due_on != before:
        note = _("放假安排有变，办理期限由 %(old)s 改为 %(new)s")
        told = {"old": date_format(before), "new": date_format(filing.due_on)}
        changes = {"due_on": [str(before), str(filing.due_on)]}
        record(filing, "recount", actor=CLOCK, note=note % told, changes=changes)
        moved(filing, before)
    return filing


def _escalate(filing, today, escalate):
    filing = lock(filing)
    if filing.escalated_on or not filing.is_overdue(today):
        return
    filing.escalated_on = today
    filing.save(update_fields=["escalated_on"])
    record(filing, "escalate", actor=CLOCK, note=_("逾期，报督办"))
    escalate(filing)

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
COLUMNS = ("due_on", "provisional", "calendar_version", "escalated_on")
PERIOD = ("counts_from", "period_days", "extended_days", "stops", "stopped_on")


def begin(filing, start, days):
    """Set the columns of a period of `days` working days after `start`; nothing is saved."""
    filing.counts_from, filing.period_days, filing.extended_days = start, days, 0
    filing.stops, filing.stopped_on, filing.escalated_on = [], None, None
    return count(filing)


def count(filing):
    """Set the due date from what it is counted of; nothing is saved."""
    start, stops = filing.counts_from, filing.pauses
    filing.due_on = workdays.add_working_days(start, filing.total_days, stops)
    filing.provisional = workdays.is_provisional(start, filing.due_on, stops)
    filing.calendar_version = str(workdays.calendar_version(start, filing.due_on))
    return filing


def columns(filing):
    """The clock's columns as they stand on an unsaved row, for `move` to write."""
    return {name: getattr(filing, name) for name in (*PERIOD, *COLUMNS)}


def resume(filing, today):
    """Let a stopped clock run again: the days after the stop up to today never count.

    Of a wait that lasted longer than was set, the days beyond count.
    """
    if filing.stopped_on is not None and filing.supplement_by is not None:
        today = min(today, filing.supplement_by)
    filing.stops = [[day.isoformat() for day in pause] for pause in filing.pauses_by(today)]
    filing.stopped_on = None
    return count(filing)


def extend(filing, days):
    """Add `days` working days to the period that runs; nothing is saved."""
    filing.extended_days += days
    return count(filing)


def used_days(filing, day):
    """On which working day of its period `day` lies, for a letter to say."""
    return workdays.working_days_between(filing.counts_from, day, filing.pauses)


# ── watching it ───────────────────────────────────────────────────────────────────────────────


def chase(rows, *, today, moved, remind, escalate):
    """Count anew what an imported calendar shifts, escalate what is late, remind of what is due.

    `moved(filing, line)` and `escalate(filing)` tell whom it concerns, within the filing's own
    transaction; `line` is the journal's. A bad row is logged and blocks no other.
    `remind(due)` gets all that is due soon at once, as lists of (filing, working days left,
    step): it tells what is not told yet. The number of queries does not grow with the open
    filings, only with what there is to do.
    """
    _each(rows.counted_before(), lambda filing: _recount(filing, today, moved))
    _each(rows.escalatable(today), lambda filing: _escalate(filing, today, escalate))
    remind(_due_soon(rows, today))


def lapse(rows, *, today, tell):
    """Let clocks that stood still run again where the applicant has not answered in time.

    The days up to the one that was set don't count, whenever the sweep comes. `tell(filing)`
    tells both sides, within the filing's own transaction, once; what is handed in later is
    still taken in.
    """
    waiting = rows.open().filter(stopped_on__isnull=False, supplement_by__lt=today)
    _each(waiting, lambda filing: _resume(filing, tell))


def _resume(filing, tell):
    filing = lock(filing)
    if not filing.is_open or filing.stopped_on is None:
        return
    resume(filing, filing.supplement_by).save(update_fields=columns(filing))
    record(filing, "resume", actor=CLOCK, note=_("补正期满没有补充，期限继续计算"))
    tell(filing)


def _each(rows, act):
    for filing in rows.order_by("pk").iterator():
        try:
            with transaction.atomic():
                act(filing)
        except Exception:
            log.exception("%s could not be chased", filing.number)


def _recount(filing, today, moved):
    """Count the due date on the calendar as it is now; what was told and changes leaves a line."""
    filing = lock(filing)
    if not filing.is_open:
        return
    day, provisional = filing.due_on, filing.provisional
    count(filing)
    if filing.due_on >= today:
        filing.escalated_on = None  # no longer late; should it be late again, that is told again
    filing.save(update_fields=COLUMNS)
    if (filing.due_on, filing.provisional) == (day, provisional):
        return
    changes = {"due_on": [str(day), str(filing.due_on)]} if filing.due_on != day else {}
    note = _change(filing, day)
    moved(filing, record(filing, "recount", actor=CLOCK, note=note, changes=changes))


def _change(filing, day):
    told = {"old": date_format(day), "new": date_format(filing.due_on)}
    if filing.due_on != day and filing.provisional:
        return _("放假安排有变，办理期限由 %(old)s 改为 %(new)s（暂定）") % told
    if filing.due_on != day:
        return _("放假安排有变，办理期限由 %(old)s 改为 %(new)s") % told
    if filing.provisional:
        return _("放假安排未定，办理期限 %(new)s 改为暂定") % told
    return _("放假安排已公布，办理期限 %(new)s 不变，不再是暂定") % told


def _escalate(filing, today, escalate):
    filing = lock(filing)
    if filing.escalated_on or not filing.is_overdue(today):
        return
    filing.escalated_on = today
    filing.save(update_fields=["escalated_on"])
    record(filing, "escalate", actor=CLOCK, note=_("逾期，报督办"))
    escalate(filing)


def _due_soon(rows, today):
    last = workdays.add_working_days(today, max(REMIND_BEFORE))
    soon = list(rows.due_by(last).filter(due_on__gte=today).order_by("pk"))
    left = workdays.countdown(today, {filing.due_on for filing in soon})
    return [(filing, left[filing.due_on], _step(left[filing.due_on])) for filing in soon]


def _step(left):
    return min(step for step in REMIND_BEFORE if step >= left)

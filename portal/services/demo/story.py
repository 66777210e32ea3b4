"""What happens when: acts wait in a queue by their instant and are played in its order."""

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from itertools import count

from django.conf import settings
from django.utils import timezone

from casework.models import SpecialDay
from jointaction import services as jointaction
from jointaction.models import Push
from listings import ledger
from listings import services as listings
from objections import services as objections
from portal.services.demo import clock, units
from portal.services.demo.subjects import People
from repair import services as repairs
from rulebook.models import ListCategory

DAY = timedelta(days=1)
PROMPT = timedelta(seconds=10)  # how soon the portal's clock distributes a change
LONG_AGO = timedelta(days=45)
MIDNIGHT, MORNING = time(0, 0, 30), time(8, 0)


@dataclass(frozen=True)
class Act:
    """Something to be done; `may_change` where a change of an entry can come of it."""

    act: Callable
    arguments: tuple
    may_change: bool


class Story:
    """The queue of acts, the random numbers, and what is needed to plan: working days, today.

    An act that would come after now does not happen: what is under way today stays under way.
    """

    def __init__(self, *, now, first, rng, tell):
        self.now, self.first, self.rng, self.tell = now, first, rng, tell
        self.today = timezone.localdate(now)
        self.special = dict(SpecialDay.objects.values_list("day", "kind"))
        self.people = People(rng)
        self.categories = list(ListCategory.objects.all())
        self.numbers, self.references = Counter(), count(101)  # of documents, of checks
        self.firms = []  # subjects of the story so far, for penalties and checks
        self.queue, self.order = [], count()
        self.sweeps = set()
        self.seq = ledger.head().seq
        self.last_push = Push.objects.order_by("pk").values_list("pk", flat=True).last() or 0

    # ── planning ──────────────────────────────────────────────────────────────

    def works(self, day):
        """Whether offices are open on the day."""
        kind = self.special.get(day)
        return kind == SpecialDay.Kind.WORK if kind else day.weekday() < 5

    def next_working(self, day):
        while not self.works(day):
            day += DAY
        return day

    def after(self, day, working_days):
        """The day so many working days later, or earlier where the number is negative."""
        step = DAY if working_days >= 0 else -DAY
        for _i in range(abs(working_days)):
            day += step
            while not self.works(day):
                day += step
        return day

    def some_day(self, first, last):
        """A working day between two days, both included."""
        day = first + DAY * self.rng.randint(0, max(0, (last - first).days))
        return min(self.next_working(day), last) if self.works(last) else self.next_working(day)

    def on(self, day, act, *arguments, hour=None):
        """Plan `act(*arguments, today=day)` for a moment of the day's office hours."""
        self._put(day, self._moment(hour), Act(act, arguments, may_change=True))

    def aside(self, day, act, *arguments, hour=None):
        """Plan an act that changes no entry, so that afterwards nothing is to be distributed."""
        self._put(day, self._moment(hour), Act(act, arguments, may_change=False))

    def chase_units(self, *days):
        """Let the portal's clock remind units and escalate; long ago it did so on Mondays only."""
        for day in days:
            monday = day + DAY * (7 - day.weekday())
            chased_on = monday if self.today - day > LONG_AGO else day
            self._sweep(chased_on, MORNING, jointaction.chase_late, lead_unit=settings.LEAD_UNIT)

    def chase_remedies(self, *days):
        """Let the portal's clock remind of objections and repairs, and escalate overdue ones."""
        for day in days:
            for act in (objections.chase_due, repairs.chase_due):
                self._sweep(day, MORNING, act, lead_unit=settings.LEAD_UNIT)

    def lapses(self, visible_until):
        """Let the sweep take the entry off; what lapsed only yesterday is left to be swept."""
        if visible_until + DAY < self.today:
            self._sweep(visible_until + DAY, MIDNIGHT, listings.expire_lapsed)

    def _sweep(self, day, at, act, **arguments):
        """Plan a sweep of the portal's clock, once a day at most."""
        if (day, act) not in self.sweeps:
            self.sweeps.add((day, act))
            self._put(day, at, Act(partial(act, **arguments), (), may_change=at == MIDNIGHT))

    def _moment(self, hour):
        hour = self.rng.choice((8, 9, 10, 13, 14, 15)) if hour is None else hour
        return time(hour, self.rng.randint(0, 59), self.rng.randint(0, 59))

    def _put(self, day, at, act):
        instant = timezone.make_aware(datetime.combine(day, at))
        if instant < self.now:
            heapq.heappush(self.queue, (instant, next(self.order), act))

    # ── playing ───────────────────────────────────────────────────────────────

    def play(self):
        """Play every act in the order of time; acts may plan further ones."""
        told, instant = None, self.queue[0][0]
        while self.queue:
            planned, _order, act = heapq.heappop(self.queue)
            instant = max(instant, planned)
            if instant.year != told:
                told = instant.year
                self.tell(f"{told} 年 · {told}")
            today = timezone.localdate(instant)
            with clock.at(instant):
                act.act(*act.arguments, today=today)
            if act.may_change:
                instant = min(instant + PROMPT, self.now)
                self._distribute(instant, today)

    def _distribute(self, instant, today):
        """As the portal's clock does within seconds: put new changes before the units."""
        head = ledger.head().seq
        if head == self.seq:
            return
        self.seq = head
        with clock.at(instant):
            jointaction.distribute(today=today)
        new = Push.objects.filter(pk__gt=self.last_push).select_related("unit")
        pushes = list(new.order_by("change", "unit__code"))
        self.last_push = max([self.last_push, *(push.pk for push in pushes)])
        for push in pushes:
            units.plan_answer(self, push, today)

"""What happens when: acts wait in a queue by their instant and are played in its order."""

import heapq
from datetime import datetime, time, timedelta
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

DAY = timedelta(days=1)
MIDNIGHT, MORNING = time(0, 0, 30), time(8, 0)


class Story:
    """The queue of acts, the random numbers, and what is needed to plan: working days, today.

    An act that would come after now does not happen: what is under way today stays under way.
    """

    def __init__(self, *, now, first, rng, tell):
        self.now, self.first, self.rng, self.tell = now, first, rng, tell
        self.today = timezone.localdate(now)
        self.special = dict(SpecialDay.objects.values_list("day", "kind"))
        self.people = People(rng)
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
        minutes = self.rng.randint(0, 59)
        hour = self.rng.choice((8, 9, 10, 13, 14, 15)) if hour is None else hour
        self._put(day, time(hour, minutes, self.rng.randint(0, 59)), act, arguments)

    def sweep(self, day, at, act, **arguments):
        """Plan a sweep of the portal's clock, once a day at most."""
        if (day, act) not in self.sweeps:
            self.sweeps.add((day, act))
            self._put(day, at, lambda today: act(today=today, **arguments), ())

    def chase(self, *days):
        """Let the portal's clock remind and escalate on these days."""
        for day in days:
            for act in (jointaction.chase_late, objections.chase_due, repairs.chase_due):
                self.sweep(day, MORNING, act, lead_unit=settings.LEAD_UNIT)

    def lapses(self, visible_until):
        """Let the sweep take the entry off; what lapsed only yesterday is left to be swept."""
        if visible_until + DAY < self.today:
            self.sweep(visible_until + DAY, MIDNIGHT, listings.expire_lapsed)

    def _put(self, day, at, act, arguments):
        instant = timezone.make_aware(datetime.combine(day, at))
        if instant < self.now:
            heapq.heappush(self.queue, (instant, next(self.order), act, arguments))

    # ── playing ───────────────────────────────────────────────────────────────

    def play(self):
        """Play every act in the order of time; acts may plan further ones."""
        year, last = None, None
        while self.queue:
            instant, _order, act, arguments = heapq.heappop(self.queue)
            last = instant = max(instant, last) if last else instant
            if instant.year != year:
                year = instant.year
                self.tell(f"{year} 年 · {year}")
            today = timezone.localdate(instant)
            with clock.at(instant):
                act(*arguments, today=today)
            self._distribute(instant + timedelta(seconds=10), today)
            last += timedelta(seconds=10)

    def _distribute(self, instant, today):
        """As the portal's clock does within seconds: put new changes before the units."""
        head = ledger.head().seq
        if head == self.seq:
            return
        self.seq = head
        with clock.at(min(instant, self.now)):
            jointaction.distribute(today=today)
        pushes = Push.objects.filter(pk__gt=self.last_push).select_related("unit").order_by("pk")
        for push in pushes:
            self.last_push = push.pk
            units.plan_answer(self, push, today)

"""A figure is measured beside its physical limit, on the same data, in the same run.

A figure is a function in `bench/figures/` that takes the `Bench` and returns its
`Measure`s: first ours, then what it stands beside.

    @figure("CSV import of 100,000 rows into drafts", beside="bare INSERT … SELECT", aim=4)
    def csv_import(bench):
        rows = bench.scaled(100_000)
        ...
        return timed(rows, import_file, path), timed(rows, bare_insert)
"""

import statistics
import time
from dataclasses import dataclass, field

FIGURES = []


@dataclass(frozen=True)
class Figure:
    """What is measured and beside what.

    `aims`: at most so many times each limit, None where none is set; `p99_ms`: the single
    times stay within so many milliseconds.
    """

    name: str
    title: str
    beside: tuple
    aims: tuple
    p99_ms: float | None
    run: callable


@dataclass
class Measure:
    """So many of something in so many seconds; single times, if any, in seconds."""

    count: int
    seconds: float
    unit: str = "rows"
    single: list[float] = field(default_factory=list)
    note: str = ""

    @property
    def per_second(self):
        return self.count / self.seconds if self.seconds else 0.0

    def percentile(self, share):
        """The single time, in seconds, that the given share (1–99) stays within."""
        return statistics.quantiles(self.single, n=100, method="inclusive")[share - 1]


@dataclass(frozen=True)
class Bench:
    """What a figure may ask: how large, among how many entries, and where to put files."""

    scale: float
    entries: int
    folder: object  # a Path; kept between runs

    def scaled(self, count):
        """`count` at the scale of this run, at least 10."""
        return max(10, round(count * self.scale))


def figure(title, *, beside, aim=None, p99_ms=None):
    """Make the function a figure of the report; its name is the function's.

    `beside` says in words what the limits are, in the order in which `run` returns them;
    `aim` is a number for the first limit, or one for each.
    """
    words = (beside,) if isinstance(beside, str) else beside
    aims = aim if isinstance(aim, tuple) else (aim,)
    aims += (None,) * (len(words) - len(aims))

    def register(run):
        FIGURES.append(Figure(run.__name__, title, words, aims, p99_ms, run))
        return run

    return register


def timed(count, work, *args, unit="rows", **options):
    """Do `work` once; how long it took for `count` things."""
    began = time.perf_counter()
    work(*args, **options)
    return Measure(count, time.perf_counter() - began, unit)


def timed_each(things, work, *, unit="calls"):
    """Do `work(thing)` for each; the whole time and every single one."""
    single = []
    began = time.perf_counter()
    for thing in things:
        start = time.perf_counter()
        work(thing)
        single.append(time.perf_counter() - start)
    return Measure(len(single), time.perf_counter() - began, unit, single)

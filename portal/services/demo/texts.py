"""The texts of the demonstration, and the values that fill them in."""

import tomllib
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "demo"


@lru_cache
def table(name):
    with (FOLDER / f"{name}.toml").open("rb") as file:
        return tomllib.load(file)


def surnames():
    return table("names")["surnames"]


def words(section, key):
    return table("names")[section][key]


def some(rng, section, key):
    return rng.choice(words(section, key))


def values(rng, day):
    """Values for the braces of a text about something that came to light before `day`."""
    start, end = sorted(rng.sample(range(2, 14), 2), reverse=True)
    people = rng.randint(6, 90)
    found = {key: rng.choice(options) for key, options in table("names")["values"].items()}
    return found | {
        "amount": f"{rng.choice((rng.uniform(4, 60), rng.uniform(30, 480))):.1f}",
        "fine": rng.choice(("5", "8", "10", "12.5", "20", "30", "50")),
        "people": str(people),
        "wages": f"{people * rng.uniform(0.8, 3.2):.1f}",
        "fund": f"{people * rng.uniform(0.3, 1.4):.1f}",
        "debt": f"{rng.uniform(8, 40):.0f}",
        "cash": f"{rng.uniform(0.5, 4):.1f}",
        "few": str(rng.randint(2, 7)),
        "deaths": str(rng.randint(1, 2)),
        "times": f"{rng.uniform(1.2, 6):.1f}",
        "hours": str(rng.randint(300, 2600)),
        "score": f"{rng.uniform(95, 99.8):.1f}",
        "serial": f"{rng.randint(1, 99999):05}",
        "batch": f"{_months_before(day, end):%Y%m}{rng.randint(1, 28):02}",
        "year": str(day.year),
        "month": _month(_months_before(day, end)),
        "start": _month(_months_before(day, start)),
        "end": _month(_months_before(day, end), since=_months_before(day, start)),
        "date": _months_before(day, end).replace(day=rng.randint(1, 28)).isoformat(),
    }


def fill(text, values):
    return text.format_map(values)


def _months_before(day, months):
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return day.replace(year=year, month=month + 1, day=1)


def _month(day, since=None):
    year = "" if since and since.year == day.year else f"{day.year}年"
    return f"{year}{day.month}月"

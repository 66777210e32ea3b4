"""Charts drawn by the server: values on the marks, few gridlines, a table under each.

A phone gets a drawing of its own, not a shrunken one.
"""

from django import template
from django.utils.translation import gettext

register = template.Library()

WIDE = {"name": "wide-only", "width": 520, "height": 234, "left": 34, "base": 200, "bar": 30}
PHONE = {"name": "phone-only", "width": 328, "height": 214, "left": 34, "base": 180, "bar": 20}
TOP = 24


def _ceiling(value):
    """The axis' end: the smallest of 2, 4, 8, 16, 20, 40 … that is no less than the value."""
    step = 1
    while True:
        for nice in (2, 4, 8, 16):
            if nice * step >= value:
                return nice * step
        step *= 10


@register.inclusion_tag("portal/_bars.html")
def month_bars(values, kind):
    """A bar a month, January first, in the colour of the list."""
    top = _ceiling(max([*values, 1]))
    return {
        "kind": kind,
        "drawings": [_bars(values, top, frame) for frame in (WIDE, PHONE)],
        "rows": list(enumerate(values, start=1)),
        "total": sum(values),
    }


def _bars(values, top, frame):
    height = frame["base"] - TOP
    slot = (frame["width"] - frame["left"]) / max(len(values), 1)
    bars = []
    for index, value in enumerate(values):
        size = round(height * value / top, 1)
        x = round(frame["left"] + slot * index + (slot - frame["bar"]) / 2, 1)
        bars.append(
            {
                "x": x,
                "y": round(frame["base"] - size, 1),
                "height": size,
                "middle": round(x + frame["bar"] / 2, 1),
                "above": round(frame["base"] - size - 7, 1),
                "value": value,
                "label": gettext("1月") if index == 0 else index + 1,
            }
        )
    lines = [(frame["base"] - height * part / 2, top * part // 2) for part in (1, 2)]
    return {**frame, "bars": bars, "lines": lines, "label_y": frame["height"] - 10}


@register.inclusion_tag("portal/_ranks.html")
def ranks(rows, *, top=6):
    """Lying bars of the most frequent, the others together; `rows` are {label, n} by frequency."""
    shown = [{"label": row["label"], "n": row["n"], "css": "black"} for row in rows[:top]]
    rest = rows[top:]
    if rest:
        label = gettext("其他 %(n)d 类") % {"n": len(rest)}
        shown.append({"label": label, "n": sum(row["n"] for row in rest), "css": "rest"})
    most = max([row["n"] for row in shown], default=1)
    for row in shown:
        row["width"] = round(row["n"] / most * 86, 1)
        row["text_x"] = row["width"] + 1.5
    return {"bars": shown, "rows": rows}


@register.inclusion_tag("portal/_rates.html")
def rates(quarters):
    """Rates over the quarters that have any, as a line; where its axis is cut, it says so."""
    known = [row for row in quarters if row["share"].whole]
    low = min([row["share"].value for row in known], default=0)
    floor = int(low // 5 * 5 - 5) if low >= 5 else 0
    points = [_point(index, row, len(known), floor) for index, row in enumerate(known)]
    return {
        "points": points,
        "path": "M" + "L".join(f"{point['x']} {point['y']}" for point in points),
        "lines": _rate_lines(floor),
        "floor": floor,
        "quarters": known[::-1],
    }


def _rate_y(value, floor):
    return round(230 - 200 * (value - floor) / (100 - floor))


def _rate_lines(floor):
    step = max((100 - floor) // 3, 1)
    values = [floor, floor + step, floor + 2 * step, 100]
    return [(_rate_y(value, floor), value) for value in values]


def _point(index, row, count, floor):
    x = round(115 + 910 * index / max(count - 1, 1))
    y = _rate_y(row["share"].value, floor)
    last = index == count - 1
    return {
        "x": x,
        "y": y,
        "left": x - 6,
        "top": y - 6,
        "text_y": y + 28 if last and y < 200 else y - 16,
        "value": row["share"].percent,
        "row": row,
        "last": last,
    }

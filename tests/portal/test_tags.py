"""The small parts that pages are put together from."""

import datetime
from itertools import pairwise
from types import SimpleNamespace

import pytest
from django.utils.translation import override

from portal.templatetags.charts import month_bars, ranks
from portal.templatetags.portal_tags import (
    breakable,
    cn_date,
    cn_day,
    cn_moment,
    day_calendar,
    highlight,
    meter,
    on,
    term,
)

DAY = datetime.date(2026, 4, 1)


def test_a_date_reads_as_each_language_writes_it():
    assert cn_date(DAY) == "2026年4月1日"
    assert cn_day(DAY) == "4月1日"
    assert on(DAY) == '<time datetime="2026-04-01">2026年4月1日</time>'
    with override("en"):
        assert cn_date(DAY) == "1 April 2026"
        assert cn_day(DAY) == "1 April"


def test_an_instant_is_told_in_shanghai():
    at = datetime.datetime(2026, 9, 17, 17, 0, tzinfo=datetime.UTC)
    assert cn_moment(at) == "2026年9月18日 01:00"


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("通化宏达示例建筑工程有限公司", "通化|宏达示例|建筑工程|有限公司"),
        ("吉林省通化市示例食品有限公司", "吉林省通化市|示例|食品|有限公司"),
        ("辉南县示例绿源农业专业合作社", "辉南县|示例绿源|农业|专业合作社"),
        ("通化示例市政工程有限公司", "通化|示例|市政工程|有限公司"),
        ("示例股份有限公司", "示例|股份有限公司"),
        ("张*", "张*"),
        ("", ""),
    ],
)
def test_a_name_breaks_only_between_region_brand_trade_and_legal_form(name, broken):
    assert breakable(name) == f'<span class="name">{broken.replace("|", "<wbr>")}</span>'


def test_no_name_becomes_markup():
    assert "<script>" not in breakable("<script>示例有限公司")
    assert highlight("<b>宏达", "宏达") == "&lt;b&gt;<mark>宏达</mark>"


def entry(until=datetime.date(2027, 4, 1), kind="black"):
    return SimpleNamespace(published_on=DAY, visible_until=until, kind=kind)


def test_the_ruler_shows_the_elapsed_part_today_and_the_first_day_of_repair():
    ruler = term(entry(), datetime.date(2026, 7, 1), datetime.date(2026, 10, 1))
    assert ruler["used"] == 24.9
    assert ruler["ticks"] == [24.9, 50.1]
    assert [mark.get("x") for mark in ruler["marks"]] == [0, 24.9, 50.1, 100]


@pytest.mark.parametrize("days", [0, 3, 40, 200, 330, 365])
def test_no_two_labels_of_a_ruler_cover_each_other(days):
    today = DAY + datetime.timedelta(days=days)
    for months in (5, 6, 9):
        marks = term(entry(), today, DAY.replace(month=4 + min(months, 8)))["marks"]
        spans = sorted(
            (mark["x"] - 23, mark["x"]) if mark.get("end") else (mark["x"], mark["x"] + 23)
            for mark in marks
            if "x" in mark
        )
        for (_start, end), (start, _end) in pairwise(spans):
            assert end <= start + 0.1


def test_the_days_left_are_always_told():
    for days in (0, 100, 365):
        marks = term(entry(), DAY + datetime.timedelta(days=days))["marks"]
        assert sum("还有" in mark["words"] for mark in marks) == 1


def line(day, number=None, why="工作日", *, provisional=False):
    return {
        "date": day,
        "counts": number is not None,
        "number": number,
        "why": why,
        "provisional": provisional,
    }


def test_the_calendar_says_each_day_in_fill_and_in_word():
    september = [datetime.date(2026, 9, day) for day in range(24, 31)]
    thursday, friday, saturday, _sunday, monday, tuesday, wednesday = september
    explanation = [
        line(thursday, why="收到当日不计入"),
        line(friday, why="中秋放假"),
        line(saturday, why="中秋放假"),
        line(_sunday, 1, why="中秋调休上班"),
        line(monday, 2),
        line(tuesday, 3),
        line(wednesday, 4, provisional=True),
    ]
    made = day_calendar(explanation, today=monday)
    cells = {cell["date"]: cell for week in made["weeks"] for cell in week}
    assert [cells[day]["state"] for day in september] == [
        "received", "off", "off", "past", "to-count", "to-count", "due",
    ]  # fmt: skip
    assert [cells[day]["words"] for day in september] == [
        "收到", "中秋", "中秋", "", "今天", "", "届满",
    ]  # fmt: skip
    assert cells[friday]["corner"] == "休"
    assert cells[_sunday]["corner"] == "班"
    assert cells[thursday]["corner"] == ""
    assert made["provisional"]
    assert [f"{row['days']} {row['words']}" for row in made["exceptions"]] == [
        "9月25日至 26日 中秋放假，不计",
        "9月27日（周日） 中秋调休上班，计入，是第 1 天",
    ]


def test_the_meter_has_a_box_for_each_working_day_and_for_each_day_over():
    assert meter(1, 3, 2)["boxes"] == ["used", "today", ""]
    assert meter(4, 3, 5)["boxes"] == ["used", "used", "used", "over"]


def test_the_meter_has_no_box_for_a_today_that_does_not_count():
    assert meter(0, 3, 0)["boxes"] == ["", "", ""]
    assert meter(2, 3, 2)["boxes"] == ["used", "used", ""]


def test_the_bars_keep_their_proportions_and_nothing_is_a_bar_of_nothing():
    wide = month_bars([0, 4, 8], "red")["drawings"][0]
    assert [bar["height"] for bar in wide["bars"]] == [0, 88, 176]
    assert month_bars([], "red")["total"] == 0


def test_the_rarer_kinds_share_one_bar():
    rows = [{"label": f"类{n}", "n": 10 - n} for n in range(8)]
    bars = ranks(rows)["bars"]
    assert [bar["n"] for bar in bars] == [10, 9, 8, 7, 6, 5, 7]
    assert bars[-1]["label"] == "其他 2 类"

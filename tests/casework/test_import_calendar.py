import json
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from casework.models import CalendarYear, Event, SpecialDay
from casework.workdays import add_working_days, is_provisional, working_days_between

pytestmark = pytest.mark.django_db

NOTICE_2027 = """日期,休班,名称,英文名称
2026-12-31,休,元旦,New Year's Day
2027-01-01,休,元旦,New Year's Day
2027-01-02,班,元旦,New Year's Day
2027-02-05,休,春节,Spring Festival
"""


@pytest.fixture(autouse=True)
def rules(db):
    call_command("seed_rules", verbosity=0)


def load(*args):
    out = StringIO()
    call_command("import_calendar", *map(str, args), stdout=out)
    return json.loads(out.getvalue().splitlines()[-1])


@pytest.fixture
def notice(tmp_path):
    path = tmp_path / "2027.csv"
    path.write_text(NOTICE_2027, encoding="utf-8-sig")
    return path


def test_a_notice_makes_its_year_official_and_raises_its_version(notice):
    answer = load(notice, "--notice", "国务院办公厅关于2027年部分节假日安排的通知")
    assert answer["years"] == [2027]
    assert answer["rows"] == 4
    assert answer["rejected"] == 0
    year = CalendarYear.objects.get(year=2027)
    assert (year.status, year.version) == ("official", 2)
    assert year.source == "国务院办公厅关于2027年部分节假日安排的通知"
    assert Event.objects.filter(object_id=2027, action="load").count() == 2


def test_a_notice_may_alter_the_december_before_it(notice):
    assert is_provisional(date(2026, 12, 28), date(2026, 12, 31))
    load(notice)
    assert not is_provisional(date(2026, 12, 28), date(2026, 12, 31))
    assert add_working_days(date(2026, 12, 30), 1) == date(2027, 1, 2)
    assert SpecialDay.objects.get(day=date(2026, 12, 31)).year_id == 2027


def test_the_same_notice_again_changes_nothing(notice):
    load(notice)
    answer = load(notice)
    assert answer["years"] == []
    assert answer["unchanged"] == 4
    assert CalendarYear.objects.get(year=2027).version == 2


def test_reloading_the_earlier_year_keeps_what_the_later_notice_said(notice):
    load(notice)
    load(2026)
    assert SpecialDay.objects.get(day=date(2026, 12, 31)).year_id == 2027


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_the_published_years_of_the_package_agree_with_the_shipped_ones(year):
    first, last = date(year - 1, 12, 31), date(year, 12, 31)
    days = [first + timedelta(days=i) for i in range(1, (last - first).days + 1)]
    shipped = [working_days_between(first, day) for day in days]
    assert load(year)["years"] == [year]
    assert [working_days_between(first, day) for day in days] == shipped


def test_a_published_year_names_each_day_by_its_holiday():
    load(2026)
    names = dict(SpecialDay.objects.filter(year_id=2026).values_list("day", "name"))
    assert names[date(2026, 2, 14)] == names[date(2026, 2, 23)] == "春节"
    assert names[date(2026, 9, 20)] == names[date(2026, 10, 7)] == "国庆节"
    assert SpecialDay.objects.get(day=date(2026, 1, 4)).name_en == "New Year's Day"


def test_a_year_without_a_notice_is_refused():
    with pytest.raises(CommandError, match="2031"):
        load(2031)
    assert not CalendarYear.objects.filter(year=2031).exists()


def test_a_calendar_file_of_events_is_read(tmp_path):
    path = tmp_path / "2027.ics"
    path.write_text(
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20270205\r\n"
        "DTEND;VALUE=DATE:20270212\r\nSUMMARY:春节 假\r\n 期 第1天/共7天\r\nEND:VEVENT\r\n"
        "BEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20270214\r\nSUMMARY:春节 补班\r\nEND:VEVENT\r\n"
        "END:VCALENDAR\r\n",
        encoding="utf-8",
    )
    assert load(path)["rows"] == 8
    assert SpecialDay.objects.filter(year_id=2027, kind="off", name="春节").count() == 7
    assert SpecialDay.objects.get(day=date(2027, 2, 14)).kind == "work"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("date,kind,name\n2027-02-30,off,春节\n", "row 2"),
        ("date,kind,name\n2027-02-05,maybe,春节\n", "row 2"),
        ("date,kind,name\n2027-02-05,off,春节\n2027-02-05,off,春节\n", "more than once"),
        ("day,what\n2027-02-05,off\n", "needed"),
        ("", "needed"),
        ("date,kind,name\n", "no days"),
    ],
)
def test_a_faulty_file_is_refused_whole(tmp_path, text, reason):
    path = tmp_path / "bad.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CommandError, match=reason):
        load(path)
    assert CalendarYear.objects.get(year=2027).version == 1


def test_a_missing_file_is_an_error_and_not_a_traceback(tmp_path):
    with pytest.raises(CommandError, match="missing"):
        load(tmp_path / "missing.csv")


def test_a_stray_day_of_another_year_is_refused_and_empties_nothing(notice):
    before = SpecialDay.objects.filter(year=2026).count()
    notice.write_text(NOTICE_2027 + "2026-10-10,班,国庆节,National Day\n", encoding="utf-8-sig")
    with pytest.raises(CommandError, match="2026-10-10"):
        load(notice)
    assert SpecialDay.objects.filter(year=2026).count() == before
    assert CalendarYear.objects.get(year=2027).status == "provisional"

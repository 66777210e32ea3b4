"""A calendar that changes: open filings are counted anew, and both sides are told, once."""

import csv
import datetime
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from casework.models import CalendarYear, SpecialDay
from notices import services as notices
from notices.models import Notice
from objections import services as objections
from objections.models import Objection
from objections.tasks import chase_due as chase_objections
from parties.models import Actor, User
from repair import services as repairs
from repair.tasks import chase_due as chase_repairs
from rulebook.models import Parameter
from tests import builders

pytestmark = pytest.mark.usefixtures("rules")
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))
APPLICANT = {"name": "示例申请人", "phone": "0435-0000000", "email": "applicant@example.cn"}

# made up for the test: 29 December and 4 January off, nothing else but New Year
MADE_UP_2027 = [
    ("2026-12-29", "off", "示例假日"),
    ("2027-01-01", "off", "元旦"),
    ("2027-01-04", "off", "示例假日"),
    ("2027-02-05", "off", "春节"),
]


def at(day, hour=10):
    moment = datetime.datetime.combine(on(day), datetime.time(hour), SHANGHAI)
    return time_machine.travel(moment, tick=False)


def on(day):
    return datetime.date.fromisoformat(day)


def load(path, days):
    with path.open("w", encoding="utf-8") as out:
        csv.writer(out).writerows([("date", "kind", "name"), *days])
    call_command("import_calendar", str(path), notice="示例通知", stdout=StringIO())


def known(year):
    rows = SpecialDay.objects.filter(year=year)
    return [(str(row.day), row.kind, row.name) for row in rows]


def sweep(day, times=2):
    with at(day):
        for _again in range(times):
            chase_objections()
            chase_repairs()


def objection(day):
    with at(day):
        return builders.objection(applicant=APPLICANT)[0]


def repair(day):
    with at(day):
        return builders.repair(applicant=APPLICANT)[0]


def recounts(matter):
    return list(matter.journal.filter(action="recount").order_by("pk"))


def moved_notices(matter):
    rows = Notice.objects.filter(key__contains="-moved-")
    return rows.filter(key__contains=f":{matter.number}:")


def assert_told_both_once(matter, *words):
    inbox = moved_notices(matter).get(department=matter.department)
    mine = Notice.objects.to_applicant(matter.number).get(key__contains="-moved-")
    assert mine.email == "applicant@example.cn"
    for word in words:
        assert word in inbox.text
        assert word in mine.text


def test_the_new_years_notice_moves_what_was_provisional_and_tells_both_sides(
    tmp_path, client, mailoutbox
):
    first, second, applied = objection("2026-12-08"), objection("2026-12-11"), repair("2026-12-28")
    before = {first: "2026-12-29", second: "2027-01-04", applied: "2026-12-31"}
    after = {first: "2026-12-30", second: "2027-01-06", applied: "2027-01-05"}
    for matter, day in before.items():
        assert (matter.due_on, matter.provisional) == (on(day), True)
    with at("2026-12-28"):
        load(tmp_path / "2027.csv", MADE_UP_2027)
    sweep("2026-12-28")
    for matter, day in after.items():
        matter.refresh_from_db()
        assert (matter.due_on, matter.provisional) == (on(day), False)
        (line,) = recounts(matter)
        assert line.changes == {"due_on": [before[matter], day]}
        assert_told_both_once(matter, f"{on(before[matter]).day}日", f"{on(day).day}日")
    notices.deliver(now=datetime.datetime(2027, 1, 1, tzinfo=SHANGHAI))
    assert [mail.to for mail in mailoutbox].count(["applicant@example.cn"]) >= 3
    with at("2026-12-28"):
        load(tmp_path / "again.csv", MADE_UP_2027)
    sweep("2026-12-29")
    assert [len(recounts(matter)) for matter in after] == [1, 1, 1]


def test_the_tracking_page_says_the_new_date_and_that_it_was_counted_anew(tmp_path, client):
    with at("2026-12-11"):
        matter, code = builders.objection()
    with at("2026-12-14"):
        load(tmp_path / "2027.csv", MADE_UP_2027)
    sweep("2026-12-14")
    with at("2026-12-14"):
        client.post(reverse("objection-track"), {"number": matter.number, "query_code": code})
        page = client.get(reverse("objection-track")).content.decode()
    assert "最迟 1月6日" in page
    assert "2027年1月4日 改为 2027年1月6日" in page


def test_a_date_that_stays_but_is_no_longer_provisional_is_told_too(tmp_path):
    matter = objection("2026-12-10")
    assert (matter.due_on, matter.provisional) == (on("2026-12-31"), True)
    with at("2026-12-14"):
        load(tmp_path / "2027.csv", [("2027-01-01", "off", "元旦"), ("2027-02-05", "off", "春节")])
    sweep("2026-12-14")
    matter.refresh_from_db()
    assert (matter.due_on, matter.provisional) == (on("2026-12-31"), False)
    assert [line.changes for line in recounts(matter)] == [{}]
    assert_told_both_once(matter, "不变", "不再是暂定")


def test_a_late_correction_of_an_official_year_counts_anew_each_time_it_changes(tmp_path):
    matter, done = objection("2026-09-18"), objection("2026-09-18")
    Objection.objects.filter(pk=done.pk).update(status="replied")
    shipped = known(2026)
    with at("2026-09-21"):
        load(tmp_path / "1.csv", [*shipped, ("2026-10-09", "off", "示例")])
    sweep("2026-09-21")
    with at("2026-09-22"):
        load(tmp_path / "2.csv", shipped)
    sweep("2026-09-22")
    assert [line.changes["due_on"] for line in recounts(matter)] == [
        ["2026-10-15", "2026-10-16"],
        ["2026-10-16", "2026-10-15"],
    ]
    assert moved_notices(matter).count() == 4
    assert recounts(done) == []


def test_a_filing_that_stands_still_is_counted_anew_and_keeps_its_stop(tmp_path):
    Parameter.objects.filter(code="objection_reply").update(stops=True)
    matter, clerk = objection("2026-09-18"), Actor.of(builders.clerk())
    with at("2026-09-21"):
        asked = {"text": "请补充银行代发工资的回单。", "by": on("2026-11-13")}
        objections.ask(matter, actor=clerk, today=on("2026-09-21"), **asked)
        load(tmp_path / "1.csv", [*known(2026), ("2026-10-12", "off", "示例")])
    sweep("2026-10-30")
    matter.refresh_from_db()
    assert (matter.stopped_on, matter.due_on) == (on("2026-09-21"), on("2026-10-16"))
    assert len(recounts(matter)) == 1
    assert matter.escalated_on is None
    with at("2026-10-30"):
        matter = objections.supplement(matter, actor=clerk, text="示例", today=on("2026-10-30"))
    assert matter.stops == [["2026-09-22", "2026-10-30"]]
    assert matter.due_on == on("2026-11-18")  # two days counted before the stop, thirteen after


def test_a_row_that_cannot_be_counted_blocks_no_other(tmp_path, caplog):
    bad, good = objection("2026-12-11"), objection("2026-12-11")
    Objection.objects.filter(pk=bad.pk).update(stops=[["示例", "示例"]])
    with at("2026-12-14"):
        load(tmp_path / "2027.csv", MADE_UP_2027)
    sweep("2026-12-14", times=1)
    good.refresh_from_db()
    assert good.due_on == on("2027-01-06")
    assert f"{bad.number} could not be chased" in caplog.text


def test_a_row_edited_in_the_back_office_does_the_same(client):
    matter = objection("2026-09-18")
    admin = User.objects.create(
        username="admin", full_name="示例管理员", is_staff=True, is_superuser=True
    )
    version = CalendarYear.objects.get(year=2026).version
    with at("2026-09-21"):
        row = {"day": "2026-10-09", "year": 2026, "kind": "off", "name": "示例", "name_en": "x"}
        page = builders.signed_in(Client(), admin)
        answer = page.post(reverse("admin:casework_specialday_add"), row)
        assert answer.status_code == 302
    assert CalendarYear.objects.get(year=2026).version == version + 1
    sweep("2026-09-21")
    matter.refresh_from_db()
    assert matter.due_on == on("2026-10-16")
    assert_told_both_once(matter, "2026年10月16日")


def test_a_day_belongs_to_the_notice_of_its_own_year(client):
    admin = User.objects.create(
        username="admin", full_name="示例管理员", is_staff=True, is_superuser=True
    )
    row = {"kind": "off", "name": "示例", "name_en": "x"}
    with at("2026-09-21"):
        page = builders.signed_in(Client(), admin)
        url = reverse("admin:casework_specialday_add")
        wrong = page.post(url, {**row, "day": "2026-10-09", "year": 2027})
        december = page.post(url, {**row, "day": "2026-12-30", "year": 2027})
    assert "年度应是这一天所在的年份" in wrong.content.decode()
    assert december.status_code == 302


# ── reminders and what is late ────────────────────────────────────────────────────────────────


def steps(matter):
    keys = Notice.objects.filter(key__contains=f":{matter.number}:").values_list("key", flat=True)
    return sorted(key.split(":")[0] + key[-11:] for key in keys if "-due-" in key)


def test_a_second_period_is_reminded_of_and_escalated_like_the_first(rules):
    matter = repair("2026-09-18")  # to be accepted by 22 September
    for day in ("2026-09-18", "2026-09-21", "2026-09-23"):
        sweep(day)
    with at("2026-09-23"):
        clerk = Actor.of(builders.clerk("zrzy"))
        matter = repairs.accept(matter, actor=clerk, today=on("2026-09-23"))
    assert (matter.due_on, matter.escalated_on) == (on("2026-10-14"), None)
    for day in ("2026-10-08", "2026-10-10", "2026-10-13", "2026-10-15"):
        sweep(day)
    assert steps(matter) == [
        "repair-due-1:2026-09-22",
        "repair-due-1:2026-10-14",
        "repair-due-3:2026-09-22",
        "repair-due-3:2026-10-14",
        "repair-due-5:2026-10-14",
    ]
    assert matter.journal.filter(action="escalate").count() == 2
    overdue = Notice.objects.filter(key__startswith=f"repair-overdue:{matter.number}:fgw")
    assert overdue.count() == 2


def test_four_days_without_the_clock_lose_no_step_that_still_helps_and_no_escalation():
    matter = objection("2026-09-18")  # due on 15 October
    sweep("2026-10-09")
    sweep("2026-10-14")  # nothing ran from the 10th to the 13th
    sweep("2026-10-19")
    assert steps(matter) == ["objection-due-1:2026-10-15", "objection-due-5:2026-10-15"]
    assert matter.journal.filter(action="escalate").count() == 1
    sweep("2026-10-23")
    assert matter.journal.filter(action="escalate").count() == 1


def test_a_date_put_off_after_the_escalation_can_be_late_again(tmp_path):
    matter = objection("2026-09-18")
    sweep("2026-10-16")
    with at("2026-10-16"):
        load(tmp_path / "1.csv", [*known(2026), ("2026-10-14", "off", "示例")])
    sweep("2026-10-16")
    matter.refresh_from_db()
    assert (matter.due_on, matter.escalated_on) == (on("2026-10-16"), None)
    sweep("2026-10-19")
    assert matter.journal.filter(action="escalate").count() == 2


def _copies(matter, count):
    rows = []
    for i in range(count):
        copy = Objection.objects.get(pk=matter.pk)
        copy.pk, copy.number = None, f"YY-2026-9{i:05}"
        copy.public_id = Objection._meta.get_field("public_id").get_default()
        rows.append(copy)
    Objection.objects.bulk_create(rows)


def _queries(day):
    with (
        at(day),
        CaptureQueriesContext(
            connection,
        ) as asked,
    ):
        chase_objections()
    return len(asked)


@pytest.mark.parametrize("day", ["2026-09-21", "2026-10-13"])
def test_a_sweep_over_200_open_filings_asks_no_more_than_over_one(day):
    matter = objection("2026-09-18")
    sweep(day)
    one = _queries(day)
    _copies(matter, 200)
    sweep(day, times=1)  # tells what is new
    assert _queries(day) == one <= 8


def test_200_reminders_are_written_in_one_statement():
    _copies(objection("2026-09-18"), 200)
    sweep("2026-10-09", times=1)
    assert Notice.objects.filter(key__startswith="objection-due-5:").count() == 201
    assert _queries("2026-10-12") <= 10
    assert Notice.objects.filter(key__startswith="objection-due-3:").count() == 201

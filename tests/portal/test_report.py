"""Credit reports: made for anybody, true for a day, void as soon as something changes."""

import io
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from casework.models import Document
from listings import services as listings
from parties.models import Actor
from portal import services
from portal.models import CreditReport
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]

UNKNOWN = "91220501MA0ABC1215"


def text_of(pdf):
    pages = PdfReader(io.BytesIO(pdf)).pages
    return "".join("".join(page.extract_text().split()) for page in pages)


def ask(client, code):
    """Press the button; returns the address of the report's page."""
    answer = client.post(reverse("subject-report", args=[code]))
    assert answer.status_code == 302
    return answer.url


def withdraw(entry):
    actor = Actor.of(builders.reviewer())
    listings.withdraw(
        entry, reason="error", note="列错单位", actor=actor, today=timezone.localdate()
    )


def test_a_report_says_what_the_firms_page_says_with_number_and_code(client):
    entry = builders.published_black(builders.firm("通化示例报告建筑有限公司"))
    page = ask(client, entry.subject.code)
    told = client.get(page).content.decode()
    made = CreditReport.objects.get()
    for said in (made.number, made.spaced_code, entry.subject.code, "黑名单 1 条，红名单 0 条"):
        assert said in told
    answer = client.get(f"{page}report.pdf")
    assert answer["Content-Type"] == "application/pdf"
    text = text_of(answer.content)
    for said in ("通化示例报告建筑有限公司", entry.subject.code, made.spaced_code, "公共信用报告"):
        assert said in text
    assert str(entry.category) in text


def test_a_red_entry_beside_a_black_one_is_marked_as_paused(client):
    red = builders.red_published()
    builders.published_black(red.subject)
    services.credit_report(red.subject.code, now=timezone.now())
    said = CreditReport.objects.get().content
    assert said["red"][0][-1] == "激励暂停"
    assert len(said["black"]) == 1


def test_a_firm_nobody_has_heard_of_has_a_report_without_entries(client):
    text = text_of(client.get(f"{ask(client, UNKNOWN)}report.pdf").content)
    assert text.count("没有有效记录") == 2
    assert "不是信用评价" in text


def test_a_code_that_is_none_has_no_report(client):
    assert client.post(reverse("subject-report", args=["9122"])).status_code == 404
    assert client.get(reverse("subject-report", args=[UNKNOWN])).status_code == 405
    assert client.get(reverse("credit-report", args=["ABCDEFGHJKMN"])).status_code == 404


def test_a_report_that_still_says_the_same_is_given_again_a_changed_one_is_made_anew(client):
    entry = builders.published_black()
    first = ask(client, entry.subject.code)
    assert ask(client, entry.subject.code) == first
    builders.published_black(entry.subject)
    assert ask(client, entry.subject.code) != first


def test_numbers_have_no_gap(client):
    for index in range(3):
        ask(client, builders.code_of(index))
    year = timezone.localdate().year
    numbers = list(CreditReport.objects.order_by("pk").values_list("number", flat=True))
    assert numbers == [f"信报〔{year}〕{serial}号" for serial in (1, 2, 3)]


def test_a_report_is_void_as_soon_as_an_entry_ends_and_tells_nothing_of_it(client):
    entry = builders.published_black(builders.firm("通化示例撤下建筑有限公司"))
    page = ask(client, entry.subject.code)
    client.get(f"{page}report.pdf")
    withdraw(entry)
    for path in (page, f"{page}report.pdf"):
        answer = client.get(path)
        assert answer.status_code == 410
        text = answer.content.decode()
        assert "已经失效" in text
        assert "撤下" not in text
        assert "条" not in text.partition("<main")[2].partition("</main>")[0]


def test_a_report_is_void_at_midnight_after_an_entrys_last_day_with_every_timer_off(client):
    entry = builders.last_public_day(timezone.localdate())
    page = ask(client, entry.subject.code)
    assert client.get(page).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(days=1), tick=False):
        assert client.get(page).status_code == 410


def test_after_a_day_the_report_is_void_and_what_it_said_is_erased(client):
    entry = builders.published_black()
    page, now = ask(client, entry.subject.code), timezone.now()
    client.get(f"{page}report.pdf")
    assert Document.objects.filter(name__startswith="信报").count() == 1
    services.erase_reports(now=now + timedelta(hours=23))
    assert CreditReport.objects.get().content
    services.erase_reports(now=now + timedelta(hours=25))
    made = CreditReport.objects.get()
    assert (made.content, made.document) == ({}, None)
    assert not Document.objects.filter(name__startswith="信报").exists()
    with time_machine.travel(now + timedelta(hours=25), tick=False):
        assert client.get(page).status_code == 410


def test_the_pdf_is_made_once(client):
    page = ask(client, UNKNOWN)
    first, second = (client.get(f"{page}report.pdf").content for _time in "ab")
    assert first == second
    assert Document.objects.filter(name__startswith="信报").count() == 1


def test_making_a_report_costs_the_same_however_many_entries_the_firm_has():
    def cost(code):
        with CaptureQueriesContext(connection) as asked:
            services.credit_report(code, now=timezone.now())
        return len(asked)

    one, many = builders.published_black(), builders.published_black()
    for _more in range(4):
        builders.published_black(many.subject)
    cost(UNKNOWN)  # what is remembered for good is asked once
    assert cost(one.subject.code) == cost(many.subject.code) <= 15


def test_whoever_is_given_a_report_sees_whether_it_is_genuine_and_still_holds(client):
    entry = builders.published_black(builders.firm("通化示例核验建筑有限公司"))
    made = services.credit_report(entry.subject.code, now=timezone.now())
    path = reverse("verify-code", args=[made.spaced_code])
    told = client.get(path).content.decode()
    assert "是真的" in told
    assert made.number in told
    assert "仍然有效：黑名单 1 条" in told
    withdraw(entry)
    told = client.get(path).content.decode()
    assert "是真的" in told
    assert "已经失效" in told
    assert "黑名单 1" not in told

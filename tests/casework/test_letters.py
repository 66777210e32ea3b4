"""Official letters at the desk: issued, downloaded, served, and proved genuine."""

import io
import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from casework.models import Letter
from listings import services as listings
from parties.models import Actor
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]
DAY = timedelta(days=1)


def today():
    return timezone.localdate()


def desk(user):
    return builders.signed_in(Client(), user)


def words(answer):
    """The words of a letter in reading order, without the breaks between them."""
    pages = PdfReader(io.BytesIO(answer.content)).pages
    return "".join("".join(page.extract_text().split()) for page in pages)


def pdf_of(browser, letter):
    return words(browser.get(reverse("desk-letter", args=[letter.public_id])))


def ended(entry):
    listings.withdraw(
        entry, reason="error", actor=Actor.of(builders.reviewer()), note="列错", today=today()
    )
    return entry


# ── the notice before listing ─────────────────────────────────────────────────────────────────


def issue_notice(browser, draft, **posted):
    return browser.post(reverse("desk-listing-black-notice", args=[draft.public_id]), posted)


def test_a_notice_before_listing_tells_facts_document_basis_term_measures_and_rights():
    draft = builders.black_draft()
    browser = desk(builders.clerk())
    assert issue_notice(browser, draft).status_code == 302
    letter = Letter.objects.get()
    assert (letter.kind, letter.matter.pk, letter.serial) == ("prior_notice", draft.pk, 1)
    text = pdf_of(browser, letter)
    told = (draft.subject.name, draft.document_number, draft.basis.name, letter.number, "陈述")
    for part in (*told, draft.ground, "5个工作日内", f"{draft.term_months}个月"):
        assert "".join(str(part).split()) in text, part
    assert draft.journal.filter(action="issue_letter", note=letter.number).exists()


def test_a_responsible_person_has_a_notice_of_its_own_with_its_own_part():
    draft = builders.black_draft(responsible_persons=[builders.responsible("张示例")])
    person = draft.responsible_persons.get()
    browser = desk(builders.clerk())
    assert issue_notice(browser, draft, person=person.public_id).status_code == 302
    text = pdf_of(browser, Letter.objects.get())
    assert "张示例：" in text
    assert person.fact in text
    assert builders.black_draft().responsible_persons.count() == 0
    stranger = builders.black_draft(responsible_persons=[builders.responsible()])
    assert issue_notice(browser, stranger, person=person.public_id).status_code == 404


def test_a_draft_that_says_nothing_yet_gets_no_notice_and_the_number_is_used_again():
    draft = builders.black_draft(ground="")
    browser = desk(builders.clerk())
    answer = issue_notice(browser, draft)
    assert answer.status_code == 400
    assert "先写明事实和理由" in answer.content.decode()
    assert issue_notice(browser, builders.black_draft()).status_code == 302
    assert Letter.objects.get().serial == 1


def test_a_published_entry_gets_no_notice_before_listing():
    entry = builders.published_black()
    assert issue_notice(desk(builders.clerk()), entry).status_code == 409


# ── off the list ──────────────────────────────────────────────────────────────────────────────


def test_the_notice_of_removal_says_since_when_and_why_and_is_written_once():
    entry = ended(builders.published_black())
    browser = desk(builders.clerk())
    for _press in range(2):
        address = reverse("desk-listing-lift", args=[entry.public_id])
        assert browser.post(address).status_code == 302
    letter = Letter.objects.get()
    text = pdf_of(browser, letter)
    for part in (entry.subject.name, letter.number, "列入有误", "停止使用"):
        assert part in text, part


def test_an_entry_that_is_over_by_its_dates_has_its_notice_though_no_sweep_ran():
    entry = builders.last_public_day(today() - DAY)
    browser = desk(builders.clerk())
    browser.post(reverse("desk-listing-lift", args=[entry.public_id]))
    assert "期限届满" in pdf_of(browser, Letter.objects.get())


def test_an_entry_on_its_list_has_no_notice_of_removal():
    entry = builders.published_black()
    answer = desk(builders.clerk()).post(reverse("desk-listing-lift", args=[entry.public_id]))
    assert answer.status_code == 409
    assert not Letter.objects.exists()


# ── service ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def receipt():
    objection, _code = builders.objection()
    return objection.letters.get()


def serve(user, letter, **given):
    posted = {"means": "post", "served_on": today().isoformat(), "back": "/desk/", **given}
    return desk(user).post(reverse("desk-letter-serve", args=[letter.public_id]), posted)


def test_service_is_recorded_once_with_means_and_day_and_the_journal_tells_it(receipt):
    page = reverse("desk-objection", args=[receipt.matter.public_id])
    assert "登记送达" in desk(builders.clerk()).get(page).content.decode()
    assert serve(builders.clerk(), receipt, back=page).url == page
    receipt.refresh_from_db()
    assert (receipt.served_by, receipt.served_on) == ("post", today())
    shown = desk(builders.clerk()).get(page).content.decode()
    assert "邮寄送达" in shown
    assert "登记送达" not in shown
    assert receipt.matter.journal.filter(action="serve", note__contains=receipt.number).exists()
    again = serve(builders.clerk(), receipt)
    assert again.status_code == 400
    assert "已经登记过" in again.content.decode()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"served_on": ""}, "填写送达日期"),
        ({"served_on": (today() + DAY).isoformat()}, "不能晚于今天"),
        ({"served_on": (today() - DAY).isoformat()}, "不能早于文书日期"),
        ({"means": "pigeon"}, "送达方式"),
    ],
)
def test_a_service_that_can_not_be_is_refused_in_words(receipt, given, message):
    answer = serve(builders.clerk(), receipt, **given)
    assert answer.status_code == 400
    assert message in answer.content.decode()


def test_nobody_is_led_off_the_site_after_recording_a_service(receipt):
    assert serve(builders.clerk(), receipt, back="//example.com/").url == "/desk/"


def test_a_letter_is_for_its_department_and_a_liaison_records_no_service(receipt):
    address = reverse("desk-letter", args=[receipt.public_id])
    assert desk(builders.officer("hbj", "clerk")).get(address).status_code == 404
    assert serve(builders.officer("hbj", "clerk"), receipt).status_code == 404
    assert desk(builders.supervisor()).get(address).status_code == 200
    assert serve(builders.supervisor(), receipt).status_code == 403
    assert receipt.matter.journal.filter(action="download", note=receipt.number).count() == 1


# ── what is hard to set ───────────────────────────────────────────────────────────────────────


def test_a_sign_that_the_font_lacks_is_set_as_a_geta_and_the_foot_says_so():
    firm = builders.firm("通化𠮷示例䶮商贸有限公司")
    browser = desk(builders.clerk())
    issue_notice(browser, builders.black_draft(firm))
    text = pdf_of(browser, Letter.objects.get())
    assert "通化〓示例〓商贸有限公司" in text
    assert "字库没有的字" in text


def test_a_letter_is_set_however_long_its_words_and_its_last_page_holds_more_than_a_signature():
    firm = builders.firm("通化示例" + "超长名称" * 48 + "公司")
    browser = desk(builders.clerk())
    for lines in range(1, 40, 6):
        ground = "\n".join(f"第{n}项事实，附证据。" for n in range(lines))
        draft = builders.black_draft(firm, ground=ground, measure_codes=[])
        issue_notice(browser, draft)
        answer = browser.get(reverse("desk-letter", args=[Letter.objects.latest("pk").public_id]))
        last = PdfReader(io.BytesIO(answer.content)).pages[-1].extract_text()
        assert "陈述申辩" in "".join(last.split())


# ── genuine ───────────────────────────────────────────────────────────────────────────────────


def test_every_kind_of_letter_is_proved_genuine_and_tells_nothing_of_whom_it_is_for():
    firm = builders.firm("通化示例核验商贸有限公司")
    issue_notice(desk(builders.clerk()), builders.black_draft(firm))
    entry = ended(builders.published_black(firm))
    desk(builders.clerk()).post(reverse("desk-listing-lift", args=[entry.public_id]))
    builders.objection(builders.published_black(firm))
    letters = Letter.objects.all()
    assert {letter.kind for letter in letters} == {
        "prior_notice",
        "lifting",
        "objection_receipt",
    }
    for letter in letters:
        page = Client().get(reverse("verify-code", args=[letter.spaced_code.lower()]))
        text = page.content.decode()
        assert letter.number in text
        assert letter.get_kind_display() in text
        assert firm.name not in text
        assert builders.APPLICANT["name"] not in text


# ── numbers ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db(transaction=True)
def test_thirty_letters_at_once_are_numbered_without_a_gap():
    drafts = [builders.black_draft() for _n in range(30)]
    people = [builders.clerk(), builders.reviewer()]
    answers = []

    def press(browser, mine):
        for draft in mine:
            answers.append(issue_notice(browser, draft).status_code)
        connections.close_all()

    threads = [
        threading.Thread(target=press, args=(desk(people[n % 2]), drafts[n::6])) for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [302] * 30
    assert sorted(Letter.objects.values_list("serial", flat=True)) == list(range(1, 31))

"""Other cities' entries on the pages: whose they are, where to turn; and the operator's desk."""

import io
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from listings.models import ExchangeFile, Listing, PartnerCity
from listings.services import exchange
from portal import services as portal
from tests import builders
from tests.listings.exchanges import CITY, URL, another_city, key_of, partner, take, theirs
from tests.test_hostile import TYPED, VALUES

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(rules, tmp_path):
    path = tmp_path / "changes.ndjson"
    with another_city():
        firm = builders.firm("白山示例建筑有限公司")
        builders.red_published(firm)
        builders.published_black(firm)
        builders.published_black(builders.person("王示例"))
        exchange.export_changes(path, after=0, today=timezone.localdate())
    return path


@pytest.fixture
def taken(path):
    partner()
    take(path)
    firm = theirs().filter(subject__kind="organization")
    return {
        "black": firm.get(kind="black"),
        "red": firm.get(kind="red"),
        "person": theirs().get(subject__kind="person"),
    }


def text(client, address, status=200):
    answer = client.get(address)
    assert answer.status_code == status, address
    return answer.content.decode()


def test_lists_search_and_subject_page_say_which_city_it_comes_from(client, taken):
    code = taken["black"].subject.code
    for address in (
        "/", "/black/", "/red/", "/search/?q=白山示例", f"/search/?q={code}", f"/subjects/{code}/",
    ):  # fmt: skip
        assert "来源：白山市" in text(client, address), address
    assert "From Baishan" in text(client, "/en/black/")


def test_an_entry_of_ours_says_nothing_of_a_city(client, rules):
    entry = builders.published_black()
    page = text(client, f"/black/{entry.public_id}/")
    assert "来源：" not in page
    assert "提出异议" in page


@pytest.mark.parametrize("which", ["black", "red", "person"])
def test_its_page_points_to_the_other_city_and_offers_no_remedy_here(client, taken, which):
    entry = taken[which]
    page = text(client, f"/{entry.kind}/{entry.public_id}/")
    assert "来源：白山市" in page
    assert f"{URL}/{entry.kind}/{entry.public_id}/" in page
    assert "/objections/new/" not in page.partition('id="main"')[2].partition("</main>")[0]
    assert "/repair/new/" not in page.partition('id="main"')[2].partition("</main>")[0]


@pytest.mark.parametrize("door", ["/objections/new/", "/repair/new/"])
def test_whoever_wants_a_remedy_here_is_told_where_to_turn(client, taken, door):
    entry = taken["black"]
    for method in (client.get, client.post):
        answer = method(f"{door}?entry={entry.public_id}")
        assert answer.status_code == 200
        assert f"{URL}/black/{entry.public_id}/" in answer.content.decode()
    assert not entry.objections.exists()
    assert not entry.repairs.exists()


def test_a_person_is_masked_and_found_by_no_name(client, taken):
    page = text(client, f"/black/{taken['person'].public_id}/")
    assert "王*" in page
    assert "没有找到" in text(client, "/search/?q=王*")


def test_downloads_tell_the_city_by_its_code(client, taken):
    rows = b"".join(client.get("/black/?format=csv").streaming_content).decode("utf-8-sig")
    head, *lines = rows.splitlines()
    place = head.split(",").index("来源城市")
    assert {line.split(",")[place] for line in lines} == {CITY}


def test_a_page_asks_for_the_cities_once_however_many_entries(client, taken):
    def cost():
        with CaptureQueriesContext(connection) as asked:
            client.get("/black/", headers={"If-None-Match": ""})
        return len(asked)

    cost()
    before = cost()
    Listing.objects.filter(pk=taken["person"].pk).update(origin="220500")
    assert cost() == before


def test_figures_of_departments_are_those_of_our_own(taken):
    today = timezone.localdate()
    builders.published_black()
    figures = portal.statistics(today)
    assert figures["black"] == sum(row["published"] for row in figures["departments"]) == 1
    assert portal.home_figures(today)["black"] == 3  # what the list shows


def test_machines_find_it_by_code_and_read_whose_it_is(taken):
    machine = builders.Machine(builders.clerk("czj"))
    rows = machine.get("/listings/", code=taken["black"].subject.code)["results"]
    assert {row["origin"] for row in rows} == {CITY}
    assert {row["department"]["code"] for row in rows} == {f"{CITY}-rsj", f"{CITY}-scjg"}
    body = {"note": "示例", "fields": {"ground": "改写的事实和理由"}}
    machine.post(f"/listings/{taken['black'].public_id}/correct/", body, 404)
    filing = {
        "listing": str(taken["black"].public_id),
        "applicant": builders.APPLICANT,
        "fields": ["ground"],
        "grounds": "其中 15 名工人工资已通过银行代发，附回单。",
        "received_on": str(timezone.localdate()),
    }
    builders.Machine(builders.clerk("rsj")).post("/objections/", filing, 404)


def test_the_supervisor_reads_it_at_the_desk(taken):
    browser = builders.signed_in(Client(), builders.supervisor())
    for which in ("black", "red"):
        entry = taken[which]
        text(browser, reverse(f"desk-listing-{entry.kind}", args=[entry.public_id]))
    text(browser, "/desk/listings/")


# ── the operator's desk ───────────────────────────────────────────────────────────────────────


@pytest.fixture
def browser(rules):
    return builders.signed_in(Client(), builders.operator())


CITY_FIELDS = {
    "code": CITY,
    "name": "白山市",
    "name_en": "Baishan",
    "url": f"{URL}/",
    "agreement": "",
    "note": "公函示例1号，当面核对",
}


def test_the_operator_registers_a_city_and_takes_its_file(browser, path):
    text(browser, "/desk/exchange/")
    answer = browser.post("/desk/exchange/new/", CITY_FIELDS | {"public_key": key_of()})
    city = PartnerCity.objects.get()
    assert answer.url == f"/desk/exchange/{city.public_id}/"
    assert city.url == URL
    upload = SimpleUploadedFile("白山.ndjson", path.read_bytes())
    answer = browser.post("/desk/exchange/", {"file": upload}, follow=True)
    page = answer.content.decode()
    assert "已接收：新增 3，变更 0，撤下 0" in page
    assert "其中自然人 1 名" in page
    assert theirs().count() == 3
    assert ExchangeFile.objects.get().by_user == builders.operator()


def test_a_file_that_is_refused_is_told_with_the_reason(browser, path):
    partner()
    for content in (path.read_bytes()[:-9], b"\x00", b"{}\n{}\n", b"\xff" * 100):
        upload = SimpleUploadedFile("坏\u202e.ndjson", content)
        page = browser.post("/desk/exchange/", {"file": upload}, follow=True).content.decode()
        assert "没有接收：" in page
    assert ExchangeFile.objects.filter(state="refused").count() == 4
    assert not theirs().exists()


def test_a_form_without_a_file_or_with_a_large_one_is_answered_in_words(browser, rules):
    builders.partner_city()
    assert browser.post("/desk/exchange/").status_code == 400
    large = io.BytesIO(b"x" * (20 * 1024 * 1024 + 1))
    large.name = "large.ndjson"
    answer = browser.post("/desk/exchange/", {"file": large})
    assert "不能超过 20 MB" in answer.content.decode()
    bad = browser.post("/desk/exchange/new/", CITY_FIELDS | {"public_key": "x", "url": "\0"})
    assert bad.status_code == 400


def test_the_operator_changes_pauses_and_resumes_a_city(browser):
    city = builders.partner_city()
    page = f"/desk/exchange/{city.public_id}/"
    fields = {name: value for name, value in CITY_FIELDS.items() if name != "code"}
    changed = fields | {"act": "change", "public_key": "a" * 64, "agreement": "示例协议1号"}
    assert browser.post(page, changed).status_code == 302
    assert browser.post(page, {"act": "pause", "note": ""}).status_code == 400
    assert browser.post(page, {"act": "pause", "note": "核查"}).status_code == 302
    assert browser.post(page, {"act": "pause", "note": "核查"}).status_code == 409
    assert browser.post(page, {"act": "resume", "note": "查清"}).status_code == 302
    assert browser.post(page, {"act": "sell"}).status_code == 404
    city.refresh_from_db()
    assert (city.public_key, city.agreement, city.status) == ("a" * 64, "示例协议1号", "active")
    told = text(browser, page)
    assert "停用" in told
    assert "核查" in told


def test_supervisor_and_auditor_look_and_others_do_not(path):
    city = partner()
    take(path)
    pages = ("/desk/exchange/", f"/desk/exchange/{city.public_id}/")
    for user in (builders.supervisor(), builders.auditor()):
        browser = builders.signed_in(Client(), user)
        for page in pages:
            assert "您现在可以" not in text(browser, page)
            assert browser.post(page, {"act": "pause", "note": "x"}).status_code == 403
        assert browser.get("/desk/exchange/new/").status_code == 403
    for user in (builders.clerk(), builders.liaison()):
        browser = builders.signed_in(Client(), user)
        for page in (*pages, "/desk/exchange/new/"):
            assert browser.get(page).status_code == 403


def test_the_desk_costs_the_same_however_many_files_came(browser, path):
    partner()
    take(path)

    def cost():
        with CaptureQueriesContext(connection) as asked:
            browser.get("/desk/exchange/")
        return len(asked)

    cost()
    before = cost()
    for _again in range(3):
        take(path)
    assert cost() == before


def test_no_form_of_the_operator_fails_over_what_is_typed_or_asked(browser):
    city = builders.partner_city()
    browser.raise_request_exception = False
    page = f"/desk/exchange/{city.public_id}/"
    for value in TYPED:
        typed = quote(value, errors="surrogatepass")
        sent = "&".join(f"{name}={typed}" for name in (*CITY_FIELDS, "public_key", "file"))
        for address, act in (
            ("/desk/exchange/new/", ""), (page, "change"), (page, "pause"), (page, typed),
            ("/desk/exchange/", ""),
        ):  # fmt: skip
            body = f"{sent}&act={act}"
            answer = browser.post(address, body, "application/x-www-form-urlencoded")
            assert answer.status_code < 500, (address, act, value[:20])
    for value in VALUES:
        for address in ("/desk/exchange/", page):
            assert browser.get(f"{address}?page={value}").status_code < 500, (address, value[:20])

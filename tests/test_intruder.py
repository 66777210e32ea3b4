"""Somebody who means harm: foreign ids, fields nobody offered, forged requests, other sites.

Walks the addresses of test_doors, so a new one is tried as well. That nothing changed is read
from the tables themselves. What merely must not break anything is in test_hostile.
"""

import json
import re
from collections import Counter
from functools import partial
from urllib.parse import quote, urlsplit

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from casework import documents
from casework.models import Event
from parties.models import PUBLIC, User
from tests import builders
from tests.api import Caller, endpoints, has
from tests.test_doors import (
    ACT,
    ACTED,
    BOARD,
    DOORS,
    KEY,
    MATTER,
    ORDER,
    UNIT,
    UNIT_ACT,
    address_of,
    house,
)

__all__ = ["house"]
pytestmark = pytest.mark.django_db

# Rows that say that somebody came, not that anything was done.
TRACES = {"casework_ratecount", "django_session", "parties_apikey", "parties_user"}
GUARDED = (MATTER, ACT, UNIT, UNIT_ACT, BOARD, ORDER)


def _tables():
    models = (model for model in apps.get_models() if model._meta.managed)
    return sorted({model._meta.db_table for model in models} - TRACES)


def _state():
    """A digest of all that every table holds."""
    found = {}
    with connection.cursor() as cursor:
        for table in _tables():
            cursor.execute(
                f"SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t"  # noqa: S608
            )
            found[table] = cursor.fetchone()
    return found


def _changed(before, after):
    return sorted(table for table in after if after[table] != before[table])


def _holding(words):
    """The tables that hold one of some words in any column."""
    found = set()
    with connection.cursor() as cursor:
        for table in [*_tables(), "parties_user", "parties_apikey"]:
            for word in words:
                cursor.execute(f"SELECT 1 FROM {table} t WHERE t::text LIKE %s", [f"%{word}%"])  # noqa: S608
                if cursor.fetchone():
                    found.add((table, word))
    return found


def _desk(house, who):
    """(name, address, browser) of each page of the desk, as one of the house."""
    browser = house["browsers"][who]
    browser.raise_request_exception = False
    for name in sorted(DOORS):
        if name.startswith("desk-"):
            yield name, address_of(name, house), browser


def _acts(page):
    """The acts that a page offers, and the bare one of a page that is an act itself."""
    text = page.content.decode("utf-8", "replace") if _is_page(page) else ""
    offered = re.findall(r'name="act" value="(\w+)"', text)
    return sorted({"", *offered, *re.findall(r'value="(\w+)" name="act"', text)})


def _is_page(answer):
    return answer.get("Content-Type", "").startswith("text/html") and not answer.streaming


# ── ids of others ─────────────────────────────────────────────────────────────────────────────


def test_a_stranger_with_the_id_of_a_matter_changes_nothing_whatever_is_sent(house):
    guarded = {name for name, rule in DOORS.items() if rule in GUARDED}
    acts = {}
    for who in ("clerk", "liaison"):  # what those may do whose matter it is
        for name, address, browser in _desk(house, who):
            acts.setdefault(name, set()).update(_acts(browser.get(address)))
    before = _state()
    for name, address, browser in _desk(house, "stranger"):
        if name in guarded:
            assert browser.get(address).status_code in {403, 404, 405}, name
            for act in acts[name]:
                status = browser.post(address, ACTED | {"act": act}).status_code
                assert status in {403, 404, 405}, (name, act, status)
    assert _changed(before, _state()) == []
    clerk, matter = house["browsers"]["clerk"], address_of("desk-objection", house)
    clerk.post(matter, ACTED | {"act": "investigate"})
    assert {"objections_objection", "casework_event"} <= set(_changed(before, _state()))


def test_a_key_of_a_stranger_opens_no_matter_and_changes_nothing(house):
    raw = builders.api_key(house["people"]["stranger"])
    client = Caller(raise_request_exception=False, headers={"Authorization": f"Api-Key {raw}"})
    before, told = _state(), Counter()
    for name, address, view in endpoints(house):
        if not resolve(address).kwargs:
            continue
        for method in filter(partial(has, view), ("get", "post", "delete")):
            body = json.dumps(_body(name, house))
            answer = client.generic(method.upper(), address, body, "application/json")
            told[answer.status_code] += 1
            assert answer.status_code in {200, 400, 403, 404, 405}, name
            if answer.status_code < 300:
                assert method == "get", name
                assert name in PUBLISHED
    assert _changed(before, _state()) == []
    assert told[404] > 10


PUBLISHED = {  # what any unit may read of an entry that is published, and of the rules
    "api-listing", "api-listing-history", "api-memorandum", "api-daily-file",
}  # fmt: skip


def _body(name, house):
    """What the act behind a door asks for, right in every field."""
    entry = house["entry"]
    answers = [{"code": "C01", "outcome": "applied"}]
    return {
        "api-push-feedback": {"measures": answers},
        "api-check-feedback": {
            "listing": str(entry.public_id), "measures": ["C01"], "handling": "applied",
        },
        "api-listing-correct": {"fields": {"ground": "示例：改。"}, "note": "示例更正。"},
        "api-listing-withdraw": {"reason": "error", "note": "示例撤销。"},
        "api-objection-reply": {"outcome": "rejected", "reasons": ACTED["reasons"]},
        "api-repair-decide": {"outcome": "granted", "reasons": ACTED["reasons"]},
    }.get(name, {})  # fmt: skip


def test_an_id_of_another_matter_under_the_address_of_the_own_is_not_found(house):
    """Who may see the one may not reach the other through it."""
    other = builders.published_black(responsible_persons=[builders.responsible()])
    paper = documents.keep(b"x", name="a.pdf", media_type=documents.PDF, actor=PUBLIC)
    objection, code = builders.objection(other, evidence=[paper])
    own = house["objection"]
    clerk = house["browsers"]["clerk"]
    under_own = reverse("desk-objection-document", args=[own.public_id, paper.public_id])
    under_its = reverse("desk-objection-document", args=[objection.public_id, paper.public_id])
    assert clerk.get(under_its).status_code == 200
    assert clerk.get(under_own).status_code == 404
    person = other.responsible_persons.get()
    crossed = reverse("desk-listing-release", args=[house["entry"].public_id, person.public_id])
    assert clerk.get(crossed).status_code == 404
    visitor = Client()
    given = {"number": objection.number, "query_code": code}
    assert visitor.post(reverse("objection-track"), given).status_code == 302
    foreign = own.letters.get().public_id
    for name in ("objection-track-letter", "repair-track-letter"):
        answer = visitor.get(reverse(name, args=[foreign]))
        assert answer.status_code in {302, 404}, name
        assert "attachment" not in answer.get("Content-Disposition", "")


def test_the_back_office_opens_to_nobody_of_the_departments(house):
    for who, browser in house["browsers"].items():
        for model in admin.site._registry:
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
            for page in ("changelist", "add"):
                answer = browser.get(reverse(f"{name}_{page}"), follow=True)
                assert answer.status_code == 403, (who, name, page)


# ── fields nobody offered ─────────────────────────────────────────────────────────────────────

WORD, DAY, NUMBER = "angemasst", "2061-07-03", "987654321"
WORDS = (
    "status", "state", "by_label", "number", "origin", "kind", "roles", "username", "stage",
    "verify_code", "query_code", "applicant_key_id", "door", "end_reason", "host",
)  # fmt: skip
DAYS = (
    "published_on", "visible_until", "due_on", "created_at", "updated_at", "counts_from",
    "decided_on", "replied_on", "accepted_on", "stopped_on",
)  # fmt: skip
NUMBERS = (
    "id", "pk", "department", "department_id", "by_user", "by_user_id", "by_key", "listing_id",
    "subject_id", "rule_version", "rule_version_id", "is_superuser", "category_id", "proposed_by",
)  # fmt: skip
EXTRA = {
    **dict.fromkeys(WORDS, WORD), **dict.fromkeys(DAYS, DAY), **dict.fromkeys(NUMBERS, NUMBER)
}  # fmt: skip


def _offered(page):
    return set(re.findall(r'name="([^"]+)"', page.content.decode("utf-8", "replace")))


def test_a_field_that_a_form_did_not_offer_is_stored_nowhere(house):
    lines = Event.objects.count()
    for who in ("clerk", "reviewer", "liaison", "supervisor"):
        for name, address, browser in _desk(house, who):
            page = browser.get(address)
            offered = _offered(page) if _is_page(page) else set()
            extra = {field: value for field, value in EXTRA.items() if field not in offered}
            for act in _acts(page):
                answer = browser.post(address, extra | ACTED | {"act": act})
                assert answer.status_code < 500, (name, act)
    assert Event.objects.count() > lines + 8  # the acts themselves were done
    assert _holding((ACTED["note"],))
    assert _holding((WORD, DAY, NUMBER)) == set()


def test_nor_is_one_of_the_public_forms(house):
    objection = {
        "fields": ["ground"],
        "grounds": ACTED["reasons"],
        "applicant_name": "示例申请人",
        "applicant_phone": "0435-3210000",
    }
    entry = builders.published_black()
    answer = Client().post(f"/objections/new/?entry={entry.public_id}", EXTRA | objection)
    assert answer.status_code == 200
    repairable = builders.repairable(category="M05", unit="rsj", term_months=24)
    asked = Client().get(f"/repair/new/?entry={repairable.public_id}")
    papers = {
        name: SimpleUploadedFile("a.pdf", b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF")
        for name in _offered(asked) if name.startswith("paper")
    }  # fmt: skip
    application = {
        **objection, "statement": ACTED["reasons"], "commitment": "on", "committed_by": "示例申请人"
    }  # fmt: skip
    page = f"/repair/new/?entry={repairable.public_id}"
    assert Client().post(page, EXTRA | application | papers).status_code == 200
    assert (entry.objections.count(), repairable.repairs.count()) == (1, 1)
    assert _holding((WORD, DAY, NUMBER)) == set()


def test_no_machine_stores_a_field_of_an_inner_object_that_it_does_not_know(house):
    """That an unknown field of a body itself is a 400 stands in test_frame."""
    raw = builders.api_key(house["people"]["clerk"])
    client = Client(headers={"Authorization": f"Api-Key {raw}"})
    drafted = builders.black_body()
    for inner in ("subject", "document", "prior_notice"):
        body = drafted | {inner: drafted[inner] | {"status": WORD, "by_user": NUMBER}}
        answer = client.post("/api/v1/listings/", json.dumps(body), "application/json")
        assert answer.status_code == 400, inner
        assert inner in answer.content.decode()
    objection = {
        "listing": str(house["entry"].public_id),
        "applicant": {"name": "示例", "phone": "0435-3210000", "status": WORD, "by_user": NUMBER},
        "fields": ["ground"],
        "grounds": ACTED["reasons"],
        "received_on": str(timezone.localdate()),
    }
    answer = client.post("/api/v1/objections/", json.dumps(objection), "application/json")
    assert answer.status_code == 400
    assert _holding((WORD, NUMBER)) == set()


# ── requests that another site sends ──────────────────────────────────────────────────────────

FREE_OF_TOKEN = {  # change nothing that is anybody's; so the pages they stand on may be kept
    "display", "subject-report",
    # who reports is given no cookie, and every act carries the receipt code or makes one
    "report-new", "report-track",
}  # fmt: skip


def _forger(user=None):
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    return builders.signed_in(client, user) if user else client


def test_no_page_takes_a_post_without_its_token(house):
    forgers = {who: _forger(user) for who, user in house["people"].items()}
    before, refused = _state(), set()
    for name in sorted(DOORS):
        if DOORS[name] == KEY or name in FREE_OF_TOKEN:
            continue
        signed_in = name.startswith("desk-")
        for browser in forgers.values() if signed_in else [_forger()]:
            answer = browser.post(address_of(name, house), ACTED | {"act": "approve"})
            assert answer.status_code in {403, 405}, (name, answer.status_code)
            if answer.status_code == 403:
                refused.add(name)
    assert _changed(before, _state()) == []
    assert {"sign-in", "objection-new", "desk-objection", "desk-listing-approve"} <= refused


def test_nor_does_the_back_office(house):
    forger = _forger(User.objects.create_superuser("root", password=None))
    before = _state()
    for path in ("auth/group/add/", "parties/user/add/", "parties/apikey/add/"):
        answer = forger.post(f"/admin/{path}", {"username": "x", "name": "x"})
        assert answer.status_code in {403, 404}, path
    assert _changed(before, _state()) == []


def test_a_token_of_another_visitor_is_none(house):
    browser, other = _forger(), _forger()
    token = re.search(
        r'csrfmiddlewaretoken" value="(\w+)"', other.get("/sign-in/").content.decode()
    )
    browser.get("/sign-in/")
    answer = browser.post("/sign-in/", {"csrfmiddlewaretoken": token[1], "username": "x"})
    assert answer.status_code == 403


def test_a_machines_door_heeds_no_cookie(house):
    """So that no page elsewhere can have a signed-in browser call it."""
    for _name, address, _view in endpoints(house):
        answer = house["browsers"]["clerk"].post(address, {}, "application/json")
        assert answer.status_code in {401, 405}, address


# ── sessions ──────────────────────────────────────────────────────────────────────────────────


def _key(client):
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def _plant(client):
    """A session that somebody else knows, put into this browser."""
    client.cookies[settings.SESSION_COOKIE_NAME] = "planted0planted0planted0planted0"


def test_signing_in_leaves_a_planted_session_behind_and_signing_out_ends_it(client):
    secret = "correct-horse-battery"  # noqa: S105
    user = User.objects.create_user("rsj-clerk", password=secret, full_name="示例经办")
    device = TOTPDevice.objects.create(user=user, name="app", confirmed=True)
    _plant(client)
    given = {"username": "rsj-clerk", "password": secret}
    given["otp_token"] = f"{totp(device.bin_key):06d}"
    assert client.post("/sign-in/", given).status_code == 302
    key = _key(client)
    assert key != "planted0planted0planted0planted0"
    assert client.get("/desk/").status_code in {200, 403}
    client.post("/sign-out/")
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    assert client.get("/desk/").status_code == 302


def test_so_does_who_follows_a_matter(house, client):
    objection, code = builders.objection()
    _plant(client)
    answer = client.post("/objections/track/", {"number": objection.number, "query_code": code})
    assert answer.status_code == 302
    assert _key(client) != "planted0planted0planted0planted0"
    stranger = Client()
    _plant(stranger)
    assert objection.number not in stranger.get("/objections/track/").content.decode()


# ── elsewhere ─────────────────────────────────────────────────────────────────────────────────

ELSEWHERE = (
    "https://evil.example/", "//evil.example/", "///evil.example/", "/\\evil.example/",
    "\\\\evil.example/", "https:evil.example", "http:///evil.example", "javascript:alert(1)",
    "data:text/html,x", "\t//evil.example/", "https://testserver@evil.example/",
    "https://testserver.evil.example/", "%2F%2Fevil.example/", "/%0d//evil.example/",
)  # fmt: skip
BACK = ("next", "url", "to", "back", "return", "continue", "redirect", "redirect_to", "goto")


def _leads_away(answer):
    if not 300 <= answer.status_code < 400 or "Location" not in answer:
        return False
    place = answer["Location"]
    there = urlsplit(place.replace("\\", "/"))
    return there.netloc not in {"", "testserver"} or there.scheme not in {"", "http", "https"}


def _browsers(house, name):
    """Whoever gets furthest behind a door, and a visitor."""
    if not name.startswith("desk-"):
        return [Client()]
    who = "liaison" if DOORS[name] in {UNIT, UNIT_ACT} else "clerk"
    return [house["browsers"][who], Client()]


def test_no_page_leads_to_another_site(house):
    for name, rule in sorted(DOORS.items()):
        if rule == KEY:
            continue
        for browser in _browsers(house, name):
            browser.raise_request_exception = False
            address = address_of(name, house)
            for place in ELSEWHERE[:2]:
                given = dict.fromkeys(BACK, place)
                query = "&".join(f"{field}={quote(value)}" for field, value in given.items())
                assert not _leads_away(browser.get(f"{address}?{query}")), (name, place)
                answer = browser.post(address, given, headers={"Referer": place.strip()})
                assert not _leads_away(answer), (name, place)


def test_nor_does_signing_in_or_the_back_office(house):
    for place in ELSEWHERE:
        for browser in (house["browsers"]["clerk"], Client()):
            for address in ("/admin/login/", "/sign-in/", "/display/"):
                for method in (browser.get, browser.post):
                    assert not _leads_away(method(address, {"next": place})), (address, place)


@pytest.mark.parametrize(
    "path", ["//evil.example/x", "/en//evil.example", "//evil.example/en", "/desk//evil.example"]
)
def test_nor_does_an_address_that_looks_like_one(path):
    answer = Client().generic("GET", path)
    assert not _leads_away(answer)
    assert 'href="//evil.example' not in answer.content.decode()


def test_a_host_that_is_not_ours_is_refused():
    for headers in ({"Host": "evil.example"}, {"Host": "testserver:80@evil.example"}):
        assert Client().get("/", headers=headers).status_code == 400
    answer = Client().get("/sitemap.xml", headers={"X-Forwarded-Host": "evil.example"})
    assert "evil.example" not in answer.content.decode()


# ── headers ───────────────────────────────────────────────────────────────────────────────────

SPLIT = "a\r\nX-Injected: 1\r\n\r\n<script>"


def test_no_value_of_a_request_becomes_a_header_of_the_answer(house):
    names = (*BACK, "q", "code", "page", "format", "entry", "category", "lang", "version", "size")
    query = "&".join(f"{name}={quote(SPLIT)}" for name in names)
    for name, rule in sorted(DOORS.items()):
        if rule == KEY:
            continue
        browser = _browsers(house, name)[0]
        browser.raise_request_exception = False
        address = address_of(name, house)
        for answer in (
            browser.get(f"{address}?{query}"),
            browser.post(address, dict.fromkeys(names, SPLIT)),
            browser.get(address + quote(SPLIT)),
        ):
            assert "X-Injected" not in answer, name
            assert not any("\r" in value or "\n" in value for value in answer.headers.values())
            assert answer.status_code < 500 or name == "readyz", name


def test_the_name_of_a_file_stays_a_name(house):
    entry = builders.published_black()
    name = "a\"\r\nX-Injected: 1;\r\n\r\n<script>.pdf; filename*=UTF-8''evil.exe"
    upload = SimpleUploadedFile("x", b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF")
    upload._name = name
    paper = documents.take(upload, actor=PUBLIC)
    objection, _code = builders.objection(entry, evidence=[paper])
    address = reverse("desk-objection-document", args=[objection.public_id, paper.public_id])
    answer = house["browsers"]["clerk"].get(address)
    assert answer.status_code == 200
    assert "X-Injected" not in answer
    assert answer["Content-Disposition"].startswith("attachment")
    assert "\n" not in answer["Content-Disposition"]

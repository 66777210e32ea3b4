"""Who asks for public pages too often waits; who files too often proves a work, or waits longer."""

import base64
import json
from datetime import timedelta

import altcha
import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from casework import services
from casework.models import RateCount
from objections.models import Objection
from repair.models import Repair
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]
CODE = builders.code_of(1)
PAGES = {
    "search": "search",
    "search-hints": "hints",
    "objection-track": "track",
    "repair-track": "track",
    "objection-supplement": "track",
    "objection-new": "file",
    "repair-new": "file",
    "red-list": "download",
    "black-list": "download",
    "verify": "verify",
    "verify-code": "verify",
    "credit-report": "verify",
    "credit-report-file": "verify",
    "subject-report": "report",
    "proof": "proof",
}
OTHER = {"REMOTE_ADDR": "192.0.2.1"}


@pytest.fixture(autouse=True)
def _early_in_an_hour():
    with time_machine.travel(timezone.now().replace(minute=0, second=5), tick=False):
        yield


def _ask(name, **options):
    arguments = {} if name in {"verify", "subject-report"} else {"code": CODE}
    if "subject" in name:
        return Client().post(reverse(name, args=[CODE]), **options)
    if name.endswith("-list"):
        return Client().get(reverse(name), {"format": "csv"}, **options)
    with_code = name in {"verify-code", "credit-report", "credit-report-file"}
    return Client().get(reverse(name, args=[CODE] if with_code else []), arguments, **options)


# ── pages ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", PAGES)
def test_an_address_opens_a_page_so_often_and_is_told_when_to_come_back(name, settings):
    settings.LIMITS = settings.LIMITS | {PAGES[name]: (2, 100)}
    assert {_ask(name).status_code for _request in range(2)} <= {200, 204, 302, 404}
    refused = _ask(name)
    assert refused.status_code == 429
    assert "请在 1 分钟后再试" in refused.content.decode()
    assert refused["Retry-After"] == "55"
    assert "no-store" in refused["Cache-Control"]
    assert _ask(name, **OTHER).status_code != 429
    with time_machine.travel(timezone.now() + timedelta(seconds=56)):
        assert _ask(name).status_code != 429


def test_all_together_open_a_page_so_often(settings):
    settings.LIMITS = settings.LIMITS | {"search": (2, 3)}
    addresses = ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3"]
    statuses = [_ask("search", REMOTE_ADDR=address).status_code for address in addresses]
    assert statuses == [200, 200, 429, 200, 429]


def test_a_form_and_its_list_of_hints_are_counted_apart(settings):
    settings.LIMITS = settings.LIMITS | {"hints": (1, 9), "search": (1, 9)}
    assert [_ask(n).status_code for n in ("search", "search-hints", "search")] == [200, 200, 429]


def test_the_english_page_counts_with_the_chinese_one(settings):
    settings.LIMITS = settings.LIMITS | {"search": (1, 9)}
    assert _ask("search").status_code == 200
    refused = Client().get("/en/search/")
    assert refused.status_code == 429
    assert "in 1 min." in refused.content.decode()


def test_a_list_that_is_read_on_the_page_is_no_download(settings):
    settings.LIMITS = settings.LIMITS | {"download": (0, 0)}
    for query in ("", "?page=1", "?format=atom"):
        assert Client().get(f"/black/{query}").status_code == 200, query


def test_a_page_that_is_refused_asks_for_nothing_but_the_count(settings):
    settings.LIMITS = settings.LIMITS | {"search": (1, 9)}
    _ask("search")
    with CaptureQueriesContext(connection) as asked:
        _ask("search")
    assert len(asked) == 1


# ── filings ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def _few(settings):
    settings.FREE_FILINGS, settings.SLOW_FILINGS = 1, (1, 3)


def _file(answer="", **options):
    """An objection to an entry of its own."""
    page = f"/objections/new/?entry={builders.published_black().public_id}"
    given = {
        "fields": ["ground"],
        "grounds": "其中 15 名工人工资已通过银行代发，立案时未计入。",
        "applicant_name": "示例申请人",
        "applicant_phone": "0435-0000000",
        "altcha": answer,
    }
    return Client().post(page, given, **options)


def _challenge(**options):
    answer = Client().get("/proof/", **options)
    return answer.json() if answer.status_code == 200 else None


def _solved(challenge):
    asked = altcha.Challenge.from_dict(challenge)
    return altcha.Payload(asked, altcha.solve_challenge(asked)).to_base64()


@pytest.fixture
def _light(monkeypatch):
    monkeypatch.setattr("casework.services.proofs.ROUNDS", 1)


@pytest.mark.usefixtures("_few")
def test_the_first_filings_of_an_hour_ask_for_no_proof():
    assert _challenge() is None
    assert _file().status_code == 200
    assert Objection.objects.count() == 1
    assert _challenge()["parameters"]["algorithm"] == "PBKDF2/SHA-256"
    assert _challenge(**OTHER) is None


@pytest.mark.usefixtures("_few", "_light")
def test_who_proves_a_work_may_file_on_and_each_proof_counts_once(settings):
    settings.SLOW_FILINGS = (0, 0)
    _file()
    answer = _solved(_challenge())
    assert _file(answer).status_code == 200
    assert Objection.objects.count() == 2
    refused = _file(answer)
    assert refused.status_code == 429
    assert "请在 60 分钟后再提交" in refused.content.decode()
    assert "工人工资已通过银行代发" in refused.content.decode()  # nothing need be typed again
    assert Objection.objects.count() == 2


@pytest.mark.usefixtures("_few")
def test_without_a_proof_a_few_more_are_taken_from_an_address_and_from_all():
    def filed(address):
        return [_file(REMOTE_ADDR=address).status_code for _filing in range(3)]

    assert filed("192.0.2.1") == [200, 200, 429]
    assert filed("192.0.2.2") == [200, 200, 429]
    assert filed("192.0.2.3") == [200, 200, 429]
    assert filed("192.0.2.4") == [200, 429, 429]  # all together have had three
    assert Objection.objects.count() == 7


@pytest.mark.usefixtures("_few")
def test_an_application_for_repair_is_counted_with_the_objections():
    repairable = builders.repairable(category="M05", unit="rsj", term_months=24)
    apply = f"/repair/new/?entry={repairable.public_id}"
    statuses = [Client().post(apply, {"statement": "x"}).status_code for _try in range(2)]
    assert statuses == [400, 400]  # what is not filed counts as well: it was read
    assert _file().status_code == 429
    assert Client().post(apply, {"statement": "x"}).status_code == 429
    assert (Objection.objects.count(), Repair.objects.count()) == (0, 0)


@pytest.mark.usefixtures("_few")
def test_a_day_later_nothing_is_held_against_anybody():
    assert [_file().status_code for _filing in range(3)] == [200, 200, 429]
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        assert _challenge() is None
        assert _file().status_code == 200


# ── proofs ────────────────────────────────────────────────────────────────────────────────────


def _spend(challenge, **solution):
    body = {"challenge": challenge, "solution": solution}
    return services.spend(base64.b64encode(json.dumps(body).encode()).decode())


@pytest.mark.usefixtures("_light")
def test_a_proof_is_refused_late_changed_foreign_or_badly_written():
    challenge = services.challenge(now=timezone.now())
    right = _solved(challenge)
    body = json.loads(base64.b64decode(right))
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        assert not services.spend(right)
    easier = challenge["parameters"] | {"cost": 0, "keyPrefix": ""}
    assert not _spend(challenge | {"parameters": easier}, **body["solution"])
    assert not _spend(challenge | {"signature": None}, **body["solution"])
    assert not _spend(challenge, counter=1, derivedKey="00" * 32)
    assert not _spend(challenge, counter=[], derivedKey={})
    foreign = altcha.create_challenge("PBKDF2/SHA-256", 1, hmac_secret="x").to_dict()  # noqa: S106
    assert not services.spend(_solved(foreign))
    for nonsense in ("", "x", "\0", "é", "e30=", "W10=", "MQ==", "x" * 5_000, right + " " * 4_000):
        assert not services.spend(nonsense), nonsense[:10]
    assert services.spend(right)
    assert not services.spend(right)
    respelled = base64.b64encode(json.dumps(body, indent=1).encode()).decode()
    assert not services.spend(respelled)


@pytest.mark.usefixtures("_light")
def test_a_spent_proof_is_kept_as_long_as_it_could_be_shown_again():
    answer, now = _solved(services.challenge(now=timezone.now())), timezone.now()
    assert services.spend(answer)
    services.sweep_rates(now=now + timedelta(minutes=29))
    assert not services.spend(answer)
    services.sweep_rates(now=now + timedelta(minutes=31))
    assert not RateCount.objects.exists()


def test_a_challenge_differs_each_time_and_is_kept_nowhere():
    first, second = (services.challenge(now=timezone.now()) for _time in range(2))
    assert first["parameters"]["nonce"] != second["parameters"]["nonce"]
    assert not RateCount.objects.exists()

"""Who may open which door: every URL of the portal, asked by everybody.

An address without a line in DOORS fails, so a new page has to say who may see it.
"""

import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse
from django.utils import timezone

from casework.models import Event
from jointaction import services as jointaction
from jointaction.services import webhooks
from listings import services as listings
from parties import services as parties
from parties.models import AccessLog, Actor, ApiKey, Role
from rulebook.models import Memorandum
from tests import builders

OPEN = "anybody"
LOCAL = "anybody on this machine"
STAFF = "any member of staff, about the own unit"
MATTER = "staff of the matter's department; supervisor and auditor read"
ACT = "staff of the matter's department, and nobody else"
UNIT = "the unit that was asked; supervisor and auditor read"
UNIT_ACT = "the unit that was asked, and nobody else"
BOARD = "supervisor and auditor"
ORDER = "the supervisor, and nobody else"
VAULT = "a vault officer, and nobody else"
KEY = "a key with the scope"
ENROL = "who signed in with an enrolment code, to bind a device"

DOORS = {
    "healthz": OPEN,
    "readyz": OPEN,
    "metrics": LOCAL,
    "favicon": OPEN,
    "desk-home": STAFF,
    "desk-views": STAFF,
    "desk-view": STAFF,
    "desk-supervision": BOARD,
    "desk-journal": BOARD,
    "desk-board-file": BOARD,
    "desk-imports": STAFF,
    "desk-import-new": STAFF,
    "desk-import": MATTER,
    "desk-import-rejected": ACT,
    "desk-account": STAFF,
    "desk-password": STAFF,
    "desk-codes": STAFF,
    "desk-enrol": ENROL,
    "desk-keys": STAFF,
    "desk-key": ACT,
    "desk-objections": STAFF,
    "desk-objection-new": STAFF,
    "desk-objection": MATTER,
    "desk-objection-document": MATTER,
    "desk-objection-letter": MATTER,
    "desk-repairs": STAFF,
    "desk-repair-new": STAFF,
    "desk-repair": MATTER,
    "desk-repair-document": MATTER,
    "desk-reports": STAFF,
    "desk-report": MATTER,
    "desk-report-document": MATTER,
    "desk-vault": VAULT,
    "desk-vault-report": VAULT,
    "desk-vault-openings": BOARD,
    "desk-letter": MATTER,
    "desk-letter-serve": ACT,
    "desk-listings": STAFF,
    "desk-listing-red-new": STAFF,
    "desk-listing-red": MATTER,
    "desk-listing-red-edit": ACT,
    "desk-listing-red-publish": ACT,
    "desk-red-review": MATTER,
    "desk-listing-black-new": STAFF,
    "desk-listing-black": MATTER,
    "desk-listing-black-edit": ACT,
    "desk-listing-black-publish": ACT,
    "desk-listing-black-notice": ACT,
    "desk-listing-versions": MATTER,
    "desk-listing-lift": ACT,
    "desk-listing-correct": ACT,
    "desk-listing-withdraw": ACT,
    "desk-listing-release": ACT,
    "desk-listing-proposal": MATTER,
    "desk-listing-approve": ACT,
    "desk-listing-reject": ACT,
    "desk-daily": STAFF,
    "desk-subjects": STAFF,
    "desk-subject": MATTER,
    "desk-subject-rename": ACT,
    "desk-subject-merge": ACT,
    "desk-subject-approve": ACT,
    "desk-subject-reject": ACT,
    "desk-exchange": BOARD,
    "desk-exchange-new": ACT,
    "desk-exchange-city": BOARD,
    "desk-pushes": STAFF,
    "desk-push-acknowledge-many": STAFF,
    "desk-push-answer-many": STAFF,
    "desk-push": UNIT,
    "desk-push-acknowledge": UNIT_ACT,
    "desk-push-answer": UNIT_ACT,
    "desk-push-order": ORDER,
    "desk-checks": STAFF,
    "desk-check": UNIT_ACT,
    "desk-check-receipt": UNIT_ACT,
    "desk-sheets": STAFF,
    "desk-sheet-template": STAFF,
    "desk-sheet": UNIT_ACT,
    "desk-sheet-result": UNIT_ACT,
    "desk-endpoints": STAFF,
    "desk-endpoint": MATTER,
    "desk-delivery-again": ACT,
    "desk-notices": STAFF,
    "desk-notices-read": STAFF,
    "home": OPEN,
    "search": OPEN,
    "search-hints": OPEN,
    "subject": OPEN,
    "subject-report": OPEN,
    "credit-report": OPEN,
    "credit-report-file": OPEN,
    "statistics": OPEN,
    "memoranda": OPEN,
    "memorandum": OPEN,
    "about": OPEN,
    "accessibility": OPEN,
    "display": OPEN,
    "sign-in": OPEN,
    "sign-out": OPEN,
    "robots": OPEN,
    "sitemap": OPEN,
    "objection-new": OPEN,
    "objection-track": OPEN,
    "objection-letter": OPEN,
    "objection-track-letter": OPEN,
    "objection-supplement": OPEN,
    "proof": OPEN,
    "verify": OPEN,
    "verify-code": OPEN,
    "receipt-keys": OPEN,
    "repair-new": OPEN,
    "repair-track": OPEN,
    "repair-track-letter": OPEN,
    "report-new": OPEN,
    "report-track": OPEN,
    "red-list": OPEN,
    "red-notices": OPEN,
    "red-entry": OPEN,
    "black-list": OPEN,
    "black-entry": OPEN,
    "api-schema": OPEN,
    "api-docs": OPEN,
    "api-listings": KEY,
    "api-imports": KEY,
    "api-import": KEY,
    "api-import-rejected": KEY,
    "api-listing": KEY,
    "api-listing-history": KEY,
    "api-listing-feedback": KEY,
    "api-listing-recalls": KEY,
    "api-publish": KEY,
    "api-listing-correct": KEY,
    "api-listing-withdraw": KEY,
    "api-listing-persons": KEY,
    "api-listing-release": KEY,
    "api-listing-approve": KEY,
    "api-listing-reject": KEY,
    "api-changes": KEY,
    "api-snapshot": KEY,
    "api-snapshot-digest": KEY,
    "api-daily": KEY,
    "api-daily-file": KEY,
    "api-categories": KEY,
    "api-bases": KEY,
    "api-measures": KEY,
    "api-memoranda": KEY,
    "api-memorandum": KEY,
    "api-checks": KEY,
    "api-check-feedback": KEY,
    "api-check-receipt": KEY,
    "api-receipt-verify": KEY,
    "api-pushes": KEY,
    "api-push": KEY,
    "api-push-subject": KEY,
    "api-push-acknowledge": KEY,
    "api-push-feedback": KEY,
    "api-endpoints": KEY,
    "api-endpoint": KEY,
    "api-endpoint-ping": KEY,
    "api-endpoint-rotate": KEY,
    "api-endpoint-disable": KEY,
    "api-endpoint-enable": KEY,
    "api-endpoint-replay": KEY,
    "api-endpoint-deliveries": KEY,
    "api-delivery-redeliver": KEY,
    "api-objections": KEY,
    "api-objection-reply": KEY,
    "api-objection-approve": KEY,
    "api-repairs": KEY,
    "api-repair-accept": KEY,
    "api-repair-decide": KEY,
    "api-repair-approve": KEY,
}
ENDPOINT_DOORS = [name for name in DOORS if name.startswith("api-endpoint")]
# Every act that the pages of matters take, and a form complete enough for any of them.
ACTS = (
    "accept", "approve", "ask", "assign", "attach", "change", "close", "conclude", "contact",
    "disable", "enable", "extend", "forward", "grant", "inform", "investigate", "litigate", "make",
    "not_accept", "open", "ping", "propose", "refer", "replay", "retire", "return", "rotate",
    "send_back", "supplement", "write",
)  # fmt: skip
ACTED = {
    "note": "示例说明，至少写满十个字才行。",
    "reasons": "示例理由，至少写满十个字才行。",
    "reason": "error",
    "outcome": "rejected",
    "verification": "示例核实情况",
    "purpose": "示例事由",
    "name": "通化示例又更名商贸有限公司",
    "changed_on": "2026-01-05",
    "text": "示例补充，至少写满十个字才行。",
    "by": "2099-01-05",
    "days": "1",
    "findings": "示例核查情况，至少写满十个字才行。",
    "passphrase": builders.PASSPHRASE,
    "again": builders.PASSPHRASE,
}
GONE = {204, 301, 302, 400, 404, 405, 410}  # what an open door may say instead of a page


def _names(patterns):
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            if pattern.namespace != "admin":
                yield from _names(pattern.url_patterns)
        else:
            yield pattern.name


def test_every_address_says_who_may_open_it():
    assert set(_names(get_resolver().url_patterns)) == DOORS.keys()


@pytest.fixture
def house(rules):
    """One matter of each kind, all of rsj's, its push with czj, and everybody's browser."""
    entry = builders.published_black(responsible_persons=[builders.responsible()])
    red = builders.red_published()
    objection, _code = builders.objection(entry)
    repair, _code = builders.repair(builders.repairable(category="M05", unit="rsj", term_months=24))
    clerk = Actor.of(builders.clerk())
    other = builders.published_black()
    proposal = listings.propose_withdrawal(other, reason="error", actor=clerk, note="列错")
    change = listings.propose_rename(
        other.subject,
        "通化示例更名商贸有限公司",
        changed_on=timezone.localdate(),
        actor=clerk,
        note="已登记变更。",
        today=timezone.localdate(),
    )
    jointaction.distribute(today=timezone.localdate())
    push = entry.pushes.get(unit__code="czj")
    check, _results = jointaction.check(
        [{"code": entry.subject.code}],
        actor=Actor.of(builders.liaison("czj")),
        purpose="投标资格审查",
        reference="示例1",
        today=timezone.localdate(),
    )
    batch = builders.previewed(entry.category)
    sheet = builders.sheet((entry.subject.code,))
    endpoint, _secret = builders.endpoint("rsj")
    delivery = webhooks.ping(endpoint, actor=clerk)
    report, _code = builders.report("rsj", named=True)
    people = {
        "stranger": builders.officer("hbj", Role.CLERK, Role.REVIEWER, Role.LIAISON),
        "clerk": builders.clerk(),
        "reviewer": builders.reviewer(),
        "liaison": builders.liaison("czj"),
        "supervisor": builders.supervisor(),
        "auditor": builders.auditor(),
        "vault": builders.vault_officer(),
    }
    return {
        "ids": {
            "desk-objection": objection,
            "desk-objection-letter": objection,
            "desk-objection-document": objection,
            "desk-letter": objection.letters.get(),
            "desk-letter-serve": objection.letters.get(),
            "desk-repair": repair,
            "desk-repair-document": repair,
            "desk-report": report,
            "desk-report-document": report,
            "desk-vault-report": report,
            "desk-listing-red": red,
            "desk-listing-red-edit": builders.red_draft(),
            "desk-listing-red-publish": builders.red_draft(),
            "desk-red-review": builders.review(),
            "desk-listing-black": entry,
            "desk-listing-black-edit": builders.black_draft(),
            "desk-listing-black-publish": builders.black_draft(),
            "desk-listing-black-notice": builders.black_draft(),
            "desk-listing-lift": entry,
            "desk-listing-correct": entry,
            "desk-listing-withdraw": entry,
            "desk-listing-release": entry,
            "desk-listing-proposal": proposal,
            "desk-listing-approve": proposal,
            "desk-listing-reject": proposal,
            "desk-subject": entry.subject,
            "desk-subject-rename": entry.subject,
            "desk-subject-merge": entry.subject,
            "desk-subject-approve": change,
            "desk-subject-reject": change,
            "desk-import": batch,
            "desk-import-rejected": batch,
            "api-import": batch,
            "api-import-rejected": batch,
            "desk-exchange-city": builders.partner_city(),
            "desk-push": push,
            "desk-push-acknowledge": push,
            "desk-push-answer": push,
            "desk-push-order": push,
            "desk-check": check,
            "desk-check-receipt": check,
            "desk-sheet": sheet,
            "desk-sheet-result": sheet,
            "desk-endpoint": endpoint,
            "desk-delivery-again": delivery,
            "red-entry": red,
            "black-entry": entry,
            "memorandum": Memorandum.objects.first(),
            "api-memorandum": Memorandum.objects.first(),
            "api-push": push,
            "api-push-subject": push,
            "api-push-acknowledge": push,
            "api-push-feedback": push,
            "api-check-feedback": check,
            "api-check-receipt": check,
            **dict.fromkeys(ENDPOINT_DOORS, endpoint),
            "api-delivery-redeliver": delivery,
        },
        "entry": entry,
        "key": parties.make_key(builders.clerk(), scopes=["read"], name="示例")[0],
        "objection": objection,
        "repair": repair,
        "browsers": {name: builders.signed_in(Client(), user) for name, user in people.items()},
        "people": people,
    }


def address_of(name, house):
    """The address of a page about the house's matters."""
    for arguments in (
        {},
        {"public_id": getattr(house["ids"].get(name, house["entry"]), "public_id", None)},
        {"public_id": house["entry"].public_id, "document_id": uuid.uuid4()},
        {"letter_id": uuid.uuid4()},
        {
            "public_id": house["entry"].public_id,
            "person_id": house["entry"].responsible_persons.get().public_id,
        },
        {"code": house["entry"].subject.code},
        {"day": "2026-01-05"},
        {"prefix": house["key"].prefix},
        {"number": house["repair" if "repair" in name else "objection"].number},
    ):
        try:
            return reverse(name, kwargs=arguments)
        except LookupError:
            continue
        except Exception as error:
            if "NoReverseMatch" not in type(error).__name__:
                raise
    raise AssertionError(name)


def _doors(*rules):
    return sorted(name for name, rule in DOORS.items() if rule in rules)


@pytest.mark.django_db
def test_open_doors_answer_anybody(house):
    for name in _doors(OPEN, LOCAL):
        answer = Client().get(address_of(name, house))
        assert answer.status_code in GONE | {200, 503}, (name, answer.status_code)


@pytest.mark.django_db
def test_nobody_enters_the_desk_without_signing_in(house):
    one_factor = Client()
    one_factor.force_login(house["people"]["clerk"], backend="parties.desk.StaffBackend")
    for name in [name for name in DOORS if name.startswith("desk-")]:
        for client in (Client(), one_factor):
            for method in (client.get, client.post):
                answer = method(address_of(name, house))
                assert answer.status_code in {302, 405}, (name, answer.status_code)
                if answer.status_code == 302:
                    assert answer.url.startswith(reverse("sign-in")), name


@pytest.mark.django_db
def test_a_stranger_meets_404_or_403_at_every_matter_and_changes_nothing(house):
    lines = Event.objects.count()
    for name in _doors(MATTER, ACT, UNIT, UNIT_ACT, BOARD, ORDER, VAULT):
        if "document" in name:
            continue
        for method in (house["browsers"]["stranger"].get, house["browsers"]["stranger"].post):
            status = method(address_of(name, house)).status_code
            assert status in {403, 404, 405}, (name, status)
    assert Event.objects.count() == lines


@pytest.mark.django_db
def test_supervisor_and_auditor_read_and_change_nothing(house):
    lines = Event.objects.count()
    for who in ("supervisor", "auditor"):
        browser = house["browsers"][who]
        for name in _doors(MATTER, UNIT, BOARD):
            if not name.endswith(("document", "letter")):
                status = browser.get(address_of(name, house)).status_code
                assert status == 200, (who, name, status)
        for name in _doors(MATTER, ACT, UNIT_ACT, VAULT):
            for act in ACTS:
                status = browser.post(address_of(name, house), ACTED | {"act": act}).status_code
                assert status in {302, 400, 403, 404, 405}, (who, name, act, status)
    assert (Event.objects.count(), AccessLog.objects.count()) == (lines, 0)


@pytest.mark.django_db
def test_only_a_vault_officer_enters_the_vault_and_no_other_desk_of_matters(house):
    lines, browsers = Event.objects.count(), house["browsers"]
    for name in _doors(VAULT):
        assert browsers["vault"].get(address_of(name, house)).status_code == 200, name
        for who in browsers.keys() - {"vault"}:
            for act in ACTS:
                answer = browsers[who].post(address_of(name, house), ACTED | {"act": act})
                assert answer.status_code == 403, (who, name, act)
    for name in _doors(MATTER, ACT, UNIT, UNIT_ACT, BOARD, ORDER):
        status = browsers["vault"].get(address_of(name, house)).status_code
        assert status in {403, 404, 405}, (name, status)
    assert (Event.objects.count(), AccessLog.objects.count()) == (lines, 0)


@pytest.mark.django_db
def test_the_same_acts_count_when_the_right_person_does_them(house):
    """So that the refusals above are refusals, and not posts that nobody would heed."""
    lines = Event.objects.count()
    for name, act in (
        ("desk-objection", "investigate"),
        ("desk-repair", "accept"),
        ("desk-report", "investigate"),
    ):
        data = ACTED | {"act": act}
        assert house["browsers"]["clerk"].post(address_of(name, house), data).status_code == 302
    withdrawal = address_of("desk-listing-withdraw", house)
    assert house["browsers"]["clerk"].post(withdrawal, ACTED).status_code == 302
    approval = address_of("desk-listing-approve", house)
    assert house["browsers"]["reviewer"].post(approval, ACTED).status_code == 302
    renaming = address_of("desk-subject-rename", house)
    assert house["browsers"]["clerk"].post(renaming, ACTED).status_code == 302
    trial = builders.endpoint("rsj")[0].public_id
    stop = {"act": "disable"}
    assert house["browsers"]["clerk"].post(f"/desk/endpoints/{trial}/", stop).status_code == 302
    renamed = address_of("desk-subject-approve", house)
    assert house["browsers"]["reviewer"].post(renamed, ACTED).status_code == 302
    order = address_of("desk-push-order", house)
    for who in ("clerk", "reviewer", "liaison", "auditor", "stranger"):
        assert house["browsers"][who].post(order, ACTED).status_code in {403, 404}, who
    assert house["browsers"]["supervisor"].post(order, ACTED).status_code == 302
    assert Event.objects.count() >= lines + 7


@pytest.mark.django_db
def test_every_page_of_the_own_unit_opens(house):
    for name in _doors(STAFF):
        address = address_of(name, house)
        for who in ("clerk", "reviewer", "liaison"):
            status = house["browsers"][who].get(address).status_code
            assert status in {200, 403, 405}, (who, name, status)
    for name in _doors(MATTER):
        if "red" not in name and not name.endswith(("document", "letter")):
            assert house["browsers"]["clerk"].get(address_of(name, house)).status_code == 200, name


ROWS = (
    "red-list", "black-list", "red-notices", "home", "desk-home", "desk-listings", "desk-pushes",
    "desk-checks", "desk-sheets", "desk-notices", "desk-objections", "desk-repairs",
    "desk-supervision", "desk-imports", "desk-endpoints", "desk-reports", "desk-vault",
    "desk-vault-openings", "desk-account", "desk-keys",
)  # fmt: skip


@pytest.mark.django_db
def test_a_page_of_rows_costs_the_same_however_many_they_are(house):
    def costs():
        found = {}
        for who, browser in house["browsers"].items():
            for name in ROWS:
                with CaptureQueriesContext(connection) as asked:
                    browser.get(f"{reverse(name)}?status=all&state=all")
                found[who, name] = len(asked)
        return found

    costs()  # what is kept in memory is read
    before = costs()
    today = timezone.localdate()
    liaison = Actor.of(house["people"]["liaison"])
    for _row in range(3):
        entry, _red, _draft = (
            builders.published_black(), builders.red_published(), builders.black_draft()
        )  # fmt: skip
        builders.previewed(entry.category)
        builders.endpoint("rsj")
        builders.report("rsj", named=True)
        builders.objection(entry)
        builders.repair(builders.repairable(category="M05", unit="rsj", term_months=24))
        jointaction.distribute(today=today)
        asked = {"purpose": "审查", "reference": "1", "today": today}
        jointaction.check([{"code": entry.subject.code}], actor=liaison, **asked)
        builders.sheet((entry.subject.code,))
    grown = {page: (n, before[page]) for page, n in costs().items() if n > before[page] + 2}
    assert not grown


@pytest.mark.django_db
def test_no_page_of_staff_and_no_matter_of_an_applicant_is_kept_by_a_browser(house):
    for name in _doors(STAFF, MATTER, ACT, UNIT, UNIT_ACT, BOARD, ORDER, VAULT):
        answer = house["browsers"]["vault" if DOORS[name] == VAULT else "clerk"].get(
            address_of(name, house)
        )
        if answer.status_code == 200:
            assert "no-store" in answer["Cache-Control"], name
    for name in (
        "objection-new", "objection-track", "repair-new", "repair-track", "report-new",
        "report-track", "sign-in",
    ):  # fmt: skip
        assert "no-store" in Client().get(reverse(name))["Cache-Control"], name


@pytest.mark.django_db
def test_no_door_of_the_api_opens_without_a_key_or_without_the_scope(house):
    clerk, manages = house["people"]["clerk"], {*ENDPOINT_DOORS, "api-delivery-redeliver"}
    keys = {scope: builders.api_key(clerk, scope) for scope in ("manage", "read")}
    for name in _doors(KEY):
        address, raw = address_of(name, house), keys["read" if name in manages else "manage"]
        for method in ("get", "post"):
            bare = getattr(Client(), method)(address, content_type="application/json")
            keyed = getattr(Client(headers={"Authorization": f"Api-Key {raw}"}), method)(
                address, content_type="application/json"
            )
            assert bare.status_code == 401, (name, method, bare.status_code)
            assert keyed.status_code in {403, 405}, (name, method, keyed.status_code)
            assert keyed["Content-Type"] == "application/problem+json", name


@pytest.mark.django_db
def test_a_revoked_key_opens_nothing_at_once(house):
    raw = builders.api_key(house["people"]["clerk"])
    machine = Client(headers={"Authorization": f"Api-Key {raw}"})
    assert machine.get("/api/v1/listings/").status_code == 200
    ApiKey.objects.update(revoked=True)
    assert machine.get("/api/v1/listings/").status_code == 401

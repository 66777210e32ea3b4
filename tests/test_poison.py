"""Words that some language would work out, typed into every form and stored in every column.

The languages are those a value passes: HTML, the templates, SQL, the formulas of a letter.
That no cell of a table is a formula is in tests/listings/test_export.py.
"""

import io
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from casework import documents, services
from casework.models import Letter
from jointaction import services as jointaction
from objections import services as objections
from parties.models import Actor, User
from tests import builders
from tests.test_doors import ACTED, DOORS, KEY, address_of, house
from tests.test_intruder import _browsers, _is_page, _offered

__all__ = ["house"]
pytestmark = pytest.mark.django_db

MADE = "60481729"  # what 7777 × 7777 makes, should anything work it out
POISON = (
    "{{7777*7777}}{%debug%}${7777*7777}#{7777*7777}<%=7777*7777%>#(7777*7777)"
    "<script>alert(7)</script>\"'><img src=x onerror=alert(7)>'; DROP TABLE parties_user; --"
    '$7777*7777$ #read("/etc/passwd") %(x)s {0} {x.__class__} \\u003cscript\\u003e'
)
RAW = ("<script>alert(7)", "<img src=x", "root:x:0:0", "Traceback", MADE, 'parties_user"')


def _poisoned(text):
    return [bad for bad in RAW if bad in text]


def _forms(house):
    """(name, address, browser, fields) of each form, as whoever gets furthest sees it."""
    for name, rule in sorted(DOORS.items()):
        if rule == KEY:
            continue
        browser, known = _browsers(house, name)[0], set()
        browser.raise_request_exception = False
        for query in ("", f"?entry={house['entry'].public_id}", "?category=M05"):
            address = address_of(name, house) + query
            page = browser.get(address)
            fields = _offered(page) - {"csrfmiddlewaretoken"} if _is_page(page) else set()
            if fields - known:
                known |= fields
                yield name, address, browser, sorted(fields)


def test_no_field_of_any_form_works_out_what_is_typed_into_it(house):
    tried = 0
    for name, address, browser, fields in _forms(house):
        tried += len(fields)
        given = dict.fromkeys(fields, POISON)
        by_half = [dict.fromkeys(fields[half::2], POISON) for half in (0, 1)]
        for sent in (given, *(ACTED | half for half in by_half)):
            answers = [browser.post(address, sent)]
            if sent is given:
                answers.append(browser.get(address, sent))
            for answer in answers:
                assert answer.status_code < 500, (name, sent.keys())
                text = "" if answer.streaming else answer.content.decode("utf-8", "replace")
                assert _poisoned(text) == [], (name, sent.keys())
    assert tried > 200
    assert User.objects.exists()


@pytest.fixture
def poisoned(house):
    """An entry, an objection and a check whose every word is poison, and the letter about it."""
    clerk, today = Actor.of(house["people"]["clerk"]), timezone.localdate()
    firm = builders.firm(f"通化示例{POISON}"[:200])
    entry = builders.published_black(
        firm, ground=POISON, responsible_persons=[builders.responsible(fact=POISON)]
    )
    objection, code = builders.objection(
        entry,
        grounds=POISON,
        applicant={"name": POISON[:200], "phone": "0435-3210000", "email": ""},
    )
    jointaction.distribute(today=today)
    jointaction.check(
        [{"code": firm.code}],
        actor=clerk,
        purpose=POISON[:200],
        reference=POISON[:200],
        today=today,
    )
    return {"entry": entry, "objection": objection, "code": code, "firm": firm}


def test_no_page_works_out_what_is_stored(poisoned, house):
    entry, firm = poisoned["entry"], poisoned["firm"]
    pages = [
        "/",
        "/black/",
        f"/black/{entry.public_id}/",
        f"/subjects/{firm.code}/",
        "/statistics/",
    ]
    pages += [f"/search/?q={firm.code}", f"/search/hints/?q={quote(firm.name[:20])}"]
    pages += [f"/objections/new/?entry={entry.public_id}", f"/repair/new/?entry={entry.public_id}"]
    pages += [f"/en{page}" for page in pages]
    pages += ["/black/?format=atom", "/black/?format=csv", "/black/?format=json"]
    desk = ["/desk/", "/desk/listings/", "/desk/objections/", "/desk/checks/", "/desk/pushes/"]
    desk += [
        f"/desk/black/{entry.public_id}/",
        f"/desk/objections/{poisoned['objection'].public_id}/",
        f"/desk/subjects/{firm.public_id}/",
        f"/desk/listings/{entry.public_id}/correct/",
    ]
    visitor, seen = Client(), 0
    number, code = poisoned["objection"].number, poisoned["code"]
    visitor.post("/objections/track/", {"number": number, "query_code": code})
    for browser, paths in (
        (visitor, [*pages, "/objections/track/"]),
        (house["browsers"]["clerk"], desk),
    ):
        for path in paths:
            answer = browser.get(path)
            assert answer.status_code == 200, path
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            text = body.decode()
            is_table = "format=csv" in path or "format=json" in path or "hints" in path
            bad = [one for one in _poisoned(text) if not (is_table and one.startswith("<"))]
            assert bad == [], path
            seen += "7777" in text
    assert seen > 15


def test_no_letter_works_out_what_it_quotes(poisoned):
    """Letters are set by a program with a language of its own."""
    objection, clerk, today = (
        poisoned["objection"],
        Actor.of(builders.clerk()),
        timezone.localdate(),
    )
    objections.propose_reply(
        objection, actor=clerk, outcome="rejected", reasons=POISON, today=today
    )
    objection.refresh_from_db()
    objections.approve_reply(objection, actor=Actor.of(builders.reviewer()), today=today)
    letters = Letter.objects.all()
    assert len(letters) >= 2
    for letter in letters:
        file = io.BytesIO(documents.read(services.make(letter)))
        text = "".join(page.extract_text() for page in PdfReader(file).pages)
        assert MADE not in text
        assert "root:x" not in text


# ── bytes ─────────────────────────────────────────────────────────────────────────────────────

BYTES = (
    "通化示例".encode("gb18030"), "通化示例".encode("utf-16"), b"\xc0\xaf\xe0\x80\xaf",
    b"\xed\xa0\x80\xed\xb0\x80", "e\u0301\u202e\u200b\ufeff".encode(), b"\xff" * 100,
    b"\0\1\2\x1b[2J",
)  # fmt: skip
FORM = "application/x-www-form-urlencoded"
LARGE = "x" * 1_000_000


def test_no_form_fails_over_other_encodings_or_a_megabyte_in_a_field(house):
    for name, address, browser, fields in _forms(house):
        for raw in BYTES:
            typed = "".join(f"%{byte:02X}" for byte in raw)
            sent = "&".join(f"{quote(field)}={typed}" for field in fields)
            answer = browser.post(address, sent, f"{FORM}; charset=gb18030")
            assert answer.status_code < 500, (name, raw[:10])
        for some in (fields[:2], fields[-2:]):
            answer = browser.post(address, ACTED | dict.fromkeys(some, LARGE))
            assert answer.status_code < 500, (name, some)
            assert len(answer.content) < 4_000_000, (name, some)

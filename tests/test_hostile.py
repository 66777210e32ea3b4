"""Whatever is asked or sent, nobody meets a fault: every address under hostile requests.

Walks the same addresses as test_doors: an address that is new there is attacked here as well.
"""

import base64
import json
import re
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import resolve, reverse
from drf_spectacular.generators import SchemaGenerator

from casework.api import Upload
from tests import builders
from tests.api import Caller
from tests.test_doors import DOORS, KEY, LOCAL, OPEN, UNIT, UNIT_ACT, VAULT, address_of, house

__all__ = ["house"]

NAMES = (
    "page", "q", "code", "entry", "record", "category", "department", "list", "status", "state",
    "kind", "year", "format", "next", "lang", "version",
)  # fmt: skip
VALUES = (
    "", "abc", "-1", "9" * 19, "9" * 5_000, "%00", "%ED%A0%80", "%FF%FE", "x" * 5_000, "%E0%B9%91",
    "0001-01-01", "9999-12-31", "2026-02-30", "NaN", "%3Cscript%3E", "..%2F..%2Fetc", "%0D%0AX%3A1",
    base64.b64encode(b"[" * 3_000).decode(), base64.b64encode(b'["-pk",false,null,1e999]').decode(),
)  # fmt: skip
TYPED = (
    "", "\0", "x" * 20_000, "9" * 30, "-1", "1e400", "NaN", "0001-01-01", "9999-12-31", "\udc80",
    "２０２６", "[]",
)  # fmt: skip
JSON = (
    None, "", " ", "\0", "\ud800", "x" * 20_000, 10**30, -1, 1.5, True, [], [[]], {}, [None],
    {"a": {"b": []}}, [{}], ["\0"], {"\0": "x"}, {"\ud800": "x"}, "0001-01-01", "9999-12-31",
    "２０２６",
)  # fmt: skip
BODIES = (
    b"", b"null", b"[]", b'"x"', b"1", b"{", b"[" * 100_000, b'{"a":' * 10_000, b'{"version":NaN}',
    b'{"version":1e999}', b'{"version":1,"version":[]}', b"\xff\xfe", b"9" * 10_000,
    b'{"a":"' + b"x" * 10_000_000 + b'"}',
)  # fmt: skip
TYPES = (
    "", "text/plain", "multipart/form-data", "multipart/form-data; boundary=x",
    "application/json; charset=utf-16", "application/json; charset=zlib",
    "application/json; charset=undefined", "application/x-www-form-urlencoded; charset=hex",
    "a/b/c",
)  # fmt: skip
HEADERS = (
    {"Accept": "text/html"},
    {"Accept": "application/json; version=\0"},
    {"Accept-Language": "x" * 5_000},
    {"Accept-Language": "../../etc"},
    {"Content-Type": "text/html; charset=zlib"},
    {"Content-Type": "text/html; charset=idna"},
    {"Cookie": "sessionid=%00; size=\x7f; csrftoken=x"},
    {"If-None-Match": 'W/"x", *, "'},
    {"If-Modified-Since": "Mon, 99 Jan 99999 00:00:00 GMT"},
    {"If-Match": "\0"},
    {"Idempotency-Key": "\xff" * 300},
    {"Authorization": "Api-Key \xff.\0"},
    {"X-Forwarded-For": "x, \0"},
    {"X-Request-ID": "a\tb"},
    {"Host": "a b"},
)


def _is_fault(answer):
    """Not being ready (503) is an answer of /readyz."""
    return answer.status_code >= 500 and answer.status_code != 503


# ── pages ─────────────────────────────────────────────────────────────────────────────────────


def _pages(house):
    """Every page, with the browser of whoever gets furthest behind its door."""
    for name, rule in sorted(DOORS.items()):
        if rule in {OPEN, LOCAL}:
            yield name, address_of(name, house), Client(raise_request_exception=False)
        elif rule != KEY:
            who = {UNIT: "liaison", UNIT_ACT: "liaison", VAULT: "vault"}.get(rule, "clerk")
            browser = house["browsers"][who]
            browser.raise_request_exception = False
            yield name, address_of(name, house), browser


@pytest.mark.django_db
def test_no_page_fails_over_what_stands_after_the_question_mark(house):
    all_at_once = ["&".join(f"{name}={value}" for name in NAMES) for value in VALUES]
    one_by_one = [f"{name}=%00" for name in NAMES]
    odd = ["%00", "&&=", "page=1&page=2", "format=csv&q=a%00b", "%", "[]=1"]
    for name, address, browser in _pages(house):
        for query in [*all_at_once, *one_by_one, *odd]:
            answer = browser.get(f"{address}?{query}")
            assert not _is_fault(answer), (name, query[:80])


@pytest.mark.django_db
def test_no_form_fails_over_what_is_typed_into_it(house):
    for name, address, browser in _pages(house):
        for query in ("", f"?entry={house['entry'].public_id}", "?category=M05", "?category=RS1"):
            page = browser.get(address + query)
            is_page = page["Content-Type"].startswith("text/html") and not page.streaming
            found = re.findall(r'name="([^"]+)"', page.content.decode()) if is_page else []
            for value in TYPED if found else ():
                typed = quote(value, errors="surrogatepass")
                sent = "&".join(f"{quote(field)}={typed}" for field in set(found))
                answer = browser.post(address + query, sent, "application/x-www-form-urlencoded")
                assert not _is_fault(answer), (name, query, value[:20])


POSTED = {  # acts without a page of their own, and what is posted to them
    "desk-views": ("name", "default", "kind", "q", "due", "state", "who", "sort"),
    "desk-push-acknowledge-many": ("push",),
    "desk-push-answer-many": ("push", "outcome", "until", "remark"),
}


@pytest.mark.django_db
def test_no_act_without_a_page_fails_over_what_is_posted_to_it(house):
    browser = house["browsers"]["liaison"]
    browser.raise_request_exception = False
    push = house["ids"]["desk-push"].pk
    for name, fields in POSTED.items():
        for value in TYPED:
            typed = quote(value, errors="surrogatepass")
            for act in ("", f"&act=confirm&push={push}"):
                sent = "&".join(f"{field}={typed}" for field in fields) + act
                answer = browser.post(
                    reverse(name), sent, content_type="application/x-www-form-urlencoded"
                )
                assert not _is_fault(answer), (name, value[:20])


@pytest.mark.django_db
def test_no_form_that_is_kept_fails_over_what_was_typed_into_it(house):
    """Kept as it is, and put back into the page that is loaded next."""
    browser = house["browsers"]["clerk"]
    browser.raise_request_exception = False
    draft = house["ids"]["desk-listing-black-edit"]
    for address in ("/desk/black/new/?category=M05", f"/desk/black/{draft.public_id}/edit/"):
        names = set(re.findall(r'name="([^"]+)"', browser.get(address).content.decode())) - {"act"}
        for value in TYPED:
            typed = quote(value, errors="surrogatepass")
            for stamp in (typed, "0"):
                sent = "&".join(f"{quote(field)}={typed}" for field in names - {"stamp"})
                sent += f"&stamp={stamp}&act=keep"
                answer = browser.post(address, sent, "application/x-www-form-urlencoded")
                assert not _is_fault(answer), (address, value[:20])
            assert not _is_fault(browser.get(address)), (address, value[:20])
            browser.post(address, {"act": "forget"})


@pytest.mark.django_db
def test_no_page_fails_over_what_a_header_holds(house):
    for name, address, browser in _pages(house):
        for headers in HEADERS:
            answer = browser.get(address, headers=headers)
            assert not _is_fault(answer), (name, headers)
            answer = browser.post(address, b"a=1", headers=headers, content_type="a/b")
            assert not _is_fault(answer), (name, headers)


# ── machines ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def machines(house):
    """(name, address, view, client) of each door of the API, with a key that has every scope."""
    keys = {who: builders.api_key(house["people"][who]) for who in ("clerk", "liaison")}
    found = []
    for name, rule in sorted(DOORS.items()):
        if rule == KEY:
            who = "liaison" if "push" in name or "check" in name else "clerk"
            headers = {"Authorization": f"Api-Key {keys[who]}"}
            client = Caller(raise_request_exception=False, headers=headers)
            address = address_of(name, house)
            found.append((name, address, resolve(address).func.view_class, client))
    return found


def _check(answer, *asked):
    assert answer.status_code < 500, asked
    refused = answer.status_code >= 400
    assert not refused or answer["Content-Type"] == "application/problem+json", asked


@pytest.mark.django_db
def test_no_endpoint_fails_over_a_parameter(machines):
    for name, address, view, client in machines:
        for parameter in [*view.parameters, "format", "lang", "%00", "%ED%A0%80"]:
            for value in VALUES:
                answer = client.get(f"{address}?{parameter}={value}")
                _check(answer, name, parameter, value[:60])


@pytest.mark.django_db
def test_no_endpoint_fails_over_a_body_that_is_none(machines):
    for name, address, _view, client in machines:
        for body in BODIES:
            _check(client.post(address, body, "application/json"), name, body[:20])
        for kind in TYPES:
            _check(client.generic("POST", address, b'{"version": 1}', kind), name, kind)
        for method in ("put", "patch", "delete", "options"):
            _check(getattr(client, method)(address), name, method)


@pytest.mark.django_db
def test_no_endpoint_fails_over_what_a_header_holds(machines):
    for name, address, _view, client in machines:
        for headers in HEADERS:
            _check(client.get(address, headers=headers), name, headers)
            answer = client.post(address, {}, "application/json", headers=headers)
            _check(answer, name, headers)


@pytest.mark.django_db
def test_no_endpoint_fails_over_a_value_of_the_wrong_kind(machines, house):
    schema = SchemaGenerator().get_schema(request=None, public=True)
    media = {
        path: operations["post"]["requestBody"]["content"]
        for path, operations in schema["paths"].items()
        if "post" in operations
    }
    bodies = {
        path: _sample(kinds["application/json"], schema)
        for path, kinds in media.items()
        if "application/json" in kinds
    }
    for name, address, view, client in machines:
        if not hasattr(view, "post") or Upload in view.parser_classes:
            continue
        sample = bodies[_path_of(address, bodies)]
        for place in _places(sample):
            for value in JSON:
                body = json.dumps(_with(sample, place, value))
                _check(client.post(address, body, "application/json"), name, place, str(value)[:20])


def _path_of(address, paths):
    """The path of the schema that this address is one of."""
    patterns = {path: re.sub(r"\\{.*?\\}", "[^/]+", re.escape(path)) for path in paths}
    return next(path for path, pattern in patterns.items() if re.fullmatch(pattern, address))


def _sample(media, schema):
    """A body such as the schema describes."""
    return _like(media["schema"], schema["components"]["schemas"])


FORMATS = {"date": "2026-01-05", "uuid": "3f0d6f0e-0c55-4f0f-8a0f-6d1c3a0f9b1e"}
PLAIN = {"integer": 1, "number": 1, "boolean": True}


def _like(kind, named):
    """A value of the kind that a part of the schema describes."""
    while kind.keys() & {"$ref", "oneOf", "anyOf"}:
        several = kind.get("oneOf") or kind.get("anyOf")
        kind = several[0] if several else named[kind["$ref"].rpartition("/")[2]]
    if known := kind.get("example") or kind.get("enum"):
        return known if isinstance(known, str) else known[0]
    if kind.get("type") == "object":
        inner = kind.get("properties", {}).items()
        return {name: _like(field, named) for name, field in inner} or {"a": "b"}
    if kind.get("type") == "array":
        return [_like(kind["items"], named)]
    return PLAIN.get(kind.get("type")) or FORMATS.get(kind.get("format"), "示例")


def _places(value, path=()):
    """The paths of everything in a body, the whole first."""
    yield path
    inner = value.items() if isinstance(value, dict) else ()
    inner = enumerate(value) if isinstance(value, list) else inner
    for name, item in inner:
        yield from _places(item, (*path, name))


def _with(body, place, value):
    """The body with `value` in the place that the path leads to."""
    if not place:
        return value
    copy = body.copy()
    copy[place[0]] = _with(body[place[0]], place[1:], value)
    return copy

"""Every endpoint of the API as the URLconf has it: one that is new is tried like the others."""

import re

from django.test import Client
from django.urls import resolve

from tests.test_doors import DOORS, KEY, address_of

ALWAYS = ("X-Request-ID", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
METHODS = ("get", "post", "put", "patch", "delete")
PROBLEM = "application/problem+json"
UNIT = ("push", "check", "receipt")


class Caller(Client):
    """A client that hears everything out: no stream is left open in the test's transaction."""

    def request(self, **request):
        answer = super().request(**request)
        if answer.streaming:
            b"".join(answer.streaming_content)
        return answer


def endpoints(house):
    """(name, address, view) of each door that a key opens."""
    for name in sorted(name for name, rule in DOORS.items() if rule == KEY):
        address = address_of(name, house)
        yield name, address, resolve(address).func.view_class


def path_of(address, paths):
    """The path of the OpenAPI page that an address is one of."""
    patterns = {path: re.sub(r"\\{.*?\\}", "[^/]+", re.escape(path)) for path in paths}
    return next(path for path, pattern in patterns.items() if re.fullmatch(pattern, address))


def has(view, method):
    return hasattr(view, method)


def whose(name):
    """Who of the house gets furthest behind a door: the unit that was asked, or the clerk."""
    return "liaison" if any(word in name for word in UNIT) else "clerk"


def is_problem(answer, *statuses):
    """The body of a refusal that is told as every refusal is."""
    told = (answer.status_code, answer.get("Content-Type"), answer.content[:300])
    assert answer.status_code in statuses, told
    assert answer["Content-Type"] == PROBLEM, told
    body = answer.json()
    assert {"type", "title", "status", "detail", "code"} <= body.keys() <= {
        "type", "title", "status", "detail", "code", "errors"
    }  # fmt: skip
    assert body["status"] == answer.status_code
    assert (answer.status_code == 400) == ("errors" in body)
    assert {*ALWAYS, "RateLimit-Policy"} <= answer.headers.keys()
    return body

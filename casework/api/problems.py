"""Every refusal as application/problem+json (RFC 9457)."""

import http
from contextlib import contextmanager

from django.core.exceptions import NON_FIELD_ERRORS, RequestDataTooBig
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import IntegrityError
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from casework.api.examples import each, shape, sometimes
from casework.moves import IllegalMove, StaleVersion

MEDIA_TYPE = "application/problem+json"
CONFLICTS = {"duplicate", "pending", "notice_open", "black_listed"}
UNIQUE_VIOLATION = "23505"
WHOLE = "non_field_errors"
PROBLEM = shape(
    "Problem",
    {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "没有这一项。",
        "code": "invalid",
        "errors": sometimes(each(["没有这一项。"])),
    },
)


class Conflict(exceptions.APIException):
    """The state of things does not allow it now."""

    status_code = 409

    def __init__(self, code, detail, wait=None):
        super().__init__(detail, code)
        self.default_code, self.wait = code, wait


def problem(error, _context):
    """The answer to a refusal; None lets a real fault become a 500."""
    answer = _answer(error)
    if answer is None:
        return None
    set_rollback()
    body = problem_body(*answer)
    return Response(body, status=body["status"], content_type=MEDIA_TYPE, headers=_headers(error))


def problem_body(status, code, detail, errors=None):
    """The body of a refusal; what it repeats of the request is made fit to be sent."""
    errors = {
        _sendable(name): [_sendable(text) for text in texts]
        for name, texts in (errors or {}).items()
    }
    body = {
        "type": "about:blank",
        "title": http.HTTPStatus(status).phrase,
        "status": status,
        "detail": _sendable(detail),
        "code": code,
    }
    return {**body, "errors": errors} if errors else body


def _sendable(text):
    return str(text).encode(errors="replace").decode()


@contextmanager
def under(path, *, beside=()):
    """Errors of fields found in here are those of `path`'s inner fields, but for those `beside`."""
    try:
        yield
    except DjangoValidationError as error:
        if not hasattr(error, "error_dict"):
            raise
        renamed = {
            name if name in {path, *beside} else f"{path}.{_field(name)}": found
            for name, found in error.error_dict.items()
        }
        raise DjangoValidationError(renamed) from error


def bad_field(name, message, code="invalid"):
    return exceptions.ValidationError({name: [message]}, code)


def _answer(error):
    """(status, code, detail, errors) of a refusal, or None for a fault."""
    for kind, answer in _ANSWERS.items():
        if isinstance(error, kind):
            return answer(error)
    return None


def _invalid(error):
    if hasattr(error, "error_dict"):
        found = {_field(name): errors for name, errors in error.error_dict.items()}
    else:
        found = {WHOLE: error.error_list}
    rows = {
        name: [text for item in items for text in item.messages] for name, items in found.items()
    }
    codes = [item.code for items in found.values() for item in items]
    code = next((code for code in codes if code in CONFLICTS), None)
    code = code or next(filter(None, codes), "invalid")
    return 409 if code in CONFLICTS else 400, code, next(iter(rows.values()))[0], rows


def _malformed(error):
    rows = _flat(error.detail)
    return 400, _first_code(error.get_codes()), next(iter(rows.values()))[0], rows


def _unreadable(error):
    return 400, error.default_code, str(error.detail), {WHOLE: [str(error.detail)]}


def _of_framework(error):
    return error.status_code, error.default_code, str(error.detail), None


def _doubled(error):
    if getattr(error.__cause__, "pgcode", None) != UNIQUE_VIOLATION:
        return None
    return 409, "duplicate", _("已有一条同样的记录。"), None


_ANSWERS = {
    Http404: lambda _error: _of_framework(exceptions.NotFound()),
    DjangoPermissionDenied: lambda _error: _of_framework(exceptions.PermissionDenied()),
    IllegalMove: lambda error: (409, "impossible_move", str(error), None),
    StaleVersion: lambda error: (412, "stale_version", str(error), None),
    RequestDataTooBig: lambda _error: (413, "too_large", _("内容太大。"), None),
    IntegrityError: _doubled,
    DjangoValidationError: _invalid,
    exceptions.ValidationError: _malformed,
    exceptions.ParseError: _unreadable,
    exceptions.APIException: _of_framework,
}


def _headers(error):
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait))
    return headers


# Columns of the tables and the names outsiders know them by.
OUTSIDE = {
    "document_number": "document.number",
    "document_kind": "document.kind",
    "document_organ": "document.organ",
    "document_date": "document.date",
    "measure_codes": "measures",
    "measure_until": "measures",
    NON_FIELD_ERRORS: WHOLE,
}


def _field(name):
    return OUTSIDE.get(name, name)


def _first_code(codes):
    while isinstance(codes, (dict, list)) and codes:
        codes = next(iter(codes.values())) if isinstance(codes, dict) else codes[0]
    return codes if isinstance(codes, str) else "invalid"


def _flat(detail, path=""):
    """Nested errors as {dotted field path: [messages]}."""
    if isinstance(detail, dict):
        inner = detail.items()
    elif detail and all(isinstance(item, (dict, list)) for item in detail):
        inner = enumerate(detail)
    else:
        return {path or WHOLE: [str(item) for item in detail]}
    found = {}
    for name, errors in inner:
        if errors:
            nested = path if name == WHOLE and path else f"{path}.{name}" if path else str(name)
            found.update(_flat(errors, nested))
    return found

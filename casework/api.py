"""What every API endpoint shares: problem+json, cursor pages, strict parameters."""

import http

from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions, serializers
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response
from rest_framework.views import set_rollback

from casework.moves import IllegalMove, StaleVersion

CONFLICTS = {"duplicate", "pending", "notice_open", "black_listed"}


def problem(error, context):
    """Any refusal as application/problem+json (RFC 9457); None lets a real fault become a 500."""
    answer = _answer(error)
    if answer is None:
        return None
    set_rollback()
    status, code, detail, errors = answer
    body = {
        "type": "about:blank",
        "title": http.HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if errors:
        body["errors"] = errors
    response = Response(body, status=status, content_type="application/problem+json")
    for header, value in _headers(error).items():
        response[header] = value
    return response


def _answer(error):
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    if isinstance(error, DjangoPermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, IllegalMove):
        return 409, "impossible_move", str(error), None
    if isinstance(error, StaleVersion):
        return 412, "stale_version", str(error), None
    if isinstance(error, DjangoValidationError):
        return _invalid(error)
    if isinstance(error, exceptions.ValidationError):
        return 400, _first_code(error.get_codes()), _("请求有误，见 errors。"), _flat(error.detail)
    if isinstance(error, exceptions.APIException):
        return error.status_code, error.default_code, str(error.detail), None
    return None


def _headers(error):
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait))
    return headers


def _invalid(error):
    if hasattr(error, "error_dict"):
        rows = {
            _field(name): [str(message) for item in found for message in item.messages]
            for name, found in error.error_dict.items()
        }
        codes = [item.code for found in error.error_dict.values() for item in found]
    else:
        rows, codes = {_field(NON_FIELD_ERRORS): error.messages}, [e.code for e in error.error_list]
    code = next((found for found in codes if found), "invalid")
    status = 409 if code in CONFLICTS else 400
    first = next(iter(rows.values()))[0]
    return status, code, first, rows


# Columns of the tables and the names outsiders know them by.
OUTSIDE = {
    "document_number": "document.number",
    "document_kind": "document.kind",
    "document_organ": "document.organ",
    "document_date": "document.date",
    "measure_codes": "measures",
    NON_FIELD_ERRORS: "non_field_errors",
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
        found = {}
        for name, inner in detail.items():
            found.update(_flat(inner, f"{path}.{name}" if path else str(name)))
        return found
    if detail and all(isinstance(item, (dict, list)) for item in detail):
        found = {}
        for index, inner in enumerate(detail):
            found.update(_flat(inner, f"{path}.{index}" if path else str(index)))
        return found
    return {path or "non_field_errors": [str(item) for item in detail]}


class CursorPages(CursorPagination):
    page_size_query_param = "page_size"
    max_page_size = 500
    ordering = "-id"


class Strict(serializers.Serializer):
    """A body in which an unknown field is an error: a dropped one would be a silent mistake."""

    def to_internal_value(self, data):
        if isinstance(data, dict):
            unknown = data.keys() - self.fields.keys()
            if unknown:
                raise serializers.ValidationError(
                    {name: [_("没有这一项。")] for name in sorted(map(str, unknown))}
                )
        return super().to_internal_value(data)


def refuse_unknown_parameters(request, allowed):
    """A filter that is dropped in silence is dangerous here: an unknown one is a 400."""
    unknown = request.query_params.keys() - set(allowed) - {"cursor", "page_size", "format"}
    if unknown:
        raise exceptions.ValidationError({name: [_("没有这个参数。")] for name in sorted(unknown)})

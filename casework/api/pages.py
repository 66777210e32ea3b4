"""Cursor pages: by a column and the primary key, so that nothing is skipped or shown twice."""

import base64
import json

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Q
from django.utils.translation import gettext as _
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from casework.api.problems import bad_field

PAGE_PARAMETERS = frozenset({"cursor", "page_size"})
PAGE_SIZE, LARGEST = 100, 500


def page(door, rows, show, *, ordering="-pk"):
    """One page of a queryset as {next, previous, results}; `show` turns rows into results."""
    size = number(door.request, "page_size", PAGE_SIZE, LARGEST)
    back, position = _read_cursor(door.request.query_params.get("cursor"), ordering)
    field, descending = ordering.lstrip("-"), ordering.startswith("-") != back
    sign = "-" if descending else ""
    rows = rows.order_by(*dict.fromkeys([f"{sign}{field}", f"{sign}pk"]))
    if position:
        rows = _beyond(rows, field, *position, descending=descending)
    found = list(rows[: size + 1])
    more, found = len(found) > size, found[:size]
    if back:
        found.reverse()
    links = {
        "next": found and (more or back) and _link(door, ordering, found[-1], back=False),
        "previous": found
        and position
        and (more or not back)
        and _link(door, ordering, found[0], back=True),
    }
    return Response({name: link or None for name, link in links.items()} | {"results": show(found)})


def number(request, name, default, largest):
    """A whole number from 1 to `largest` among the parameters. Raises ValidationError."""
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= largest):
        raise bad_field(name, _("应是 1 到 %(largest)s 的整数。") % {"largest": largest})
    return int(text)


def _beyond(rows, field, value, pk, *, descending):
    """The rows after a position. PostgreSQL takes a missing value for the largest."""
    past = "lt" if descending else "gt"
    if field == "pk":
        return rows.filter(**{f"pk__{past}": pk})
    absent = value is None
    same = Q(**{f"{field}__isnull": True}) if absent else Q(**{field: value})
    later = same & Q(**{f"pk__{past}": pk})
    if not absent:
        later |= Q(**{f"{field}__{past}": value})
    if absent == descending:
        later |= Q(**{f"{field}__isnull": not absent})
    try:
        return rows.filter(later)
    except (DjangoValidationError, ValueError) as error:
        raise _bad_cursor() from error


def _link(door, ordering, row, *, back):
    field = ordering.lstrip("-")
    value = None if field == "pk" else getattr(row, field)
    position = [ordering, back, value if value is None else str(value), row.pk]
    cursor = base64.urlsafe_b64encode(json.dumps(position).encode()).decode()
    return replace_query_param(door.request.build_absolute_uri(), "cursor", cursor)


def _read_cursor(cursor, ordering):
    if cursor is None:
        return False, None
    try:
        made_for, back, value, pk = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, TypeError, RecursionError) as error:
        raise _bad_cursor() from error
    fits = isinstance(value, (str, type(None))) and isinstance(pk, int) and abs(pk) < 2**63
    if made_for != ordering or not isinstance(back, bool) or not fits:
        raise _bad_cursor()
    return back, (value, pk)


def _bad_cursor():
    return bad_field("cursor", _("游标不对，请从头读取。"))

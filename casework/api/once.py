"""Acting once: a POST asked again under the same Idempotency-Key gets the first answer."""

import json
from functools import wraps

from django.db import transaction
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from casework import services
from casework.api.problems import MEDIA_TYPE, Conflict, bad_field, problem

LONGEST = 255


class Reused(exceptions.APIException):
    status_code = 422
    default_code = "idempotency_key_reused"


def once(handler):
    """The whole POST is one transaction; under an Idempotency-Key it acts once in 24 hours.

    The same body gets the first answer again, another body 422, a request still running
    409. Refusals are kept too; a fault (5xx) is not.
    """

    @wraps(handler)
    def inner(door, request, *args, **kwargs):
        key = request.headers.get("Idempotency-Key")
        with transaction.atomic():
            if key is None:
                return handler(door, request, *args, **kwargs)
            return _keyed(door, request, key, lambda: handler(door, request, *args, **kwargs))

    return inner


def _keyed(door, request, key, act):
    if not 1 <= len(key) <= LONGEST or not (key.isascii() and key.isprintable()):
        raise bad_field("Idempotency-Key", _("应是 1 到 255 个可见的 ASCII 字符。"))
    asked = {"api_key": request.auth, "path": request.path[:LONGEST], "key": key}
    if not services.hold_key(**asked):
        raise Conflict("in_progress", _("同一请求正在办理，请稍后再试。"), wait=1)
    digest = door.digest()
    kept = services.kept_answer(**asked)
    if kept:
        return _again(kept, digest, request.actor)
    response = _acted(act)
    answer = [JSONRenderer().render(response.data).decode(), response.get("Location")]
    services.keep_answer(
        **asked, digest=digest, status=response.status_code, answer=json.dumps(answer)
    )
    return response


def _acted(act):
    """The answer of the handler; of one that refuses, nothing but the refusal stays."""
    try:
        with transaction.atomic():
            return act()
    except Exception as error:
        response = problem(error, {})
        if response is None or response.status_code >= 500:
            raise
        return response


def _again(kept, digest, actor):
    if bytes(kept.digest) != digest:
        raise Reused(_("这个 Idempotency-Key 已用于另一个请求。"))
    body, location = json.loads(services.answer_of(kept, actor=actor))
    headers = {"Idempotent-Replayed": "true", **({"Location": location} if location else {})}
    kind = MEDIA_TYPE if kept.http_status >= 400 else None
    return Response(json.loads(body), kept.http_status, headers=headers, content_type=kind)

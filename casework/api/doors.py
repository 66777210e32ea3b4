"""The door that all endpoints have in common, and what bodies and answers are like."""

import hashlib
import io
from functools import partial

from django.conf import settings
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers
from django.utils.http import parse_etags
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions, serializers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.views import APIView

from casework import workdays
from casework.api.examples import shape
from casework.api.limits import count
from casework.api.openapi import DoorSchema
from casework.moves import StaleVersion

READING = {"GET", "HEAD"}
JSON = JSONRenderer.media_type


class JsonOnly(DefaultContentNegotiation):
    """What is answered depends on Accept alone: `format` is a parameter like any unknown one."""

    def filter_renderers(self, renderers, _format):
        return renderers


class Whatever(JsonOnly):
    """What is sent is no JSON document; what was accepted instead is no reason to refuse."""

    def select_renderer(self, _request, renderers, _format=None):
        return renderers[0], renderers[0].media_type


class Json(JSONParser):
    """A body within the limits of size and depth."""

    def parse(self, stream, media_type=None, parser_context=None):
        body = parser_context["request"]._request.body  # refuses one that is too large
        try:
            return super().parse(io.BytesIO(body), media_type, parser_context)
        except RecursionError as error:
            raise exceptions.ParseError(_("嵌套太深。")) from error


class Upload(MultiPartParser):
    """A form with a file, within the limits that pages have for theirs."""

    def parse(self, stream, media_type=None, parser_context=None):
        try:
            return super().parse(stream, media_type, parser_context)
        except (LookupError, UnicodeError) as error:  # an encoding that there is not
            raise exceptions.ParseError(_("表单的编码应是 UTF-8。")) from error


class Door(APIView):
    """An endpoint: `scopes` names the scope per method, `parameters` what a GET may ask with."""

    scopes = {}
    parameters = frozenset()
    content_negotiation_class = JsonOnly
    parser_classes = [Json]
    schema = DoorSchema()

    def initial(self, request, *args, **kwargs):
        try:
            self.perform_authentication(request)
        finally:
            count(request._request, request.auth)
        super().initial(request, *args, **kwargs)
        if hasattr(self, request.method.lower()):  # else a 405, whatever is asked
            known = self.parameters if request.method in READING else ()
            refuse_odd_parameters(request.query_params, known)

    def finalize_response(self, request, response, *args, **kwargs):
        if response.status_code >= 400:  # a refusal is JSON, whatever else the door can write
            request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSON
        response = super().finalize_response(request, response, *args, **kwargs)
        patch_vary_headers(response, ["Authorization"])
        if response.has_header("Cache-Control"):
            return response
        patch_cache_control(response, private=True, no_cache=True)
        if request.method in READING and response.status_code == 200:
            return _with_etag(request, response)
        return response

    @property
    def today(self):
        return timezone.localdate()

    @property
    def user(self):
        return self.request.user

    @property
    def actor(self):
        return self.request.actor

    def digest(self):
        """By what one body is told from another under the same Idempotency-Key."""
        return hashlib.sha256(self.request.body).digest()

    def given(self, serializer):
        """The checked body of the request. Raises ValidationError naming each bad field."""
        asked = serializer(data=self.request.data, context={"door": self})
        asked.is_valid(raise_exception=True)
        return asked.validated_data


def refuse_odd_parameters(given, known):
    """A filter dropped in silence is dangerous: unknown, empty and repeated ones are a 400."""
    errors = {}
    for name, values in given.lists():
        if name not in known:
            errors[name] = [_("没有这个参数。")]
        elif len(values) > 1 or not values[0].strip():
            errors[name] = [_("这个参数要有一个值，只能有一个。")]
    if errors:
        raise exceptions.ValidationError(errors)


class Strict(serializers.Serializer):
    """A body in which an unknown field is an error: a dropped one would be a silent mistake.

    So is a value of another kind than the field's: a number in the place of a code has lost
    its zeros. `example` is a body for the OpenAPI page.
    """

    example = None

    def to_internal_value(self, data):
        if isinstance(data, dict):
            known = self.fields
            errors = {str(name): _("没有这一项。") for name in data if name not in known}
            errors |= {
                name: message
                for name, value in data.items()
                if name in known and (message := _odd_kind(known[name], value))
            }
            if errors:
                raise serializers.ValidationError({n: [errors[n]] for n in sorted(errors)})
        return super().to_internal_value(data)


@extend_schema_field({"anyOf": [{"type": "string"}, {"type": "number"}]})
class Plain(serializers.CharField):
    """A text, or a number as JSON writes it."""


TEXTS = (
    serializers.CharField,
    serializers.ChoiceField,
    serializers.DateField,
    serializers.DateTimeField,
    serializers.UUIDField,
)


def _odd_kind(field, value):
    """What to say of a value that is of another kind in JSON than its field, or None."""
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        return next(filter(None, (_odd_kind(field.child, item) for item in value)), None)
    if value is None or isinstance(field, Plain):
        return None  # the field itself knows
    if isinstance(field, TEXTS):
        return None if isinstance(value, str) else _("应是文本。")
    if isinstance(field, serializers.BooleanField):
        return None if isinstance(value, bool) else _("应是 true 或 false。")
    whole = isinstance(value, (int, float)) and not isinstance(value, bool)
    if isinstance(field, serializers.IntegerField) and not whole:
        return _("应是整数。")
    return None


class Empty(Strict):
    """Nothing needs to be said; the version that was seen may be."""

    version = serializers.IntegerField(required=False, min_value=1)


class ApplicantFields(Strict):
    """Who objects or asks for repair, and how to reach them."""

    name = serializers.CharField(max_length=200)
    phone = serializers.CharField(max_length=40)
    email = serializers.EmailField(required=False, allow_blank=True)
    agent = serializers.CharField(max_length=200, required=False, allow_blank=True)


def instant(moment):
    """ISO 8601 in the city's own time, with the offset."""
    return timezone.localtime(moment).isoformat() if moment else None


RECEIPT = shape(
    "Receipt",
    {
        "number": "YY-2026-000001",
        "query_code": "K7M2P9QX4R",
        "received_on": "2026-04-02",
        "due_on": "2026-04-23",
        "provisional": False,
        "explanation": [{"date": "2026-04-03", "counts": True, "why": "工作日"}],
    },
)


def receipt(matter, query_code):
    """What the applicant is told: number, code, due day, and how it was counted."""
    lines = workdays.explain(matter.counts_from, matter.total_days, matter.pauses)
    return {
        "number": matter.number,
        "query_code": query_code,
        "received_on": matter.received_on,
        "due_on": matter.due_on,
        "provisional": matter.provisional,
        "explanation": [{name: line[name] for name in ("date", "counts", "why")} for line in lines],
    }


# ── versions ──────────────────────────────────────────────────────────────────────────────────


def etag_of(request, content):
    """A validator of an answer: it changes with content, day in Shanghai, language and reader."""
    department = getattr(request.user, "department_id", None)
    parts = (timezone.localdate(), get_language(), settings.RELEASE, department)
    told = "|".join(map(str, parts)).encode() + content
    return f'"{hashlib.sha256(told).hexdigest()[:32]}"'


def _with_etag(request, response):
    """The same answer, with a validator as soon as its content is there; a stream has none."""
    if hasattr(response, "add_post_render_callback"):
        response.add_post_render_callback(partial(_validated, request))
    elif not response.streaming:
        return _validated(request, response)
    return response


def _validated(request, response):
    """The answer with its ETag, or 304 where the caller has it already."""
    etag = etag_of(request, response.content)
    response["ETag"] = etag
    return get_conditional_response(request._request, etag=etag, response=response)


def seen_version(request, case, show, given=None):
    """The version of `case` that the caller acted on, or None where none was named.

    It is named in the body (`given`) or by If-Match: the ETag of the object as `show()`
    answers it to a GET, or the bare version. Raises StaleVersion where it is another.
    """
    tags = request.headers.get("If-Match")
    if given is not None and given != case.version:
        raise StaleVersion(case, given)
    if tags is not None and not _matches(request, tags, case, show):
        raise StaleVersion(case, tags)
    return None if given is None and tags is None else case.version


def _matches(request, tags, case, show):
    if tags.strip().strip('"') in {"*", str(case.version)}:
        return True
    named = parse_etags(tags)
    return f'"{case.version}"' in named or etag_of(request, JSONRenderer().render(show())) in named

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
from drf_spectacular.openapi import AutoSchema
from rest_framework import exceptions, serializers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.views import APIView

from casework import workdays
from casework.moves import StaleVersion

READING = {"GET", "HEAD"}


class JsonOnly(DefaultContentNegotiation):
    """What is answered depends on Accept alone: `format` is a parameter like any unknown one."""

    def filter_renderers(self, renderers, _format):
        return renderers


class Json(JSONParser):
    """A body within the limits of size and depth."""

    def parse(self, stream, media_type=None, parser_context=None):
        body = parser_context["request"]._request.body  # refuses one that is too large
        try:
            return super().parse(io.BytesIO(body), media_type, parser_context)
        except RecursionError as error:
            raise exceptions.ParseError(_("嵌套太深。")) from error


class DoorSchema(AutoSchema):
    """What the OpenAPI page says of an endpoint: which scope the key must have."""

    def get_description(self):
        return _("密钥的权限范围：%(scope)s") % {"scope": self.view.scopes.get(self.method)}


class Door(APIView):
    """An endpoint: `scopes` names the scope per method, `parameters` what a GET may ask with."""

    scopes = {}
    parameters = frozenset()
    content_negotiation_class = JsonOnly
    parser_classes = [Json]
    schema = DoorSchema()

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        known = self.parameters if request.method in READING else ()
        refuse_odd_parameters(request.query_params, known)

    def finalize_response(self, request, response, *args, **kwargs):
        response = super().finalize_response(request, response, *args, **kwargs)
        patch_vary_headers(response, ["Authorization"])
        if not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True, no_cache=True)
            if request.method in READING and response.status_code == 200:
                response.add_post_render_callback(partial(_validated, request))
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
    """A body in which an unknown field is an error: a dropped one would be a silent mistake."""

    def to_internal_value(self, data):
        if isinstance(data, dict):
            unknown = sorted(str(name) for name in data.keys() - self.fields.keys())
            if unknown:
                raise serializers.ValidationError({name: [_("没有这一项。")] for name in unknown})
        return super().to_internal_value(data)


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

"""What the OpenAPI page says of all endpoints alike: refusals, headers, parameters."""

from http import HTTPStatus

from django.utils.translation import gettext as _
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from casework.api.examples import SHAPES, drawn, like
from casework.api.once import LONGEST
from casework.api.pages import LARGEST, PAGE_SIZE
from casework.api.problems import MEDIA_TYPE, PROBLEM

TEXT = {"type": "string", "minLength": 1}
TAGS = {"type": "string"}
KEY = {"type": "string", "pattern": f"^[ -~]{{1,{LONGEST}}}$"}
QUESTIONS = {
    "cursor": TEXT,
    "page_size": {"type": "integer", "minimum": 1, "maximum": LARGEST, "default": PAGE_SIZE},
}
COUNT = {"type": "integer", "minimum": 0}
HEADERS = {
    "X-Request-ID": {"type": "string", "maxLength": 64},
    "RateLimit-Limit": COUNT,
    "RateLimit-Remaining": COUNT,
    "RateLimit-Reset": COUNT,
    "RateLimit-Policy": {"type": "string", "example": "600;w=60"},
    "ETag": TEXT,
    "Location": {"type": "string", "format": "uri"},
    "Idempotent-Replayed": {"type": "string", "enum": ["true"]},
    "Retry-After": COUNT,
    "WWW-Authenticate": TEXT,
}
EVERYWHERE = {"X-Request-ID", *(name for name in HEADERS if name.startswith("RateLimit-"))}
OF_STATUS = {200: ["ETag"], 201: ["Location"], 304: ["ETag"], 401: ["WWW-Authenticate"]}
OF_STATUS |= {409: ["Retry-After"], 429: ["Retry-After"]}
ALWAYS = (400, 401, 403, 406, 429, 500)
OF_METHOD = {"POST": (409, 413, 415, 422), "DELETE": (409,)}


class DoorSchema(AutoSchema):
    """An endpoint in the schema: its scope, and what all endpoints of its kind have in common."""

    def get_description(self):
        return _("密钥的权限范围：%(scope)s") % {"scope": self.view.scopes.get(self.method)}

    def get_override_parameters(self):
        if self.method == "GET":
            asked = [OpenApiParameter(n, QUESTIONS.get(n, TEXT)) for n in self.view.parameters]
            return [*sorted(asked, key=lambda one: one.name), _header("If-None-Match", TAGS)]
        given = [_header("Idempotency-Key", KEY)] if self.method == "POST" else []
        return [*given, _header("If-Match", TAGS)] if self._is_versioned else given

    @property
    def _is_versioned(self):
        """Whether the act may name the version it is about."""
        return self.method == "POST" and "{" in self.path and hasattr(self.view, "seen")

    def _get_request_body(self, direction="request"):
        body = super()._get_request_body(direction)
        example = body and getattr(self.get_request_serializer(), "example", None)
        if example:  # whoever needs an example has something that must be said
            body["required"] = True
            for media in body["content"].values():
                media["example"] = example
        return body

    def _get_response_bodies(self, direction="response"):
        found = super()._get_response_bodies(direction)
        for status, answer in found.items():
            answer["description"] = answer["description"] or HTTPStatus(int(status)).phrase
            answer["headers"] = _headers(int(status), self.method)
        answers = {status: answer for status, answer in found.items() if status < "400"}
        if self.method == "GET":
            answers["304"] = {"$ref": "#/components/responses/304"}
        refused = {*map(str, self._refusals()), *(found.keys() - answers.keys())}
        answers |= {status: {"$ref": f"#/components/responses/{status}"} for status in refused}
        return dict(sorted(answers.items()))

    def _refusals(self):
        known = [*ALWAYS, *OF_METHOD.get(self.method, ()), *([404] if "{" in self.path else [])]
        return [*known, 412] if self._is_versioned else known

    def _map_serializer(self, serializer, direction, bypass_extensions=False):  # noqa: FBT002
        """A body is what its serializer names and nothing else: more is a 400."""
        schema = super()._map_serializer(serializer, direction, bypass_extensions)
        if "properties" in schema:
            schema["additionalProperties"] = False
            schema.pop("description", None)  # the class's docstring is for who reads the code
        return schema


def _header(name, schema):
    return OpenApiParameter(name, schema, OpenApiParameter.HEADER)


def _headers(status, method="GET"):
    names = [*sorted(EVERYWHERE), *OF_STATUS.get(status, [])]
    if method != "GET":
        names = [name for name in names if name != "ETag"]
    if method == "POST":
        names.append("Idempotent-Replayed")
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _refusals(result):
    """Every status of a refusal that an operation names."""
    operations = [one for path in result["paths"].values() for one in path.values()]
    return sorted({status for one in operations for status in one["responses"] if status >= "400"})


def add_shapes(result, **_context):
    """What the endpoints refer to: named answers, headers, refusals."""
    parts = result.setdefault("components", {})
    parts.setdefault("schemas", {}).update({name: drawn(one) for name, one in SHAPES.items()})
    parts["headers"] = {
        name: {"schema": schema, **({"required": True} if name in EVERYWHERE else {})}
        for name, schema in HEADERS.items()
    }
    parts["responses"] = {"304": {"description": HTTPStatus(304).phrase, "headers": _headers(304)}}
    for status in _refusals(result):
        parts["responses"][status] = {
            "description": HTTPStatus(int(status)).phrase,
            "headers": _headers(int(status)),
            "content": {MEDIA_TYPE: {"schema": like(PROBLEM)}},
        }
    return result

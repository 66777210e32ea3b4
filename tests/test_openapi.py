"""The OpenAPI page says what the API does: valid, complete, and true of every answer."""

import json
import os
import re

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import validate
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode

from casework.api.examples import SHAPES
from tests import builders
from tests.api import METHODS, endpoints, has, path_of
from tests.test_doors import house

__all__ = ["house"]

pytestmark = pytest.mark.django_db

# Per operation, role and kind of data. With more by hand they are others each time.
EXAMPLES = int(os.environ.get("OPENAPI_EXAMPLES", "5"))
ALWAYS = {"400", "401", "403", "406", "429", "500"}
OF_WRITING = {"409", "413", "415", "422"}
# Rules of the matter go beyond what a schema can say: a known code, a day not to come.
ACCEPTED = ["2xx", "304", "400", "403", "404", "409", "412", "422"]
CHECKS = {
    "positive_data_acceptance": {"expected-statuses": ACCEPTED},
    "negative_data_rejection": {"expected-statuses": ["4xx"]},
}


@pytest.fixture(scope="module")
def schema():
    return SchemaGenerator().get_schema(request=None, public=True)


def test_the_schema_is_valid(schema):
    validate(schema)


def test_every_endpoint_is_told_with_its_methods_and_parameters(house, schema):
    for name, address, view in endpoints(house):
        told = schema["paths"][path_of(address, schema["paths"])]
        assert told.keys() == {method for method in METHODS if has(view, method)}, name
        for operation in told.values():
            assert operation["summary"], name
            for one in operation.get("parameters", []):
                assert one["in"] == "header" or one["schema"]["type"], (name, one["name"])
        asked = {one["name"] for one in told.get("get", {}).get("parameters", [])
                 if one["in"] == "query"}  # fmt: skip
        assert asked == set(view.parameters if has(view, "get") else ()), name


def test_every_operation_tells_how_it_may_refuse(schema):
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            answers = operation["responses"].keys()
            assert answers >= ALWAYS, (path, method)
            assert ("304" in answers) == (method == "get"), (path, method)
            assert answers >= OF_WRITING or method != "post", (path, method)
            assert "404" in answers or "{" not in path, (path, method)
            assert operation["security"] == [{"ApiKey": []}], (path, method)
            for status in answers:
                told = operation["responses"][status]
                if status >= "400":
                    assert told == {"$ref": f"#/components/responses/{status}"}, (path, status)
                elif status != "304":
                    assert {"X-Request-ID", "RateLimit-Limit"} <= told["headers"].keys()


def test_every_body_has_an_example_and_takes_nothing_that_is_not_named(schema):
    named = schema["components"]["schemas"]
    for path, operations in schema["paths"].items():
        body = operations.get("post", {}).get("requestBody")
        for kind, media in (body or {}).get("content", {}).items():
            whole = named[media["schema"]["$ref"].rpartition("/")[2]]
            if kind == "application/json" and (whole.get("required") or "oneOf" in whole):
                assert media["example"], path
    for name, one in named.items():
        if name not in SHAPES and "properties" in one:
            assert one["additionalProperties"] is False, name


def test_every_reference_leads_somewhere_and_every_named_answer_is_used(schema):
    said = set(re.findall(r"#/components/(?:schemas|responses|headers)/[\w-]+", str(schema)))
    for reference in said:
        *_root, section, name = reference.split("/")
        assert name in schema["components"][section], reference
    for name in SHAPES:
        assert f"#/components/schemas/{name}" in said, name


# ── the answers themselves ────────────────────────────────────────────────────────────────────


def _closed(part):
    """The same schema, in which an answer may hold nothing that is not named."""
    if isinstance(part, list):
        return [_closed(item) for item in part]
    if not isinstance(part, dict):
        return part
    closed = {name: _closed(inner) for name, inner in part.items()}
    if isinstance(part.get("properties"), dict) and part.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed


@pytest.fixture
def _one_connection():
    """The end of a request closes no connection, as with Django's own test client."""
    ends = (request_started, request_finished)
    for end in ends:
        end.disconnect(close_old_connections)
    yield
    for end in ends:
        end.connect(close_old_connections)


@pytest.fixture
def api(schema, _one_connection):
    """The API as its own page tells it, asked without a network in this test's transaction."""
    loaded = schemathesis.openapi.from_dict(
        _closed(schema), config=SchemathesisConfig.from_dict({"checks": CHECKS})
    )
    loaded.app = get_wsgi_application()
    return [result.ok() for result in loaded.get_all_operations()]


GOOD, BAD = GenerationMode.POSITIVE, GenerationMode.NEGATIVE


@pytest.mark.parametrize(
    ("role", "mode"),
    [*((role, GOOD) for role in ("clerk", "reviewer", "liaison", "supervisor")),
     ("clerk", BAD), ("liaison", BAD)],
)  # fmt: skip
def test_the_answers_are_as_they_are_told(house, api, schema, role, mode):
    raw = builders.api_key(house["people"][role])
    addresses = {
        path_of(address, schema["paths"]): address for _name, address, _v in endpoints(house)
    }
    faults = {}
    for operation in api:
        try:
            _try(operation, addresses[operation.path], mode, raw)
        except FailureGroup as found:
            faults[operation.label] = [str(one) for one in found.exceptions]
    assert not faults, json.dumps(faults, ensure_ascii=False, indent=1)


def _try(operation, address, mode, raw):
    """Ask what the strategy makes up; where the path may stand, about a matter of the house."""
    names = re.findall(r"{(\w+)}", operation.path)
    pattern = re.sub(r"\\{\w+\\}", "([^/]+)", re.escape(operation.path))
    known = dict(zip(names, re.fullmatch(pattern, address).groups(), strict=True))

    @given(operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize="OPENAPI_EXAMPLES" not in os.environ,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case):
        if known and case.meta.components[ParameterLocation.PATH].mode is GOOD:
            case.path_parameters.update(known)
        case.call_and_validate(headers={"Authorization": f"Api-Key {raw}"})

    ask()

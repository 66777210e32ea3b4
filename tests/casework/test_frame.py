"""What holds at every endpoint alike, tried at each that the URLconf has."""

import json

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from drf_spectacular.generators import SchemaGenerator
from rest_framework.renderers import StaticHTMLRenderer

from casework.api.doors import Door, Json, JsonOnly
from parties.models import ApiKey
from tests import builders
from tests.api import ALWAYS, METHODS, Caller, endpoints, has, is_problem, path_of, whose
from tests.test_doors import house

__all__ = ["house"]

pytestmark = pytest.mark.django_db

STRANGE = ("/api/v1/nothing/", "/api/v1/listings/not-an-id/", "/api/", "/api/v2/listings/")


@pytest.fixture
def machines(house):
    """(name, address, view, client) of every endpoint, with a key that has every scope."""
    keys = {who: builders.api_key(house["people"][who]) for who in ("clerk", "liaison")}
    return [
        (name, address, view, _client(keys[whose(name)]))
        for name, address, view in endpoints(house)
    ]


def _client(raw):
    return Caller(raise_request_exception=False, headers={"Authorization": f"Api-Key {raw}"})


def _ask(client, method, address, body=b"{}", kind="application/json", **headers):
    return client.generic(method.upper(), address, body, kind, headers=headers)


def test_without_a_key_every_method_of_every_endpoint_is_a_401(house):
    for name, address, _view in endpoints(house):
        for method in (*METHODS, "options", "trace"):
            answer = _ask(Client(), method, address)
            assert is_problem(answer, 401)["code"] == "not_authenticated", (name, method)
            assert answer["WWW-Authenticate"] == "Api-Key"
        assert Client().head(address).status_code == 401


def test_a_401_does_not_tell_what_was_wrong_with_the_key(rules, client):
    good = builders.Machine(builders.clerk())
    raw = good.client._credentials["HTTP_AUTHORIZATION"]
    given = ["Api-Key", "Api-Key a.b", "Bearer x", "Api-Key \xff.x", raw + "x", raw[:-1]]
    told = [_said(client, {"Authorization": text}) for text in given]
    for change in ({"revoked": True}, {"addresses": ["192.0.2.0/24"]}):
        ApiKey.objects.update(**change)
        told.append(_said(client, {"Authorization": raw}))
    assert len({str(words) for words in told}) == 1


def _said(client, headers):
    answer = client.get("/api/v1/listings/", headers=headers)
    return is_problem(answer, 401), answer["WWW-Authenticate"]


def test_a_method_that_an_endpoint_lacks_is_a_405_that_names_those_it_has(machines):
    for name, address, view, client in machines:
        for method in (*METHODS, "trace"):
            if has(view, method):
                continue
            answer = _ask(client, method, f"{address}?colour=red")
            assert is_problem(answer, 405)["code"] == "method_not_allowed", (name, method)
            allowed = {word.strip().lower() for word in answer["Allow"].split(",")}
            assert allowed - {"head", "options"} == {m for m in METHODS if has(view, m)}, name


def test_options_tell_the_methods_and_head_what_a_get_would(machines):
    for name, address, view, client in machines:
        options = client.options(address)
        assert (options.status_code, bool(options["Allow"])) == (200, True), name
        assert set(ALWAYS) <= options.headers.keys(), name
        if has(view, "get"):
            got, head = client.get(address), client.head(address)
            assert (head.status_code, head.content) == (got.status_code, b""), name
            assert head.get("ETag") == got.get("ETag"), name


def test_what_no_endpoint_can_answer_in_is_a_406(machines):
    choosy = (row for row in machines if row[2].content_negotiation_class is JsonOnly)
    for name, address, view, client in choosy:  # files are sent whatever was accepted
        for method in METHODS:
            if has(view, method):
                answer = _ask(client, method, address, Accept="image/png")
                assert is_problem(answer, 406)["code"] == "not_acceptable", (name, method)


def test_a_body_of_another_kind_is_a_415_and_a_broken_or_huge_one_refused(machines):
    huge = b'{"note": "' + b"x" * 3_000_000 + b'"}'
    for name, address, view, client in machines:
        if not has(view, "post"):
            continue
        assert is_problem(_ask(client, "post", address, b"a", "text/plain"), 415), name
        if Json not in view.parser_classes:
            continue
        for broken in (b"{", b"[1", b'{"a": NaN}', b"\xff", b"[]", b"1", b'"x"', b"null"):
            is_problem(_ask(client, "post", address, broken), 400, 404)
        is_problem(_ask(client, "post", address, huge), 413, 404)


def test_an_unknown_parameter_is_a_400_that_names_it(machines):
    for name, address, view, client in machines:
        for method in METHODS:
            if has(view, method):
                answer = _ask(client, method, f"{address}?colour=red")
                assert list(is_problem(answer, 400)["errors"]) == ["colour"], (name, method)
        for known in view.parameters:
            for odd in (f"{known}=", f"{known}=1&{known}=2"):
                assert known in is_problem(client.get(f"{address}?{odd}"), 400)["errors"], name


def test_an_unknown_field_of_a_body_is_a_400_that_names_it(machines):
    for name, address, view, client in machines:
        if has(view, "post") and Json in view.parser_classes:
            answer = _ask(client, "post", address, b'{"colour": "red"}')
            assert "colour" in is_problem(answer, 400)["errors"], name


def test_an_idempotency_key_that_is_none_is_a_400(machines):
    for name, address, view, client in machines:
        if has(view, "post"):
            for odd in ("x" * 256, "示例".encode().decode("latin-1"), "a\tb"):
                answer = _ask(client, "post", address, **{"Idempotency-Key": odd})
                assert "Idempotency-Key" in is_problem(answer, 400)["errors"], name


def test_the_same_post_twice_gets_the_same_answer(machines):
    """Refusals too: asked again they are told from memory, whatever has happened since."""
    for name, address, view, client in machines:
        if has(view, "post") and Json in view.parser_classes:
            first, again = (
                _ask(client, "post", address, **{"Idempotency-Key": name}) for _time in "ab"
            )
            assert (again.status_code, again.content) == (first.status_code, first.content), name
            assert (first.get("Idempotent-Replayed"), again["Idempotent-Replayed"]) == (
                None, "true"
            ), name  # fmt: skip
            other = _ask(client, "post", address, b'{"version": 7}', **{"Idempotency-Key": name})
            assert is_problem(other, 422)["code"] == "idempotency_key_reused", name


def test_an_act_on_a_version_that_is_gone_is_a_412(machines):
    """Every act on one object heeds If-Match; the body is the one that the OpenAPI page shows."""
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    for name, address, _view, client in machines:
        told = paths[path_of(address, paths)].get("post")
        if told is None or "412" not in told["responses"]:
            continue
        media = told["requestBody"]["content"]["application/json"]
        body = json.dumps(media.get("example", {})).encode()
        answer = _ask(client, "post", address, body, **{"If-Match": '"0"'})
        # some say first that the matter is not at all where the act could begin
        assert is_problem(answer, 412, 409)["code"] in {"stale_version", "no_proposal"}, name


def test_what_has_not_changed_is_a_304_with_the_same_headers(machines):
    seen = set()
    for name, address, view, client in machines:
        answer = client.get(address) if has(view, "get") else None
        if answer is None or answer.status_code != 200 or answer.streaming:
            continue
        assert "Authorization" in answer["Vary"], name
        if "no-store" in answer["Cache-Control"]:
            continue
        again = client.get(address, headers={"If-None-Match": answer["ETag"]})
        assert (again.status_code, again.content) == (304, b""), name
        assert again["ETag"] == answer["ETag"], name
        assert {*ALWAYS, "Cache-Control", "Vary"} <= again.headers.keys(), name
        seen.add(name)
    assert len(seen) >= 10


def test_a_fault_of_ours_tells_nothing_of_itself(machines, monkeypatch):
    def broken(door, request, *args, **kwargs):
        raise RuntimeError("geheim")

    for name, address, view, client in machines:
        for method in METHODS:
            if has(view, method):
                with monkeypatch.context() as patch:
                    patch.setattr(view, method, broken)
                    answer = _ask(client, method, address)
                assert is_problem(answer, 500)["code"] == "error", (name, method)
                assert b"geheim" not in answer.content


def test_an_address_that_there_is_not_is_a_404_with_a_key_and_without(machines):
    *_rest, keyed = machines[0]
    for address in STRANGE:
        for client in (Client(), keyed):
            for method in METHODS:
                assert is_problem(_ask(client, method, address), 404)["code"] == "not_found", (
                    address
                )


def test_a_stream_and_a_file_go_through_a_door_as_they_are():
    """Doors to come answer in other ways than JSON; what they refuse is JSON all the same."""

    class Other(Door):
        authentication_classes = permission_classes = []
        renderer_classes = [StaticHTMLRenderer]
        parameters = frozenset({"stream"})

        def get(self, request):
            if "stream" in request.query_params:
                return StreamingHttpResponse(["a", "b"])
            return HttpResponse("ab")

    view, factory = Other.as_view(), RequestFactory()
    assert view(factory.get("/"))["ETag"]
    stream = view(factory.get("/?stream=1"))
    assert (b"".join(stream.streaming_content), stream.get("ETag")) == (b"ab", None)
    refused = view(factory.get("/?colour=red")).render()
    assert b'"status":400' in refused.content


def test_the_page_about_the_api_is_kept_like_any_answer(client):
    for address in (reverse("api-schema"), f"{reverse('api-schema')}?format=json"):
        answer = client.get(address)
        assert answer.status_code == 200
        again = client.get(address, headers={"If-None-Match": answer["ETag"]})
        assert again.status_code == 304
    assert is_problem(client.get(f"{reverse('api-schema')}?colour=red"), 400)
    assert set(ALWAYS) <= client.get(reverse("api-docs")).headers.keys()

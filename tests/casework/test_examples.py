"""Schemas drawn from examples: kinds, formats, what may be null or missing."""

import pytest

from casework.api.examples import FLAG, Schema, choice, drawn, each, either, like, maybe, sometimes


@pytest.mark.parametrize(
    ("example", "kind", "form"),
    [
        ("2026-04-01", "string", "date"),
        ("2026-04-01T09:00:00+08:00", "string", "date-time"),
        ("3f0d6f0e-0c55-4f0f-8a0f-6d1c3a0f9b1e", "string", "uuid"),
        ("https://credit.example.cn/", "string", "uri"),
        ("吉通示人社决字〔2026〕第1号", "string", None),
        (1, "integer", None),
        (1.5, "number", None),
        (False, "boolean", None),
    ],
)
def test_a_value_tells_its_kind_and_format(example, kind, form):
    schema = like(example)
    assert (schema["type"], schema.get("format"), schema["example"]) == (kind, form, example)


def test_an_object_must_have_what_is_not_said_to_be_missing_at_times():
    schema = drawn({"code": "PA07", "until": maybe("2027-04-01"), "hits": sometimes(1)})
    assert schema["required"] == ["code", "until"]
    assert schema["properties"]["until"]["nullable"] is True
    assert "nullable" not in schema["properties"]["hits"]


def test_words_flags_and_several_shapes():
    assert maybe(choice(["a", "b"]))["enum"] == ["a", "b", None]
    assert sometimes(FLAG) == {"type": "boolean"}
    assert either({"a": 1}, ["x"])["anyOf"][1] == {"type": "array", "items": like("x")}
    assert each(None) == {"type": "object", "additionalProperties": {}}


def test_what_may_be_missing_stays_so_wherever_the_example_is_used_again():
    part = sometimes("x")
    assert isinstance(part, Schema)
    assert drawn({"a": part, "b": 1})["required"] == ["b"]

"""Schemas for the OpenAPI page, drawn from an example answer.

An example shows names, kinds and formats. What it can't show is said where it stands: a value
that may be null (`maybe`), one that may be missing (`sometimes`), one of a few words (`choice`),
one of several shapes (`either`), values under any name (`each`).
"""

import re

TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}
FORMATS = {
    "date": r"\d{4}-\d\d-\d\d",
    "date-time": r"\d{4}-\d\d-\d\dT\S+",
    "uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "uri": r"https?://\S+",
}
SHAPES = {}


class Shape(dict):
    """An example object whose schema stands once, under its name."""

    name = ""


class Schema(dict):
    """A schema in the place of an example."""

    always = True


FLAG = Schema(type="boolean")


def shape(name, example):
    """The example under a name: wherever it is used, the schema refers to the one there is."""
    SHAPES[name], named = example, Shape(example)
    named.name = name
    return named


def maybe(example):
    """A value like the example, or null."""
    schema = like(example)
    if "$ref" in schema:
        return Schema(type="object", nullable=True, allOf=[schema])
    if "enum" in schema:
        schema = {**schema, "enum": [*schema["enum"], None]}
    return Schema(schema, nullable=True)


def sometimes(example):
    """A value like the example, which may be missing."""
    schema = Schema(like(example))
    schema.always = False
    return schema


def choice(values):
    """One of these words."""
    return Schema(type="string", enum=list(values))


def either(*examples):
    """A value like one of the examples."""
    return Schema(anyOf=[like(example) for example in examples])


def each(example):
    """An object with values like the example under any name."""
    return Schema(type="object", additionalProperties=like(example))


def like(example):
    """The OpenAPI schema of values like `example`: an object, a list of one, or a plain value."""
    if isinstance(example, Shape):
        return {"$ref": f"#/components/schemas/{example.name}"}
    return drawn(example)


def drawn(example):
    """The same, but in full where the example has a name."""
    if isinstance(example, Schema):
        return dict(example)
    if isinstance(example, dict):
        return _object(example)
    if isinstance(example, list):
        return {"type": "array", "items": like(example[0]) if example else {}}
    if example is None:
        return {}
    schema = {"type": TYPES[type(example)], "example": example}
    formats = (name for name, form in FORMATS.items() if re.fullmatch(form, str(example)))
    name = next(formats, None)
    return {**schema, "format": name} if name else schema


def _object(example):
    always = [name for name, value in example.items() if getattr(value, "always", True)]
    inner = {name: like(value) for name, value in example.items()}
    schema = {"type": "object", "properties": inner}
    return {**schema, "required": always} if always else schema


def page_of(example):
    """A cursor page of results like `example`."""
    link = maybe("https://credit.example.cn/api/v1/…?cursor=…")
    page = {"next": link, "previous": link, "results": [example]}
    named = isinstance(example, Shape)
    return like(shape(f"{example.name}Page", page) if named else page)

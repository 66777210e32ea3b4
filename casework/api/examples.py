"""Schemas for the OpenAPI page, drawn from an example answer."""

TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


def like(example):
    """The OpenAPI schema of values like `example`: an object, a list of one, or a plain value."""
    if isinstance(example, dict):
        inner = {name: like(value) for name, value in example.items()}
        return {"type": "object", "properties": inner}
    if isinstance(example, list):
        return {"type": "array", "items": like(example[0]) if example else {}}
    if example is None:
        return {"nullable": True}
    return {"type": TYPES[type(example)], "example": example}


def page_of(example):
    """A cursor page of results like `example`."""
    link = {"type": "string", "format": "uri", "nullable": True}
    return {
        "type": "object",
        "properties": {
            "next": link,
            "previous": link,
            "results": {"type": "array", "items": like(example)},
        },
    }

"""What a set of filters takes, as parameters of the OpenAPI page."""

import django_filters
from drf_spectacular.utils import OpenApiParameter

TEXT = {"type": "string", "minLength": 1}


def questions_of(filters):
    """The parameters of a FilterSet."""
    return [OpenApiParameter(name, _schema(one)) for name, one in filters.base_filters.items()]


def _schema(one):
    if isinstance(one, django_filters.ModelChoiceFilter):
        return TEXT  # the code of a row
    if isinstance(one, django_filters.ChoiceFilter):
        return {"type": "string", "enum": [code for code, _name in _choices(one)]}
    if isinstance(one, django_filters.DateFilter):
        return {"type": "string", "format": "date"}
    if isinstance(one, django_filters.NumberFilter):
        return {"type": "integer", **_limits(one, minimum="min_value", maximum="max_value")}
    return {**TEXT, **_limits(one, minLength="min_length", maxLength="max_length")}


def _choices(one):
    choices = one.extra["choices"]
    return getattr(choices, "choices", choices)


def _limits(one, **names):
    return {name: one.extra[given] for name, given in names.items() if given in one.extra}

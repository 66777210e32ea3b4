"""A category's own fields, as pages and letters show their values."""

import pytest
from django.utils import translation

from rulebook.models import CategoryField


@pytest.mark.parametrize(
    ("kind", "value", "shown", "in_english"),
    [
        ("date", "2026-01-13", "2026年1月13日", "13 January 2026"),
        ("date", "*", "*", "*"),
        ("date", "", "", ""),
        ("amount", "33.7", "33.7 万元", "33.7 × 10,000 yuan"),
        ("text", "2026-01-13", "2026-01-13", "2026-01-13"),
    ],
)
def test_a_value_is_shown_as_its_kind_is_written(kind, value, shown, in_english):
    field = CategoryField(type=kind)
    assert field.with_unit(value) == shown
    with translation.override("en"):
        assert field.with_unit(value) == in_english

"""Subjects are found by their number; a number under another name is a mistake, not a match."""

import pytest
from django.core.exceptions import ValidationError

from parties import services
from tests import builders


def test_a_known_code_under_another_name_is_refused(db):
    known = builders.firm("通化甲示例商贸有限公司")
    with pytest.raises(ValidationError) as refusal:
        services.organisation(known.code, "通化乙示例商贸有限公司")
    assert refusal.value.code == "name_differs"
    assert services.organisation(known.code, "通化甲示例商贸有限公司 ") == known


def test_a_known_paper_under_another_name_is_refused_and_the_name_not_told(db):
    number = builders.resident_id(77)
    services.person("张示例", "resident_id", number)
    with pytest.raises(ValidationError) as refusal:
        services.person("李示例", "resident_id", number)
    assert refusal.value.code == "name_does_not_match"
    assert "张" not in str(refusal.value)

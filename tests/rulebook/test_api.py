"""The rules in force, for machines."""

import pytest
from django.utils import timezone

from rulebook.models import LegalBasis, Memorandum
from tests.builders import Machine, liaison

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]


@pytest.mark.parametrize("path", ["/categories/", "/bases/", "/measures/", "/memoranda/"])
def test_the_rules_are_read_in_a_few_queries(path, django_assert_max_num_queries):
    machine = Machine(liaison())
    with django_assert_max_num_queries(6):
        assert machine.get(path, page_size=500)["results"]
    Machine(liaison(), "feedback").get(path, 403)


def test_a_category_names_its_own_fields_and_who_may_list():
    rows = Machine(liaison()).get("/categories/", page_size=500)["results"]
    by_code = {row["code"]: row for row in rows}
    assert by_code["M05"]["departments"] == ["rsj"]
    assert by_code["RS1"]["list"] == "red"
    court = next(field for field in by_code["J01"]["fields"] if field["code"] == "court")
    assert court["required"] is True


def test_a_base_no_longer_in_force_is_left_out():
    machine = Machine(liaison())
    base = LegalBasis.objects.first()
    base.in_force_to = timezone.localdate() - timezone.timedelta(days=1)
    base.save()
    codes = [row["code"] for row in machine.get("/bases/", page_size=500)["results"]]
    assert codes
    assert base.code not in codes


def test_a_memorandum_says_which_unit_applies_what_by_which_article(django_assert_max_num_queries):
    machine, memorandum = Machine(liaison()), Memorandum.objects.get(code="mou-m")
    with django_assert_max_num_queries(5):
        told = machine.get(f"/memoranda/{memorandum.public_id}/")
    assert told["in_force"] is True
    assert "M05" in told["categories"]
    row = next(row for row in told["measures"] if row["unit"]["code"] == "czj")
    assert row["article"] == "第五条"
    memorandum.in_force_to = timezone.localdate() - timezone.timedelta(days=1)
    memorandum.save()
    assert machine.get(f"/memoranda/{memorandum.public_id}/")["in_force"] is False
    assert "mou-m" not in [row["code"] for row in machine.get("/memoranda/")["results"]]

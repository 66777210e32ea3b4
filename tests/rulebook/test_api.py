"""The rules in force, for machines."""

import pytest
from django.utils import timezone

from rulebook.models import CategoryTerm, LegalBasis, Memorandum
from tests.builders import Machine, liaison

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]


@pytest.mark.parametrize("path", ["/categories/", "/bases/", "/measures/", "/memoranda/"])
def test_the_rules_are_read_in_a_few_queries(path, django_assert_max_num_queries):
    machine = Machine(liaison())
    with django_assert_max_num_queries(7):
        assert machine.get(path, page_size=500)["results"]
    Machine(liaison(), "feedback").get(path, 403)


def test_a_category_names_its_own_fields_and_who_may_list():
    rows = Machine(liaison()).get("/categories/", page_size=500)["results"]
    by_code = {row["code"]: row for row in rows}
    assert by_code["M05"]["departments"] == ["rsj"]
    assert by_code["RS1"]["list"] == "red"
    court = next(field for field in by_code["J01"]["fields"] if field["code"] == "court")
    assert court["required"] is True


def test_a_category_says_how_long_each_degree_lasts_and_what_repair_asks_for():
    machine = Machine(liaison())
    rows = {row["code"]: row for row in machine.get("/categories/", page_size=500)["results"]}
    limits = ("degree", "term_months", "minimum_months", "maximum_months")
    assert [tuple(term[name] for name in limits) for term in rows["H01"]["terms"]] == [
        ("minor", 3, 0, 3),
        ("general", 12, 3, 12),
        ("serious", 36, 12, 36),
    ]
    assert rows["M05"]["terms"][2]["term_months"] == 12
    assert rows["RS1"]["terms"] == []
    assert "足额支付" in rows["M05"]["repair_conditions"]
    masked = {field["code"] for field in rows["J01"]["fields"] if field["masked"]}
    assert masked == {"circumstances"}


def test_a_measure_says_whom_it_reaches_and_to_whom_it_is_kept():
    rows = Machine(liaison()).get("/measures/", page_size=500)["results"]
    by_code = {row["code"]: row for row in rows}
    assert by_code["PA11"]["roles"] == ["legal_representative", "person_in_charge", "practitioner"]
    assert by_code["PA07"]["roles"] == []
    assert by_code["PM04"]["refusal_only"] is True


def test_a_changed_rule_has_another_etag_and_the_same_one_is_not_sent_again():
    machine = Machine(liaison())
    answer = machine.client.get("/api/v1/categories/")
    again = machine.client.get("/api/v1/categories/", headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304
    CategoryTerm.objects.filter(category__code="H01", degree="serious").update(term_months=24)
    assert machine.client.get("/api/v1/categories/")["ETag"] != answer["ETag"]


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
    with django_assert_max_num_queries(6):
        told = machine.get(f"/memoranda/{memorandum.public_id}/")
    signed = {unit["code"] for unit in told["signatories"]}
    assert signed == {row["unit"]["code"] for row in told["measures"]} | {told["lead"]["code"]}
    assert told["in_force"] is True
    assert "M05" in told["categories"]
    row = next(row for row in told["measures"] if row["unit"]["code"] == "czj")
    assert row["article"] == "第五条"
    memorandum.in_force_to = timezone.localdate() - timezone.timedelta(days=1)
    memorandum.save()
    assert machine.get(f"/memoranda/{memorandum.public_id}/")["in_force"] is False
    assert "mou-m" not in [row["code"] for row in machine.get("/memoranda/")["results"]]

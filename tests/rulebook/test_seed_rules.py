import time
from datetime import date

import pytest
from django.apps import apps
from django.core.management import call_command
from django.forms.models import model_to_dict

from casework.models import CalendarYear, Event, SpecialDay
from parties.models import Department
from rulebook import services
from rulebook.models import (
    CategoryField,
    DegreeTerm,
    LegalBasis,
    ListCategory,
    Measure,
    Memorandum,
    MemorandumMeasure,
    Misconduct,
    Parameter,
    RuleVersion,
    parameter,
)
from rulebook.services import seed

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)

MISCONDUCTS = (
    [f"H{i:02}" for i in range(1, 10)]
    + [f"M{i:02}" for i in range(1, 25)]
    + ["J01", "J02"]
    + [f"D{i:02}" for i in range(1, 7)]
    + ["O99"]
)
SOURCES = [f"RS{i}" for i in range(1, 7)]
MEASURES = (
    [f"IA{i:02}" for i in range(1, 7)]
    + ["IM01", "IM02", "IM03", "IM04.1", "IM04.2", "IM04.3", "IM04.4", "IM05", "IM06"]
    + [f"IS{i:02}" for i in range(1, 7)]
    + [f"PA{i:02}" for i in range(1, 16)]
    + [f"PM{i:02}" for i in range(1, 13)]
    + [f"PI{i:02}" for i in range(1, 8)]
    + ["PS01", "PS02", "PS03", "PO"]
)
UNITS = {
    "fgw",
    "platform",
    "scjg",
    "rsj",
    "swj",
    "zjfy",
    "hbj",
    "yjj",
    "zjj",
    "zrzy",
    "jtj",
    "wjw",
    "jyj",
    "gaj",
    "czj",
    "jrb",
    "ggzy",
    "gjj",
    "hg",
    "xfj",
    "rwb",
    "wxb",
    "wmb",
    "tw",
}
DEMO_UNITS = {"bank-demo", "xh-demo"}


@pytest.fixture
def rules(db):
    services.seed_rules()


def everything():
    """All rows of the rules and their links, as plain values."""
    rows = {}
    for label in ("parties.Department", "casework.CalendarYear", "casework.SpecialDay"):
        rows[label] = [*apps.get_model(label).objects.order_by("pk").values()]
    for model in apps.get_app_config("rulebook").get_models(include_auto_created=True):
        rows[model._meta.label] = [*model.objects.order_by("pk").values()]
    return rows


def codes(queryset):
    return set(queryset.values_list("code", flat=True))


def units_asked(category):
    rows = MemorandumMeasure.objects.in_force_for(ListCategory.objects.get(code=category), TODAY)
    return {row.unit.code for row in rows}


def measures_asked(category):
    rows = MemorandumMeasure.objects.in_force_for(ListCategory.objects.get(code=category), TODAY)
    return {row.measure.code for row in rows}


def test_all_codes_of_the_plan_are_there_with_both_names(rules):
    assert codes(Misconduct.objects) == set(MISCONDUCTS)
    assert codes(ListCategory.objects.filter(kind="black")) == set(MISCONDUCTS)
    assert codes(ListCategory.objects.filter(kind="red")) == set(SOURCES)
    assert codes(Measure.objects) == set(MEASURES)
    assert codes(Department.objects) == UNITS
    for model in (Misconduct, ListCategory, Measure, Department, LegalBasis, Memorandum, Parameter):
        assert not model.objects.filter(name="").exists()
        assert not model.objects.filter(name_en="").exists()


def test_every_row_would_pass_its_own_checks(rules):
    for model in (Department, LegalBasis, Misconduct, Measure, ListCategory, CategoryField):
        for row in model.objects.all():
            row.clean_fields()
    for model in (Memorandum, MemorandumMeasure, Parameter, DegreeTerm, CalendarYear, SpecialDay):
        for row in model.objects.all():
            row.clean_fields()


def test_running_it_again_changes_nothing(rules):
    before, lines = everything(), Event.objects.count()
    call_command("seed_rules", verbosity=0)
    call_command("seed_rules", "--update", verbosity=0)
    assert everything() == before
    assert Event.objects.count() == lines
    assert set(ListCategory.objects.values_list("version", flat=True)) == {1}
    assert set(CalendarYear.objects.values_list("version", flat=True)) == {1}


def test_it_is_quick_and_its_queries_do_not_grow_with_the_rows(django_assert_max_num_queries):
    tables = (Memorandum, ListCategory, Measure, Misconduct, LegalBasis, DegreeTerm, Parameter)
    for model in (*tables, CalendarYear, Department):
        model.objects.all().delete()
    started = time.perf_counter()
    with django_assert_max_num_queries(112):
        services.seed_rules()
    assert time.perf_counter() - started < 3
    with django_assert_max_num_queries(40):
        services.seed_rules()


def test_what_the_operator_changed_stays(rules):
    category = ListCategory.objects.get(code="M05")
    ListCategory.objects.filter(code="M05").update(term_months=24, version=2)
    category.fields.filter(code="people").delete()
    category.departments.clear()
    MemorandumMeasure.objects.filter(measure__code="PA07").delete()
    before = everything()
    services.seed_rules()
    assert everything() == before


def test_what_the_operator_removed_or_changed_comes_back_with_update(rules):
    shipped = everything()
    category = ListCategory.objects.get(code="M05")
    ListCategory.objects.filter(code="M05").update(term_months=24)
    ListCategory.objects.get(code="H01").fields.filter(code="licence").update(required=True)
    ListCategory.objects.get(code="H02").departments.add(Department.objects.get(code="tw"))
    category.fields.create(code="extra", title="多余", title_en="Extra", type="text")
    Measure.objects.get(code="PM04").relevant_to.add(Misconduct.objects.get(code="H01"))
    services.seed_rules(update=True)
    versions = dict(ListCategory.objects.values_list("code", "version"))
    assert {code for code, version in versions.items() if version == 2} == {"M05", "H01", "H02"}
    seconds = RuleVersion.objects.filter(version=2)
    assert codes(seconds) == {"M05", "H01", "H02", "PM04"}
    ListCategory.objects.update(version=1)
    history = "rulebook.RuleVersion"  # it only grows
    now = everything()
    assert now.pop(history)[: len(shipped[history])] == shipped.pop(history)
    assert now == shipped


def test_a_changed_rule_in_the_tables_raises_only_that_category(rules, monkeypatch):
    load = seed._load

    def changed(table):
        rows = load(table)
        if table == "categories":
            rows["M06"]["term_months"] = 18
        return rows

    monkeypatch.setattr(seed, "_load", changed)
    services.seed_rules(update=True)
    assert ListCategory.objects.get(code="M06").term_months == 18
    assert codes(ListCategory.objects.filter(version=2)) == {"M06"}


def test_wage_arrears_ask_the_units_that_the_contract_names(rules):
    assert {"ggzy", "czj", "scjg"} <= units_asked("M05")
    assert not DEMO_UNITS & units_asked("M05")
    services.seed_demo_units()
    assert {"ggzy", "czj", "scjg", "bank-demo", "xh-demo"} <= units_asked("M05")
    before = everything()
    services.seed_demo_units()
    services.seed_rules(update=True)
    assert everything() == before


def test_banks_and_associations_are_only_informed():
    services.seed_rules(demo=True)
    rows = MemorandumMeasure.objects.filter(unit__code__in=DEMO_UNITS).select_related()
    assert rows
    assert all(row.advisory for row in rows)


def test_limits_on_travel_and_luxury_fit_only_a_refusal_to_perform(rules):
    limits = Measure.objects.filter(code__in=[f"PM{i:02}" for i in range(2, 9)])
    assert len(limits) == 7
    for measure in limits:
        assert measure.refusal_only
        assert codes(measure.relevant_to) == {"J01", "J02"}
    assert codes(Measure.objects.filter(refusal_only=True)) == codes(limits)
    assert "PM04" in measures_asked("J01")
    assert "PM04" not in measures_asked("H01")


def test_the_flags_of_measures_are_those_of_the_plan(rules):
    assert codes(Measure.objects.filter(advisory=True)) == {"PM09", "PM10", "PM11", "PM12"}
    assert codes(Measure.objects.filter(needs_end_date=True)) == {"PA09", "PA11"}
    assert codes(Measure.objects.filter(persons_only=True)) == {"IA05"}
    assert codes(Measure.objects.filter(needs_basis=True)) == {"PO"}


def test_every_sanction_is_relevant_to_something_and_no_reward_is(rules):
    for measure in Measure.objects.prefetch_related("relevant_to"):
        assert bool(measure.relevant_to.all()) is not measure.is_reward


@pytest.mark.parametrize("category", MISCONDUCTS + SOURCES)
def test_every_category_has_measures_of_its_own_colour_for_several_units(rules, category):
    assert len(units_asked(category)) >= 5
    letter = "I" if category in SOURCES else "P"
    assert {code[0] for code in measures_asked(category)} == {letter}


def test_each_category_names_who_may_list_and_a_basis_that_may_be_published(rules):
    for category in ListCategory.objects.select_related("basis"):
        assert category.departments.exists(), category.code
        assert category.needs_basis is (category.code in {"O99", "RS6"})
        if category.needs_basis:
            assert category.basis is None
        else:
            assert category.basis_article
            assert category.basis.level <= parameter("minimum_basis_level", on=TODAY)


@pytest.mark.parametrize(
    ("category", "department"),
    [("M05", "rsj"), ("M06", "gjj"), ("M02", "swj"), ("J01", "zjfy"), ("H01", "scjg")],
)
def test_the_competent_department_may_list(rules, category, department):
    assert department in codes(ListCategory.objects.get(code=category).departments)


def test_only_three_categories_ask_for_fields_of_their_own(rules):
    required = CategoryField.objects.filter(required=True)
    assert set(required.values_list("category__code", flat=True)) == {"J01", "J02", "M02"}
    court = ListCategory.objects.get(code="J01").fields
    assert {"court", "case_number", "filed_on", "obligation", "performance"} <= codes(court)
    assert "licence" in codes(ListCategory.objects.get(code="H01").fields)
    assert {"tax_kind", "amount"} <= codes(ListCategory.objects.get(code="M02").fields)


def test_terms_lie_within_what_a_serious_degree_allows(rules):
    serious = model_to_dict(DegreeTerm.objects.get(degree="serious"))
    assert serious == {"degree": "serious", "minimum_months": 12, "maximum_months": 36}
    for category in ListCategory.objects.filter(kind="black"):
        assert 12 <= category.term_months <= 36
        assert category.repairable
        assert category.repair_evidence
        assert category.repair_after_months < category.term_months


def test_the_numbers_of_the_rules_are_there_with_their_source(rules):
    expected = {
        "objection_reply": 15,
        "repair_accept": 3,
        "repair_decide": 10,
        "defence": 5,
        "push_feedback": 10,
        "public_notice": 5,
        "recall_confirm": 5,
        "minimum_basis_level": 4,
    }
    assert {code: parameter(code, on=TODAY) for code in expected} == expected
    assert not Parameter.objects.filter(source="").exists()


def test_three_years_are_official_and_the_next_provisional(rules):
    statuses = dict(CalendarYear.objects.values_list("year", "status"))
    assert statuses == {2024: "official", 2025: "official", 2026: "official", 2027: "provisional"}
    assert SpecialDay.objects.filter(kind="work", year_id=2026).count() == 6
    assert not SpecialDay.objects.filter(kind="work", year_id=2027).exists()


def test_an_imported_year_is_never_turned_back(rules):
    CalendarYear.objects.filter(year=2027).update(status="official", version=2)
    services.seed_rules(update=True)
    year = CalendarYear.objects.get(year=2027)
    assert (year.status, year.version) == ("official", 2)

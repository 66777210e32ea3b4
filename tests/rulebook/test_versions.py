"""Every change of a rule is dated and kept, and an entry stays under the rule it was made by."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.utils import translation

from blacklist import services as blacklist
from casework.workdays import add_months
from listings import services as listings
from listings.forms import CorrectForm
from parties.models import Actor, Department
from repair import services as repairs
from rulebook import services
from rulebook.models import (
    CategoryField,
    CategoryTerm,
    DegreeTerm,
    ListCategory,
    Measure,
    Memorandum,
    Misconduct,
    Parameter,
    RuleVersion,
    rule_code,
)
from rulebook.services import VERSIONED, record_version, rule_of
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]
PUBLISHED, TODAY = date(2026, 11, 1), date(2026, 11, 23)
OPERATOR = Actor(label="示例管理员")


def category(code="M05"):
    return ListCategory.objects.get(code=code)


def changed(rule, *, today=TODAY, reason="示例：按新文件调整", **columns):
    """The rule with other columns, as the back office leaves it; returns its last version."""
    type(rule).objects.filter(pk=rule.pk).update(**columns)
    return record_version(rule, actor=OPERATOR, reason=reason, today=today)


def every_rule():
    return [row for model in VERSIONED for row in model.objects.all()]


# ── what is recorded ──────────────────────────────────────────────────────────────────────────


def test_every_seeded_rule_has_its_first_version_and_seeding_again_adds_none():
    count = RuleVersion.objects.count()
    assert count == len(every_rule())
    for rule in every_rule():
        version = RuleVersion.objects.of(rule).get()
        assert (version.version, version.by_label) == (1, "seed_rules")
    call_command("seed_rules", verbosity=0)
    call_command("seed_rules", "--update", verbosity=0)
    assert RuleVersion.objects.count() == count


def test_a_version_holds_the_whole_rule_by_codes():
    content = RuleVersion.objects.of(category()).get().content
    assert content["misconduct"] == "M05"
    assert content["basis"] == "nongmingong-gongzi-tiaoli"
    assert content["departments"] == ["rsj"]
    assert content["fields"]["amount"]["type"] == "amount"
    food = RuleVersion.objects.of(category("H01")).get().content
    assert food["terms"]["serious"]["maximum_months"] == 36
    ban = RuleVersion.objects.of(Measure.objects.get(code="PA11")).get().content
    assert ban["roles"] == ["legal_representative", "person_in_charge", "practitioner"]
    assert "H01" in ban["relevant_to"]
    market = RuleVersion.objects.of(Memorandum.objects.get(code="mou-m")).get().content
    assert market["measures"]["czj PA07"] == {"article": "第五条"}
    assert market["lead"] == "fgw"


@pytest.mark.parametrize(
    ("rule", "columns"),
    [
        (category, {"term_months": 18}),
        (lambda: Measure.objects.get(code="PA07"), {"name": "示例"}),
        (lambda: Memorandum.objects.get(code="mou-m"), {"in_force_to": date(2030, 1, 1)}),
        (lambda: category().basis, {"level": 3}),
        (lambda: Misconduct.objects.get(code="M05"), {"name": "示例"}),
        (lambda: DegreeTerm.objects.get(degree="serious"), {"maximum_months": 30}),
        (lambda: Parameter.objects.get(code="defence"), {"value": 7}),
    ],
    ids=["category", "measure", "memorandum", "basis", "misconduct", "degree", "parameter"],
)
def test_a_change_is_a_version_with_day_person_and_reason_and_no_change_is_none(rule, columns):
    version = changed(rule(), **columns)
    assert (version.version, version.in_force_from) == (2, TODAY)
    assert (version.by_label, version.reason) == ("示例管理员", "示例：按新文件调整")
    again = record_version(rule(), actor=OPERATOR, reason="示例：没有改", today=TODAY)
    assert again == version
    assert RuleVersion.objects.of(rule()).count() == 2


def test_a_changed_part_is_a_change_of_the_rule():
    category().fields.filter(code="people").update(required=True)
    assert changed(category()).content["fields"]["people"]["required"] is True
    CategoryTerm.objects.create(category=category(), degree="serious", term_months=18)
    assert changed(category()).version == 3
    category().departments.add(Department.objects.get(code="scjg"))
    assert changed(category()).content["departments"] == ["rsj", "scjg"]
    flight = Measure.objects.get(code="PM04")
    flight.relevant_to.remove(Misconduct.objects.get(code="J02"))
    assert changed(flight).content["relevant_to"] == ["J01"]
    Memorandum.objects.get(code="mou-m").measures.filter(unit__code="czj").delete()
    assert "czj PA07" not in changed(Memorandum.objects.get(code="mou-m")).content["measures"]


def test_a_category_always_has_the_number_of_its_last_version():
    changed(category(), term_months=18)
    changed(category(), term_months=20)
    services.seed_rules(update=True)
    lasts = RuleVersion.objects.filter(rule="listcategory").values_list("code")
    assert dict(ListCategory.objects.values_list("code", "version")) == dict(
        lasts.annotate(Max("version")).order_by()
    )
    assert category().version == 4
    ListCategory.objects.filter(code="M05").update(version=9)
    record_version(category(), actor=OPERATOR, reason="示例", today=TODAY)
    assert category().version == 4


def test_a_change_without_a_reason_is_refused():
    with pytest.raises(ValidationError):
        changed(category(), reason="", term_months=18)


@pytest.mark.parametrize("act", ["update", "delete"])
def test_a_version_is_never_changed_and_never_deleted(act):
    row = RuleVersion.objects.filter(code="M05")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        row.update(reason=F("code")) if act == "update" else row.delete()


def test_which_version_was_in_force_on_a_day_is_known():
    rule = DegreeTerm.objects.get(degree="serious")
    first = RuleVersion.objects.of(rule).get()
    second = changed(rule, today=date(2030, 1, 1), maximum_months=30)
    assert RuleVersion.objects.in_force(rule, date(2029, 12, 31)) == first
    assert RuleVersion.objects.in_force(rule, date(2030, 1, 1)) == second
    assert RuleVersion.objects.in_force(rule, date(2018, 1, 1)) is None


def test_the_shipped_tables_take_no_field_that_an_entry_uses_and_nothing_an_operator_made():
    field = {"title": "示例", "title_en": "Example"}
    for code in ("used", "unused"):
        CategoryField.objects.create(category=category(), code=code, **field)
    builders.black_draft(details={"used": "示例"})
    own = ListCategory.objects.create(
        code="X01", kind="black", name="示例", name_en="Example", term_months=12
    )
    CategoryField.objects.create(category=own, code="own", **field)
    services.seed_rules(update=True)
    codes = set(CategoryField.objects.values_list("code", flat=True))
    assert {"used", "own"} <= codes
    assert "unused" not in codes


def test_what_changed_is_told_in_words():
    old = RuleVersion.objects.of(category("H01")).get().content
    category("H01").fields.filter(code="licence").update(required=True, disclosure="shared")
    CategoryTerm.objects.filter(category__code="H01", degree="serious").update(term_months=24)
    new = changed(category("H01"), repairable=False, repair_evidence=["甲", "乙"]).content
    told = services.differences(ListCategory, old, new)
    assert ("可修复", "是", "否") in told
    assert ("类别字段 licence 必填", "否", "是") in told
    assert ("类别字段 licence 公开属性", "社会公开", "政务共享") in told
    assert ("按程度的期限 严重 期限（月）", "36", "24") in told
    assert [new for what, _old, new in told if what == "修复要交的材料"] == ["甲、乙"]
    assert len(told) == 5
    assert services.differences(ListCategory, new, new) == []


# ── the rule of an entry ──────────────────────────────────────────────────────────────────────


def test_a_rule_is_read_as_it_was():
    changed(category(), term_months=18, repairable=False, repair_conditions="示例条件")
    category().fields.filter(code="people").update(disclosure="secret", masked=True)
    CategoryTerm.objects.create(category=category(), degree="serious", term_months=20)
    changed(category())
    first, now = rule_of("M05", 1), rule_of(category())
    assert (first.version, now.version) == (1, 3)
    assert (first.term_for("serious"), now.term_for("serious")) == (12, 20)
    assert (first.repairable, now.repairable) == (True, False)
    assert first.repair_evidence == ["工资足额支付凭证", "劳动者签收材料", "信用承诺书"]
    people = [
        next(field for field in rule.fields if field.code == "people") for rule in (first, now)
    ]
    assert [(field.title, field.disclosure, field.masked) for field in people] == [
        ("涉及人数", "public", False),
        ("涉及人数", "secret", True),
    ]
    assert [field.code for field in first.fields] == ["amount", "people", "project", "period"]
    assert "足额支付" in first.conditions
    with translation.override("en"):
        assert "paid in full" in first.conditions


def test_a_rule_of_a_degree_is_that_of_the_day():
    serious = DegreeTerm.objects.get(degree="serious")
    changed(serious, today=date(2030, 1, 1), minimum_months=18, maximum_months=30)
    before, after = (rule_of("M05", 1, on=day) for day in (date(2029, 1, 1), date(2031, 1, 1)))
    assert (before.minimum_for("serious"), before.maximum_for("serious")) == (12, 36)
    assert (after.minimum_for("serious"), after.maximum_for("serious")) == (18, 30)
    oldest = rule_of("M05", 1, on=date(2018, 1, 1))
    assert oldest.minimum_for("serious") == 12


def published(**fields):
    return builders.published_black(today=PUBLISHED, term_months=36, **fields)


def first_day(entry):
    entry = type(entry).objects.get(pk=entry.pk)  # as a page or a service reads it
    return blacklist.repair_from(entry)


def test_an_entry_keeps_its_rule_when_the_rule_becomes_harsher():
    entry = published()
    assert (entry.rule_version, first_day(entry)) == (1, add_months(PUBLISHED, 12))
    changed(category(), repair_after_months=24, repair_evidence=["示例新材料"])
    entry.refresh_from_db()
    assert entry.rule_version == 1
    assert first_day(entry) == add_months(PUBLISHED, 12)
    assert "示例新材料" not in blacklist.repair_terms(entry).evidence
    changed(category(), repairable=False)
    assert first_day(entry) == add_months(PUBLISHED, 12)
    later = published()
    assert later.rule_version == 3
    assert first_day(later) is None


def test_a_longer_minimum_of_the_degree_does_not_reach_back():
    entry = published()
    changed(DegreeTerm.objects.get(degree="serious"), minimum_months=24)
    assert first_day(entry) == add_months(PUBLISHED, 12)


def test_a_milder_rule_reaches_back():
    changed(category(), repair_after_months=30)
    entry = published()
    assert first_day(entry) == add_months(PUBLISHED, 30)
    changed(category(), repair_after_months=18)
    assert first_day(entry) == add_months(PUBLISHED, 18)
    CategoryTerm.objects.create(
        category=category(), degree="serious", term_months=12, minimum_months=6
    )
    changed(category(), repair_after_months=0)
    assert first_day(entry) == add_months(PUBLISHED, 6)


def test_an_entry_that_could_not_be_repaired_can_be_once_the_rule_allows_it():
    changed(category(), repairable=False)
    entry = published()
    assert first_day(entry) is None
    changed(category(), repairable=True, repair_evidence=["示例材料"])
    terms = blacklist.repair_terms(type(entry).objects.get(pk=entry.pk))
    assert (terms.first_day, terms.evidence) == (add_months(PUBLISHED, 12), ["示例材料"])


def test_repair_asks_for_the_papers_of_the_entrys_own_rule():
    entry = builders.repairable(today=TODAY)
    papers = entry.category.repair_evidence
    changed(entry.category, repair_evidence=["示例新材料"], repair_after_months=36)
    entry = type(entry).objects.get(pk=entry.pk)
    with pytest.raises(ValidationError) as refusal:
        builders.repair(entry, today=TODAY, papers=[("示例新材料", None)])
    assert "evidence" in refusal.value.error_dict
    matter, _code = builders.repair(entry, today=TODAY, papers=[(kind, None) for kind in papers])
    assert repairs.earliest(entry) <= TODAY
    assert matter.pk


def test_a_draft_is_made_under_the_rule_in_force_when_it_is_published():
    draft = builders.black_draft(today=TODAY)
    many = [builders.black_draft(today=TODAY) for _n in range(2)]
    assert draft.rule_version == 1
    changed(category(), repair_after_months=24)
    entry = blacklist.publish(draft, actor=Actor.of(builders.reviewer()), today=TODAY)
    assert entry.rule_version == 2
    rows = type(draft).objects.filter(pk__in=[row.pk for row in many])
    blacklist.publish_many(rows, actor=Actor.of(builders.reviewer()), today=TODAY)
    assert set(rows.values_list("rule_version", flat=True)) == {2}


def test_a_field_made_compulsory_later_does_not_stand_in_the_way_of_a_correction():
    entry = published(details={"amount": "86.4"})
    category().fields.filter(code="project").update(required=True)
    changed(category())
    entry = type(entry).objects.get(pk=entry.pk)
    fields = listings.check_correction(entry, {"details": {"amount": "80"}})
    assert fields["details"] == {"amount": "80"}
    assert CorrectForm(listing=entry)["details_project"].field.required is False
    with pytest.raises(ValidationError):
        builders.black_draft(details={"amount": "86.4"})
    later = published(details={"amount": "86.4", "project": "示例工程"})
    with pytest.raises(ValidationError):
        listings.check_correction(later, {"details": {"amount": "80"}})


def test_reading_an_entrys_rule_costs_the_same_however_many_versions(django_assert_num_queries):
    entry = published()
    for months in range(13, 19):
        changed(category(), term_months=months)
        changed(DegreeTerm.objects.get(degree="serious"), minimum_months=months)
    entry = type(entry).objects.select_related("category").get(pk=entry.pk)
    with django_assert_num_queries(3):
        blacklist.repair_from(entry)


def test_the_page_tells_the_conditions_of_the_entrys_own_rule(client):
    entry = published()
    changed(category(), repair_conditions="示例：全新的条件", repair_evidence=["示例新材料"])
    page = client.get(f"/repair/new/?entry={entry.public_id}").content.decode()
    assert "足额支付给劳动者本人" in page
    assert "示例新材料" not in page


def test_a_code_names_each_rule_once():
    codes = [(type(rule), rule_code(rule)) for rule in every_rule()]
    assert len(set(codes)) == len(codes)

"""How long an entry lasts: by its category, its degree, and what the law allows at most."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError

from blacklist import services as blacklist
from blacklist.forms import BlackDraftForm
from casework.workdays import add_months
from listings import services as listings
from listings.models import Listing
from parties.models import Actor
from rulebook.models import CategoryTerm, Degree, DegreeTerm, LegalBasis, ListCategory, Parameter
from tests import builders
from tests.listings.files import Run, copy

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]
TODAY = date(2026, 11, 23)


def category(code):
    return ListCategory.objects.get(code=code)


def term(code, degree, months, **limits):
    row, _made = CategoryTerm.objects.update_or_create(
        category=category(code), degree=degree, defaults={"term_months": months, **limits}
    )
    return row


# ── terms by degree ───────────────────────────────────────────────────────────────────────────


def test_a_serious_wage_case_lasts_twelve_months():
    entry = builders.published_black(today=TODAY)
    assert entry.term_months == 12
    assert entry.visible_until == add_months(TODAY, 12)


def test_a_draft_takes_the_term_of_its_degree_in_its_category():
    term("M05", "serious", 18)
    assert builders.black_draft(today=TODAY).term_months == 18
    assert builders.black_draft(today=TODAY, degree="general").term_months == 12
    assert builders.black_draft(today=TODAY, term_months=15).term_months == 15


def test_a_draft_whose_degree_changes_takes_the_other_term_unless_its_author_wrote_one():
    actor = Actor.of(builders.clerk("scjg"))
    drafts = {"category": "H01", "unit": "scjg", "today": TODAY, "degree": "general"}
    settled = builders.black_draft(**drafts)
    written = builders.black_draft(**drafts, term_months=7)
    assert (settled.term_months, written.term_months) == (12, 7)
    settled = listings.edit(settled, actor=actor, today=TODAY, degree="serious")
    written = listings.edit(written, actor=actor, today=TODAY, degree="serious")
    assert (settled.term_months, written.term_months) == (36, 7)


def test_the_form_begins_with_the_term_of_a_serious_case_and_an_empty_one_is_the_rules():
    term("M05", "serious", 18)
    form = BlackDraftForm(category=category("M05"))
    assert form["term_months"].initial == 18
    assert builders.black_draft(today=TODAY, term_months=None).term_months == 18


def test_an_imported_entry_takes_the_term_of_its_degree(tmp_path):
    term("M05", "serious", 18)
    fixed = ("--list", "black", "--category", "M05", "--department", "rsj")
    Run("import_listings", copy("black.csv", tmp_path), *fixed)
    months = Listing.objects.values_list("degree", "term_months").distinct()
    assert set(months) == {("serious", 18), ("general", 12), ("", 12)}


def test_an_entry_is_public_no_longer_than_its_category_allows_its_degree():
    term("M05", "serious", 12, maximum_months=24)
    assert builders.published_black(today=TODAY, term_months=30).visible_until == add_months(
        TODAY, 24
    )
    far = add_months(TODAY, 120)
    assert builders.published_black(today=TODAY, visible_until=far).visible_until == add_months(
        TODAY, 24
    )


def test_an_entry_is_never_public_longer_than_the_law_allows_its_degree():
    term("M05", "serious", 12, maximum_months=36)
    DegreeTerm.objects.filter(degree="serious").update(maximum_months=30)
    entry = builders.published_black(today=TODAY, term_months=36)
    assert entry.visible_until == add_months(TODAY, 30)


@pytest.mark.parametrize(
    ("minimum", "months"),
    [(None, 12), (6, 6), (18, 18)],
    ids=["the degree's", "its own, shorter", "its own, longer"],
)
def test_repair_waits_for_the_minimum_of_the_degree_in_the_category(minimum, months):
    term("M05", "serious", 24, minimum_months=minimum)
    entry = builders.published_black(today=TODAY, term_months=24)
    assert blacklist.repair_from(entry) == add_months(TODAY, months)


def test_repair_waits_for_the_category_where_it_asks_for_longer():
    ListCategory.objects.filter(code="M05").update(repair_after_months=20)
    entry = builders.published_black(today=TODAY, term_months=24)
    assert blacklist.repair_from(entry) == add_months(TODAY, 20)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"term_months": 11}, "term_months"),
        ({"term_months": 37}, "term_months"),
        ({"term_months": 24, "maximum_months": 23}, "term_months"),
        ({"term_months": 24, "minimum_months": 25}, "term_months"),
        ({"term_months": 24, "maximum_months": 37}, "maximum_months"),
        ({"term_months": 24, "minimum_months": 30, "maximum_months": 24}, "minimum_months"),
    ],
    ids=str,
)
def test_a_term_outside_its_limits_or_the_laws_is_refused(wrong, field):
    with pytest.raises(ValidationError) as refusal:
        CategoryTerm(category=category("M05"), degree="serious", **wrong).full_clean()
    assert field in refusal.value.error_dict


def test_the_terms_that_ship_keep_to_the_law():
    terms = CategoryTerm.objects.all()
    assert terms.filter(category__code="H01", degree="serious").exists()
    for row in terms:
        row.full_clean()
    for row in DegreeTerm.objects.all():
        row.full_clean()


def test_a_degree_whose_minimum_is_longer_than_its_maximum_is_refused():
    with pytest.raises(ValidationError):
        DegreeTerm(degree=Degree.MINOR, minimum_months=4, maximum_months=3).clean()


# ── the basis ─────────────────────────────────────────────────────────────────────────────────


def refused(draft, unit):
    """The code with which publication is refused for the draft's basis."""
    with pytest.raises(ValidationError) as refusal:
        blacklist.publish(draft, actor=Actor.of(builders.reviewer(unit)), today=TODAY)
    return refusal.value.error_dict["basis"][0].code


def basis(code="示例", level=1, **days):
    return LegalBasis.objects.create(
        code=code, name="示例条例", name_en="Example", level=level, source="示例",
        **{"in_force_from": date(2020, 1, 1), **days},
    )  # fmt: skip


def test_a_basis_too_low_for_the_operator_carries_no_entry():
    draft = builders.black_draft(today=TODAY)
    assert draft.basis.level == 2
    Parameter.objects.filter(code="minimum_basis_level").update(value=1)
    assert refused(draft, "rsj") == "basis_too_low"


@pytest.mark.parametrize(
    "days",
    [
        {"in_force_from": TODAY + timedelta(days=1)},
        {"in_force_to": TODAY - timedelta(days=1)},
    ],
    ids=["not yet", "no more"],
)
def test_a_basis_that_is_not_in_force_carries_no_entry(days):
    draft = builders.black_draft(today=TODAY)
    LegalBasis.objects.filter(pk=draft.basis_id).update(**days)
    assert refused(draft, "rsj") == "basis_not_in_force"
    builders.black_draft(today=TODAY)  # a draft may wait for its law


@pytest.mark.parametrize(
    "day", [{"in_force_from": TODAY}, {"in_force_to": TODAY}], ids=["first", "last"]
)
def test_a_basis_carries_entries_on_its_first_day_and_on_its_last(day):
    draft = builders.black_draft(today=TODAY)
    LegalBasis.objects.filter(pk=draft.basis_id).update(**day)
    blacklist.publish(draft, actor=Actor.of(builders.reviewer()), today=TODAY)


def test_the_entrys_own_basis_counts_and_not_the_categorys():
    LegalBasis.objects.filter(pk=category("M05").basis_id).update(in_force_to=date(2026, 1, 1))
    entry = builders.published_black(today=TODAY, basis=basis())
    assert entry.basis.code == "示例"
    assert refused(builders.black_draft(today=TODAY, basis=basis("低", level=6)), "rsj") == (
        "basis_too_low"
    )


def test_a_category_without_a_basis_of_its_own_asks_each_entry_for_one():
    other = builders.black_draft(category="O99", unit="scjg", today=TODAY)
    assert other.basis is None
    assert refused(other, "scjg") == "no_basis"
    named = builders.black_draft(category="O99", unit="scjg", today=TODAY, basis=basis())
    blacklist.publish(named, actor=Actor.of(builders.reviewer("scjg")), today=TODAY)
    with pytest.raises(ValidationError) as refusal:
        builders.red_published(category="RS6", today=TODAY)
    assert refusal.value.error_dict["basis"][0].code == "no_basis"
    assert builders.red_published(category="RS6", today=TODAY, basis=basis("红")).basis


def test_many_drafts_are_held_back_by_the_same_reasons():
    draft = builders.black_draft(category="O99", unit="scjg", today=TODAY)
    reviewer = Actor.of(builders.reviewer("scjg"))
    rows = type(draft).objects.filter(pk=draft.pk)
    ready, held = blacklist.publish_many(rows, actor=reviewer, today=TODAY)
    assert not ready
    assert held[draft.pk][0] == "no_basis"

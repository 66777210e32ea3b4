"""Entries: what a draft may hold, what a correction may change, what the ledger notices."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone

from blacklist import services as blacklist
from casework.moves import IllegalMove
from listings import ledger
from listings import services as listings
from listings.models import Listing, ListingVersion
from parties.models import Actor
from rulebook.models import LegalBasis, ListCategory, Measure
from tests import builders

TODAY = date(2026, 11, 23)


def category(code):
    return ListCategory.objects.get(code=code)


def edit(draft, **fields):
    return listings.edit(draft, actor=Actor.of(builders.clerk()), today=TODAY, **fields)


@pytest.mark.parametrize(
    "field",
    [
        {"document_date": 5},
        {"document_date": "2026-02-30"},
        {"document_number": {"a": 1}},
        {"ground": "有\x00空字符"},
        {"ground": "半个\ud800字"},
        {"term_months": "很久"},
        {"term_months": 30_000},
        {"term_months": float("inf")},
        {"visible_until": date.max},
        {"measure_codes": 5},
        {"measure_codes": [{"code": "PA07"}]},
        {"measure_codes": ["IA01"]},
        {"measure_codes": ["PM04"]},
        {"measure_until": ["PA09"]},
        {"measure_until": {"PA09": "很久以后"}},
        {"measure_until": {"PA09": "9999-12-31"}},
        {"measure_until": {"PA09": "2020-01-01"}},
        {"measure_until": {"XX": "2027-01-01"}},
        {"details": "不是表"},
        {"subject_id": 1},
    ],
    ids=str,
)
def test_what_no_column_could_keep_is_a_refusal_in_words(rules, field):
    with pytest.raises(ValidationError):
        builders.black_draft(today=TODAY, **field)
    draft = builders.black_draft(today=TODAY)
    with pytest.raises(ValidationError):
        edit(draft, **field)


@pytest.mark.parametrize("amount", ["很多", "-1", "NaN", "1e99", "1e-999999", {"a": 1}, ["1"]])
def test_an_amount_that_is_none_is_refused(rules, amount):
    details = {"tax_kind": "增值税", "amount": amount}
    with pytest.raises(ValidationError) as refusal:
        builders.black_draft(unit="swj", category="M02", today=TODAY, details=details)
    assert "details.amount" in refusal.value.error_dict


def test_a_flight_limit_is_for_those_who_could_pay_even_where_the_matrix_is_wrong(rules):
    flight = Measure.objects.get(code="PM04")
    flight.relevant_to.add(category("M05").misconduct)
    with pytest.raises(ValidationError):
        builders.black_draft(today=TODAY, measure_codes=["PM04"])


def test_a_draft_goes_to_no_category_that_its_department_may_not_use(rules):
    draft = builders.black_draft(today=TODAY)
    with pytest.raises(PermissionDenied):
        edit(draft, category=category("H01"))


def test_a_draft_never_changes_its_list(rules):
    draft = builders.black_draft(today=TODAY, reference="示例-1")
    category("RS1").departments.add(draft.department)
    with pytest.raises(ValidationError):
        edit(draft, category=category("RS1"))
    with pytest.raises(ValidationError):
        builders.red_draft(unit="rsj", today=TODAY, reference="示例-1")


def test_a_basis_that_has_lapsed_carries_no_entry(rules):
    draft = builders.black_draft(today=TODAY)
    LegalBasis.objects.filter(pk=draft.basis_id).update(in_force_to=TODAY - timedelta(days=1))
    with pytest.raises(ValidationError) as refusal:
        blacklist.publish(draft, actor=Actor.of(builders.reviewer()), today=TODAY)
    assert refusal.value.error_dict["basis"][0].code == "basis_not_in_force"


@pytest.mark.parametrize(
    "fields",
    [
        {"visible_until": None},
        {"visible_until": "2020-01-01"},
        {"visible_until": "2099-01-01"},
        {"document_number": ""},
        {"document_date": None},
        {"document_date": 5},
        {"document_date": "2099-01-01"},
        {"ground": ""},
        {"ground": "有\x00空字符"},
        {"ground": ["不是文字"]},
        {"details": {"没有": "这一项"}},
    ],
    ids=str,
)
def test_a_correction_empties_lengthens_and_breaks_nothing(rules, fields):
    entry = builders.published_black(today=TODAY)
    with pytest.raises(ValidationError):
        listings.check_correction(entry, fields)


def test_a_correction_to_another_entrys_document_is_a_duplicate(rules):
    firm = builders.firm()
    first = builders.published_black(firm, today=TODAY)
    second = builders.published_black(firm, today=TODAY)
    with pytest.raises(ValidationError) as refusal:
        listings.check_correction(second, {"document_number": first.document_number})
    assert refusal.value.error_dict["document_number"][0].code == "duplicate"


@pytest.mark.parametrize("action", ["correct", "withdraw"])
def test_what_is_over_by_its_dates_is_changed_no_more_sweep_or_no_sweep(rules, action):
    entry = builders.last_public_day(TODAY - timedelta(days=1))
    clerk, reviewer = Actor.of(builders.clerk()), Actor.of(builders.reviewer())
    if action == "correct":
        fields = {"ground": "示例：金额更正为 80 万元。"}
        proposal = listings.propose_correction(entry, fields, actor=clerk, note="示例")
    else:
        proposal = listings.propose_withdrawal(entry, reason="error", actor=clerk, note="示例")
    with pytest.raises(IllegalMove):
        listings.approve(proposal, actor=reviewer, today=TODAY)
    proposal.refresh_from_db()
    assert proposal.status == "proposed"


def test_a_correction_does_not_restart_the_term(rules):
    entry = builders.published_black(today=TODAY - timedelta(days=100))
    proposal = listings.propose_correction(
        entry, {"ground": "示例：更正。"}, actor=Actor.of(builders.clerk()), note="示例"
    )
    listings.approve(proposal, actor=Actor.of(builders.reviewer()), today=TODAY)
    fresh = Listing.objects.get(pk=entry.pk)
    assert (fresh.published_on, fresh.visible_until) == (entry.published_on, entry.visible_until)
    current = ListingVersion.objects.get(listing=entry, to_seq=None)
    assert current.in_force.lower == entry.published_on


def test_an_entry_put_back_among_the_drafts_is_noticed(rules):
    entry = builders.published_black(today=timezone.localdate())
    assert ledger.verify_entries() is None
    Listing.objects.filter(pk=entry.pk).update(status="draft")
    assert ledger.verify_entries() is not None


def test_the_body_of_a_live_entry_that_has_vanished_is_noticed(rules):
    entry = builders.published_black(today=timezone.localdate())
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM listings_changebody")
    assert ledger.verify().seq == entry.history.last().seq
    assert ledger.verify_entries().seq == entry.history.last().seq

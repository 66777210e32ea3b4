"""The builders make what they promise, in states that can be reached."""

import pytest
from django.urls import reverse
from django.utils import timezone

from casework.moves import IllegalMove
from listings import ledger
from parties.models import ApiKey, Role
from tests import builders

pytestmark = pytest.mark.usefixtures("rules")


def test_entries_of_both_lists_are_public_on_the_day_they_are_published():
    today = timezone.localdate()
    for listing in (builders.published_black(), builders.red_published()):
        assert listing.is_public(today)
        assert listing.published_on == today
    assert ledger.verify() is None
    assert ledger.verify_entries() is None


def test_a_person_and_a_court_case_can_be_listed():
    listing = builders.published_black(builders.person(), unit="zjfy", category="J01")
    assert listing.subject.display_name == "张*"


def test_an_entry_whose_last_day_was_yesterday_is_off_its_list():
    today = timezone.localdate()
    listing = builders.last_public_day(today - builders.DAY)
    assert listing.status == "published"
    assert not listing.is_public(today)


def test_a_draft_without_notice_cannot_be_published():
    draft = builders.black_draft(notice=False)
    assert draft.status == "draft"
    assert draft.can("publish")


def test_remedies_are_received():
    matter, query_code = builders.objection()
    assert (matter.status, len(query_code)) == ("received", 10)
    assert matter.listing.can("correct")
    application, _code = builders.repair()
    assert application.status == "received"
    with pytest.raises(IllegalMove):
        builders.repairs.approve_decision(
            application,
            actor=builders.Actor.of(builders.reviewer("zrzy")),
            today=timezone.localdate(),
        )


def test_officers_sign_in_with_their_second_factor(client):
    user = builders.officer("rsj", Role.CLERK)
    assert user == builders.officer("rsj", Role.CLERK)
    builders.signed_in(client, user)
    session = client.session
    assert session["otp_device_id"]
    assert reverse("home") == "/"


def test_a_key_acts_for_its_officer():
    raw = builders.api_key(builders.liaison("bank-demo"), "read", "feedback")
    key = ApiKey.objects.get_from_key(raw)
    assert key.scopes == ["read", "feedback"]
    assert key.officer.department.code == "bank-demo"


@pytest.mark.django_db(transaction=True)
def test_a_test_with_real_transactions_leaves_an_empty_ledger(rules):
    builders.published_black()
    assert ledger.head().seq == 1

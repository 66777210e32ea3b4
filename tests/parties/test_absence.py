"""Standing in for a colleague who is away: dated, journalled, and still two pairs of eyes."""

from datetime import date, timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from blacklist import services as blacklist
from listings import policies as listings
from listings.models import Listing
from objections import policies as objections
from parties import services
from parties.models import AccountEvent, Actor, Delegation, Role, User
from repair import policies as repair
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]
DAY = timedelta(days=1)


def fresh(user):
    """The account as a new request meets it."""
    return User.objects.get(pk=user.pk)


def lent(from_user, to_user, *, days=3, actor=None, starts=None):
    starts = starts or timezone.localdate()
    return services.delegate(
        from_user,
        to_user,
        starts=starts,
        ends=starts + days * DAY,
        why="示例出差",
        actor=actor or Actor.of(from_user),
    )


def test_who_stands_in_has_the_roles_for_these_days_and_no_longer():
    clerk, reviewer = builders.clerk(), builders.reviewer()
    today = timezone.localdate()
    lent(reviewer, clerk, days=2)
    assert fresh(clerk).has_role(Role.REVIEWER)
    noon = timezone.make_aware(timezone.datetime(today.year, today.month, today.day, 12))
    with time_machine.travel(noon + 2 * DAY, tick=False):
        assert fresh(clerk).has_role(Role.REVIEWER)
    with time_machine.travel(noon + 3 * DAY, tick=False):
        assert not fresh(clerk).has_role(Role.REVIEWER)


def test_one_that_begins_tomorrow_gives_nothing_today():
    clerk, reviewer = builders.clerk(), builders.reviewer()
    lent(reviewer, clerk, starts=timezone.localdate() + DAY)
    assert not fresh(clerk).has_role(Role.REVIEWER)


def test_what_is_lent_is_not_lent_on_and_the_vault_is_not_lent_at_all():
    keeper = builders.officer("fgw", Role.VAULT, Role.SUPERVISOR)
    clerk = builders.clerk("fgw")
    lent(keeper, clerk)
    assert fresh(clerk).has_role(Role.SUPERVISOR)
    assert not fresh(clerk).has_role(Role.VAULT)
    third = builders.liaison("fgw")
    with pytest.raises(ValidationError):
        lent(clerk, third)


def test_whoever_has_left_or_works_elsewhere_by_now_lends_nothing():
    clerk, reviewer = builders.clerk(), builders.reviewer()
    lent(reviewer, clerk)
    User.objects.filter(pk=reviewer.pk).update(is_active=False)
    assert not fresh(clerk).has_role(Role.REVIEWER)
    User.objects.filter(pk=reviewer.pk).update(
        is_active=True, department=builders.department("hbj")
    )
    assert not fresh(clerk).has_role(Role.REVIEWER)


def test_four_eyes_counts_people_whoever_stands_in_for_whom():
    clerk, reviewer = builders.clerk(), builders.reviewer()
    lent(reviewer, clerk)
    own = builders.black_draft()
    with pytest.raises(PermissionDenied):
        blacklist.publish(own, actor=Actor.of(fresh(clerk)), today=timezone.localdate())
    theirs = builders.black_draft()
    other = builders.officer("rsj", Role.REVIEWER.value, username="rsj-other")
    blacklist.edit(theirs, actor=Actor.of(other), today=timezone.localdate(), ground="示例：改。")
    lent(other, builders.officer("rsj", Role.REVIEWER.value, username="rsj-third"))
    third = fresh(builders.officer("rsj", Role.REVIEWER.value, username="rsj-third"))
    assert third.has_role(Role.REVIEWER)
    with pytest.raises(PermissionDenied):  # though a reviewer by own right
        blacklist.publish(theirs, actor=Actor.of(third), today=timezone.localdate())
    assert (
        blacklist.publish(
            theirs, actor=Actor.of(fresh(reviewer)), today=timezone.localdate()
        ).status
        == "published"
    )


@pytest.mark.parametrize(
    "may",
    [
        objections.may_approve,
        repair.may_approve,
        lambda user, matter: listings.may_decide_proposal(
            user, SimpleNamespace(listing=matter, proposed_by_id=matter.proposed_by_id)
        ),
    ],
)
def test_nobody_approves_what_the_one_proposed_for_whom_they_stand_in(may):
    away, reviewer = builders.officer("rsj", Role.REVIEWER.value, username="x"), builders.reviewer()
    matter = SimpleNamespace(department_id=reviewer.department_id, proposed_by_id=away.pk)
    assert may(fresh(reviewer), matter)
    made = lent(away, reviewer)
    assert not may(fresh(reviewer), matter)
    services.end_delegation(made, actor=Actor.of(away))
    assert may(fresh(reviewer), matter)


def test_what_the_absent_one_wrote_is_not_offered_for_approval():
    reviewer = builders.reviewer()
    builders.black_draft()
    lent(builders.clerk(), reviewer)
    assert not Listing.objects.not_written_by(fresh(reviewer)).exists()
    Delegation.objects.update(ended_at=timezone.now())
    assert Listing.objects.not_written_by(fresh(reviewer)).count() == 1
    assert Listing.objects.written_by(builders.clerk()).count() == 1
    assert not Listing.objects.written_by(reviewer).exists()


def test_a_draft_of_a_third_person_is_published_and_signed_in_whose_place():
    liaison, reviewer = builders.officer("rsj", Role.LIAISON.value), builders.reviewer()
    lent(reviewer, liaison)
    entry = blacklist.publish(
        builders.black_draft(), actor=Actor.of(fresh(liaison)), today=timezone.localdate()
    )
    line = entry.journal.filter(action="publish").get()
    assert line.by_user == liaison
    assert line.by_label == f"{liaison}（代 {reviewer} 办理）"


def test_what_one_may_oneself_is_signed_with_the_own_name_alone():
    clerk, reviewer = builders.clerk(), builders.reviewer()
    lent(reviewer, clerk)
    acting = fresh(clerk)
    assert acting.has_role(Role.REVIEWER)
    draft = builders.black_draft()
    blacklist.edit(draft, actor=Actor.of(acting), today=timezone.localdate(), ground="示例：改。")
    assert draft.journal.filter(action="edit").latest("pk").by_label == str(clerk)


def test_a_key_of_somebody_who_stands_in_has_no_more_rights_and_no_second_pair_of_eyes():
    reviewer = builders.reviewer()
    other = builders.officer("rsj", Role.REVIEWER.value, username="rsj-other")
    clerk = builders.clerk()
    lent(other, clerk)
    draft = builders.black_draft()
    clerks = builders.Machine(clerk)
    clerks.post(f"/listings/{draft.public_id}/publish/", {"version": draft.version}, 403)
    services.end_delegation(Delegation.objects.get(), actor=Actor.of(other))
    lent(clerk, reviewer)  # who wrote the draft is away
    machine = builders.Machine(reviewer)
    machine.post(f"/listings/{draft.public_id}/publish/", {"version": draft.version}, 403)


def test_only_the_person_and_the_platform_operator_say_who_stands_in():
    clerk, reviewer = builders.clerk(), builders.reviewer()
    for who in (clerk, builders.supervisor(), builders.officer("rsj", Role.LIAISON.value)):
        with pytest.raises(PermissionDenied):
            lent(reviewer, clerk, actor=Actor.of(who))
    made = lent(reviewer, clerk, actor=Actor.of(builders.operator()))
    with pytest.raises(PermissionDenied):
        services.end_delegation(made, actor=Actor.of(clerk))
    services.end_delegation(made, actor=Actor.of(reviewer))
    assert not fresh(clerk).has_role(Role.REVIEWER)
    with pytest.raises(ValidationError):
        services.end_delegation(made, actor=Actor.of(reviewer))
    lines = AccountEvent.objects.filter(account=reviewer).values_list("action", flat=True)
    assert list(lines) == ["delegate", "end_delegation"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"starts": -1, "ends": 2}, "starts"),
        ({"starts": 3, "ends": 2}, "ends"),
        ({"starts": 0, "ends": 92}, "ends"),
        ({"starts": 400, "ends": 401}, "starts"),
    ],
)
def test_days_that_are_none_are_named(change, field):
    clerk, reviewer, today = builders.clerk(), builders.reviewer(), timezone.localdate()
    with pytest.raises(ValidationError) as refusal:
        services.delegate(
            reviewer,
            clerk,
            why="示例",
            actor=Actor.of(reviewer),
            **{name: today + days * DAY for name, days in change.items()},
        )
    assert list(refusal.value.error_dict) == [field]


def test_of_two_for_the_same_days_the_second_is_refused():
    clerk, reviewer = builders.clerk(), builders.reviewer()
    other = builders.officer("rsj", Role.LIAISON.value)
    lent(reviewer, clerk)
    for who in (clerk, other):
        with pytest.raises(ValidationError) as refusal:
            lent(reviewer, who, starts=timezone.localdate() + 2 * DAY)
        assert "starts" in refusal.value.error_dict
    with pytest.raises(ValidationError):  # who is away stands in for nobody
        lent(other, reviewer)
    with pytest.raises(ValidationError):  # and nobody of another department
        lent(other, builders.clerk("hbj"))
    with pytest.raises(ValidationError):
        lent(other, other)


def test_whom_one_stands_in_for_costs_no_question_of_its_own(django_assert_num_queries):
    clerk, reviewer = builders.clerk(), builders.reviewer()
    lent(reviewer, clerk)
    with django_assert_num_queries(1):
        acting = User.objects.with_standing(timezone.localdate()).get(pk=clerk.pk)
        assert acting.department.code == "rsj"
        assert acting.has_role(Role.REVIEWER)
        assert not acting.sees_all
        assert acting.speaks_for == {clerk.pk, reviewer.pk}


def test_a_page_of_the_desk_costs_no_more_for_who_stands_in():
    clerk, reviewer = builders.clerk(), builders.reviewer()
    browser = builders.signed_in(Client(), clerk)

    def cost():
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(reverse("desk-notices")).status_code == 200
        return len(asked)

    cost()
    before = cost()
    lent(reviewer, clerk)
    assert cost() == before


def test_it_is_done_and_undone_on_the_own_page():
    clerk, reviewer = builders.clerk(), builders.reviewer()
    browser = builders.signed_in(Client(), reviewer)
    page, today = reverse("desk-account"), timezone.localdate()
    given = {
        "act": "delegate",
        "to_user": clerk.pk,
        "starts": today,
        "ends": today,
        "why": "示例",
    }
    bad = browser.post(page, given | {"to_user": builders.clerk("hbj").pk})
    assert bad.status_code == 400
    assert not Delegation.objects.exists()
    assert browser.post(page, given).status_code == 302
    again = browser.post(page, given)
    assert again.status_code == 400
    assert "这段日期已经委托过" in again.content.decode()
    made = Delegation.objects.get()
    desk = builders.signed_in(Client(), clerk).get(reverse("desk-account")).content.decode()
    assert f"代 {reviewer}" in desk
    act = {"act": "end_delegation", "delegation": made.public_id}
    assert builders.signed_in(Client(), clerk).post(page, act).status_code == 404
    assert browser.post(page, act).status_code == 302
    assert browser.post(page, act).status_code == 400
    for wrong in ("", "x", "0" * 32):
        answer = browser.post(page, {"act": "end_delegation", "delegation": wrong})
        assert answer.status_code == 404
    assert browser.post(page, {"act": "x"}).status_code == 404


def test_dates_of_another_calendar_are_no_fault():
    assert not Delegation.objects.in_force(date(9999, 12, 31)).exists()

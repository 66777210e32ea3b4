"""The black list looked at again: at nomination, and when a recognised subject gets on it."""

from datetime import date, timedelta

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from casework.moves import IllegalMove
from casework.workdays import add_working_days
from jointaction import services as jointaction
from listings import services as listings
from notices.models import Notice
from parties.models import Actor
from redlist import services
from redlist.models import Review, Screening
from tests import builders

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)
NOTE = "黑名单记录已撤下，经复核予以保留。"


@pytest.fixture(autouse=True)
def _rules(rules):
    pass


def both():
    """A red and a black entry of one firm, the red one first."""
    red = builders.red_published(today=TODAY - 30 * DAY)
    return red, builders.published_black(red.subject, today=TODAY)


def reviewed():
    red, black = both()
    services.review_black_listed(today=TODAY)
    return red, black, Review.objects.get()


def withdraw(entry, today=TODAY):
    listings.withdraw(
        entry, reason="error", actor=Actor.of(builders.reviewer()), note="列错", today=today
    )


def keep(review, user=None, note=NOTE, today=TODAY):
    actor = Actor.of(user or builders.reviewer("scjg"))
    return services.keep(review, actor=actor, note=note, today=today)


def test_a_nomination_is_screened_at_once_and_says_what_was_found():
    firm = builders.firm()
    clear = builders.red_draft(firm).screenings.get()
    assert (clear.stage, clear.clear, clear.found) == ("nomination", True, "")
    black = builders.published_black(builders.firm())
    found = builders.red_draft(black.subject).screenings.get()
    assert not found.clear
    assert "恶意欠薪" in found.found


def test_a_nomination_that_nobody_screened_is_screened_by_the_sweep_once():
    nomination = builders.red_draft()
    Screening.objects.all().delete()
    assert services.screen_nominations(today=TODAY) == 1
    assert services.screen_nominations(today=TODAY) == 0
    assert nomination.screenings.get().stage == "nomination"


def test_recognition_leaves_a_screening_of_its_own():
    entry = builders.red_published()
    assert [row.stage for row in entry.screenings.all()] == ["recognition", "nomination"]


def test_a_recognised_subject_on_the_black_list_is_put_to_review_once():
    red, black, review = reviewed()
    assert (review.listing_id, review.black_id, review.status) == (red.pk, black.pk, "open")
    assert review.due_on == add_working_days(TODAY, 10)
    assert review.journal.get().action == "open"
    assert red.screenings.first().stage == "later"
    assert Notice.objects.filter(department__code="scjg", title__contains="请复核").count() == 1
    assert services.review_black_listed(today=TODAY) == 0
    builders.published_black(red.subject, today=TODAY, category="M09", unit="zrzy")
    assert services.review_black_listed(today=TODAY + 9 * DAY) == 1


def test_a_subject_on_one_list_only_is_put_to_no_review():
    builders.red_published(today=TODAY)
    builders.published_black(today=TODAY)
    assert services.review_black_listed(today=TODAY) == 0


def test_benefits_are_suspended_at_once_whether_or_not_a_sweep_has_run(client):
    red, _black = both()
    user = builders.liaison("czj")
    asked = [{"code": red.subject.code}]
    _check, [result] = jointaction.check(
        asked, actor=Actor.of(user), purpose="评优", reference="示例1", today=TODAY
    )
    suppressed = {match.listing.kind: match.suppressed for match in result.matches}
    assert suppressed == {"black": False, "red": True}
    assert not next(match for match in result.matches if match.listing.kind == "red").measures


def test_a_red_entry_is_kept_only_once_its_subject_is_off_the_black_list():
    _red, black, review = reviewed()
    with pytest.raises(ValidationError) as refused:
        keep(review)
    assert refused.value.code == "black_listed"
    withdraw(black)
    with pytest.raises(ValidationError, match="复核意见"):
        keep(review, note=" ")
    assert keep(review).status == "kept"
    with pytest.raises(IllegalMove):
        keep(review)


def test_neither_the_author_nor_another_department_decides_a_review():
    _red, black, review = reviewed()
    withdraw(black)
    for user in (builders.clerk("scjg"), builders.reviewer("rsj"), builders.supervisor()):
        with pytest.raises(PermissionDenied):
            keep(review, user)


def test_a_review_ends_with_its_red_entry():
    red, _black, review = reviewed()
    listings.withdraw(
        red,
        reason="recognition_withdrawn",
        actor=Actor.of(builders.reviewer("scjg")),
        note="已被列入黑名单",
        today=TODAY,
    )
    services.review_black_listed(today=TODAY)
    review.refresh_from_db()
    assert review.status == "ended"
    assert services.review_black_listed(today=TODAY) == 0


def test_an_overdue_review_is_told_to_the_department_and_the_lead_unit_once():
    _red, _black, review = reviewed()
    late = review.due_on + DAY
    assert services.chase_reviews(today=review.due_on, lead_unit=settings.LEAD_UNIT) == 0
    assert services.chase_reviews(today=late, lead_unit=settings.LEAD_UNIT) == 1
    assert services.chase_reviews(today=late + 9 * DAY, lead_unit=settings.LEAD_UNIT) == 0
    told = Notice.objects.filter(title__contains="复核逾期")
    assert set(told.values_list("department__code", flat=True)) == {"scjg", settings.LEAD_UNIT}


def test_the_desk_shows_the_review_and_keeps_the_entry(client, time_machine):
    time_machine.move_to("2026-11-23T10:00:00+08:00", tick=False)
    _red, black, review = reviewed()
    builders.signed_in(client, builders.reviewer("scjg"))
    page = reverse("desk-red-review", args=[review.public_id])
    assert "待复核" in client.get("/desk/?kind=review").content.decode()
    assert "现在不能保留" in client.get(page).content.decode()
    withdraw(black)
    assert client.post(page, {"note": ""}).status_code == 400
    answer = client.post(page, {"note": NOTE}, follow=True).content.decode()
    assert "已予以保留" in answer
    assert Review.objects.get().status == "kept"
    builders.signed_in(client, builders.clerk("rsj"))
    assert client.get(page).status_code == 404

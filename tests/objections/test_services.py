"""Filing and answering, with what no column could keep and two replies at once."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from listings.models import Listing
from objections import services as objections
from parties.models import Actor
from tests import builders

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    "applicant",
    [
        {"name": "长" * 201},
        {"name": "有\x00空"},
        {"email": "a" * 250 + "@example.cn"},
        {"email": "不是地址"},
    ],
    ids=str,
)
def test_an_applicant_that_no_column_could_keep_is_refused_in_words(rules, applicant):
    entry, given = builders.published_black(today=TODAY), {**builders.APPLICANT, **applicant}
    with pytest.raises(ValidationError):
        builders.objection(entry, today=TODAY, applicant=given)
    with pytest.raises(ValidationError):
        builders.repair(today=TODAY, applicant=given)


@pytest.mark.parametrize("day", [date.min, date(2010, 1, 1)])
def test_a_day_of_receipt_before_the_rule_is_refused_in_words(rules, day):
    entry = builders.red_published(today=TODAY)
    with pytest.raises(ValidationError):
        builders.objection(entry, received_on=day, today=TODAY)


def test_an_entry_that_is_over_by_its_dates_stays_as_it_ended(rules):
    last = date(2026, 11, 20)
    entry = builders.last_public_day(last)
    matter, _code = builders.objection(entry, received_on=last, today=last)
    matter = objections.propose_reply(
        matter,
        actor=Actor.of(builders.clerk()),
        outcome="upheld_withdrawn",
        reasons="经核查，确属列入有误，予以撤下。",
        today=TODAY,
    )
    objections.approve_reply(matter, actor=Actor.of(builders.reviewer()), today=TODAY)
    assert Listing.objects.get(pk=entry.pk).status_on(TODAY) == "expired"

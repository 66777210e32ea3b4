"""The way onto the red list: the public notice is about this subject, on real days."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError

from parties.models import Actor
from redlist import services as redlist
from tests import builders

TODAY = date(2026, 11, 23)


def test_a_public_notice_about_one_firm_recognises_no_other(rules):
    draft = builders.red_draft(today=TODAY)
    redlist.edit(
        draft,
        actor=Actor.of(builders.clerk("scjg")),
        today=TODAY,
        source="RS1",
        nominator="通化市示例行业协会",
        subject=builders.firm(),
    )
    with pytest.raises(ValidationError) as refusal:
        redlist.publish(draft, actor=Actor.of(builders.reviewer("scjg")), today=TODAY)
    assert refusal.value.error_dict["public_notice"][0].code == "notice_open"


def test_a_public_notice_at_the_end_of_time_is_refused_in_words(rules):
    draft = builders.red_draft(today=TODAY, notice=False)
    with pytest.raises(ValidationError):
        redlist.announce(
            draft,
            actor=Actor.of(builders.clerk("scjg")),
            today=TODAY,
            notice_from=date.max - timedelta(days=3),
            notice_until=date.max,
        )

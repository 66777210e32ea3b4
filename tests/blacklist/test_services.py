"""The way onto the black list: who may approve what they have seen, and whom a notice is about."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from blacklist import services as blacklist
from blacklist.models import PriorNotice
from casework.moves import StaleVersion
from casework.workdays import add_working_days
from parties.models import Actor
from tests import builders

TODAY = date(2026, 11, 23)
SERVED = TODAY - timedelta(days=25)


def publish(draft, actor=None, **options):
    actor = actor or Actor.of(builders.reviewer())
    return blacklist.publish(draft, actor=actor, today=TODAY, **options)


def notice():
    return {"served_on": SERVED, "means": "post", "defence_until": add_working_days(SERVED, 5)}


def changes():
    clerk = {"actor": Actor.of(builders.clerk())}
    person = {"name": "张示例", "id_type": "resident_id", "id_number": builders.resident_id(7)}
    about = {"role": "legal_representative", "fact": "示例", "basis": "示例"}
    defence = {"received_on": SERVED, "text": "示例意见", "opinion": "示例答复"}
    return {
        "serve_notice": lambda d: blacklist.serve_notice(d, today=TODAY, **notice(), **clerk),
        "record_defence": lambda d: blacklist.record_defence(d, **defence, **clerk),
        "name_responsible_persons": lambda d: blacklist.name_responsible_persons(
            d, [{**person, **about}], today=TODAY, **clerk
        ),
    }


@pytest.mark.parametrize("act", ["serve_notice", "record_defence", "name_responsible_persons"])
def test_an_approver_who_has_not_seen_the_last_version_is_refused(rules, act):
    draft = builders.black_draft(today=TODAY)
    changes()[act](draft)
    with pytest.raises(StaleVersion):
        publish(draft, expected_version=draft.version)


def test_what_the_subject_said_is_in_no_journal_line(rules):
    draft = builders.black_draft(today=TODAY)
    changes()["record_defence"](draft)
    assert not draft.journal.filter(note__contains="示例意见").exists()


def test_an_approver_who_wrote_any_part_is_refused_also_through_a_key(rules):
    draft, reviewer = builders.black_draft(today=TODAY), builders.reviewer()
    blacklist.edit(draft, actor=Actor.of(reviewer), today=TODAY, ground="示例：改了一个字。")
    blacklist.edit(draft, actor=Actor.of(builders.clerk()), today=TODAY, ground="示例：又改了。")
    builders.api_key(reviewer)
    with pytest.raises(PermissionDenied):
        publish(draft, Actor.through(reviewer.apikey_set.get()))


def test_a_notice_to_one_firm_lists_no_other(rules):
    draft = builders.black_draft(today=TODAY, reference="示例-2")
    clerk, other = Actor.of(builders.clerk()), builders.firm()
    blacklist.edit(draft, actor=clerk, today=TODAY, subject=other)
    assert not PriorNotice.objects.filter(listing=draft.pk).exists()
    with pytest.raises(ValidationError) as refusal:
        publish(draft)
    assert refusal.value.error_dict["prior_notice"][0].code == "no_notice"


def test_a_draft_written_again_for_another_firm_needs_its_own_notice(rules):
    builders.black_draft(today=TODAY, reference="示例-3")
    again = builders.black_draft(today=TODAY, reference="示例-3", notice=False)
    assert not PriorNotice.objects.filter(listing=again.pk).exists()


def test_a_defence_before_its_notice_is_refused(rules):
    draft = builders.black_draft(today=TODAY)
    for received_on in (SERVED - timedelta(days=1), None):
        with pytest.raises(ValidationError):
            blacklist.record_defence(
                draft,
                actor=Actor.of(builders.clerk()),
                received_on=received_on,
                text="示例",
                opinion="示例",
            )

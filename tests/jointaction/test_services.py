"""Checks and answers, with what a hostile or hasty caller sends."""

import threading
from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from casework.moves import lock
from jointaction import services as jointaction
from jointaction.models import Push
from listings import services as listings
from listings.models import ResponsiblePerson
from parties.models import Actor
from rulebook.services import seed_rules
from tests import builders

TODAY = date(2026, 11, 23)


def check(subjects, **options):
    actor = Actor.of(builders.liaison())
    asked = {"purpose": "示例", "reference": "示例", "today": TODAY, **options}
    return jointaction.check(subjects, actor=actor, **asked)


def paper(number, **fields):
    return {"name": "张示例", "id_type": "resident_id", "id_number": number, **fields}


def test_a_thousand_persons_are_found_in_as_many_questions_as_one(rules):
    numbers = [builders.resident_id(index) for index in range(300, 320)]
    builders.published_black(builders.person(number=numbers[3]), today=TODAY)
    with CaptureQueriesContext(
        connection,
    ) as one:
        check([paper(numbers[3])])
    with CaptureQueriesContext(connection) as many:
        _logged, results = check([paper(number) for number in numbers])
    assert [result.outcome for result in results].count("listed") == 1
    assert results[3].outcome == "listed"
    assert len(many) <= len(one)


def test_a_person_asked_without_the_type_of_paper_is_answered_as_invalid(rules):
    _logged, results = check([{"name": "张示例", "id_number": builders.resident_id(5)}])
    assert (results[0].outcome, results[0].reason) == ("invalid", "bad_paper_type")


def test_nobody_is_told_of_a_day_to_come(rules):
    with pytest.raises(ValidationError):
        check([paper(builders.resident_id(5))], as_of=TODAY + timedelta(days=1))


def test_a_responsible_person_whose_own_term_is_over_is_met_no_more(rules):
    number = builders.resident_id(900)
    entry = builders.published_black(
        today=TODAY,
        responsible_persons=[paper(number, role="legal_representative", fact="示例", basis="示例")],
    )
    assert check([paper(number)])[1][0].outcome == "listed"
    ResponsiblePerson.objects.filter(listing=entry).update(until=TODAY - timedelta(days=1))
    assert check([paper(number)])[1][0].outcome == "clear"


@pytest.mark.parametrize(
    "bad", [{"reference": "长" * 201}, {"parameters": {"a": "\x00"}}, {"remark": "半\ud800"}]
)
def test_an_answer_that_no_column_could_keep_is_refused_in_words(rules, bad):
    builders.published_black(today=TODAY)
    jointaction.distribute(today=TODAY)
    push = Push.objects.of_unit(builders.department("czj").pk).get()
    answer = {"code": push.measures[0]["code"], "outcome": "applied", **bad}
    with pytest.raises(ValidationError):
        jointaction.answer(push, [answer], actor=Actor.of(builders.liaison()), today=TODAY)


@pytest.mark.django_db(transaction=True)
def test_a_push_that_is_just_being_answered_is_superseded_all_the_same(transactional_db):
    seed_rules()
    today = timezone.localdate()
    entry = builders.published_black(today=today)
    jointaction.distribute(today=today)
    held = Push.objects.filter(listing=entry).first()
    actor = Actor.of(builders.reviewer())
    listings.withdraw(entry, reason="error", actor=actor, note="示例", today=today)
    sweep = threading.Thread(target=_distribute, args=(today,))
    with transaction.atomic():
        lock(held)
        sweep.start()
        sweep.join(1)
    sweep.join(30)
    held.refresh_from_db()
    assert held.status == "superseded"


def _distribute(today):
    try:
        jointaction.distribute(today=today)
    finally:
        connections.close_all()


def test_a_unit_that_met_the_entry_only_in_a_check_confirms_its_recall_by_acknowledging(rules):
    entry = builders.published_black(today=TODAY)
    stranger = Actor.of(builders.liaison("jyj"))
    assert "jyj" not in {row["unit"] for row in entry.measure_set.measures}
    question = {"purpose": "评先评优", "reference": "示例1", "today": TODAY}
    jointaction.check([{"code": entry.subject.code}], actor=stranger, **question)
    own = Actor.of(builders.clerk())
    jointaction.check([{"code": entry.subject.code}], actor=own, **question)
    listings.withdraw(entry, reason="error", actor=own, note="列错", today=TODAY)
    jointaction.distribute(today=TODAY)
    lift = entry.pushes.get(unit__code="jyj")
    assert (lift.kind, lift.measures, lift.advisory_only) == ("lift", [], False)
    assert lift.feedback_due is not None
    assert not entry.pushes.filter(unit__code="rsj").exists()
    assert jointaction.acknowledge(lift, actor=stranger).status == "answered"

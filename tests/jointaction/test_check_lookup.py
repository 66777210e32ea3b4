"""The one statement of a check says what the querysets say, and what the entry's address tells."""

from datetime import date, timedelta

import pytest
from django.utils import timezone
from django.utils.translation import override

from jointaction import services as jointaction
from jointaction.models import Check, Hit
from listings import services as listings
from listings.models import Listing, ResponsiblePerson
from listings.services import measures_of
from parties.models import Actor
from rulebook.models import Measure
from rulebook.services import record_version
from tests import builders
from tests.builders import Machine

DAY = timedelta(days=1)
TODAY = date(2026, 11, 23)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]


def check(*subjects, unit="ggzy", today=TODAY, **options):
    actor = Actor.of(builders.liaison(unit))
    business = {"purpose": "示例", "reference": "示例"}
    return jointaction.check(list(subjects), actor=actor, today=today, **business, **options)


def result(*subjects, **options):
    (one,) = check(*subjects, **options)[1]
    return one


def paper(number, name="张示例"):
    return {"name": name, "id_type": "resident_id", "id_number": number}


def met(one):
    return [(match.listing.pk, match.matched_as) for match in one.matches]


@pytest.mark.parametrize("gap", [-1, 0, 1])
def test_an_entry_is_met_on_exactly_the_days_on_which_the_queryset_says_it_is_public(gap):
    entry = builders.last_public_day(TODAY)
    day = TODAY + gap * DAY
    public = Listing.objects.public(day).filter(pk=entry.pk).exists()
    assert (result({"code": entry.subject.code}, today=day).outcome == "listed") is public


@pytest.mark.parametrize("released", [None, TODAY - DAY, TODAY, TODAY + DAY])
@pytest.mark.parametrize("until", [None, TODAY - DAY, TODAY])
@pytest.mark.parametrize("reason", ["error", "repaired"])
def test_a_person_answers_in_a_check_on_exactly_the_days_the_queryset_says(released, until, reason):
    named = builders.responsible("李示例")
    entry = builders.published_black(today=TODAY - 2 * DAY, responsible_persons=[named])
    ended = {"ended_on": released, "end_reason": reason if released else ""}
    ResponsiblePerson.objects.filter(listing=entry).update(until=until, **ended)
    answers = ResponsiblePerson.objects.answerable(TODAY).filter(listing=entry).exists()
    found = result(paper(named["id_number"], "李示例"))
    assert found.outcome == ("listed" if answers else "clear")
    assert met(found) == ([(entry.pk, "responsible_person")] if answers else [])


def test_the_units_measures_are_those_that_the_entry_tells_of_it():
    entry = builders.published_black(today=TODAY)
    (match,) = result({"code": entry.subject.code}).matches
    told = [row for row in measures_of([entry])[entry.pk] if row["unit"] == "ggzy"]
    assert match.measures == told
    assert told


def test_a_measure_whose_own_term_is_over_is_not_to_be_applied_any_more():
    entry = builders.published_black(today=TODAY - 40 * DAY)
    code = {row["unit"]: row["code"] for row in entry.measure_set.measures}["ggzy"]
    Listing.objects.filter(pk=entry.pk).update(measure_until={code: str(TODAY - DAY)})
    (match,) = result({"code": entry.subject.code}).matches
    assert code not in {row["code"] for row in match.measures}


def test_a_responsible_person_is_reached_by_the_measures_of_the_role_until_the_own_end():
    named = builders.responsible("李示例")
    entry = builders.published_black(today=TODAY, responsible_persons=[named])
    until = TODAY + 30 * DAY
    ResponsiblePerson.objects.filter(listing=entry).update(until=until)
    codes = {row["code"] for row in entry.measure_set.measures if row["unit"] == "ggzy"}
    reaching = sorted(codes)[0]
    Measure.objects.filter(code__in=codes).update(roles=[])
    Measure.objects.filter(code=reaching).update(roles=[named["role"]])
    (match,) = result(paper(named["id_number"], "李示例")).matches
    assert [(row["code"], row["until"]) for row in match.measures] == [(reaching, until)]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("who", ["liaison of ggzy", "own clerk"])
def test_an_entry_is_told_in_a_check_just_as_its_own_address_tells_it(language, who):
    today = timezone.localdate()
    person = builders.published_black(
        builders.person(number=builders.resident_id(801)), unit="zjfy", category="J01"
    )
    firm = builders.published_black(responsible_persons=[builders.responsible()])
    builders.objection(firm)
    red = builders.red_published()
    user = builders.clerk() if who == "own clerk" else builders.liaison("ggzy")
    machine = Machine(user)
    machine.client.defaults["HTTP_ACCEPT_LANGUAGE"] = language
    asked = [
        {"code": firm.subject.code},
        {"code": red.subject.code},
        paper(builders.resident_id(801)),
    ]
    body = {"purpose": "示例", "reference": "示例", "subjects": asked}
    results = machine.post("/checks/", body, 201)["results"]
    for entry, row in zip((firm, red, person), results, strict=True):
        (told,) = row["listings"]
        assert (told.pop("matched_as"), told.pop("suppressed")) == ("subject", False)
        whole = machine.get(f"/listings/{entry.public_id}/")
        unit = user.department.code
        whole["measures"] = [one for one in whole["measures"] if one["unit"] == unit]
        assert told == whole
    assert today


def test_a_merged_code_is_answered_about_the_record_that_counts():
    entry = builders.published_black(today=TODAY)
    old = builders.firm()
    operator = builders.officer("platform", "operator")
    other = builders.officer("platform", "operator", username="platform-2")
    change = listings.propose_merge(
        old, entry.subject, actor=Actor.of(operator), note="同一家企业换码。"
    )
    listings.approve_subject_change(change, actor=Actor.of(other), today=TODAY)
    both = [{"code": old.code}, {"code": entry.subject.code, "name": entry.subject.name}]
    logged, results = check(*both)
    assert [met(one) for one in results] == [[(entry.pk, "subject")]] * 2
    assert not results[1].name_differs
    assert (logged.hits, Hit.objects.count()) == (1, 1)


def test_a_subject_named_twice_in_a_batch_is_answered_twice_and_fed_back_once():
    entry = builders.published_black(today=TODAY)
    asked = {"code": entry.subject.code}
    logged, results = check(asked, asked, {"code": entry.subject.code.lower()})
    assert [one.outcome for one in results] == ["listed"] * 3
    assert (logged.subjects, logged.hits) == (3, 1)
    hit = Hit.objects.get()
    assert (hit.check_id, hit.check_public_id) == (logged.pk, logged.public_id)
    assert hit.feedback_due > TODAY


def test_a_check_costs_two_questions_and_one_line_whatever_is_asked(django_assert_num_queries):
    entries = [builders.published_black(today=TODAY) for _number in range(3)]
    actor = Actor.of(builders.liaison("ggzy"))
    actor.department.code  # noqa: B018 - read before it counts
    asked = {"purpose": "示例", "reference": "示例", "today": TODAY, "actor": actor}
    jointaction.check([{"code": builders.code_of(7)}], **asked)  # the signing key is kept
    with django_assert_num_queries(3):  # found, key, logged
        jointaction.check([{"code": builders.code_of(7)}], **asked)
    hits = [{"code": entry.subject.code} for entry in entries]
    jointaction.check(hits, **asked)  # rules and calendar are read, the due day is counted
    with django_assert_num_queries(3):
        jointaction.check(hits, **asked)
    assert Check.objects.count() == 4


def test_a_rule_that_changed_is_told_in_the_very_next_check():
    entry = builders.published_black(today=TODAY)
    result({"code": entry.subject.code})
    code = next(row["code"] for row in entry.measure_set.measures if row["unit"] == "ggzy")
    measure = Measure.objects.get(code=code)
    measure.name = "示例：改了名称的措施"
    measure.save()
    record_version(measure, actor=Actor(label="示例"), reason="示例", today=TODAY)
    (match,) = result({"code": entry.subject.code}).matches
    assert measure.name in {row["name"] for row in match.measures}


def test_three_persons_in_one_answer_are_all_masked():
    numbers = [builders.resident_id(number) for number in (811, 812, 813)]
    for number in numbers:
        builders.published_black(builders.person("欧阳示例", number), unit="zjfy", category="J01")
    asked = [paper(number, "欧阳示例") for number in numbers]
    body = {"purpose": "示例", "reference": "示例", "subjects": asked}
    answer = Machine(builders.liaison("ggzy")).post("/checks/", body, 201)
    names = [row["listings"][0]["subject"]["name"] for row in answer["results"]]
    assert names == ["欧*"] * 3
    assert not [number for number in numbers if number[6:] in str(answer)]


def test_what_is_not_plain_in_a_batch_is_named_at_its_place():
    machine = Machine(builders.liaison("ggzy"))
    plain = {"code": builders.code_of(1)}
    for wrong, where in (
        ({"code": builders.code_of(2), "name": []}, "name"),
        ({"code": 1.5}, "code"),
        ({"code": "x" * 201}, "code"),
        ({"colour": "red"}, "colour"),
        ({"name": "张示例", "id_number": "1"}, "id_type"),
        ({"name": "张示例", "id_type": "library_card", "id_number": "1"}, "id_type"),
        ({"name": "半\0"}, "name"),
    ):
        body = {"purpose": "示例", "reference": "示例", "subjects": [plain, wrong]}
        errors = machine.post("/checks/", body, 400)["errors"]
        assert list(errors) == [f"subjects.1.{where}"], wrong
    with override("zh-hans"):
        assert not Check.objects.exists()


def test_blanks_around_what_was_typed_change_nothing():
    entry = builders.published_black(today=TODAY)
    body = {
        "purpose": " 示例 ",
        "reference": "示例",
        "subjects": [{"code": f" {entry.subject.code.lower()} ", "name": ""}],
    }
    machine = Machine(builders.liaison("ggzy"))
    (row,) = machine.post("/checks/", body, 201)["results"]
    assert (row["outcome"], "name_differs" in row) == ("listed", False)
    assert Check.objects.get().purpose == "示例"

"""Which push is put before which unit, whatever happened to the entry and to the clock."""

from datetime import date, timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext

from casework.workdays import add_working_days
from jointaction import services as jointaction
from jointaction.models import Push
from listings import ledger
from listings import services as listings
from listings.models import Listing, MeasureSet
from notices.models import Notice
from parties.models import Actor
from rulebook.models import Memorandum
from tests import builders

TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)


def asked(entry):
    return {row["unit"] for row in entry.measure_set.measures}


def kinds(entry, **narrow):
    """{unit: kind of its newest push}."""
    rows = entry.pushes.filter(**narrow).order_by("pk")
    return dict(rows.values_list("unit__code", "kind"))


def withdrawn(entry, today=TODAY):
    actor = Actor.of(builders.reviewer())
    return listings.withdraw(entry, reason="error", actor=actor, note="列错", today=today)


def corrected(entry, ground="更正后的事实和理由。"):
    actor = Actor.of(builders.reviewer())
    return listings.correct(entry, {"ground": ground}, actor=actor, note="有误", today=TODAY)


def checked(unit, entry, today=TODAY):
    actor = Actor.of(builders.liaison(unit))
    question = {"purpose": "评先评优", "reference": "示例1", "today": today}
    return jointaction.check([{"code": entry.subject.code}], actor=actor, **question)


def test_a_published_entry_is_put_before_each_unit_of_its_measures_and_no_other(rules):
    entry = builders.published_black(today=TODAY)
    assert jointaction.distribute(today=TODAY) == len(asked(entry))
    assert kinds(entry) == dict.fromkeys(asked(entry), "apply")
    assert "rsj" not in asked(entry)  # the department that listed
    push = entry.pushes.get(unit__code="ggzy")
    assert [row["code"] for row in push.measures] == ["PA08", "PA09"]
    assert {row["until"] for row in push.measures} == {str(entry.visible_until)}
    assert push.feedback_due == add_working_days(TODAY, 10)
    assert jointaction.distribute(today=TODAY) == 0


def test_a_ban_with_an_end_of_its_own_is_told_with_that_day(rules):
    until = str(TODAY + 40 * DAY)
    entry = builders.published_black(today=TODAY, measure_until={"PA09": until})
    jointaction.distribute(today=TODAY)
    push = entry.pushes.get(unit__code="ggzy")
    ends = {row["code"]: row["until"] for row in push.measures}
    assert ends == {"PA08": str(entry.visible_until), "PA09": until}


def test_who_can_not_be_ordered_is_informed_and_never_late(rules):
    builders.department("bank-demo")
    entry = builders.published_black(today=TODAY)
    jointaction.distribute(today=TODAY)
    push = entry.pushes.get(unit__code="bank-demo")
    assert (push.advisory_only, push.feedback_due) == (True, None)
    assert not push.is_overdue(TODAY + 900 * DAY)
    assert push not in Push.objects.overdue(TODAY + 900 * DAY)


def test_an_annotation_pushes_nothing(rules):
    entry = builders.published_black(today=TODAY)
    jointaction.distribute(today=TODAY)
    listings.annotate(entry, disputed=True, actor=Actor.of(builders.clerk()))
    assert jointaction.distribute(today=TODAY) == 0


def test_a_correction_takes_the_place_of_what_is_not_answered_yet(rules):
    entry = builders.published_black(today=TODAY)
    jointaction.distribute(today=TODAY)
    corrected(entry)
    jointaction.distribute(today=TODAY)
    assert kinds(entry, status="open") == dict.fromkeys(asked(entry), "correct")
    assert kinds(entry, status="superseded") == dict.fromkeys(asked(entry), "apply")


def test_a_unit_that_met_the_entry_in_a_check_alone_is_told_of_each_change(rules):
    entry = builders.published_black(today=TODAY)
    jointaction.distribute(today=TODAY)
    checked("jyj", entry)
    for ground in ("更正一次。", "再更正一次。"):
        corrected(entry, ground)
        jointaction.distribute(today=TODAY)
        push = entry.pushes.filter(unit__code="jyj").latest("pk")
        assert (push.kind, push.measures, push.advisory_only) == ("correct", [], False)
        assert push.feedback_due == add_working_days(TODAY, 5)
    withdrawn(entry)
    jointaction.distribute(today=TODAY)
    pushes = entry.pushes.filter(unit__code="jyj").order_by("pk")
    assert [(push.kind, push.status) for push in pushes] == [
        ("correct", "superseded"), ("correct", "superseded"), ("lift", "open"),
    ]  # fmt: skip


def other_units(entry, leave, add):
    """What no act does today: the measures of an entry in force name other units."""
    rows = [row for row in entry.measure_set.measures if row["unit"] != leave]
    rows += [{**row, "unit": add} for row in rows if row["unit"] == "ggzy"]
    made = MeasureSet.objects.create(digest="0" * 64, measures=rows)
    Listing.objects.filter(pk=entry.pk).update(measure_set=made)


def test_a_unit_that_a_correction_drops_lifts_and_one_that_it_adds_applies(rules):
    entry = builders.published_black(today=TODAY)
    jointaction.distribute(today=TODAY)
    other_units(entry, "czj", "jyj")
    corrected(entry)
    jointaction.distribute(today=TODAY)
    told = kinds(entry, status="open")
    assert (told["czj"], told["jyj"], told["ggzy"]) == ("lift", "apply", "correct")
    lifted = entry.pushes.get(unit__code="czj", kind="lift")
    assert lifted.measures == entry.pushes.get(unit__code="czj", kind="apply").measures
    withdrawn(entry)
    jointaction.distribute(today=TODAY)
    assert entry.pushes.filter(unit__code="czj", kind="lift").get() == lifted  # called back once
    assert kinds(entry)["jyj"] == "lift"


def test_an_entry_published_and_ended_between_two_runs_leaves_no_order_to_apply(rules):
    entry = builders.published_black(today=TODAY)
    corrected(entry)
    withdrawn(entry)
    assert jointaction.distribute(today=TODAY) == 3 * len(asked(entry))
    assert kinds(entry, status="open") == dict.fromkeys(asked(entry), "lift")
    assert set(entry.pushes.exclude(kind="lift").values_list("status", flat=True)) == {"superseded"}


def test_a_gap_of_days_loses_nothing_and_counts_the_days_from_when_units_are_told(rules):
    early = builders.published_black(today=TODAY - 6 * DAY)
    late = builders.published_black(today=TODAY)
    withdrawn(early)
    jointaction.distribute(today=TODAY)
    assert kinds(early) == dict.fromkeys(asked(early), "lift")
    assert kinds(late) == dict.fromkeys(asked(late), "apply")
    due = {push.feedback_due for push in late.pushes.all()}
    assert due == {add_working_days(TODAY, 10)}


def test_in_one_run_each_unit_is_told_once_of_how_many_and_how_many_to_lift(rules):
    for _entry in range(3):
        entry = builders.published_black(today=TODAY)
    withdrawn(entry)
    jointaction.distribute(today=TODAY)
    notice = Notice.objects.get(department__code="czj", key__startswith="push:")
    assert notice.title == "收到 4 件联合奖惩推送"
    assert "1 件要求停用" in notice.text


def test_distribution_asks_as_many_questions_for_many_changes_as_for_few(rules):
    def costs():
        with CaptureQueriesContext(connection) as asked:
            jointaction.distribute(today=TODAY)
        return len(asked)

    builders.published_black(today=TODAY)
    few = costs()
    for _entry in range(5):
        builders.published_black(today=TODAY)
    assert costs() <= few


def test_an_expired_memorandum_asks_nothing_new_and_entries_keep_what_they_had(rules):
    kept = builders.published_black(today=TODAY)
    memorandum = Memorandum.objects.get(code="mou-m")
    memorandum.in_force_to = TODAY - DAY
    memorandum.save()
    bare = builders.published_black(today=TODAY)
    jointaction.distribute(today=TODAY)
    assert kinds(kept)["czj"] == "apply"
    assert not kinds(bare)
    corrected(kept)
    jointaction.distribute(today=TODAY)
    assert kinds(kept)["czj"] == "correct"


def test_the_release_of_a_person_is_told_to_units_that_were_pushed_or_met_the_entry(rules):
    entry = builders.published_black(today=TODAY, responsible_persons=[builders.responsible()])
    jointaction.distribute(today=TODAY)
    checked("jyj", entry)
    person = entry.responsible_persons.get()
    actor = Actor.of(builders.reviewer())
    listings.release_person(person, reason="error", actor=actor, note="认错人", today=TODAY)
    jointaction.distribute(today=TODAY)
    assert kinds(entry, status="open") == dict.fromkeys({*asked(entry), "jyj"}, "correct")
    push = entry.pushes.get(unit__code="czj", kind="correct")
    unit = Actor.of(builders.liaison())
    answers = [{"code": row["code"], "outcome": "lifted"} for row in push.measures]
    assert jointaction.answer(push, answers, actor=unit, today=TODAY).status == "answered"
    assert ledger.verify() is None

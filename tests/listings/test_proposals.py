"""Proposals after publication: what they may ask, how they lapse, how a quashing is chased."""

from datetime import date, timedelta

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from casework.moves import IllegalMove
from casework.workdays import add_working_days
from listings import services as listings
from listings.models import Change, Listing
from notices.models import Notice
from objections import services as objections
from parties.models import Actor
from repair import services as repairs
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]
TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)
LEAD = settings.LEAD_UNIT


def clerk():
    return Actor.of(builders.clerk())


def reviewer():
    return Actor.of(builders.reviewer())


def withdrawal(entry, reason="error", today=TODAY, **fields):
    return listings.propose_withdrawal(
        entry, reason=reason, actor=clerk(), note="示例理由", today=today, **fields
    )


def quashed(today=TODAY, **fields):
    entry = builders.published_black(today=today - 20 * DAY)
    return withdrawal(entry, "document_quashed", today, **fields)


def correction(entry, today=TODAY, **fields):
    fields = fields or {"ground": "示例：更正。"}
    return listings.propose_correction(entry, fields, actor=clerk(), note="示例", today=today)


# ── an earlier last day ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("days", "code"), [(-1, "bad_last_day"), (0, None), (30, None), (400, "longer_term")]
)
def test_a_corrected_last_day_lies_between_today_and_the_present_one(days, code):
    entry = builders.published_black(today=TODAY - 10 * DAY, term_months=12)
    until = TODAY + days * DAY
    if code:
        with pytest.raises(ValidationError) as refusal:
            correction(entry, visible_until=until)
        assert refusal.value.error_dict["visible_until"][0].code == code
        return
    listings.approve(correction(entry, visible_until=until), actor=reviewer(), today=TODAY)
    fresh = Listing.objects.get(pk=entry.pk)
    assert fresh.visible_until == until
    assert fresh.is_public(until)
    assert not fresh.is_public(until + DAY)


def test_a_last_day_that_has_passed_while_it_waited_is_not_approved():
    entry = builders.published_black(today=TODAY - 10 * DAY)
    proposal = correction(entry, visible_until=TODAY)
    with pytest.raises(ValidationError):
        listings.approve(proposal, actor=reviewer(), today=TODAY + DAY)
    proposal.refresh_from_db()
    assert proposal.status == "proposed"


# ── a quashed document ────────────────────────────────────────────────────────────────────────


def test_a_quashed_document_sets_the_last_day_by_which_the_entry_must_go():
    proposal = quashed(quashed_on=TODAY - 2 * DAY, quashed_by="通化市示例法院判决")
    assert proposal.due_on == add_working_days(TODAY - 2 * DAY, 3)
    assert quashed().quashed_on == TODAY
    assert withdrawal(builders.published_black(today=TODAY)).due_on is None


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"quashed_on": TODAY + DAY}, "quashed_on"),
        ({"quashed_on": date(2020, 1, 1)}, "quashed_on"),
        ({"today": None}, "quashed_on"),
    ],
)
def test_a_quashing_before_the_document_or_after_today_is_refused(fields, key):
    entry = builders.published_black(today=TODAY - 20 * DAY)
    with pytest.raises(ValidationError) as refusal:
        withdrawal(entry, "document_quashed", **fields)
    assert list(refusal.value.error_dict) == [key]


def test_only_a_quashed_document_was_quashed_by_something():
    entry = builders.published_black(today=TODAY)
    with pytest.raises(ValidationError) as refusal:
        withdrawal(entry, "error", quashed_on=TODAY, quashed_by="示例")
    assert refusal.value.error_dict.keys() == {"quashed_on", "quashed_by"}


def test_an_open_quashing_is_reminded_of_once_and_escalated_once():
    proposal = quashed()
    days = [TODAY + n * DAY for n in range(12)]
    for day in days:
        listings.chase_withdrawals(today=day, lead_unit=LEAD)
        listings.chase_withdrawals(today=day, lead_unit=LEAD)
    lines = list(proposal.journal.values_list("action", flat=True))
    assert lines == ["propose_withdraw", "remind", "escalate"]
    told = Notice.objects.filter(key__startswith="withdrawal-").order_by("key")
    assert [(row.key.split(":")[0], row.department.code) for row in told] == [
        ("withdrawal-escalate", LEAD),
        ("withdrawal-escalate", "rsj"),
        ("withdrawal-remind", "rsj"),
    ]


def test_a_gap_of_days_escalates_all_the_same_and_what_is_decided_is_left_alone():
    late, done = quashed(), quashed()
    listings.approve(done, actor=reviewer(), today=TODAY)
    listings.chase_withdrawals(today=TODAY + 40 * DAY, lead_unit=LEAD)
    assert late.journal.filter(action="escalate").count() == 1
    assert not done.journal.filter(action__in=("remind", "escalate")).exists()


def test_a_poisoned_row_blocks_no_other(caplog):
    bad, good = quashed(), quashed()
    with connection.cursor() as cursor:  # a notice that the database will not take
        key = f"withdrawal-escalate:{bad.pk}:%"
        cursor.execute(
            "ALTER TABLE notices_notice ADD CONSTRAINT poison CHECK (key NOT LIKE %s)", [key]
        )
    listings.chase_withdrawals(today=good.due_on + DAY, lead_unit=LEAD)
    assert good.journal.filter(action="escalate").exists()
    assert f"proposal {bad.pk} could not be chased" in caplog.text


def test_the_last_day_stands_at_the_desk_in_words():
    today = timezone.localdate()
    entry = builders.published_black(today=today - 20 * DAY)
    proposal = withdrawal(
        entry, "document_quashed", today, quashed_on=today - 12 * DAY, quashed_by="示例判决"
    )
    approver = builders.signed_in(Client(), builders.reviewer())
    mine = approver.get(reverse("desk-home")).content.decode()
    assert "逾期" in mine
    page = approver.get(reverse("desk-listing-proposal", args=[proposal.public_id]))
    assert "示例判决" in page.content.decode()
    assert "已逾期" in page.content.decode()
    assert "最迟" in page.content.decode()
    board = builders.signed_in(Client(), builders.supervisor())
    page = board.get(reverse("desk-supervision")).content.decode()
    assert "文书已撤销、还没有撤下的记录" in page


def test_the_api_takes_when_and_by_what_the_document_was_quashed():
    today = timezone.localdate()
    entry = builders.published_black()
    machine = builders.Machine(builders.clerk())
    body = {"reason": "document_quashed", "note": "示例", "quashed_by": "示例判决"}
    path = f"/listings/{entry.public_id}/withdraw/"
    late = machine.post(path, {**body, "quashed_on": str(today + DAY)}, 400)
    assert list(late["errors"]) == ["quashed_on"]
    pending = machine.post(path, body, 202)["pending"]
    assert pending["due_on"] == str(add_working_days(today, 3))


def test_a_red_entry_rests_on_no_document_that_the_desk_could_call_quashed():
    entry = builders.red_published()
    browser = builders.signed_in(Client(), builders.clerk("scjg"))
    address = reverse("desk-listing-withdraw", args=[entry.public_id])
    page = browser.get(address).content.decode()
    assert "recognition_withdrawn" in page
    assert "document_quashed" not in page
    answer = browser.post(address, {"reason": "document_quashed", "note": "示例"})
    assert answer.status_code == 400


# ── what lapses by itself ─────────────────────────────────────────────────────────────────────


def by_expiry(entry):
    listings.expire_lapsed(today=entry.visible_until + DAY)


def by_objection(entry):
    matter, _code = builders.objection(entry, today=TODAY)
    matter = objections.propose_reply(
        matter,
        actor=clerk(),
        outcome="upheld_withdrawn",
        reasons="经核实，主体认定有误，应予撤销。",
        today=TODAY,
    )
    objections.approve_reply(matter, actor=reviewer(), today=TODAY)


def by_repair(entry):
    listings.repair(entry, actor=reviewer(), note="示例", today=TODAY)


@pytest.mark.parametrize("end", [by_expiry, by_objection, by_repair])
def test_a_proposal_whose_entry_ends_otherwise_is_closed_with_a_line(end):
    entry = builders.published_black(today=TODAY - 10 * DAY)
    proposal = correction(entry)
    end(entry)
    proposal.refresh_from_db()
    assert proposal.status == "lapsed"
    assert proposal.journal.last().action == "lapse"
    assert proposal.journal.last().note
    for act in (
        lambda: listings.approve(proposal, actor=reviewer(), today=TODAY),
        lambda: listings.reject(proposal, actor=reviewer(), note="示例"),
    ):
        with pytest.raises(IllegalMove):
            act()
    assert not Change.objects.filter(listing=entry, action="correct").exists()


def test_a_repair_that_is_granted_closes_what_was_proposed():
    entry = builders.repairable(today=TODAY)
    proposal = listings.propose_withdrawal(
        entry,
        reason="error",
        actor=Actor.of(builders.clerk("zrzy")),
        note="示例",
        today=TODAY,
    )
    matter, _code = builders.repair(entry, today=TODAY)
    officer, approver = Actor.of(builders.clerk("zrzy")), Actor.of(builders.reviewer("zrzy"))
    matter = repairs.accept(matter, actor=officer, today=TODAY)
    matter = repairs.propose_decision(
        matter,
        actor=officer,
        outcome="granted",
        reasons="整改完毕，材料齐全，准予修复。",
        verification="实地核查",
        today=TODAY,
    )
    repairs.approve_decision(matter, actor=approver, today=TODAY)
    proposal.refresh_from_db()
    assert proposal.status == "lapsed"


def test_after_a_proposal_was_rejected_another_can_be_made():
    entry = builders.published_black(today=TODAY)
    listings.reject(withdrawal(entry), actor=reviewer(), note="理由不足")
    with pytest.raises(ValidationError) as refusal:
        withdrawal(entry) and correction(entry)
    assert refusal.value.code == "pending"


def test_a_released_persons_open_proposal_is_closed_when_the_person_goes_otherwise():
    entry = builders.published_black(today=TODAY, responsible_persons=[builders.responsible()])
    person = entry.responsible_persons.get()
    asked = {"reason": "error", "actor": clerk(), "note": "示例", "today": TODAY}
    proposal = listings.propose_release(person, **asked)
    listings.release_person(
        person, reason="repaired", actor=reviewer(), note="本人修复获准", today=TODAY
    )
    proposal.refresh_from_db()
    assert proposal.status == "lapsed"

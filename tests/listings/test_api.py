"""Entries for machines: who is told what, filters, history, corrections, the feed."""

import hashlib

import pytest
import time_machine
from django.utils import timezone

from listings import ledger, services
from listings.models import Change
from parties.models import Actor, Department
from rulebook.models import CategoryField
from tests.builders import (
    DAY,
    Machine,
    auditor,
    black_draft,
    clerk,
    firm,
    last_public_day,
    liaison,
    objection,
    person,
    published_black,
    red_published,
    resident_id,
    reviewer,
    supervisor,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]
TOLD = {"id", "list", "status", "ended_on", "end_reason"}


def ids(page):
    return {row["id"] for row in page["results"]}


def test_the_listing_object_is_the_contracts():
    entry = published_black(category="J01", unit="zjfy", measure_codes=["PA07", "PM04"])
    told = Machine(liaison()).get(f"/listings/{entry.public_id}/")
    assert list(told) == [
        "id", "list", "status", "ended_on", "end_reason", "subject", "category", "misconduct",
        "degree", "department", "document", "ground", "basis", "details", "measures",
        "published_on", "visible_until", "disputed", "responsible_persons", "version", "pending",
        "url",
    ]  # fmt: skip
    assert told["department"] == {"code": "zjfy", "name": Department.objects.get(code="zjfy").name}
    assert told["details"][0].keys() == {"code", "title", "value"}
    assert {row["code"] for row in told["measures"]} == {"PA07", "PM04"}
    names = {"code", "name", "article", "memorandum", "unit", "advisory", "until"}
    assert all(row.keys() == names for row in told["measures"])
    assert told["measures"][0]["until"] == str(entry.visible_until)
    assert told["url"].endswith(f"/black/{entry.public_id}/")
    assert told["url"].startswith("http")


def test_a_person_is_masked_and_no_digit_of_a_paper_is_told():
    number = resident_id(7, "19771107")
    entry = published_black(person("张示例", number), unit="zjfy", category="J01")
    for reader in (clerk("zjfy"), liaison()):
        answer = Machine(reader).client.get(f"/api/v1/listings/{entry.public_id}/")
        subject = answer.json()["subject"]
        assert (subject["name"], subject["code"]) == ("张*", None)
        assert "张示例" not in answer.content.decode()
        assert number[6:14] not in answer.content.decode()


def test_what_has_ended_is_told_in_five_words_but_to_its_own_and_to_who_sees_all():
    entry = last_public_day(timezone.localdate() - DAY)
    path = f"/listings/{entry.public_id}/"
    told = Machine(liaison()).get(path)
    assert told.keys() == TOLD
    assert (told["status"], told["end_reason"]) == ("expired", "expired")
    assert told["ended_on"] == str(timezone.localdate())
    for reader in (clerk(), supervisor(), auditor()):
        assert Machine(reader).get(path)["status"] == "expired"
        assert "subject" in Machine(reader).get(path)


def test_an_entry_is_gone_at_midnight_from_list_feed_and_search_with_every_timer_off():
    entry = last_public_day(timezone.localdate())
    unit, code = Machine(liaison()), entry.subject.code
    assert ids(unit.get("/listings/", status="published", code=code))
    with time_machine.travel(timezone.now() + DAY):
        assert not ids(unit.get("/listings/", status="published"))
        assert not ids(unit.get("/listings/", code=code))
        assert not ids(unit.get("/listings/", q=entry.subject.name[:8]))
        assert ids(unit.get("/listings/", status="expired")) == {str(entry.public_id)}
        assert unit.get("/changes/")["results"][0]["listing"].keys() == TOLD


def test_filters_on_what_an_ended_entry_was_about_do_not_find_it():
    entry = last_public_day(timezone.localdate() - DAY)
    unit, own = Machine(liaison()), Machine(clerk())
    for given in (
        {"code": entry.subject.code}, {"category": "M05"}, {"misconduct": "M05"},
        {"degree": "serious"}, {"department": "rsj"}, {"region": entry.subject.region},
        {"published_after": "2000-01-01"}, {"published_before": "2100-01-01"},
        {"ordering": "published_on"}, {"q": entry.subject.name[:6]},
        {"as_of": str(entry.published_on)},
    ):  # fmt: skip
        assert not ids(unit.get("/listings/", **given)), given
        assert ids(own.get("/listings/", **given)) == {str(entry.public_id)}, given


def test_what_was_in_force_on_a_day_is_told_as_it_was_known_at_a_position():
    today = timezone.localdate()
    entry, own = published_black(today=today - 3 * DAY), Machine(reviewer())
    seq = ledger.head().seq
    services.withdraw(
        entry, reason="error", actor=Actor.of(reviewer()), note="列错单位", today=today
    )
    day = str(today - 2 * DAY)
    assert not ids(own.get("/listings/", as_of=day))
    assert ids(own.get("/listings/", as_of=day, known_at=seq)) == {str(entry.public_id)}
    assert not ids(own.get("/listings/", as_of=day, known_at=seq - 1))
    for wrong in ({"known_at": seq}, {"as_of": day, "known_at": "-1"}):
        assert "known_at" in own.get("/listings/", expect=400, **wrong)["errors"]


def test_filters_select():
    today = timezone.localdate()
    black, red = published_black(visible_until=today + DAY), red_published()
    machine = Machine(liaison())
    both = {str(black.public_id), str(red.public_id)}
    assert ids(machine.get("/listings/")) == both
    for given, found in (
        ({"list": "red"}, red), ({"list": "black"}, black), ({"category": "RS1"}, red),
        ({"department": "rsj"}, black), ({"expiring_before": str(today + 2 * DAY)}, black),
        ({"q": black.subject.name}, black), ({"code": red.subject.code.lower()}, red),
    ):  # fmt: skip
        assert ids(machine.get("/listings/", **given)) == {str(found.public_id)}, given
    assert not ids(machine.get("/listings/", published_after=str(today)))
    assert ids(machine.get("/listings/", published_after=str(today - DAY))) == both


@pytest.mark.parametrize(
    "given",
    [
        {"list": "blue"}, {"status": "gone"}, {"category": "X99"}, {"department": "nobody"},
        {"q": "通"}, {"q": "通\u200b"}, {"published_after": "yesterday"}, {"ordering": "name"},
    ],
)  # fmt: skip
def test_a_value_that_means_nothing_is_refused(given):
    problem = Machine(liaison()).get("/listings/", 400, **given)
    assert problem["errors"].keys() == given.keys()


def test_persons_are_never_found_by_name():
    entry = published_black(person("王示例"), unit="zjfy", category="J01")
    assert not ids(Machine(clerk("zjfy")).get("/listings/", q="王示例"))
    assert not ids(Machine(liaison()).get("/listings/", q="王示"))
    assert str(entry.public_id) in ids(Machine(liaison()).get("/listings/"))


@pytest.mark.parametrize("limit", [1_000, 1], ids=["by keys", "in their order"])
def test_a_name_finds_own_drafts_and_ended_entries_too(monkeypatch, limit):
    monkeypatch.setattr("listings.filters.SEARCH_LIMIT", limit)
    shown, ended, draft = published_black(), published_black(), black_draft()
    services.withdraw(
        ended,
        reason="error",
        note="列错了",
        actor=Actor.of(reviewer(ended.department.code)),
        today=timezone.localdate(),
    )
    other = published_black(person("示例示例"), unit="zjfy", category="J01")
    asked, own = shown.subject.name[:3], Machine(clerk(shown.department.code))
    every = {str(entry.public_id) for entry in (shown, ended, draft)}
    assert ids(own.get("/listings/", q=asked)) == every
    assert ids(own.get("/listings/", q=asked, status="draft")) == {str(draft.public_id)}
    assert ids(Machine(liaison()).get("/listings/", q=asked)) == {str(shown.public_id)}
    assert str(other.public_id) not in ids(Machine(auditor()).get("/listings/", q=asked))


def test_drafts_of_others_are_not_there():
    draft = black_draft()
    assert not ids(Machine(liaison()).get("/listings/"))
    Machine(liaison()).get(f"/listings/{draft.public_id}/", 404)
    assert ids(Machine(clerk()).get("/listings/", status="draft")) == {str(draft.public_id)}


def test_a_secret_field_is_for_the_department_alone_and_never_in_the_feed():
    CategoryField.objects.filter(code="obligation").update(disclosure="secret")
    entry = published_black(category="J01", unit="zjfy", attested=True)
    path = f"/listings/{entry.public_id}/"

    def codes(listing):
        return {row["code"] for row in listing["details"]}

    assert "obligation" in codes(Machine(clerk("zjfy")).get(path))
    assert "obligation" not in codes(Machine(liaison()).get(path))
    assert "obligation" not in codes(
        Machine(clerk("zjfy")).get("/changes/")["results"][0]["listing"]
    )


def test_a_list_costs_the_same_however_long(django_assert_max_num_queries):
    for _number in range(4):
        published_black()
        black_draft()
    machine = Machine(clerk())
    machine.get("/listings/")
    for status in ("published", "draft"):
        with django_assert_max_num_queries(14):
            assert len(machine.get("/listings/", status=status)["results"]) == 4
    with django_assert_max_num_queries(10):
        machine.get("/changes/")


# ── the feed and the history ──────────────────────────────────────────────────────────────────


def test_the_feed_is_gapless_and_its_hashes_chain():
    for _number in range(3):
        published_black()
    machine = Machine(liaison())
    first = machine.get("/changes/", after="0", limit="2")
    rest = machine.get("/changes/", after=str(first["results"][-1]["seq"]))
    rows = first["results"] + rest["results"]
    assert [row["seq"] for row in rows] == [1, 2, 3]
    assert rest["head"] == first["head"] == 3
    previous = ledger.GENESIS.hex()
    for row in rows:
        assert row["previous_hash"] == previous
        previous = row["hash"]
    assert len(bytes.fromhex(previous)) == hashlib.sha256().digest_size
    assert machine.get("/changes/", after="3") == {"results": [], "head": 3}


@pytest.mark.parametrize(
    "given", [{"after": "-1"}, {"after": "x"}, {"limit": "0"}, {"limit": "9999"}]
)
def test_the_feed_refuses_odd_positions(given):
    Machine(liaison()).get("/changes/", 400, **given)


def test_old_values_and_notes_are_for_the_department():
    entry = published_black()
    own, second, unit = Machine(clerk()), Machine(reviewer()), Machine(liaison())
    path = f"/listings/{entry.public_id}"
    new = {"note": "文号有误", "fields": {"document": {"number": "吉通示更正〔2026〕1号"}}}
    pending = own.post(f"{path}/correct/", new, 202)["pending"]
    assert pending["fields"] == {"document_number": "吉通示更正〔2026〕1号"}
    corrected = second.post(f"{path}/approve/")
    assert corrected["document"]["number"] == "吉通示更正〔2026〕1号"
    assert corrected["visible_until"] == str(entry.visible_until)
    line = own.get(f"{path}/history/")["results"][1]
    assert (line["seq"], line["action"], line["note"]) == (2, "correct", "文号有误")
    assert line["changes"] == {"document_number": [entry.document_number, "吉通示更正〔2026〕1号"]}
    line = unit.get(f"{path}/history/")["results"][1]
    assert (line["note"], line["changes"]) == ("", {"document_number": [None, None]})
    assert entry.document_number not in unit.client.get("/api/v1/changes/").content.decode()


def test_a_dispute_is_a_badge_and_a_change():
    entry = objection()[0].listing
    machine = Machine(liaison())
    assert machine.get(f"/listings/{entry.public_id}/")["disputed"] is True
    actions = [row["action"] for row in machine.get("/changes/")["results"]]
    assert actions == ["publish", "annotate"]


# ── correction and withdrawal ─────────────────────────────────────────────────────────────────


def test_a_correction_names_what_is_wrong_with_it():
    entry = published_black()
    path, machine = f"/listings/{entry.public_id}/correct/", Machine(clerk())
    later = str(entry.visible_until + DAY)
    for fields, code, where in (
        ({"visible_until": later}, 400, "fields.visible_until"),
        ({"details": {"colour": "red"}}, 400, "fields.details.colour"),
        ({"degree": "minor"}, 400, "fields.degree"),
        ({"document": {"date": "gestern"}}, 400, "fields.document.date"),
        ({"ground": entry.ground}, 400, "fields"),
        ({}, 400, "fields"),
    ):
        problem = machine.post(path, {"note": "更正", "fields": fields}, code)
        assert list(problem["errors"]) == [where], fields
    assert "note" in machine.post(path, {"fields": {"ground": "新的事实"}}, 400)["errors"]


def test_others_entries_cannot_be_changed_and_a_rejected_proposal_leaves_no_trace():
    entry = published_black()
    path = f"/listings/{entry.public_id}"
    reason = {"reason": "error", "note": "有误"}
    for act in ("correct", "withdraw", "approve", "reject", "publish"):
        Machine(clerk("scjg")).post(f"{path}/{act}/", reason, 404)
    own, second = Machine(clerk()), Machine(reviewer())
    own.post(f"{path}/withdraw/", {"reason": "whim", "note": "x"}, 400)
    second.post(f"{path}/approve/", status=409)
    own.post(f"{path}/withdraw/", reason, 202)
    second.post(f"{path}/reject/", {}, 400)
    told = second.post(f"{path}/reject/", {"note": "证据不足"})
    assert (told["status"], told["pending"]) == ("published", None)
    assert Change.objects.count() == 1


def test_an_entry_past_its_last_day_cannot_be_changed():
    entry = last_public_day(timezone.localdate() - DAY)
    reason = {"reason": "error", "note": "有误"}
    Machine(clerk()).post(f"/listings/{entry.public_id}/withdraw/", reason, 409)


def test_a_change_of_an_outdated_version_is_refused():
    entry = published_black()
    path, machine = f"/listings/{entry.public_id}", Machine(clerk())
    reason = {"reason": "error", "note": "有误"}
    machine.post(f"{path}/withdraw/", {**reason, "version": entry.version + 1}, 412)
    machine.post(f"{path}/withdraw/", reason, 412, headers={"If-Match": '"nonsense"'})
    etag = machine.client.get(f"/api/v1{path}/")["ETag"]
    machine.post(f"{path}/withdraw/", reason, 202, headers={"If-Match": etag})


def test_a_new_firm_is_not_found_by_another_ones_code():
    entry = published_black(firm())
    assert not ids(Machine(liaison()).get("/listings/", code=firm().code))
    assert entry.subject.code

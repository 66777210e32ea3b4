"""Objections by machine: recorded from paper, answered by two officers."""

import pytest
from django.utils import timezone

from casework.workdays import add_working_days
from listings.models import Listing
from objections import services
from parties.models import Actor
from tests.builders import (
    DAY,
    Machine,
    clerk,
    liaison,
    objection,
    published_black,
    responsible,
    reviewer,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]
REASONS = "经核查，代发工资的回单属实，应当更正。"


def filing(entry, **fields):
    return {
        "listing": str(entry.public_id),
        "applicant": {"name": "示例申请人", "phone": "0435-0000000"},
        "fields": ["ground"],
        "grounds": "其中 15 名工人工资已通过银行代发，附回单。",
        "received_on": str(timezone.localdate()),
        **fields,
    }


def test_a_paper_filing_gets_number_code_and_a_due_day_that_explains_itself():
    today, entry = timezone.localdate(), published_black()
    told = Machine(clerk()).post("/objections/", filing(entry), 201)
    assert list(told) == [
        "number", "query_code", "received_on", "due_on", "provisional", "explanation",
    ]  # fmt: skip
    assert told["due_on"] == str(add_working_days(today, 15))
    counted = [line for line in told["explanation"] if line["counts"]]
    assert (len(counted), counted[-1]["date"]) == (15, told["due_on"])
    assert all(line.keys() == {"date", "counts", "why"} for line in told["explanation"])
    (row,) = Machine(clerk()).get("/objections/")["results"]
    assert row["number"] == told["number"]
    assert row["listing"] == str(entry.public_id)
    assert (row["status"], row["due_on"]) == ("received", told["due_on"])
    assert Machine(clerk("scjg")).get("/objections/")["results"] == []


def test_a_filing_names_each_thing_that_is_wrong():
    entry, machine = published_black(), Machine(clerk())
    tomorrow = str(timezone.localdate() + DAY)
    before = str(entry.document_date - DAY)
    for fields, where in (
        ({"received_on": tomorrow}, "received_on"),
        ({"received_on": before}, "received_on"),
        ({"fields": ["colour"]}, "fields"),
        ({"fields": []}, "fields"),
        ({"grounds": "不对"}, "grounds"),
        ({"applicant": {"name": "示例"}}, "applicant.phone"),
        ({"record": str(entry.public_id)}, "listing"),
    ):
        problem = machine.post("/objections/", filing(entry, **fields), 400)
        assert list(problem["errors"]) == [where], fields
    Machine(clerk("scjg")).post("/objections/", filing(entry), 404)
    Machine(liaison("rsj")).post("/objections/", filing(entry), 403)
    machine.post("/objections/", filing(entry), 201)
    assert machine.post("/objections/", filing(entry), 409)["code"] == "duplicate"


def test_two_officers_uphold_an_objection_and_the_entry_is_corrected():
    matter, _code = objection()
    path = f"/objections/{matter.number}"
    own, second = Machine(clerk()), Machine(reviewer())
    body = {
        "outcome": "upheld_corrected",
        "reasons": REASONS,
        "fields": {"ground": "拖欠 22 名农民工工资。"},
    }
    Machine(clerk("scjg")).post(f"{path}/reply/", body, 404)
    proposed = own.post(f"{path}/reply/", body, 202)
    assert (proposed["status"], proposed["letter_number"]) == ("reply_proposed", None)
    own.post(f"{path}/approve/", status=403)
    replied = second.post(f"{path}/approve/")
    assert (replied["status"], replied["outcome"]) == ("replied", "upheld_corrected")
    assert replied["letter_number"]
    entry = second.get(f"/listings/{matter.listing.public_id}/")
    assert (entry["ground"], entry["disputed"]) == ("拖欠 22 名农民工工资。", False)
    second.post(f"{path}/approve/", status=409)


def test_an_upheld_withdrawal_takes_the_entry_off():
    matter, _code = objection()
    path = f"/objections/{matter.number}"
    Machine(clerk()).post(
        f"{path}/reply/", {"outcome": "upheld_withdrawn", "reasons": REASONS}, 202
    )
    Machine(reviewer()).post(f"{path}/approve/")
    assert Listing.objects.get().status == "withdrawn"


def test_a_reply_names_each_thing_that_is_wrong():
    matter, _code = objection()
    path, machine = f"/objections/{matter.number}/reply/", Machine(clerk())
    good = {"outcome": "upheld_corrected", "reasons": REASONS, "fields": {"ground": "新的事实"}}
    later = str(matter.listing.visible_until + DAY)
    for fields, where in (
        ({"outcome": "perhaps"}, "outcome"),
        ({"reasons": "对"}, "reasons"),
        ({"fields": {}}, "fields"),
        ({"outcome": "rejected"}, "fields"),
        ({"fields": {"degree": "minor"}}, "fields.degree"),
        ({"fields": {"visible_until": later}}, "fields.visible_until"),
        ({"fields": {"document": {"date": "gestern"}}}, "fields.document.date"),
    ):
        problem = machine.post(path, {**good, **fields}, 400)
        assert list(problem["errors"]) == [where], fields
    machine.post(path, {**good, "version": 9}, 412)


def test_what_is_listed_tells_where_a_matter_stands():
    entry = published_black(responsible_persons=[responsible()])
    matter, _code = objection(entry, national_number="示例-2026-1")
    by = timezone.localdate() + 9 * DAY
    actor = Actor.of(clerk())
    text = "加盖公章的银行代发流水。"
    services.ask(matter, actor=actor, text=text, by=by, today=timezone.localdate())
    (row,) = Machine(clerk()).get("/objections/")["results"]
    assert {
        "department": "rsj",
        "door": "platform",
        "fields": ["ground"],
        "responsible_person": None,
        "national_number": "示例-2026-1",
        "status": "awaiting",
        "supplement_by": str(by),
        "stopped_on": None,
        "extended_days": 0,
    }.items() <= row.items()


def test_findings_of_a_proposal_are_kept_and_not_answered():
    matter, _code = objection()
    body = {"outcome": "rejected", "reasons": REASONS, "findings": "内部核查记录。"}
    told = Machine(clerk()).post(f"/objections/{matter.number}/reply/", body, 202)
    assert "findings" not in told
    matter.refresh_from_db()
    assert matter.findings == "内部核查记录。"


def test_objections_cost_the_same_however_many(django_assert_max_num_queries):
    for _number in range(3):
        entry = published_black(responsible_persons=[responsible()])
        objection(entry, responsible_person=entry.responsible_persons.get())
    machine = Machine(clerk())
    with django_assert_max_num_queries(4):
        assert len(machine.get("/objections/")["results"]) == 3

"""Credit repair by machine: recorded from paper, decided by two officers."""

import json

import pytest
from django.utils import timezone

from casework.workdays import add_working_days
from listings.models import Listing
from tests.builders import (
    DAY,
    Machine,
    clerk,
    published_black,
    repair,
    repairable,
    responsible,
    reviewer,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]
REASONS = "经现场核实，违法用地已恢复原状并通过验收。"


def application(entry, **fields):
    return {
        "listing": str(entry.public_id),
        "applicant": {"name": "示例申请人", "phone": "0435-0000000"},
        "evidence": entry.category.repair_evidence,
        "commitment": "本单位承诺所交材料真实，今后依法用地。",
        "received_on": str(timezone.localdate()),
        **fields,
    }


def test_an_application_is_accepted_decided_and_takes_the_entry_off():
    entry = repairable()
    own, second = Machine(clerk("zrzy")), Machine(reviewer("zrzy"))
    told = own.post("/repairs/", application(entry), 201)
    assert told["due_on"] == str(add_working_days(timezone.localdate(), 3))
    assert [line["counts"] for line in told["explanation"]].count(True) == 3
    path = f"/repairs/{told['number']}"
    accepted = own.post(f"{path}/accept/")
    assert accepted["status"] == "accepted"
    assert accepted["due_on"] == str(add_working_days(timezone.localdate(), 10))
    proposed = own.post(f"{path}/decide/", {"outcome": "granted", "reasons": REASONS}, 202)
    assert proposed["status"] == "decision_proposed"
    own.post(f"{path}/approve/", status=403)
    assert second.post(f"{path}/approve/")["status"] == "granted"
    assert Listing.objects.get().status == "repaired"
    second.post(f"{path}/approve/", status=409)


def test_deciding_an_application_accepts_it():
    matter, _code = repair()
    path = f"/repairs/{matter.number}/decide/"
    body = {"outcome": "refused", "reasons": "承诺的整改没有完成，现场未恢复。"}
    Machine(clerk("scjg")).post(path, body, 404)
    assert "reasons" in Machine(clerk("zrzy")).post(path, {**body, "reasons": "否"}, 400)["errors"]
    assert Machine(clerk("zrzy")).post(path, body, 202)["status"] == "decision_proposed"


def test_an_application_may_be_turned_down_at_the_door():
    matter, _code = repair()
    path, machine = f"/repairs/{matter.number}/accept/", Machine(clerk("zrzy"))
    assert "reasons" in machine.post(path, {"accepted": False}, 400)["errors"]
    told = machine.post(path, {"accepted": False, "reasons": "材料与记录不符，请补正后再申请。"})
    assert told["status"] == "not_accepted"


def test_too_early_is_refused_with_the_first_possible_day():
    entry = published_black(category="M09", unit="zrzy")
    problem = Machine(clerk("zrzy")).post("/repairs/", application(entry), 400)
    assert problem["code"] == "too_early"
    assert str(timezone.localdate().year + 1) in problem["detail"]


def test_missing_evidence_is_named_and_others_entries_are_not_there():
    entry = repairable()
    machine = Machine(clerk("zrzy"))
    problem = machine.post("/repairs/", application(entry, evidence=["照片"]), 400)
    assert "evidence" in problem["errors"]
    Machine(clerk("scjg")).post("/repairs/", application(entry), 404)
    machine.post("/repairs/", application(entry), 201)
    assert machine.post("/repairs/", application(entry), 409)["code"] == "duplicate"
    assert Machine(clerk("scjg")).get("/repairs/")["results"] == []


def test_repairs_cost_the_same_however_many(django_assert_max_num_queries):
    for _number in range(3):
        repair()
    machine = Machine(clerk("zrzy"))
    with django_assert_max_num_queries(5):
        assert len(machine.get("/repairs/")["results"]) == 3


def test_who_is_meant_how_it_is_signed_and_the_next_day_are_told_by_machine():
    entry = repairable(responsible_persons=[responsible()])
    person = entry.responsible_persons.get()
    own, second = Machine(clerk("zrzy")), Machine(reviewer("zrzy"))
    given = {
        "responsible_person": str(person.public_id),
        "committed_by": "示例申请人",
        "national_number": "XF2201-1",
    }
    stranger = str(entry.public_id)
    problem = own.post("/repairs/", application(entry, responsible_person=stranger), 400)
    assert set(problem["errors"]) == {"responsible_person"}
    problem = own.post("/repairs/", application(entry, committed_by="别人"), 400)
    assert set(problem["errors"]) == {"committed_by"}
    future = str(timezone.localdate() + DAY)
    problem = own.post("/repairs/", application(entry, committed_on=future), 400)
    assert set(problem["errors"]) == {"committed_on"}
    kinds = [*entry.category.repair_evidence, "\ud800"]  # half of a pair of surrogates
    body = json.dumps(application(entry, evidence=kinds))
    answer = own.client.post("/api/v1/repairs/", body, content_type="application/json")
    assert (answer.status_code, set(answer.json()["errors"])) == (400, {"evidence.3"})
    told = own.post("/repairs/", application(entry, **given), 201)
    (row,) = own.get("/repairs/")["results"]
    assert row["responsible_person"] == given["responsible_person"]
    assert row["evidence"] == entry.category.repair_evidence
    assert row["national_number"] == "XF2201-1"
    path = f"/repairs/{told['number']}"
    body = {"outcome": "refused", "reasons": REASONS, "retry_from": str(timezone.localdate())}
    assert set(own.post(f"{path}/decide/", body, 400)["errors"]) == {"retry_from"}
    body["retry_from"] = future
    assert own.post(f"{path}/decide/", body, 202)["retry_from"] == future
    assert second.post(f"{path}/approve/")["status"] == "refused"
    problem = own.post("/repairs/", application(entry, **given), 400)
    assert (problem["code"], future in problem["detail"]) == ("too_early", True)

"""Pushes and checks for machines of the units."""

import pytest
from django.utils import timezone

from jointaction.models import Check, Hit
from jointaction.services import distribute
from parties.models import AccessLog
from tests.builders import (
    DAY,
    Machine,
    clerk,
    code_of,
    firm,
    last_public_day,
    liaison,
    objection,
    person,
    published_black,
    red_published,
    resident_id,
    reviewer,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]


def pushed(**fields):
    entry = published_black(**fields)
    distribute(today=timezone.localdate())
    return entry


def first_push(machine):
    return machine.get("/pushes/")["results"][0]


# ── pushes ────────────────────────────────────────────────────────────────────────────────────


def test_a_push_is_its_units_alone():
    pushed()
    push = first_push(Machine(liaison("czj")))
    assert list(push) == [
        "id", "status", "kind", "listing", "measures", "feedback_due", "overdue", "version",
    ]  # fmt: skip
    for act in ("", "subject/"):
        Machine(liaison("ggzy")).get(f"/pushes/{push['id']}/{act}", 404)
    for act in ("acknowledge", "feedback"):
        body = {"measures": []} if act == "feedback" else {}
        Machine(liaison("ggzy")).post(f"/pushes/{push['id']}/{act}/", body, 404)
    Machine(liaison("czj"), "read").get("/pushes/", 403)


def test_pushes_are_filtered_by_status():
    pushed()
    machine = Machine(liaison("czj"))
    assert len(machine.get("/pushes/", status="open")["results"]) == 1
    assert machine.get("/pushes/", status="answered")["results"] == []
    machine.get("/pushes/", 400, status="lost")


def test_pushes_cost_the_same_however_many(django_assert_max_num_queries):
    for _number in range(4):
        published_black()
    distribute(today=timezone.localdate())
    machine = Machine(liaison("czj"))
    with django_assert_max_num_queries(9):
        assert len(machine.get("/pushes/")["results"]) == 4


def test_an_answer_names_each_thing_that_is_wrong():
    entry = pushed()
    machine = Machine(liaison("czj"))
    push = first_push(machine)
    path, code = f"/pushes/{push['id']}/feedback/", push["measures"][0]["code"]
    early, late = str(entry.published_on - DAY), str(timezone.localdate() + DAY)
    for row, where in (
        ({"code": "PA99", "outcome": "applied"}, "code"),
        ({"code": code, "outcome": "lifted"}, "outcome"),
        ({"code": code, "outcome": "done"}, "outcome"),
        ({"code": code, "outcome": "declined"}, "remark"),
        ({"code": code, "outcome": "not_applicable"}, "remark"),
        ({"code": code, "outcome": "applied", "applied_on": early}, "applied_on"),
        ({"code": code, "outcome": "applied", "applied_on": late}, "applied_on"),
        ({"code": code, "outcome": "stands", "remark": "另有决定"}, "outcome"),
        ({"code": code, "outcome": "applied", "colour": "red"}, "colour"),
    ):
        problem = machine.post(path, {"measures": [row]}, 400)
        assert list(problem["errors"]) == [f"measures.0.{where}"], row
    assert "measures" in machine.post(path, {"measures": []}, 400)["errors"]
    assert first_push(machine)["status"] == "open"


def test_a_superseded_push_takes_neither_receipt_nor_answer():
    entry, machine = pushed(), Machine(liaison("czj"))
    push = first_push(machine)
    own = Machine(clerk())
    own.post(f"/listings/{entry.public_id}/withdraw/", {"reason": "error", "note": "列错"}, 202)
    Machine(reviewer()).post(f"/listings/{entry.public_id}/approve/")
    distribute(today=timezone.localdate())
    answers = [{"code": row["code"], "outcome": "applied"} for row in push["measures"]]
    machine.post(f"/pushes/{push['id']}/feedback/", {"measures": answers}, 409)
    machine.post(f"/pushes/{push['id']}/acknowledge/", {}, 409)
    (superseded,) = machine.get("/pushes/", status="superseded")["results"]
    assert superseded["id"] == push["id"]
    (lift,) = machine.get("/pushes/", status="open")["results"]
    assert (lift["kind"], lift["listing"]["status"]) == ("lift", "withdrawn")


def test_a_decision_that_stands_is_answered_with_its_reason_and_last_day():
    entry, machine = pushed(), Machine(liaison("czj"))
    own = Machine(clerk())
    own.post(f"/listings/{entry.public_id}/withdraw/", {"reason": "error", "note": "列错"}, 202)
    Machine(reviewer()).post(f"/listings/{entry.public_id}/approve/")
    distribute(today=timezone.localdate())
    lift = first_push(machine)
    path = f"/pushes/{lift['id']}/feedback/"
    said = {"outcome": "stands", "remark": "另有处罚决定"}
    rows = [{"code": row["code"], **said} for row in lift["measures"]]
    assert set(machine.post(path, {"measures": rows}, 400)["errors"]) == {
        f"measures.{index}.until" for index in range(len(rows))
    }
    until = str(timezone.localdate() + 90 * DAY)
    rows = [{**row, "until": until} for row in rows]
    told = machine.post(path, {"measures": rows})
    assert told["status"] == "answered"
    assert {row["outcome"] for row in told["measures"]} == {"stands"}


def test_parameters_of_a_measure_are_kept():
    pushed()
    machine = Machine(liaison("czj"))
    push = first_push(machine)
    row = {"code": push["measures"][0]["code"], "outcome": "applied", "parameters": {"额度": "0"}}
    machine.post(f"/pushes/{push['id']}/feedback/", {"measures": [row]})
    assert machine.user.department.pushes.get().feedback.get().parameters == {"额度": "0"}


def test_an_outdated_push_is_not_acknowledged():
    pushed()
    machine = Machine(liaison("czj"))
    path = f"/pushes/{first_push(machine)['id']}"
    machine.post(f"{path}/acknowledge/", {"version": 7}, 412)
    etag = machine.client.get(f"/api/v1{path}/")["ETag"]
    machine.post(f"{path}/acknowledge/", {}, 200, headers={"If-Match": etag})


def test_whom_a_push_is_about_is_told_and_logged_while_it_is_open():
    number = resident_id(9, "19760606")
    pushed(subject=person("张示例", number), unit="zjfy", category="J01")
    machine = Machine(liaison("czj"))
    push = first_push(machine)
    assert push["listing"]["subject"]["name"] == "张*"
    path = f"/pushes/{push['id']}"
    answer = machine.client.get(f"/api/v1{path}/subject/")
    assert answer["Cache-Control"] == "no-store"
    assert "ETag" not in answer
    assert answer.json() == {
        "kind": "person", "name": "张示例", "id_type": "resident_id", "id_number": number,
    }  # fmt: skip
    assert AccessLog.objects.get().by_user == machine.user
    answers = [{"code": row["code"], "outcome": "applied"} for row in push["measures"]]
    machine.post(f"{path}/feedback/", {"measures": answers})
    machine.get(f"{path}/subject/", 403)
    assert AccessLog.objects.count() == 1


def test_whom_an_advisory_push_is_about_is_not_told():
    bank = Machine(liaison("bank-demo"))
    pushed(subject=person("张示例"), unit="zjfy", category="J01")
    push = first_push(bank)
    assert push["feedback_due"] is None
    bank.get(f"/pushes/{push['id']}/subject/", 403)


# ── checks ────────────────────────────────────────────────────────────────────────────────────


def check(machine, *subjects, expect=201, **fields):
    body = {"purpose": "招标资格审查", "reference": "ZB-示例-1", "subjects": list(subjects)}
    return machine.post("/checks/", {**body, **fields}, expect)


def outcomes(answer):
    return [(row["outcome"], row.get("reason")) for row in answer["results"]]


def test_a_check_decides_organisations_by_code_and_persons_by_name_and_number():
    entry = published_black(firm("通化示例建筑有限公司"))
    number = resident_id(11, "19750505")
    published_black(person("张示例", number), unit="zjfy", category="J01")
    paper = {"id_type": "resident_id", "id_number": number}
    answer = check(
        Machine(liaison("ggzy")),
        {"code": entry.subject.code.lower(), "name": "另一个名字"},
        {"code": code_of(99001)},
        {"name": "通化示例建筑有限公司"},
        {"code": "91350100M000100Y44"},
        {"code": "123"},
        {"name": "张示例", **paper},
        {"name": "李示例", **paper},
        {"name": "张示例", "id_type": "resident_id", "id_number": "22050119900229001X"},
        {},
    )
    assert outcomes(answer) == [
        ("listed", None), ("clear", None), ("invalid", "name_is_not_identity"),
        ("invalid", "bad_check_symbol"), ("invalid", "bad_format"), ("listed", None),
        ("invalid", "name_does_not_match"), ("invalid", "bad_date"),
        ("invalid", "name_is_not_identity"),
    ]  # fmt: skip
    hit = answer["results"][0]
    assert (hit["name_differs"], hit["matched_as"]) == (True, "subject")
    assert {row["unit"] for row in hit["listings"][0]["measures"]} == {"ggzy"}
    assert answer["ledger_seq"] == 2


def test_a_responsible_person_is_found_with_the_firm_they_answer_for():
    number = resident_id(12, "19740404")
    published_black(
        responsible_persons=[
            {
                "name": "李示例", "id_type": "resident_id", "id_number": number,
                "role": "legal_representative", "fact": "决定拖欠", "basis": "第四十八条",
            }
        ]
    )  # fmt: skip
    asked = {"name": "李示例", "id_type": "resident_id", "id_number": number}
    (result,) = check(Machine(liaison("ggzy")), asked)["results"]
    assert (result["outcome"], result["matched_as"]) == ("listed", "responsible_person")
    assert "李" not in str(result)


def test_a_black_entry_suspends_the_benefits_of_a_red_one():
    subject = firm()
    red_published(subject)
    published_black(subject)
    (result,) = check(Machine(liaison("ggzy")), {"code": subject.code})["results"]
    black, red = sorted(result["listings"], key=lambda row: row["list"])
    assert black["measures"]
    assert (red["measures"], red["suppressed"]) == ([], True)


def test_an_entry_past_its_last_day_is_clear():
    entry = last_public_day(timezone.localdate() - DAY)
    assert outcomes(check(Machine(liaison("ggzy")), {"code": entry.subject.code})) == [
        ("clear", None)
    ]


def test_a_question_must_say_what_for():
    machine = Machine(liaison("ggzy"))
    body = {"purpose": " ", "subjects": []}
    problem = machine.post("/checks/", body, 400)
    assert problem["errors"].keys() == {"purpose", "reference", "subjects"}
    asked = {"name": "张示例", "id_number": "11010519491231002X"}
    assert "subjects.0.id_type" in check(machine, asked, expect=400)["errors"]
    tomorrow = str(timezone.localdate() + DAY)
    assert "as_of" in check(machine, {"code": code_of(1)}, as_of=tomorrow, expect=400)["errors"]
    assert "subjects" in check(machine, *[{}] * 1001, expect=400)["errors"]
    assert not Check.objects.exists()
    Machine(liaison("ggzy"), "feedback").post("/checks/", {}, 403)


def test_a_thousand_subjects_cost_as_many_queries_as_one(django_assert_max_num_queries):
    published_black()
    machine = Machine(liaison("ggzy"))
    with django_assert_max_num_queries(24):
        answer = check(machine, *({"code": code_of(number)} for number in range(1000)))
    assert len(answer["results"]) == 1000


def test_what_a_hit_costs(django_assert_num_queries):
    machine, asked = Machine(liaison("ggzy")), {"code": published_black().subject.code}
    check(machine, asked)  # measure sets are read once
    with django_assert_num_queries(6):  # key, count, found, signing key, logged, persons
        assert check(machine, asked)["results"][0]["listings"]


def test_a_hit_waits_for_its_answer():
    entry = published_black()
    machine = Machine(liaison("ggzy"))
    done = check(machine, {"code": entry.subject.code})
    (hit,) = machine.get("/checks/", pending="true")["results"]
    assert (hit["id"], hit["overdue"]) == (done["id"], False)
    machine.get("/checks/", 400)
    machine.get("/checks/", 400, pending="false")
    path = f"/checks/{done['id']}/feedback/"
    codes = [row["code"] for row in hit["measures"]]
    said = {"listing": hit["listing"]["id"], "measures": codes, "handling": "applied"}
    assert "result" in machine.post(path, said, 400)["errors"]
    said["result"] = "取消投标资格"
    wrong = {**said, "measures": ["PA99"]}
    assert list(machine.post(path, wrong, 400)["errors"]) == ["measures"]
    Machine(liaison("czj")).post(path, said, 404)
    told = machine.post(path, {**said, "at": timezone.now().isoformat()})
    assert told["answered"]
    assert machine.post(path, said, 409)["code"] == "already_answered"
    assert machine.get("/checks/", pending="true")["results"] == []
    rows = Machine(clerk()).get(f"/listings/{entry.public_id}/feedback/")["results"]
    (row,) = [row for row in rows if row["kind"] == "check"]
    assert (row["unit"], row["hits"], row["answered"]) == ("ggzy", 1, 1)
    assert {measure["outcome"] for measure in row["measures"]} == {"applied"}


def test_pending_hits_cost_the_same_however_many(django_assert_max_num_queries):
    machine = Machine(liaison("ggzy"))
    check(machine, *({"code": published_black().subject.code} for _number in range(4)))
    assert Hit.objects.count() == 4
    with django_assert_max_num_queries(8):
        assert len(machine.get("/checks/", pending="true")["results"]) == 4


def test_who_only_checked_is_called_back_too(django_assert_max_num_queries):
    entry = published_black()
    today = timezone.localdate()
    distribute(today=today)
    check(Machine(clerk("xfj"), "check"), {"code": entry.subject.code})
    own = Machine(clerk())
    reason = {"reason": "document_quashed", "note": "文书被撤销"}
    own.post(f"/listings/{entry.public_id}/withdraw/", reason, 202)
    Machine(reviewer()).post(f"/listings/{entry.public_id}/approve/")
    distribute(today=today)
    with django_assert_max_num_queries(10):
        rows = own.get(f"/listings/{entry.public_id}/recalls/")["results"]
    by_unit = {row["unit"]: row for row in rows}
    assert (by_unit["xfj"]["received"], by_unit["xfj"]["checked"]) == (False, True)
    assert (by_unit["czj"]["received"], by_unit["czj"]["confirmed"]) == (True, False)
    machine = Machine(clerk("xfj"))
    machine.post(f"/pushes/{first_push(machine)['id']}/acknowledge/")
    rows = own.get(f"/listings/{entry.public_id}/recalls/")["results"]
    assert [row["confirmed"] for row in rows if row["unit"] == "xfj"] == [True]


def test_a_dispute_stops_no_push():
    matter, _code = objection()
    distribute(today=timezone.localdate())
    (push,) = Machine(liaison("czj")).get("/pushes/")["results"]
    assert push["listing"]["id"] == str(matter.listing.public_id)
    assert push["listing"]["disputed"] is True

"""Journey A by machines alone: a department publishes, a unit applies, the department sees it."""

import pytest
from django.utils import timezone

from jointaction import tasks
from tests.builders import Machine, black_body, clerk, liaison, reviewer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]


def test_an_entry_is_published_reaches_the_units_and_their_answers_come_back():
    today = str(timezone.localdate())
    author, approver, unit = Machine(clerk()), Machine(reviewer()), Machine(liaison("czj"))

    draft = author.post("/listings/", black_body(), 201)
    assert (draft["status"], draft["version"], draft["published_on"]) == ("draft", 1, None)
    unit.get(f"/listings/{draft['id']}/", 404)
    author.post(f"/listings/{draft['id']}/publish/", status=403)

    entry = approver.post(f"/listings/{draft['id']}/publish/")
    assert (entry["status"], entry["published_on"]) == ("published", today)
    assert unit.get(f"/listings/{draft['id']}/")["subject"] == entry["subject"]
    asked = {row["unit"] for row in entry["measures"]}
    assert {"ggzy", "czj", "scjg"} <= asked
    assert "rsj" not in asked

    tasks.distribute()
    (push,) = unit.get("/pushes/")["results"]
    assert (push["kind"], push["status"], push["overdue"]) == ("apply", "open", False)
    assert push["listing"]["id"] == draft["id"]
    codes = [row["code"] for row in push["measures"]]
    assert {row["outcome"] for row in push["measures"]} == {None}

    path = f"/pushes/{push['id']}"
    assert unit.post(f"{path}/acknowledge/")["status"] == "acknowledged"
    first, *others = codes
    answer = {"code": first, "outcome": "applied", "applied_on": today, "reference": "示例-1"}
    assert unit.post(f"{path}/feedback/", {"measures": [answer]})["status"] == "partly_answered"
    refused = [{"code": code, "outcome": "declined"} for code in others]
    problem = unit.post(f"{path}/feedback/", {"measures": refused}, 400)
    assert list(problem["errors"]) == ["measures.0.remark"]
    reasoned = [{**row, "remark": "该单位没有申请此类资金"} for row in refused]
    assert unit.post(f"{path}/feedback/", {"measures": reasoned})["status"] == "answered"
    unit.post(f"{path}/acknowledge/", status=409)

    rows = author.get(f"/listings/{draft['id']}/feedback/")["results"]
    (mine,) = [row for row in rows if row["unit"] == "czj"]
    outcomes = {row["code"]: row["outcome"] for row in mine["measures"]}
    assert outcomes == {first: "applied", **dict.fromkeys(others, "declined")}
    unit.get(f"/listings/{draft['id']}/feedback/", 404)

    feed = unit.get("/changes/")
    assert [row["action"] for row in feed["results"]] == ["publish"]
    assert feed["head"] == feed["results"][-1]["seq"]


def test_an_entry_withdrawn_by_two_officers_is_called_back_and_the_unit_confirms():
    author, approver, unit = Machine(clerk()), Machine(reviewer()), Machine(liaison("czj"))
    listing = author.post("/listings/", black_body(), 201)["id"]
    name = approver.post(f"/listings/{listing}/publish/")["subject"]["name"]
    tasks.distribute()
    (push,) = unit.get("/pushes/")["results"]
    answers = [{"code": row["code"], "outcome": "applied"} for row in push["measures"]]
    unit.post(f"/pushes/{push['id']}/feedback/", {"measures": answers})

    reason = {"reason": "error", "note": "立案材料有误"}
    proposed = author.post(f"/listings/{listing}/withdraw/", reason, 202)
    assert proposed["status"] == "published"
    assert proposed["pending"]["action"] == "withdraw"
    assert unit.get(f"/listings/{listing}/")["pending"] is None
    author.post(f"/listings/{listing}/approve/", status=403)
    author.post(f"/listings/{listing}/withdraw/", reason, 409)
    ended = approver.post(f"/listings/{listing}/approve/")
    assert (ended["status"], ended["end_reason"]) == ("withdrawn", "error")
    assert ended["subject"]["name"] == name  # to its own department

    told = {"id", "list", "status", "ended_on", "end_reason"}
    assert unit.get(f"/listings/{listing}/").keys() == told
    assert [row.keys() for row in unit.get("/listings/")["results"]] == [told]
    assert unit.get(f"/listings/{listing}/history/")["results"][0].keys() == told
    assert all(row["listing"].keys() == told for row in unit.get("/changes/")["results"])
    assert unit.get("/listings/", code=proposed["subject"]["code"])["results"] == []

    tasks.distribute()
    lift, applied = unit.get("/pushes/")["results"]
    assert (lift["kind"], lift["listing"]["subject"]["name"]) == ("lift", name)
    assert (applied["status"], applied["listing"].keys()) == ("answered", told)
    (call,) = [
        r for r in author.get(f"/listings/{listing}/recalls/")["results"] if r["unit"] == "czj"
    ]
    assert (call["received"], call["acted"], call["confirmed"]) == (True, True, False)
    lifted = [{"code": row["code"], "outcome": "lifted"} for row in lift["measures"]]
    unit.post(f"/pushes/{lift['id']}/feedback/", {"measures": lifted})
    (call,) = [
        r for r in author.get(f"/listings/{listing}/recalls/")["results"] if r["unit"] == "czj"
    ]
    assert call["confirmed"]
    assert unit.get(f"/pushes/{lift['id']}/")["listing"].keys() == told

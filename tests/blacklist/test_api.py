"""Drafts of the black list by machine, and their publication by a second officer."""

import pytest
from django.utils import timezone

from casework.workdays import add_months
from listings.models import Listing
from parties.models import Subject
from rulebook.models import LegalBasis, ListCategory
from tests.builders import (
    DAY,
    Machine,
    black_body,
    black_draft,
    clerk,
    code_of,
    liaison,
    resident_id,
    reviewer,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]


def refused(body, status, *where, unit="rsj"):
    problem = Machine(clerk(unit)).post("/listings/", body, status)
    assert set(problem["errors"]) == set(where)
    return problem


def test_a_draft_takes_the_names_of_the_listing():
    body = black_body(
        {"kind": "sole_trader", "name": "通化示例商行", "code": f" {code_of(77001).lower()} "},
        misconduct="M05",
        basis=LegalBasis.objects.get(code="shipin-anquan-fa").name,
        term_months=6,
        measures=["PA07", {"code": "PA09", "until": str(timezone.localdate() + 90 * DAY)}],
        reference="RSJ-1",
    )
    draft = Machine(clerk()).post("/listings/", body, 201)
    assert draft["subject"]["kind"] == "sole_trader"
    assert draft["subject"]["code"] == code_of(77001)
    assert draft["basis"] == body["basis"]
    assert draft["document"] == body["document"]
    assert {row["code"] for row in draft["measures"]} == {"PA07", "PA09"}
    (ban,) = [row for row in draft["measures"] if row["code"] == "PA09"]
    assert ban["until"] == body["measures"][1]["until"]
    entry = Machine(reviewer()).post(f"/listings/{draft['id']}/publish/")
    assert entry["visible_until"] == str(add_months(timezone.localdate(), 6))


def test_a_draft_names_each_thing_that_is_wrong():
    refused({}, 400, "subject", "category")
    refused(black_body(category="X99"), 400, "category")
    refused(black_body(list="red"), 400, "list")
    refused(black_body(misconduct="M04"), 400, "misconduct")
    refused(black_body(basis="no-such-law"), 400, "basis")
    refused(black_body(term_months=3, visible_until="2030-01-01"), 400, "visible_until")
    refused(black_body(source="RS1", nominator="示例协会"), 400, "source", "nominator")
    refused(black_body(measures=["PM04"]), 400, "measures")
    refused(black_body({"name": "示例"}), 400, "subject.code")
    bad = {"name": "通化示例", "code": "91350100M000100Y44"}
    assert refused(black_body(bad), 400, "subject.code")["code"] == "bad_check_symbol"
    late = {"served_on": str(timezone.localdate()), "means": "direct"}
    late["defence_until"] = late["served_on"]
    refused(black_body(prior_notice=late), 400, "prior_notice.defence_until")
    assert not Listing.objects.exists()
    assert not Subject.objects.exists()


def test_a_category_may_require_fields_of_its_own():
    body = black_body(category="J01", details={"court": "通化市示例人民法院"})
    problem = Machine(clerk("zjfy")).post("/listings/", body, 400)
    assert "details.case_number" in problem["errors"]
    assert "details.court" not in problem["errors"]
    body["details"]["colour"] = "red"
    assert "details.colour" in Machine(clerk("zjfy")).post("/listings/", body, 400)["errors"]


def test_a_department_lists_only_under_its_own_categories_and_a_liaison_lists_nothing():
    Machine(clerk("scjg")).post("/listings/", black_body(), 403)
    Machine(liaison("rsj")).post("/listings/", black_body(), 403)
    Machine(clerk(), "read").post("/listings/", black_body(), 403)


def test_the_departments_own_reference_updates_the_draft_and_never_an_entry():
    machine, body = Machine(clerk()), black_body(reference="RSJ-1")
    first = machine.post("/listings/", body, 201)
    second = machine.post("/listings/", {**body, "ground": "拖欠 40 名农民工工资。"}, 200)
    assert (first["version"], second["id"]) == (1, first["id"])
    assert second["ground"] == "拖欠 40 名农民工工资。"
    path = f"/listings/{first['id']}/publish/"
    Machine(reviewer()).post(path, status=412)
    Machine(reviewer()).post(path, {"version": 1}, 412)
    Machine(reviewer()).post(path, {"version": second["version"]}, 200)
    machine.post("/listings/", body, 409)


def test_the_etag_of_the_draft_that_was_read_is_as_good_as_its_version():
    machine, approver = Machine(clerk()), Machine(reviewer())
    body = black_body(reference="RSJ-1")
    path = f"/listings/{machine.post('/listings/', body, 201)['id']}"
    stale = approver.client.get(f"/api/v1{path}/")["ETag"]
    machine.post("/listings/", {**body, "ground": "拖欠 40 名农民工工资。"}, 200)
    approver.post(f"{path}/publish/", {}, 412, headers={"If-Match": stale})
    fresh = approver.client.get(f"/api/v1{path}/")["ETag"]
    approver.post(f"{path}/publish/", {}, 200, headers={"If-Match": fresh})


def test_the_same_finding_twice_is_a_conflict():
    machine, body = Machine(clerk()), black_body()
    machine.post("/listings/", body, 201)
    assert machine.post("/listings/", body, 409)["code"] == "duplicate"


def test_what_is_missing_at_publication_is_named():
    body = black_body(degree="general")
    for name in ("document", "prior_notice", "ground"):
        del body[name]
    draft = Machine(clerk()).post("/listings/", body, 201)
    problem = Machine(reviewer()).post(f"/listings/{draft['id']}/publish/", {}, 400)
    assert problem["errors"].keys() == {
        "document.number", "document.kind", "document.organ", "document.date",
        "ground", "degree", "prior_notice",
    }  # fmt: skip
    only = Machine(clerk()).post("/listings/", black_body(degree="general"), 201)
    problem = Machine(reviewer()).post(f"/listings/{only['id']}/publish/", {}, 400)
    assert problem["code"] == "not_serious"


def test_a_defence_must_have_been_answered():
    body = black_body()
    served = body["prior_notice"]["served_on"]
    body["prior_notice"]["defence"] = {"received_on": served, "text": "工资已付"}
    draft = Machine(clerk()).post("/listings/", body, 201)
    problem = Machine(reviewer()).post(f"/listings/{draft['id']}/publish/", {}, 400)
    assert problem["code"] == "defence_open"


def test_the_author_cannot_publish_with_another_key_of_the_same_officer():
    both = reviewer()
    draft = Machine(both).post("/listings/", black_body(), 201)
    Machine(both).post(f"/listings/{draft['id']}/publish/", {}, 403)


def test_an_entry_is_published_once():
    path = f"/listings/{black_draft().public_id}/publish/"
    Machine(reviewer()).post(path)
    assert Machine(reviewer()).post(path, status=409)["code"] == "impossible_move"


def test_a_machine_publishes_alone_only_where_the_category_allows_it_and_a_person_approved():
    author, approver = Machine(clerk()), reviewer()
    draft = author.post("/listings/", black_body(), 201)
    path, body = f"/listings/{draft['id']}/publish/", {"approved_by": approver.username}
    assert "approved_by" in author.post(path, body, 400)["errors"]
    ListCategory.objects.filter(code="M05").update(machine_publication=True)
    author.post(path, {}, 403)
    author.post(path, {"approved_by": clerk().username}, 403)
    author.post(path, {"approved_by": reviewer("scjg").username}, 403)
    author.post(path, body)
    line = Listing.objects.get().journal.last()
    assert (line.by_user, line.by_key.officer) == (approver, author.user)


def test_responsible_persons_are_counted_and_never_told():
    number = resident_id(3, "19770707")
    body = black_body(
        responsible_persons=[
            {
                "name": "李示例",
                "id_type": "居民身份证",
                "id_number": number,
                "role": "legal_representative",
                "fact": "直接决定拖欠工资",
                "basis": "第四十八条",
            }
        ]
    )
    machine = Machine(clerk())
    answer = machine.client.post("/api/v1/listings/", body, "json")
    assert answer.json()["responsible_persons"] == 1
    assert "李" not in answer.content.decode()
    assert number[6:14] not in answer.content.decode()
    body["responsible_persons"][0]["id_number"] = "110105194912310021"
    body["document"]["number"] = "吉通示另〔2026〕1号"
    problem = machine.post("/listings/", body, 400)
    assert list(problem["errors"]) == ["responsible_persons.0"]

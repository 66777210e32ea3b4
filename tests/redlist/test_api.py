"""Nominations by machine, and recognition by a second officer."""

import pytest
from django.utils import timezone

from tests.builders import DAY, Machine, clerk, code_of, firm, published_black, reviewer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]


def red_body(subject=None, **fields):
    today = timezone.localdate()
    return {
        "subject": subject or {"name": "通化示例食品有限公司", "code": code_of(88001)},
        "category": "RS1",
        "source": "RS1",
        "nominator": "通化市示例行业协会",
        "ground": "连续三年监督抽检全部合格。",
        "public_notice": {"from": str(today - 30 * DAY), "until": str(today - DAY)},
        **fields,
    }


def test_a_firm_is_recognised_after_its_public_notice():
    draft = Machine(clerk("scjg")).post("/listings/", red_body(), 201)
    assert (draft["list"], draft["document"], draft["misconduct"]) == ("red", None, None)
    entry = Machine(reviewer("scjg")).post(f"/listings/{draft['id']}/publish/")
    assert entry["status"] == "published"
    assert entry["url"].endswith(f"/red/{draft['id']}/")


@pytest.mark.parametrize("field", ["document", "misconduct", "degree", "prior_notice"])
def test_what_belongs_to_the_black_list_is_refused(field):
    problem = Machine(clerk("scjg")).post("/listings/", red_body(**{field: {}}), 400)
    assert list(problem["errors"]) == [field]


def test_the_source_agrees_with_the_category_and_the_notice_is_long_enough():
    machine, today = Machine(clerk("scjg")), str(timezone.localdate())
    assert list(machine.post("/listings/", red_body(source="RS2"), 400)["errors"]) == ["source"]
    short = red_body(public_notice={"from": today, "until": today})
    assert list(machine.post("/listings/", short, 400)["errors"]) == ["public_notice.until"]


def test_an_open_notice_and_the_black_list_are_conflicts():
    machine, second = Machine(clerk("scjg")), Machine(reviewer("scjg"))
    body = red_body()
    body["public_notice"]["until"] = str(timezone.localdate())
    draft = machine.post("/listings/", body, 201)
    assert second.post(f"/listings/{draft['id']}/publish/", status=409)["code"] == "notice_open"
    bad = firm()
    published_black(bad)
    draft = machine.post("/listings/", red_body({"name": bad.name, "code": bad.code}), 201)
    assert second.post(f"/listings/{draft['id']}/publish/", status=409)["code"] == "black_listed"

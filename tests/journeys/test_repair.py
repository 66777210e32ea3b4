"""A firm that has put things right applies for repair, and leaves the black list."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from casework.workdays import add_months
from jointaction import services as jointaction
from listings.models import Change
from repair.models import Repair
from tests import builders

pytestmark = pytest.mark.usefixtures("rules")

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF"


@pytest.fixture
def today():
    return timezone.localdate()


@pytest.fixture
def desk():
    """A signed-in client per officer."""
    return lambda user: builders.signed_in(Client(), user)


def filing(entry, **fields):
    given = {
        "statement": "违法用地已恢复原状，罚款已缴清，附验收意见。",
        "evidence_kinds": entry.category.repair_evidence,
        "evidence": SimpleUploadedFile("验收意见.pdf", PDF, "application/pdf"),
        "commitment": "on",
        "applicant_name": "通化示例商贸有限公司",
        "applicant_phone": "0435-0000000",
        "applicant_email": "",
    }
    return {**given, **fields}


def door(entry):
    return f"{reverse('repair-new')}?entry={entry.public_id}"


def apply_on_the_site(client, entry, **fields):
    page = client.post(door(entry), filing(entry, **fields))
    assert page.status_code == 200, page.context["form"].errors
    number, code = re.findall(r'<dd class="code">([^<]+)</dd>', page.content.decode())
    return Repair.objects.get(number=number), code


def act(client, repair, act, **fields):
    url = reverse("desk-repair", args=[repair.public_id])
    return client.post(url, {"act": act, **fields})


DECISION = {
    "verification": "现场核实并查缴款凭证，均属实。",
    "reasons": "已纠正失信行为，符合修复条件。",
}


def test_repair_granted_takes_the_entry_off_every_page_and_tells_every_unit(client, desk, today):
    entry = builders.repairable()
    jointaction.distribute(today=today)
    repair, _code = apply_on_the_site(client, entry)
    clerk, reviewer = desk(builders.clerk("zrzy")), desk(builders.reviewer("zrzy"))
    assert act(clerk, repair, "accept", note="材料齐全").status_code == 302
    assert act(clerk, repair, "propose", outcome="granted", **DECISION).status_code == 302
    assert client.get(reverse("black-entry", args=[entry.public_id])).status_code == 200
    assert act(reviewer, repair, "approve").status_code == 302
    jointaction.distribute(today=today)

    entry.refresh_from_db()
    assert (entry.status, entry.ended_on) == ("repaired", today)
    assert Change.objects.filter(listing=entry, action="repair").count() == 1
    assert client.get(reverse("black-entry", args=[entry.public_id])).status_code == 410
    for page in (
        client.get(reverse("home")),
        client.get(reverse("black-list")),
        client.get(reverse("search"), {"q": entry.subject.code}),
        client.get(reverse("subject", args=[entry.subject.code])),
    ):
        assert str(entry.public_id) not in page.content.decode()
    applied = set(entry.pushes.filter(kind="apply").values_list("unit", flat=True))
    assert set(entry.pushes.filter(kind="lift").values_list("unit", flat=True)) == applied
    tracked = client.get(reverse("repair-track")).content.decode()
    assert "准予修复" in tracked
    assert DECISION["verification"] not in tracked


def test_repair_refused_leaves_the_entry_and_tells_the_reasons(client, desk):
    entry = builders.repairable()
    repair, _code = apply_on_the_site(client, entry)
    clerk, reviewer = desk(builders.clerk("zrzy")), desk(builders.reviewer("zrzy"))
    act(clerk, repair, "accept")
    decision = {**DECISION, "reasons": "现场核实仍未恢复原状，不符合条件。"}
    act(clerk, repair, "propose", outcome="refused", **decision)
    act(reviewer, repair, "approve")
    entry.refresh_from_db()
    assert entry.status == "published"
    tracked = client.get(reverse("repair-track")).content.decode()
    assert "不予修复" in tracked
    assert "仍未恢复原状" in tracked
    assert Change.objects.filter(listing=entry, action="repair").count() == 0


def test_an_application_turned_down_at_the_door_can_be_made_again(client, desk):
    entry = builders.repairable()
    repair, _code = apply_on_the_site(client, entry)
    clerk = desk(builders.clerk("zrzy"))
    assert act(clerk, repair, "not_accept", reasons="太短").status_code == 400
    assert (
        act(clerk, repair, "not_accept", reasons="缴款凭证看不清，请重新上传。").status_code == 302
    )
    again, _code = apply_on_the_site(client, entry)
    assert again.number != repair.number


def test_before_the_earliest_date_the_page_says_the_date_and_shows_no_form(client, today):
    entry = builders.published_black(unit="zrzy", category="M09", today=add_months(today, -2))
    page = client.get(door(entry))
    first_day = page.context["first_day"]
    assert first_day > today
    text = page.content.decode()
    assert f"{first_day.year}年{first_day.month}月{first_day.day}日" in text
    assert 'name="statement"' not in text
    refused = client.post(door(entry), filing(entry))
    assert refused.status_code == 400
    assert f"最早 {first_day}" in refused.content.decode()
    assert not Repair.objects.filter(listing=entry).exists()


def test_a_red_entry_has_no_repair(client):
    assert client.get(door(builders.red_published())).status_code == 404


def test_a_missing_paper_is_named(client):
    entry = builders.repairable()
    kinds = entry.category.repair_evidence
    page = client.post(door(entry), filing(entry, evidence_kinds=kinds[1:]))
    assert page.status_code == 400
    assert f"还缺：{kinds[0]}" in page.content.decode()


def test_whoever_proposed_the_decision_cannot_approve_it(desk):
    repair, _code = builders.repair()
    both = desk(builders.officer("zrzy", "clerk", "reviewer"))
    act(both, repair, "accept")
    act(both, repair, "propose", outcome="granted", **DECISION)
    assert act(both, repair, "approve").status_code == 403
    repair.refresh_from_db()
    assert repair.status == "decision_proposed"
    assert repair.listing.status == "published"


def test_a_second_application_while_one_is_open_is_not_offered(client):
    entry = builders.repairable()
    apply_on_the_site(client, entry)
    page = Client().get(door(entry)).content.decode()
    assert "已有一件申请在办" in page
    assert 'name="statement"' not in page


def test_a_paper_application_is_recorded_at_the_desk(desk, today):
    entry = builders.repairable()
    clerk = desk(builders.clerk("zrzy"))
    url = f"{reverse('desk-repair-new')}?entry={entry.public_id}"
    received = today - 2 * builders.DAY
    page = clerk.post(url, filing(entry, received_on=received.isoformat()))
    assert page.status_code == 200, page.context["form"].errors
    assert Repair.objects.get(listing=entry).received_on == received
    stranger = desk(builders.clerk("rsj"))
    assert stranger.get(url).status_code == 404

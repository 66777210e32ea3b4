"""Journey B: a listed firm objects on the public site and is answered in writing."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from casework import documents
from jointaction import services as jointaction
from listings.models import Change
from objections.models import Objection
from parties.models import AccessLog
from tests import builders

pytestmark = pytest.mark.usefixtures("rules")

DISPUTED = "本记录正在复核"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF"


def filing(**fields):
    given = {
        "fields": ["ground"],
        "grounds": "其中 15 名工人工资已通过银行代发，立案时未计入，附回单。",
        "applicant_name": "通化示例商贸有限公司",
        "applicant_phone": "0435-0000000",
        "applicant_email": "",
        "evidence": SimpleUploadedFile("银行代发回单.pdf", PDF, "application/pdf"),
    }
    return {**given, **fields}


def file_on_the_site(client, entry, **fields):
    """(objection, query code) as the receipt shows them."""
    page = client.post(f"{reverse('objection-new')}?entry={entry.public_id}", filing(**fields))
    assert page.status_code == 200, page.context["form"].errors
    number, code = re.findall(r'<dd class="code">([^<]+)</dd>', page.content.decode())
    return Objection.objects.get(number=number), code


def act(client, objection, act, **fields):
    url = reverse("desk-objection", args=[objection.public_id])
    return client.post(url, {"act": act, **fields})


@pytest.fixture
def today():
    return timezone.localdate()


@pytest.fixture
def desk():
    """A signed-in client per officer."""
    return lambda user: builders.signed_in(Client(), user)


def unchanged(page, values):
    """The values of the reply form as the page shows them, with some replaced."""
    form = page.context["forms"]["propose"]
    shown = {field.name: field.value() or "" for field in form.values}
    return {**shown, **values}


def test_the_subject_objects_and_the_entry_is_corrected_and_answered(client, desk):
    entry = builders.published_black()
    found = client.get(reverse("objection-new"), {"code": entry.subject.code})
    assert str(entry.public_id) in found.content.decode()

    objection, code = file_on_the_site(client, entry)
    assert DISPUTED in client.get(reverse("black-entry", args=[entry.public_id])).content.decode()
    clerk, reviewer = desk(builders.clerk()), desk(builders.reviewer())
    assert act(clerk, objection, "investigate", note="正在核对银行代发记录。").status_code == 302
    page = clerk.get(reverse("desk-objection", args=[objection.public_id]))
    new = unchanged(page, {"ground": "2025年8月至12月拖欠 22 名农民工工资共 52.7 万元。"})
    reasons = "经向示例农商银行核实，代发 15 人工资 33.7 万元属实，应予扣除。"
    proposed = act(clerk, objection, "propose", outcome="upheld_corrected", reasons=reasons, **new)
    assert proposed.status_code == 302
    assert act(reviewer, objection, "approve").status_code == 302

    objection.refresh_from_db()
    assert objection.outcome == "upheld_corrected"
    assert set(objection.corrections) == {"ground"}
    page = client.get(reverse("black-entry", args=[entry.public_id])).content.decode()
    assert "52.7 万元" in page
    assert DISPUTED not in page
    tracked = client.get(reverse("objection-track")).content.decode()
    assert "答复：更正" in tracked
    assert "正在核对银行代发记录。" in tracked
    letter = client.get(reverse("objection-letter"))
    assert letter["Content-Type"] == "application/pdf"
    assert letter["Content-Disposition"].startswith("attachment")
    assert code.replace("-", "") not in tracked


def test_an_entry_withdrawn_on_objection_is_gone_and_called_back_from_every_unit(
    client, desk, today
):
    entry = builders.published_black()
    jointaction.distribute(today=today)
    units = set(entry.pushes.values_list("unit", flat=True))
    objection, _code = file_on_the_site(client, entry, fields=["subject"])
    reasons = "经核实，欠薪单位是同名的另一家，列入有误，应予撤销。"
    act(desk(builders.clerk()), objection, "propose", outcome="upheld_withdrawn", reasons=reasons)
    act(desk(builders.reviewer()), objection, "approve")
    jointaction.distribute(today=today)

    assert client.get(reverse("black-entry", args=[entry.public_id])).status_code == 410
    assert entry.subject.name not in client.get(reverse("black-list")).content.decode()
    lifts = entry.pushes.filter(kind="lift")
    assert set(lifts.values_list("unit", flat=True)) == units
    tracked = client.get(reverse("objection-track")).content.decode()
    assert "还没有确认" in tracked
    assert all(push.unit.name in tracked for push in lifts)


def test_an_open_objection_changes_nothing_but_the_badge(client, today):
    entry = builders.published_black()
    jointaction.distribute(today=today)
    before = list(entry.pushes.order_by("pk").values())
    file_on_the_site(client, entry)
    jointaction.distribute(today=today)
    entry.refresh_from_db()
    assert entry.status == "published"
    assert entry.disputed
    assert list(entry.pushes.order_by("pk").values()) == before


def test_an_objection_that_is_rejected_takes_the_badge_off_and_leaves_the_entry(client, desk):
    entry = builders.published_black()
    objection, _code = file_on_the_site(client, entry)
    reasons = "经核实，所称代发记录属于另一工程，拖欠事实清楚。"
    act(desk(builders.clerk()), objection, "propose", outcome="rejected", reasons=reasons)
    act(desk(builders.reviewer()), objection, "approve")
    page = client.get(reverse("black-entry", args=[entry.public_id]))
    assert page.status_code == 200
    assert DISPUTED not in page.content.decode()
    actions = list(Change.objects.filter(listing=entry).values_list("action", flat=True))
    assert actions == ["publish", "annotate", "annotate"]


def test_whoever_proposed_the_reply_cannot_approve_it(desk):
    objection, _code = builders.objection()
    both = desk(builders.officer("rsj", "clerk", "reviewer"))
    reasons = "经核实，拖欠事实清楚，应予维持。"
    assert act(both, objection, "propose", outcome="rejected", reasons=reasons).status_code == 302
    assert act(both, objection, "approve").status_code == 403
    objection.refresh_from_db()
    assert objection.status == "reply_proposed"
    assert act(desk(builders.reviewer()), objection, "approve").status_code == 302


def test_another_department_sees_nothing_of_the_matter(desk):
    objection, _code = builders.objection()
    stranger = desk(builders.clerk("scjg"))
    assert act(stranger, objection, "investigate", note="核查").status_code == 404
    supervisor = desk(builders.supervisor())
    url = reverse("desk-objection", args=[objection.public_id])
    assert supervisor.get(url).status_code == 200
    assert act(supervisor, objection, "investigate", note="核查").status_code == 403


def test_an_act_done_meanwhile_by_a_colleague_is_refused_in_words(desk):
    objection, _code = builders.objection()
    clerk = desk(builders.clerk())
    assert act(clerk, objection, "investigate", note="核查").status_code == 302
    again = act(clerk, objection, "investigate", note="核查")
    assert again.status_code == 409
    assert "不能这样办理" in again.content.decode()


def test_evidence_is_handed_out_only_as_a_download_and_leaves_a_line(client, desk):
    objection, _code = file_on_the_site(client, builders.published_black())
    document = objection.evidence.get()
    assert document.name == "银行代发回单.pdf"
    url = reverse("desk-objection-document", args=[objection.public_id, document.public_id])
    assert client.get(url).status_code == 302
    assert desk(builders.clerk("scjg")).get(url).status_code == 404
    answer = desk(builders.clerk()).get(url)
    assert answer.content == documents.read(document) == PDF
    assert answer["Content-Disposition"].startswith("attachment")
    assert objection.journal.filter(action="download", note=document.name).count() == 1


def test_a_paper_filing_is_recorded_at_the_desk_with_its_own_day(desk, today):
    entry = builders.published_black(today=today - 9 * builders.DAY)
    clerk = desk(builders.clerk())
    url = f"{reverse('desk-objection-new')}?entry={entry.public_id}"
    received = today - 6 * builders.DAY
    page = clerk.post(url, filing(received_on=received.isoformat()))
    assert "查询码" in page.content.decode(), page.context["form"].errors
    objection = Objection.objects.get(listing=entry)
    assert (objection.received_on, objection.door) == (received, "department")
    late = clerk.post(url, filing(received_on=(today + builders.DAY).isoformat(), fields=["term"]))
    assert late.status_code == 400
    assert "收到日期不能晚于今天" in late.content.decode()


def test_the_contact_is_opened_for_a_purpose_that_is_logged(desk):
    objection, _code = builders.objection()
    clerk = desk(builders.clerk())
    page = clerk.get(reverse("desk-objection", args=[objection.public_id])).content.decode()
    assert builders.APPLICANT["phone"] not in page
    opened = act(clerk, objection, "contact", purpose="核实代发回单").content.decode()
    assert builders.APPLICANT["phone"] in opened
    assert AccessLog.objects.get(row=str(objection.public_id)).purpose == "核实代发回单"

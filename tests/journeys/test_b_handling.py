"""Journey B, before the answer: passed on, asked for more, extended, filed a second time."""

import datetime
import re

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from casework.models import Letter
from casework.workdays import add_working_days
from notices.models import Notice
from objections import services as objections
from objections.models import Objection
from rulebook.models import Parameter
from tests import builders

pytestmark = pytest.mark.usefixtures("rules")

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF"
FILED, ASKED, ADDED = (datetime.date(2026, 11, day) for day in (2, 4, 11))
TRACK = reverse("objection-track")
WANTED = "加盖公章的银行代发流水。\n工人名册。"


def at(day, hour=10):
    noon = datetime.datetime.combine(day, datetime.time(hour), timezone.get_default_timezone())
    return time_machine.travel(noon, tick=False)


@pytest.fixture
def desk():
    """A signed-in client per officer."""
    return lambda user: builders.signed_in(Client(), user)


def act(client, objection, act, **fields):
    url = reverse("desk-objection", args=[objection.public_id])
    return client.post(url, {"act": act, **fields})


def acts_on(client, objection):
    """The acts that the page of a matter offers."""
    page = client.get(reverse("desk-objection", args=[objection.public_id]))
    assert page.status_code == 200
    return set(page.context["forms"]) - {"contact"}


def followed(objection, code):
    """A browser of the applicant that was let in."""
    client = Client()
    client.post(TRACK, {"number": objection.number, "query_code": code})
    return client


def rule(**fields):
    """A further row of the rule that sets the period, in force since 2026."""
    row = Parameter.objects.get(code="objection_reply")
    given = {
        "name": row.name,
        "name_en": row.name_en,
        "value": row.value,
        "unit": row.unit,
        "source": "示例规定",
        "in_force_from": datetime.date(2026, 1, 1),
    }
    return Parameter.objects.create(code=row.code, **{**given, **fields})


def told(department):
    return list(
        Notice.objects.filter(department__code=department, key__startswith="objection-")
        .order_by("id")
        .values_list("title", "text")
    )


# ── passed on ─────────────────────────────────────────────────────────────────────────────────


def passed_on(desk, unit="zjj", **fields):
    objection, code = builders.objection(**fields)
    to = {"department": builders.department(unit).pk, "reasons": "工程款的争议由住建部门核查。"}
    assert act(desk(builders.clerk()), objection, "forward", **to).status_code == 302
    objection.refresh_from_db()
    return objection, code


def test_a_matter_passed_on_keeps_its_first_day_and_is_answered_by_who_received_it(desk):
    with at(FILED):
        first, _code = builders.objection()
    with at(ASKED):
        objection, code = passed_on(desk, received_on=FILED)
        assert (objection.due_on, objection.received_on) == (first.due_on, FILED)
        assert objection.department.code == "zjj"
        clerk, reviewer = desk(builders.clerk("zjj")), desk(builders.reviewer("zjj"))
        reasons = "经核实，代发 15 人工资属实，列入有误，应予撤销。"
        act(clerk, objection, "propose", outcome="upheld_withdrawn", reasons=reasons)
        assert act(reviewer, objection, "approve").status_code == 302
    objection.refresh_from_db()
    assert objection.letter.department.code == "zjj"
    prefix = builders.department("zjj").document_prefix
    assert objection.letter.number == f"{prefix}异复〔2026〕1号"
    objection.listing.refresh_from_db()
    assert objection.listing.status == "withdrawn"
    page = followed(objection, code).get(TRACK).content.decode()
    assert "工程款的争议由住建部门核查。" in page
    assert "答复：撤销" in page


def test_both_departments_hear_of_the_passing_on_and_the_entrys_own_of_the_reply(desk):
    objection, _code = passed_on(desk)
    assert f"转来异议 {objection.number}" in dict(told("zjj"))
    assert f"异议 {objection.number} 转{objection.department.name}办理" in dict(told("rsj"))
    reasons = "经核实，所称代发记录属于另一工程，拖欠事实清楚。"
    new = {"ground": "2025年8月至12月拖欠 22 名农民工工资共 52.7 万元。"}
    clerk = desk(builders.clerk("zjj"))
    page = clerk.get(reverse("desk-objection", args=[objection.public_id]))
    form = page.context["forms"]["propose"]
    values = {field.name: field.value() or "" for field in form.values} | new
    act(clerk, objection, "propose", outcome="upheld_corrected", reasons=reasons, **values)
    act(desk(builders.reviewer("zjj")), objection, "approve")
    words = dict(told("rsj"))[f"异议 {objection.number} 已书面答复"]
    assert "结论：更正" in words
    assert "已按结论更改" in words


def test_whose_entry_it_is_goes_on_reading_and_acts_no_more(desk):
    objection, _code = passed_on(desk)
    own, other = desk(builders.clerk()), desk(builders.clerk("zjj"))
    assert acts_on(own, objection) == set()
    assert acts_on(other, objection) >= {"investigate", "propose", "ask", "forward"}
    refused = act(own, objection, "investigate", note="核查")
    assert refused.status_code == 403
    url = reverse("desk-objection", args=[objection.public_id])
    assert "你单位可以查看，不能办理" in own.get(url).content.decode()
    assert desk(builders.clerk("scjg")).get(url).status_code == 404
    listed = reverse("desk-objections")
    assert objection.number not in own.get(listed).content.decode()
    assert objection.number in own.get(f"{listed}?state=elsewhere").content.decode()
    assert objection.number in other.get(listed).content.decode()


def test_machines_see_it_where_it_is_decided(desk):
    objection, _code = passed_on(desk)
    assert builders.Machine(builders.clerk()).get("/objections/")["results"] == []
    (row,) = builders.Machine(builders.clerk("zjj")).get("/objections/")["results"]
    assert (row["number"], row["department"]) == (objection.number, "zjj")
    body = {"outcome": "rejected", "reasons": "经核实，拖欠事实清楚，应予维持。"}
    path = f"/objections/{objection.number}/reply/"
    builders.Machine(builders.clerk()).post(path, body, 404)
    builders.Machine(builders.clerk("zjj")).post(path, body, 202)


@pytest.mark.parametrize("unit", ["platform", "bank-demo", "rsj"])
def test_it_is_passed_on_to_no_unit_that_answers_none_and_not_to_itself(desk, unit):
    objection, _code = builders.objection()
    to = {"department": builders.department(unit).pk, "reasons": "示例理由"}
    assert act(desk(builders.clerk()), objection, "forward", **to).status_code == 400
    objection.refresh_from_db()
    assert objection.department.code == "rsj"


# ── asked for more ────────────────────────────────────────────────────────────────────────────


def asked(desk):
    with at(FILED):
        objection, code = builders.objection()
    with at(ASKED):
        by = datetime.date(2026, 11, 18)
        answer = act(desk(builders.clerk()), objection, "ask", text=WANTED, by=by.isoformat())
        assert answer.status_code == 302
    objection.refresh_from_db()
    return objection, code


def hand_in(client, **fields):
    given = {
        "text": "补交加盖公章的流水。",
        "evidence": SimpleUploadedFile("流水.pdf", PDF, "application/pdf"),
    }
    return client.post(reverse("objection-supplement"), {**given, **fields})


@pytest.mark.parametrize("stops", [True, False])
def test_what_was_asked_for_is_handed_in_and_the_clock_does_as_its_rule_says(desk, stops):
    if stops:
        rule(stops=True)
    objection, code = asked(desk)
    due = objection.due_on
    assert (objection.status, objection.stopped_on) == ("awaiting", ASKED if stops else None)
    with at(ADDED):
        applicant = followed(objection, code)
        page = applicant.get(TRACK).content.decode()
        assert "加盖公章的银行代发流水。" in page
        assert ("期限暂停" in page) == stops
        assert ("办理期限照常计算" in page) != stops
        assert hand_in(applicant).status_code == 302
        page = applicant.get(TRACK).content.decode()
        assert "补交加盖公章的流水。" in page
    objection.refresh_from_db()
    assert objection.status == "investigating"
    assert objection.evidence.get().name == "流水.pdf"
    stretch = [(ASKED + builders.DAY, ADDED)]
    assert objection.due_on == (add_working_days(FILED, 15, stretch) if stops else due)
    assert objection.stops == ([["2026-11-05", "2026-11-11"]] if stops else [])
    assert ("等候补正，不计入" in page) == stops
    assert f"异议 {objection.number} 已补充材料" in dict(told("rsj"))


@pytest.mark.parametrize("swept", [datetime.date(2026, 11, 19), datetime.date(2026, 11, 23)])
def test_who_adds_nothing_in_time_stops_no_clock_for_ever(desk, swept):
    """The stretch that does not count ends with the last day to add, whenever the sweep comes."""
    rule(stops=True)
    objection, code = asked(desk)
    for _again in range(2):
        objections.lapse(today=objection.supplement_by)
        objection.refresh_from_db()
        assert objection.stopped_on == ASKED
    for _again in range(2):
        objections.lapse(today=swept)
    objection.refresh_from_db()
    assert (objection.status, objection.stopped_on) == ("awaiting", None)
    assert objection.stops == [["2026-11-05", "2026-11-18"]]
    stretch = [(datetime.date(2026, 11, 5), datetime.date(2026, 11, 18))]
    assert objection.due_on == add_working_days(FILED, 15, stretch)
    assert objection.journal.filter(action="resume").count() == 1
    assert f"异议 {objection.number} 补正期满没有补充" in dict(told("rsj"))
    with at(swept):
        applicant = followed(objection, code)
        assert "补正期满没有补充，期限继续计算" in applicant.get(TRACK).content.decode()
        assert hand_in(applicant).status_code == 302
    objection.refresh_from_db()
    assert (objection.status, len(objection.stops)) == ("investigating", 1)


def test_additions_that_come_late_before_the_sweep_lengthen_no_stop(desk):
    rule(stops=True)
    objection, code = asked(desk)
    with at(datetime.date(2026, 11, 20)):
        assert hand_in(followed(objection, code)).status_code == 302
    objection.refresh_from_db()
    assert objection.stops == [["2026-11-05", "2026-11-18"]]


def test_additions_are_taken_only_while_they_are_asked_for_and_by_who_was_let_in(desk):
    objection, code = builders.objection()
    early = followed(objection, code)
    assert hand_in(early).status_code == 302
    assert not objection.journal.filter(action="supplement").exists()
    objection, code = asked(desk)
    with at(ADDED):
        hand_in(Client())
        empty = hand_in(followed(objection, code), text="", evidence="")
        assert empty.status_code == 400
        assert "说明和材料至少有一样" in empty.content.decode()
        refused = hand_in(
            followed(objection, code), evidence=SimpleUploadedFile("表.exe", b"MZ\x90\x00" * 9)
        )
        assert "“表.exe”不能上传" in refused.content.decode()
    objection.refresh_from_db()
    assert objection.status == "awaiting"


def test_who_hands_in_what_is_refused_too_often_must_wait(desk):
    objection, code = asked(desk)
    with at(ADDED):
        applicant = followed(objection, code)
        for _try in range(10):
            assert hand_in(applicant, text="", evidence="").status_code == 400
        answer = hand_in(applicant)
    assert answer.status_code == 429
    assert answer["Retry-After"]


def test_what_came_on_paper_is_taken_in_at_the_desk(desk):
    objection, _code = asked(desk)
    with at(ADDED):
        clerk = desk(builders.clerk())
        assert "supplement" in acts_on(clerk, objection)
        file = SimpleUploadedFile("名册.pdf", PDF, "application/pdf")
        assert act(clerk, objection, "supplement", text="", evidence=file).status_code == 302
    objection.refresh_from_db()
    assert (objection.status, objection.evidence.get().name) == ("investigating", "名册.pdf")


# ── extended ──────────────────────────────────────────────────────────────────────────────────


def test_no_rule_that_allows_it_no_extension_is_offered(desk):
    objection, _code = builders.objection()
    reviewer = desk(builders.reviewer())
    assert "extend" not in acts_on(reviewer, objection)
    reasons = "案情复杂，需要调取银行流水。"
    assert act(reviewer, objection, "extend", days=1, reasons=reasons).status_code == 400


def test_a_reviewer_extends_within_the_rule_and_not_beyond(desk):
    rule(extendable_by=5)
    with at(FILED):
        objection, code = builders.objection()
        reasons = "案情复杂，需要调取银行流水。"
        clerk, reviewer = desk(builders.clerk()), desk(builders.reviewer())
        assert act(clerk, objection, "extend", days=3, reasons=reasons).status_code == 403
        assert act(reviewer, objection, "extend", days=3, reasons=reasons).status_code == 302
        refused = act(reviewer, objection, "extend", days=3, reasons=reasons)
        assert refused.status_code == 400
        assert "还可以延长 2 个工作日" in refused.content.decode()
        assert act(reviewer, objection, "extend", days=2, reasons=reasons).status_code == 302
        assert "extend" not in acts_on(reviewer, objection)
        page = followed(objection, code).get(TRACK).content.decode()
    objection.refresh_from_db()
    assert objection.due_on == add_working_days(FILED, 20)
    assert "其中延长 5 个" in page
    assert page.count(reasons) == 2


def test_what_is_late_is_not_extended(desk):
    rule(extendable_by=5)
    with at(FILED):
        objection, _code = builders.objection()
    with at(objection.due_on + builders.DAY):
        reviewer = desk(builders.reviewer())
        assert "extend" not in acts_on(reviewer, objection)
        late = act(reviewer, objection, "extend", days=1, reasons="案情复杂，需要调取流水。")
    assert late.status_code == 409


# ── a second time ─────────────────────────────────────────────────────────────────────────────


def form(**fields):
    return {
        "fields": ["ground"],
        "grounds": "其中 15 名工人工资已通过银行代发，立案时未计入。",
        "applicant_name": "示例申请人",
        "applicant_phone": "0435-0000000",
        **fields,
    }


@pytest.mark.parametrize("awaiting", [False, True])
def test_the_same_point_is_refused_at_every_door_while_it_is_open(desk, awaiting):
    entry = builders.published_black()
    objection, _code = builders.objection(entry)
    clerk = desk(builders.clerk())
    if awaiting:
        by = timezone.localdate() + 9 * builders.DAY
        assert act(clerk, objection, "ask", text=WANTED, by=by.isoformat()).status_code == 302
    today = timezone.localdate().isoformat()
    public = Client().post(f"{reverse('objection-new')}?entry={entry.public_id}", form())
    paper = clerk.post(
        f"{reverse('desk-objection-new')}?entry={entry.public_id}", form(received_on=today)
    )
    for page in (public, paper):
        assert page.status_code == 400
        assert "对同一项的异议正在办理" in page.content.decode()
    body = {
        "listing": str(entry.public_id),
        "applicant": {"name": "示例申请人", "phone": "0435-0000000"},
        "fields": ["ground"],
        "grounds": form()["grounds"],
        "received_on": today,
    }
    builders.Machine(builders.clerk()).post("/objections/", body, 409)
    assert Objection.objects.count() == 1
    other = Client().post(
        f"{reverse('objection-new')}?entry={entry.public_id}", form(fields=["term"])
    )
    assert other.status_code == 200


def test_the_same_point_may_be_contested_again_once_it_is_answered(desk):
    entry = builders.published_black()
    objection, _code = builders.objection(entry)
    reasons = "经核实，拖欠事实清楚，应予维持。"
    act(desk(builders.clerk()), objection, "propose", outcome="rejected", reasons=reasons)
    act(desk(builders.reviewer()), objection, "approve")
    again = Client().post(f"{reverse('objection-new')}?entry={entry.public_id}", form())
    assert again.status_code == 200
    assert Objection.objects.filter(listing=entry).count() == 2


# ── at the window ─────────────────────────────────────────────────────────────────────────────


def test_the_platforms_window_takes_in_what_came_on_paper_for_any_department(desk):
    today = timezone.localdate()
    entry = builders.published_black(today=today - 9 * builders.DAY)
    window, received = builders.clerk("platform"), today - 6 * builders.DAY
    client, url = desk(window), reverse("desk-objection-new")
    assert str(entry.public_id) in client.get(url, {"code": entry.subject.code}).content.decode()
    assert str(entry.public_id) not in (
        desk(builders.clerk("scjg")).get(url, {"code": entry.subject.code}).content.decode()
    )
    page = client.post(f"{url}?entry={entry.public_id}", form(received_on=received.isoformat()))
    assert page.status_code == 200, page.context["form"].errors
    objection = Objection.objects.get()
    assert (objection.door, objection.received_on) == ("platform", received)
    assert objection.department.code == "rsj"
    matter = reverse("desk-objection", args=[objection.public_id])
    assert matter not in page.content.decode()
    assert client.get(matter).status_code == 404
    body = {
        "listing": str(entry.public_id),
        "applicant": {"name": "示例申请人", "phone": "0435-0000000"},
        "fields": ["term"],
        "grounds": form()["grounds"],
        "received_on": received.isoformat(),
    }
    over = builders.last_public_day(today - builders.DAY)
    builders.Machine(window).post("/objections/", {**body, "listing": str(over.public_id)}, 404)
    told = builders.Machine(window).post("/objections/", body, 201)
    assert told["due_on"] == objection.due_on.isoformat()
    builders.Machine(builders.clerk("scjg")).post("/objections/", body, 404)


# ── who files, and what they are given ────────────────────────────────────────────────────────


def test_an_agent_files_with_an_authorisation_and_not_without(desk):
    entry = builders.published_black()
    url = f"{reverse('objection-new')}?entry={entry.public_id}"
    client = Client()
    without = client.post(url, form(agent="李示例"))
    assert without.status_code == 400
    assert "授权委托书" in without.content.decode()
    file = SimpleUploadedFile("扫描件.pdf", PDF, "application/pdf")
    given = form(agent="李示例", authorisation=file, national_number="示例-2026-1")
    assert client.post(url, given).status_code == 200
    objection = Objection.objects.get()
    assert (objection.agent_name, objection.national_number) == ("李示例", "示例-2026-1")
    assert objection.evidence.get().name == "授权委托书_扫描件.pdf"
    receipt = objection.letters.get(kind=Letter.Kind.OBJECTION_RECEIPT)
    assert "李示例" in receipt.content["addressee"]
    page = desk(builders.clerk()).get(reverse("desk-objection", args=[objection.public_id]))
    assert "代理人：李示例" in page.content.decode()


def test_the_receipt_letter_is_offered_at_once_and_only_to_who_filed(desk):
    client = Client()
    url = f"{reverse('objection-new')}?entry={builders.published_black().public_id}"
    page = client.post(url, form()).content.decode()
    address = re.search(r'href="(/objections/track/letters/[^"]+)"', page).group(1)
    letter = client.get(address)
    assert letter["Content-Type"] == "application/pdf"
    assert letter["Content-Disposition"].startswith("attachment")
    assert Client().get(address).status_code == 302
    other, code = builders.objection()
    assert followed(other, code).get(address).status_code == 404


def test_findings_are_for_the_approver_and_never_told_outside(desk):
    objection, code = builders.objection()
    findings = "银行经办人口头确认，另附内部核查记录。"
    reasons = "经核实，拖欠事实清楚，应予维持。"
    given = {"outcome": "rejected", "reasons": reasons, "findings": findings}
    act(desk(builders.clerk()), objection, "propose", **given)
    reviewer = desk(builders.reviewer())
    page = reviewer.get(reverse("desk-objection", args=[objection.public_id]))
    assert findings in page.content.decode()
    act(reviewer, objection, "approve")
    objection.refresh_from_db()
    assert findings not in followed(objection, code).get(TRACK).content.decode()
    assert findings not in str(objection.letter.content)


def test_every_act_has_a_title_in_words_in_the_journal_of_the_desk(desk):
    rule(extendable_by=5)
    objection, _code = asked(desk)
    clerk = desk(builders.clerk())
    with at(ADDED):
        act(clerk, objection, "supplement", text="补交加盖公章的流水。")
        act(desk(builders.reviewer()), objection, "extend", days=1, reasons="案情复杂，需要时间。")
        to = {"department": builders.department("zjj").pk, "reasons": "由住建部门核查。"}
        act(clerk, objection, "forward", **to)
        page = clerk.get(reverse("desk-objection", args=[objection.public_id]))
    titles = [str(step["title"]) for step in page.context["steps"]]
    assert titles == ["转办", "延长期限", "收到补充材料", "要求补正", "收到"]

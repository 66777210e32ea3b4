"""A firm that has put things right applies for repair, and leaves the black list."""

import re
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from casework.models import Document
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


NAME = "通化示例商贸有限公司"


def paper(name="验收意见.pdf"):
    return SimpleUploadedFile(name, PDF, "application/pdf")


def uploads(entry):
    return {f"paper_{n}": paper(f"{n}.pdf") for n in range(len(entry.category.repair_evidence))}


def filing(entry, **fields):
    given = {
        "statement": "违法用地已恢复原状，罚款已缴清，附验收意见。",
        "commitment": "on",
        "committed_by": NAME,
        "applicant_name": NAME,
        "applicant_phone": "0435-0000000",
        "applicant_email": "",
        **uploads(entry),
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


FOUND = "现场核实并查缴款凭证，均属实。"
DECISION = {"reasons": "已纠正失信行为，符合修复条件。"}


def verify(client, repair, **fields):
    given = {"means": "visit", "done_on": str(timezone.localdate()), "findings": FOUND}
    return act(client, repair, "verify", **{**given, **fields})


def test_repair_granted_takes_the_entry_off_every_page_and_tells_every_unit(client, desk, today):
    entry = builders.repairable()
    jointaction.distribute(today=today)
    repair, _code = apply_on_the_site(client, entry)
    clerk, reviewer = desk(builders.clerk("zrzy")), desk(builders.reviewer("zrzy"))
    assert act(clerk, repair, "accept", note="材料齐全").status_code == 302
    assert act(clerk, repair, "propose", outcome="granted", **DECISION).status_code == 400
    assert verify(clerk, repair).status_code == 302
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
    assert FOUND not in tracked


def test_repair_refused_leaves_the_entry_and_tells_the_reasons(client, desk):
    entry = builders.repairable()
    repair, _code = apply_on_the_site(client, entry)
    clerk, reviewer = desk(builders.clerk("zrzy")), desk(builders.reviewer("zrzy"))
    act(clerk, repair, "accept")
    verify(clerk, repair)
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


def test_every_paper_that_the_rule_asks_for_needs_a_file(client):
    entry = builders.repairable()
    kinds = entry.category.repair_evidence
    given = filing(entry)
    del given["paper_0"]
    page = client.post(door(entry), given)
    assert page.status_code == 400
    assert f"上传“{kinds[0]}”" in page.content.decode()
    assert not Document.objects.exists()  # what is refused leaves no file behind


def test_the_commitment_is_signed_by_the_applicant_or_the_agent(client):
    entry = builders.repairable()
    refused = client.post(door(entry), filing(entry, committed_by="别的示例公司"))
    assert refused.status_code == 400
    assert "签名要与申请人或者代理人" in refused.content.decode()
    assert not Document.objects.exists()
    signed = {"applicant_agent": "王示例", "committed_by": "王示例"}
    repair, _code = apply_on_the_site(client, entry, **signed, national_number="XF2201-1")
    assert (repair.agent_name, repair.committed_by) == ("王示例", "王示例")
    assert (repair.committed_on, repair.national_number) == (timezone.localdate(), "XF2201-1")
    kept = dict(repair.papers.values_list("kind", "document__name"))
    assert kept == {kind: f"{n}.pdf" for n, kind in enumerate(entry.category.repair_evidence)}


def test_whoever_proposed_the_decision_cannot_approve_it(desk):
    repair, _code = builders.repair()
    both = desk(builders.officer("zrzy", "clerk", "reviewer"))
    act(both, repair, "accept")
    verify(both, repair)
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
    kinds = entry.category.repair_evidence
    given = filing(entry, received_on=str(received), committed_on=str(received))
    for n in range(1, len(kinds)):
        del given[f"paper_{n}"]
    page = clerk.post(url, given)
    assert page.status_code == 400
    assert f"还缺：{kinds[1]}" in page.content.decode()
    page = clerk.post(url, {**given, "paper_0": paper("0.pdf"), "evidence_kinds": kinds})
    assert page.status_code == 200, page.context["form"].errors
    repair = Repair.objects.get(listing=entry)
    assert repair.received_on == received
    kept = dict(repair.papers.values_list("kind", "document__name"))
    assert kept == {kinds[0]: "0.pdf"} | dict.fromkeys(kinds[1:])
    stranger = desk(builders.clerk("rsj"))
    assert stranger.get(url).status_code == 404


def test_a_responsible_person_asks_at_the_counter_and_is_released_alone(desk, client, today):
    entry = builders.repairable(responsible_persons=[builders.responsible("张示例")])
    person = entry.responsible_persons.get()
    clerk, reviewer = desk(builders.clerk("zrzy")), desk(builders.reviewer("zrzy"))
    url = f"{reverse('desk-repair-new')}?entry={entry.public_id}"
    assert "张*" in clerk.get(url).content.decode()
    own = {"responsible_person": person.pk, "received_on": str(today), "committed_on": str(today)}
    stranger = builders.repairable(responsible_persons=[builders.responsible()])
    wrong = {**own, "responsible_person": stranger.responsible_persons.get().pk}
    assert clerk.post(url, filing(entry, **wrong)).status_code == 400
    page = clerk.post(url, filing(entry, **own))
    assert page.status_code == 200, page.context["form"].errors
    repair = Repair.objects.get(responsible_person=person)
    number, code = re.findall(r'<dd class="code">([^<]+)</dd>', page.content.decode())
    client.post(reverse("repair-track"), {"number": number, "query_code": code})
    act(clerk, repair, "accept")
    verify(clerk, repair)
    act(clerk, repair, "propose", outcome="granted", **DECISION)
    desk_page = reviewer.get(reverse("desk-repair", args=[repair.public_id])).content.decode()
    assert "立即解除这名责任人员" in desk_page
    assert act(reviewer, repair, "approve").status_code == 302
    person.refresh_from_db()
    assert (person.ended_on, person.end_reason) == (today, "repaired")
    assert client.get(reverse("black-entry", args=[entry.public_id])).status_code == 200
    assert "这名责任人员已经解除" in client.get(reverse("repair-track")).content.decode()
    assert client.get("/en/repair/track/").status_code == 200


# ── asked for more ────────────────────────────────────────────────────────────────────────────


def test_who_is_asked_for_more_adds_it_on_the_tracking_page(client, desk, today):
    entry = builders.repairable()
    repair, _code = apply_on_the_site(client, entry)
    clerk = desk(builders.clerk("zrzy"))
    wanted = {"text": "缴款凭证看不清，请重新上传清晰的。", "by": str(today + 5 * builders.DAY)}
    assert act(clerk, repair, "ask", **{**wanted, "by": str(today)}).status_code == 400
    assert act(clerk, repair, "ask", **wanted).status_code == 302
    track = reverse("repair-track")
    page = client.get(track).content.decode()
    assert "等您补充材料" in page
    assert wanted["text"] in page
    assert "信用修复补正通知书" in page
    assert client.post(track, {"supplement": "1"}).status_code == 400
    added = {"supplement": "1", "text": "已换清晰的。", "paper_1": paper("清晰.pdf")}
    assert client.post(track, added).status_code == 302
    repair.refresh_from_db()
    assert repair.status == "received"
    kind = entry.category.repair_evidence[1]
    assert repair.papers.get(document__name="清晰.pdf").kind == kind
    page = client.get(track).content.decode()
    assert "收到补充材料" in page
    assert 'name="supplement"' not in page
    assert client.post(track, {**added, "paper_1": paper()}).status_code == 409
    assert Client().post(track, added).status_code == 302  # who was not let in is asked first
    desk_page = clerk.get(reverse("desk-repair", args=[repair.public_id])).content.decode()
    assert "清晰.pdf" in desk_page
    assert "要求补正" in desk_page


def test_what_is_brought_to_the_counter_is_recorded_there(client, desk, today):
    repair, _code = builders.repair()
    clerk = desk(builders.clerk("zrzy"))
    by = str(today + 5 * builders.DAY)
    act(clerk, repair, "ask", text="请交验收意见的原件，加盖公章。", by=by)
    kind = repair.listing.category.repair_evidence[0]
    assert act(clerk, repair, "supplement", evidence_kinds=[kind]).status_code == 302
    assert repair.papers.filter(kind=kind, document=None).count() == 2
    assert Repair.objects.get().status == "received"


# ── the letters ───────────────────────────────────────────────────────────────────────────────


def test_letters_are_downloaded_by_who_was_let_in_and_by_nobody_else(client, desk):
    entry = builders.repairable()
    repair, _code = apply_on_the_site(client, entry)
    clerk, reviewer = desk(builders.clerk("zrzy")), desk(builders.reviewer("zrzy"))
    act(clerk, repair, "accept")
    verify(clerk, repair)
    act(clerk, repair, "propose", outcome="granted", **DECISION)
    act(reviewer, repair, "approve")
    page = client.get(reverse("repair-track")).content.decode()
    kinds = ["repair_receipt", "repair_acceptance", "repair_decision"]
    assert list(repair.letters.values_list("kind", flat=True)) == kinds
    for letter in repair.letters.all():
        url = reverse("repair-track-letter", args=[letter.public_id])
        assert url in page
        assert Client().get(url).status_code == 302
    answer = client.get(url)
    assert answer.content.startswith(b"%PDF-")
    assert answer["Content-Type"] == "application/pdf"
    _other, code = builders.repair()
    other = Client()
    other.post(reverse("repair-track"), {"number": _other.number, "query_code": code})
    assert other.get(url).status_code == 404


# ── refused, with a day ───────────────────────────────────────────────────────────────────────


def test_who_is_refused_until_a_day_can_not_apply_before_it(client, desk, today):
    entry = builders.repairable()
    repair, _code = apply_on_the_site(client, entry)
    clerk, reviewer = desk(builders.clerk("zrzy")), desk(builders.reviewer("zrzy"))
    act(clerk, repair, "accept")
    verify(clerk, repair)
    decision = {"reasons": "现场核实仍未恢复原状，不符合条件。"}
    again = today + 30 * builders.DAY
    for outcome, day in (("granted", again), ("refused", today), ("refused", date(2099, 1, 1))):
        page = act(clerk, repair, "propose", outcome=outcome, retry_from=str(day), **decision)
        assert page.status_code == 400, (outcome, day)
    act(clerk, repair, "propose", outcome="refused", retry_from=str(again), **decision)
    act(reviewer, repair, "approve")
    tracked = client.get(reverse("repair-track")).content.decode()
    assert f"{date_format(again)}起可以再次申请" in tracked
    page = client.get(door(entry)).content.decode()
    assert date_format(again) in page
    assert 'name="statement"' not in page
    refused = client.post(door(entry), filing(entry))
    assert refused.status_code == 400
    assert f"最早 {again}" in refused.content.decode()
    received, _code = builders.repair(entry, today=again)
    assert received.received_on == again


def test_the_tracking_page_says_which_units_have_lifted_their_measures(client, desk, today):
    entry = builders.repairable()
    jointaction.distribute(today=today)
    repair, _code = apply_on_the_site(client, entry)
    clerk, reviewer = desk(builders.clerk("zrzy")), desk(builders.reviewer("zrzy"))
    act(clerk, repair, "accept")
    verify(clerk, repair)
    act(clerk, repair, "propose", outcome="granted", **DECISION)
    act(reviewer, repair, "approve")
    jointaction.distribute(today=today)
    page = client.get(reverse("repair-track")).content.decode()
    lifting = entry.pushes.filter(kind="lift")
    assert lifting.exists()
    assert all(push.unit.name in page for push in lifting)
    assert "还没有确认" in page


# ── who may ───────────────────────────────────────────────────────────────────────────────────

WORDS = "示例理由，至少写满十个字才行。"


def test_only_who_decides_acts_and_who_watches_sees_no_form(desk, today):
    repair, _code = builders.repair()
    by = str(today + builders.DAY)
    acts = {
        "ask": {"text": WORDS, "by": by},
        "supplement": {"text": WORDS},
        "accept": {},
        "not_accept": {"reasons": WORDS},
        "verify": {"means": "visit", "done_on": str(today), "findings": WORDS},
        "propose": {"outcome": "granted", "reasons": WORDS},
        "extend": {"days": "1", "reasons": WORDS},
    }
    lines = repair.journal.count()
    for user, status in (
        (builders.supervisor(), 403),
        (builders.auditor(), 403),
        (builders.liaison("zrzy"), 403),
        (builders.clerk("rsj"), 404),
    ):
        browser = desk(user)
        for name, fields in acts.items():
            assert act(browser, repair, name, **fields).status_code == status, (user, name)
        page = browser.get(reverse("desk-repair", args=[repair.public_id])).content.decode()
        assert 'name="act"' not in page
    assert repair.journal.count() == lines


def test_an_act_whose_time_is_past_is_refused_in_words(desk, today):
    repair, _code = builders.repair()
    clerk = desk(builders.clerk("zrzy"))
    act(clerk, repair, "accept")
    by = str(today + builders.DAY)
    for name, fields in (("ask", {"text": WORDS, "by": by}), ("accept", {}), ("supplement", {})):
        page = act(clerk, repair, name, **{"text": WORDS, **fields})
        assert page.status_code == 409, name
        assert "不能这样办理" in page.content.decode()


# ── what it costs ─────────────────────────────────────────────────────────────────────────────


def test_the_pages_cost_the_same_however_much_there_is_on_them(
    client, desk, django_assert_max_num_queries
):
    entry = builders.repairable(responsible_persons=[builders.responsible()])
    repair, _code = apply_on_the_site(client, entry)
    clerk = desk(builders.clerk("zrzy"))
    act(clerk, repair, "accept")
    for _n in range(3):
        verify(clerk, repair, document=paper())
    repair.papers.create(kind="其他材料", handed_in_on=timezone.localdate())
    for browser, url, most in (
        (client, reverse("repair-track"), 17),  # two of them count the visitor
        (clerk, reverse("desk-repair", args=[repair.public_id]), 24),
        (clerk, reverse("desk-repairs"), 17),
        (client, door(entry), 17),
    ):
        with django_assert_max_num_queries(most):
            assert browser.get(url).status_code == 200


def test_a_verifying_document_is_downloaded_by_who_decides_and_leaves_a_line(desk):
    repair, _code = builders.repair()
    clerk = desk(builders.clerk("zrzy"))
    act(clerk, repair, "accept")
    assert verify(clerk, repair, document=paper("现场.pdf")).status_code == 302
    kept = repair.verifications.get().document
    url = reverse("desk-repair-document", args=[repair.public_id, kept.public_id])
    assert clerk.get(url).content == PDF
    assert repair.journal.filter(action="download", note="现场.pdf").count() == 1
    assert desk(builders.clerk("rsj")).get(url).status_code == 404

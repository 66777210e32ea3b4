"""What is not for everybody is nowhere that everybody looks: planted, then searched for.

Every text that must stay inside holds the mark; every number of a person is remembered. The
whole public side is walked from its first page, downloads and the API of a foreign unit too.
"""

import io
import json
import logging
import re
from html.parser import HTMLParser

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from blacklist import services as blacklist
from casework.moves import record
from jointaction import services as jointaction
from jointaction.models import Delivery, Endpoint
from jointaction.services import webhooks
from jointaction.services.webhooks import content
from listings import services as listings
from listings.api import shown
from listings.models import AdverseRecord, ChangeBody, Listing, ListingVersion
from notices import services as notices
from notices.models import Notice
from objections import services as objections
from parties.models import Actor, Subject
from portal.services import wizard
from rulebook.models import ListCategory
from rulebook.services import record_version
from tests import builders
from tests.builders import Machine
from tests.test_doors import DOORS, OPEN
from tipoffs import services as tipoffs
from tipoffs.models import Report

pytestmark = pytest.mark.django_db
MARK = "哨兵"  # in every text that must stay inside; a masked one ends after its first sign
MASKED = "哨*"
PUBLIC = "众所周知"  # in what is public: shows that the walk came there
SUBJECT = builders.resident_id(811, "19610203")
DIRECTOR = builders.resident_id(812, "19720304")
APPLICANT = builders.resident_id(813, "19830405")
NUMBERS = (SUBJECT, DIRECTOR, APPLICANT)
DETAILS = {
    "court": f"{MARK}法院",  # secret
    "case_number": f"{MARK}案号",  # shared
    "filed_on": "2026-01-15",
    "obligation": f"{MARK}承包人的义务",  # public, masked
    "performance": f"{PUBLIC}，全部未履行",
}


def by(who, unit="zjfy"):
    return Actor.of(who(unit))


@pytest.fixture
def planted(rules, settings, tmp_path, caplog):
    """Entries of both lists that hold the mark wherever something must stay inside."""
    caplog.set_level(logging.INFO)
    settings.MEDIA_ROOT = tmp_path
    category = ListCategory.objects.get(code="J01")
    for code, values in {
        "court": {"disclosure": "secret"},
        "case_number": {"disclosure": "shared"},
        "obligation": {"masked": True},
    }.items():
        category.fields.filter(code=code).update(**values)
    record_version(
        category, actor=Actor(label="示例"), reason="示例原因", today=timezone.localdate()
    )
    person = builders.person(f"{MARK}王", SUBJECT)
    entry, ended = _black(person, "甲"), _black(builders.firm(), "乙")
    red = builders.red_published(evidence=f"{MARK}推荐材料")
    nominated = builders.red_draft(evidence=f"{MARK}推荐材料", reference=f"{MARK}红")
    Subject.objects.update(legal_representative=f"{MARK}法定代表人")
    _correct(entry)
    _withdraw(ended)
    _argue(entry)
    _file(entry)
    AdverseRecord.objects.update(remark=f"{MARK}备注")
    _report()
    jointaction.distribute(today=timezone.localdate())
    notices.deliver()
    return {"entry": entry, "ended": ended, "red": red, "nominated": nominated}


def _black(subject, reference):
    """A black entry of the court with everything that can be said about it."""
    today = timezone.localdate()
    served = today - 25 * builders.DAY
    draft = builders.black_draft(
        subject,
        unit="zjfy",
        category="J01",
        ground=f"{PUBLIC}的事实",
        details=DETAILS,
        reference=f"{MARK}编号{reference}",
        prior_notice={
            "served_on": served,
            "means": "direct",
            "defence_until": today - 10 * builders.DAY,
            "defence": {
                "received_on": served + builders.DAY,
                "text": f"{MARK}陈述申辩",
                "opinion": f"{MARK}答复意见",
            },
        },
        responsible_persons=[
            {
                "name": f"{MARK}李",
                "id_type": "resident_id",
                "id_number": DIRECTOR,
                "role": "legal_representative",
                "fact": f"{MARK}责任事实",
                "basis": f"{MARK}责任依据",
            }
        ],
    )
    record(draft, "edit", actor=by(builders.clerk), note=f"{MARK}说明", private_note=f"{MARK}内部")
    return blacklist.publish(draft, actor=by(builders.reviewer), today=today, attested=True)


def _correct(entry):
    """A correction of secret, shared, masked and public fields, with a note of its own."""
    details = {code: f"{value}更正" for code, value in DETAILS.items() if code != "filed_on"}
    proposal = listings.propose_correction(
        entry,
        {"details": {**DETAILS, **details}},
        actor=by(builders.clerk),
        note=f"{MARK}更正说明",
    )
    listings.approve(proposal, actor=by(builders.reviewer), today=timezone.localdate())


def _withdraw(entry):
    proposal = listings.propose_withdrawal(
        entry, reason="error", actor=by(builders.clerk), note=f"{MARK}撤下说明"
    )
    listings.approve(proposal, actor=by(builders.reviewer), today=timezone.localdate())


def _report():
    """A named report of which every word and the reporter hold the mark, looked into and told."""
    filed, _code = builders.report(
        "zjfy",
        named=True,
        facts=f"{MARK}举报内容，至少写满十个字才行。",
        about=f"{MARK}被举报的人",
        reporter={"name": f"{MARK}举报人", "phone": "0435-7654321", "email": f"a@{MARK}.cn"},
    )
    tipoffs.add(filed, text=f"{MARK}补充")
    tipoffs.write(filed, text=f"{MARK}来信", actor=by(builders.clerk))
    filed = tipoffs.investigate(filed, actor=by(builders.clerk))
    findings = {"outcome": "confirmed", "findings": f"{MARK}核查情况，至少写满十个字才行。"}
    told = {"actor": by(builders.clerk), "today": timezone.localdate()}
    filed = tipoffs.conclude(filed, **findings, **told)
    tipoffs.inform(filed, text=f"{MARK}结果，至少写满十个字才行。", **told)
    tipoffs.open_identity(
        filed,
        passphrase=builders.PASSPHRASE,
        purpose=f"{MARK}事由",
        actor=Actor.of(builders.vault_officer()),
        lead_unit="fgw",
    )


def _argue(entry):
    """An objection, and its answer waiting for approval."""
    matter, _code = builders.objection(
        entry,
        applicant={"name": f"{MARK}申请人", "phone": "0435-7654321", "email": "a@example.cn"},
        grounds=f"{MARK}异议理由，至少写满十个字才行。",
    )
    matter = objections.investigate(matter, actor=by(builders.clerk), note=f"{MARK}核查情况")
    objections.propose_reply(
        matter,
        actor=by(builders.clerk),
        outcome="rejected",
        reasons=f"{MARK}答复理由，事实清楚。",
        findings=f"{MARK}核查意见。",
        today=timezone.localdate(),
    )


def _file(entry):
    """A file with a person's number in it, some of its rows sent back, and one imported."""
    head = "行政相对人名称,证件类型,证件号码,行政处罚决定书文号,处罚决定日期,违法事实"
    rows = (
        f"{MARK}赵,居民身份证,{APPLICANT},示例〔2026〕9号,2026-01-15,{MARK}违法事实",
        f"{MARK}赵,居民身份证,{APPLICANT[:-1]}0,示例〔2026〕10号,2026-01-15,{MARK}违法事实",
    )
    batch = wizard.preview(
        SimpleUploadedFile("处罚.csv", "\n".join((head, *rows)).encode()),
        kind="records",
        category=None,
        department=entry.department,
        actor=by(builders.clerk),
    )
    wizard.commit(batch, actor=by(builders.clerk))


# ── searching ─────────────────────────────────────────────────────────────────────────────────


def found_in(text):
    """What of the planted things a text holds."""
    digits = [number for number in NUMBERS for part in (number[:14], number[6:]) if part in text]
    around = re.findall(rf".{{0,20}}{MARK}.{{0,20}}", text)
    return [*digits, *around]


class Links(HTMLParser):
    """The addresses that a page leads to."""

    def __init__(self):
        super().__init__()
        self.found = set()

    def handle_starttag(self, tag, attrs):
        self.found |= {value for name, value in attrs if name == "href" and value}


def _content(answer):
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def _text(answer):
    content = _content(answer)
    if not content.startswith(b"PK\x03\x04"):
        return content.decode("utf-8", "replace")
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return str([book.get_sheet_by_index(n).to_python() for n in range(len(book.sheet_names))])


def _walk(client, starts):
    """{address: text} of all that can be reached from `starts` by links, without signing in."""
    seen, waiting = {}, list(starts)
    while waiting:
        path = waiting.pop()
        if path in seen or not path.startswith("/") or path.startswith(("/static/", "/desk/")):
            continue
        answer = client.get(path, follow=True)
        seen[path] = f"{answer.headers}{_text(answer)}"
        if answer["Content-Type"].startswith("text/html"):
            links = Links()
            links.feed(seen[path])
            waiting += [_join(path, link.partition("#")[0]) for link in links.found]
    return seen


def _join(path, link):
    return f"{path.partition('?')[0]}{link}" if link.startswith("?") else link


def _open_doors():
    for name, rule in DOORS.items():
        if rule == OPEN:
            try:
                yield reverse(name)
            except LookupError:
                continue
            except Exception as error:
                if "NoReverseMatch" not in type(error).__name__:
                    raise


def test_the_planted_things_are_there_for_those_they_are_for(planted):
    browser = builders.signed_in(Client(), builders.clerk("zjfy"))
    page = browser.get(f"/desk/black/{planted['entry'].public_id}/").content.decode()
    for words in ("法院", "案号", "承包人的义务", "陈述申辩", "责任事实", "编号甲"):
        assert f"{MARK}{words}" in page, words
    assert AdverseRecord.objects.filter(facts__contains=MARK).exists()
    report = Report.objects.get()
    page = browser.get(f"/desk/reports/{report.public_id}/").content.decode()
    for words in ("举报内容", "被举报的人", "补充", "来信", "核查情况", "结果"):
        assert f"{MARK}{words}" in page, words
    assert f"{MARK}举报人" not in page


def test_no_public_page_download_or_error_page_holds_what_is_not_for_everybody(planted, client):
    entry, ended, red = (planted[name] for name in ("entry", "ended", "red"))
    starts = [
        "/",
        "/en/",
        *_open_doors(),
        "/search/?q=示例",
        f"/search/?q={ended.subject.code}",
        f"/subjects/{ended.subject.code}/",
        f"/black/{ended.public_id}/",
        f"/red/{planted['nominated'].public_id}/",
        f"/black/{red.public_id}/",
        f"/objections/new/?entry={entry.public_id}",
        f"/repair/new/?entry={entry.public_id}",
        "/no/such/page/",
        "/black/?category=J01",
    ]
    for form in ("csv", "xlsx", "json"):
        starts += [f"/{kind}/?format={form}" for kind in ("red", "black")]
        starts.append(f"/black/?category=J01&format={form}")
    texts = _walk(client, starts)
    assert {path: found for path, text in texts.items() if (found := found_in(text))} == {}
    for path in (
        f"/black/{entry.public_id}/", "/black/?category=J01&format=csv",
        "/black/?category=J01&format=xlsx", "/black/?category=J01&format=json",
    ):  # fmt: skip
        assert PUBLIC in texts[path], path
        assert MASKED in texts[path], path
    assert len(texts) > 50


def test_no_answer_of_the_api_to_a_foreign_unit_holds_it(planted):
    machine = Machine(builders.liaison("hbj"), "read")
    entries = [planted[name] for name in ("entry", "ended", "red")]
    paths = ["/listings/", "/listings/?status=withdrawn", "/changes/", "/categories/", "/bases/"]
    for entry in entries:
        paths += [f"/listings/{entry.public_id}/", f"/listings/{entry.public_id}/history/"]
    told = {path: json.dumps(machine.get(path), ensure_ascii=False) for path in paths}
    told["/snapshot/"] = _content(machine.client.get("/api/v1/snapshot/")).decode()
    told["a nomination"] = json.dumps(
        machine.get(f"/listings/{planted['nominated'].public_id}/", 404), ensure_ascii=False
    )
    told["no scope"] = json.dumps(machine.get("/pushes/", 403), ensure_ascii=False)
    assert {path: found for path, text in told.items() if (found := found_in(text))} == {}
    for path in ("/changes/", "/snapshot/"):
        assert PUBLIC in told[path]
        assert MASKED in told[path]


def test_neither_ledger_nor_index_nor_notice_nor_log_holds_it(planted, client, caplog):
    client.get("/no/such/page/")
    bodies = [bytes(body).decode() for body in ChangeBody.objects.values_list("body", flat=True)]
    versions = [str(body) for body in ListingVersion.objects.values_list("body", flat=True)]
    grams = Listing.objects.values_list("bigrams", flat=True)
    told = [f"{row.title}{row.text}{row.link}" for row in Notice.objects.all()]
    letters = [f"{letter.subject}{letter.body}" for letter in mail.outbox]
    for texts in (bodies, versions, map(str, grams), told, letters, [caplog.text]):
        assert [found for text in texts if (found := found_in(text))] == []
    assert any(PUBLIC in body for body in bodies)
    assert any(MASKED in body for body in bodies)
    assert told


def test_no_webhook_to_a_foreign_unit_holds_it(planted):
    endpoint, _secret = builders.endpoint("hbj")
    Endpoint.objects.filter(pk=endpoint.pk).update(seq=0)
    webhooks.announce_changes()
    rows = list(Delivery.objects.all())
    made = content.bodies(rows, shown=shown, today=timezone.localdate()).values()
    told = [body.decode() for body in made]
    assert [found for text in told if (found := found_in(text))] == []
    assert any(PUBLIC in text for text in told)
    assert any(MASKED in text for text in told)
    ended = [text for text in told if str(planted["ended"].public_id) in text]
    assert len(ended) == 2
    assert not any("subject" in text for text in ended)

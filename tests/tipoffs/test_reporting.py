"""Telling and following: nothing of the reporter is kept but what the reporter gives."""

import io
import re

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image
from PIL.ExifTags import Base

from casework import documents
from casework.models import Document, RateCount
from notices.models import Notice
from parties.models import Actor, Subject
from tests import builders
from tests.tipoffs.test_vault import dump
from tipoffs import services, views
from tipoffs.models import Report

pytestmark = pytest.mark.usefixtures("rules")
NEW, TRACK = reverse("report-new"), reverse("report-track")
ADDRESS, AGENT = "203.0.113.77", "哨兵浏览器 Sentinel/1.0"
TOLD = {
    "facts": "2026年5月以来拖欠工资，多次催要，老板拒不支付。",
    "about": "通化示例建筑有限公司",
    "named": "anonymous",
}
CODE = re.compile(r"[2-9A-HJ-NP-Z]{4}(?:-[2-9A-HJ-NP-Z]{4}){6}")


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def visitor():
    headers = {"User-Agent": AGENT, "X-Forwarded-For": ADDRESS, "Accept-Language": "zh-CN"}
    return Client(headers=headers, enforce_csrf_checks=True)


def tell(client=None, **fields):
    return (client or visitor()).post(NEW, {**TOLD, **fields})


def code_on(answer):
    return CODE.search(answer.content.decode())[0]


def picture(form="JPEG"):
    """A picture that says where and by whom it was taken."""
    exif = Image.Exif()
    exif[Base.Make] = "sentinel-camera"
    drawn = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(drawn, form, exif=exif)
    assert b"sentinel-camera" in drawn.getvalue()
    return drawn.getvalue()


# ── telling ───────────────────────────────────────────────────────────────────────────────────


def test_an_anonymous_report_is_taken_in_and_its_code_shown_once(rules):
    answer = tell()
    assert answer.status_code == 200
    report, code = Report.objects.get(), code_on(answer)
    assert (report.status, report.named, report.department.code) == ("received", False, "fgw")
    assert Report.objects.of_code(code) == report
    assert Report.objects.of_code(code.lower().replace("-", " ")) == report


def test_the_receipt_code_has_128_bits_and_stands_nowhere(rules):
    answer = tell()
    code = code_on(answer).replace("-", "")
    assert 31 ** len(code) >= 2**128
    for table, column, value in dump():
        text = value if isinstance(value, bytes) else str(value).encode()
        assert code.encode() not in text, (table, column)
        assert code_on(answer).encode() not in text, (table, column)
    assert len(bytes(Report.objects.get().receipt_digest)) == 32


def test_a_code_stays_good_when_the_key_it_is_kept_under_rotates(rules, settings):
    code = code_on(tell())
    settings.FIELD_KEYS = ["new:" + "A" * 43 + "=", *settings.FIELD_KEYS]
    assert Report.objects.of_code(code) is not None


def test_no_cookie_is_set_and_no_session_begun_by_anything_a_reporter_does(rules):
    client = visitor()
    answers = [client.get(NEW), tell(client, facts="短"), tell(client)]
    code = code_on(answers[-1])
    answers += [
        client.get(TRACK),
        client.post(TRACK, {"code": "错的"}),
        client.post(TRACK, {"code": code}),
        client.post(TRACK, {"code": code, "act": "add", "text": "补充一句话。"}),
    ]
    assert [answer.status_code for answer in answers] == [200, 400, 200, 200, 400, 200, 200]
    for answer in answers:
        assert not answer.cookies
        assert "no-store" in answer["Cache-Control"]
        assert answer["Referrer-Policy"] == "no-referrer"
    assert not client.cookies
    assert not Session.objects.exists()


def test_nothing_of_the_visitor_is_kept_in_table_cache_log_or_session(rules, caplog):
    caplog.set_level("DEBUG")
    client, kept = visitor(), []
    cache.clear()
    client.post(TRACK, {"code": code_on(tell(client))})
    client.post(TRACK, {"code": "2222-2222"})
    for table, column, value in dump():
        text = value if isinstance(value, bytes) else str(value).encode()
        kept += [(table, column) for sign in (ADDRESS, AGENT) if sign.encode() in text]
    assert kept == []
    assert ADDRESS not in caplog.text
    assert AGENT not in caplog.text
    assert cache._cache.get_client().keys("*") == []


def test_limits_count_everybody_together_and_no_address(rules, monkeypatch):
    monkeypatch.setitem(views.POSTS, "report-new", 2)
    RateCount.objects.all().delete()
    first, second = Client(REMOTE_ADDR="192.0.2.1"), Client(REMOTE_ADDR="198.51.100.1")
    assert [tell(first).status_code, tell(second).status_code] == [200, 200]
    assert RateCount.objects.count() == 1
    answer = tell(first)
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert "网络来的请求" not in answer.content.decode()
    assert first.get(NEW).status_code == 200


def test_pictures_are_limited_on_their_own_so_that_nobody_fills_the_disk(rules, monkeypatch):
    monkeypatch.setitem(views.POSTS, "report-pictures", 1)
    files = [tell(pictures=[SimpleUploadedFile("图.png", picture("PNG"))]) for _time in "ab"]
    assert [answer.status_code for answer in files] == [200, 429]
    assert tell().status_code == 200


def test_of_an_anonymous_report_nothing_typed_beside_is_kept(rules):
    builders.vault_key()
    tell(name="哨兵姓名", phone="0435-7654321", email="sentinel@example.cn")
    for table, column, value in dump():
        text = value if isinstance(value, bytes) else str(value).encode()
        for sign in ("哨兵姓名", "0435-7654321", "sentinel@example.cn"):
            assert sign.encode() not in text, (table, column)
    assert Report.objects.get().identity_sealed is None


def test_a_named_report_asks_for_a_name_and_a_way_to_be_reached(rules):
    builders.vault_key()
    answer = tell(named="named")
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "实名举报请填写姓名" in page
    assert "实名举报请留下电话或者邮箱" in page
    assert tell(named="named", name="示例", email="a@example.cn").status_code == 200
    assert Report.objects.get().named


def test_while_nobody_has_a_key_only_anonymous_reports_are_taken(rules):
    answer = tell(named="named", name="示例", phone="0435-0000000")
    assert answer.status_code == 400
    assert "现在还不能实名举报" in answer.content.decode()
    assert tell().status_code == 200


def test_a_form_sent_twice_files_one_report(rules):
    key = re.search(r'name="form_key" value="([^"]+)"', visitor().get(NEW).content.decode())[1]
    assert tell(form_key=key).status_code == 200
    again = tell(form_key=key)
    assert again.status_code == 400
    assert "这份举报已经收到" in again.content.decode()
    assert Report.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"facts": ""}, "写明举报的事"),
        ({"facts": "太短"}, "至少写 10 个字"),
        ({"facts": "长" * 5_001}, "最多 5000 个字"),
        ({"about": ""}, "写明举报谁"),
        ({"about": "长" * 201}, "200"),
        ({"code": "91220501MA0ABC1216"}, "校验"),
        ({"named": ""}, "选择匿名或者实名"),
        ({"named": "x"}, "x"),
        ({"form_key": "x"}, "UUID"),
    ],
)
def test_a_bad_field_is_named_and_nothing_kept(rules, fields, words):
    answer = tell(**fields)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not Report.objects.exists()


def test_a_report_makes_no_subject_known(rules):
    before = Subject.objects.count()
    tell(code="91220501ma0abc1215")
    assert Report.objects.get().code == "91220501MA0ABC1215"
    assert Subject.objects.count() == before


def test_the_lead_unit_is_told_the_number_and_no_word_of_the_report_in_chinese(rules):
    Client().post(f"/en{NEW}", TOLD)
    notice = Notice.objects.get(department__code="fgw")
    report = Report.objects.get()
    assert notice.title == f"收到举报 {report.number}"
    for words in ("拖欠", "建筑"):
        assert words not in notice.title + notice.text
    assert not notice.email


def test_another_page_may_lead_here_with_whom_it_is_about(rules):
    page = visitor().get(f"{NEW}?about=通化示例商贸&code=91220501MA0ABC1215").content.decode()
    assert 'value="通化示例商贸"' in page


# ── pictures ──────────────────────────────────────────────────────────────────────────────────


def test_a_picture_keeps_neither_its_name_nor_who_took_it_where(rules):
    builders.vault_key()
    files = [SimpleUploadedFile("哨兵张三的手机.jpg", picture())]
    fields = {"named": "named", "name": "示例", "phone": "0435-0000000", "pictures": files}
    assert tell(**fields).status_code == 200
    document = Document.objects.get()
    assert document.name == "证据1.jpg"
    assert b"sentinel-camera" not in documents.read(document)
    for table, column, value in dump():
        text = value if isinstance(value, bytes) else str(value).encode()
        assert "哨兵张三".encode() not in text, (table, column)
    identity = services.open_identity(
        Report.objects.get(),
        passphrase=builders.PASSPHRASE,
        purpose="示例",
        actor=Actor.of(builders.vault_officer()),
        lead_unit="fgw",
    )
    assert identity["files"] == ["哨兵张三的手机.jpg"]


@pytest.mark.parametrize("name", ["合同.pdf", "图.svg", "空.png"])
def test_what_is_no_picture_is_refused_by_name(rules, name):
    content = {"合同.pdf": b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF"}.get(name, b"<svg/>")
    answer = tell(pictures=[SimpleUploadedFile(name, content)])
    assert answer.status_code == 400
    assert name in answer.content.decode()
    assert not Document.objects.exists()


# ── following ─────────────────────────────────────────────────────────────────────────────────


def follow(code, **fields):
    return visitor().post(TRACK, {"code": code, **fields})


@pytest.mark.parametrize("code", ["", "2222", "x" * 61, "' OR 1=1 --", "２２２２", "\ud800"])
def test_a_wrong_code_opens_nothing(rules, code):
    builders.report()
    answer = visitor().post(
        TRACK, b"code=" + code.encode(errors="surrogatepass"), "application/x-www-form-urlencoded"
    )
    assert answer.status_code == 400


def test_the_reporter_and_the_department_write_to_one_another(rules):
    report, code = builders.report("rsj")
    clerk = Actor.of(builders.clerk())
    services.write(report, text="请问是哪个工地？", actor=clerk)
    page = follow(code).content.decode()
    assert "请问是哪个工地？" in page
    assert str(builders.clerk()) not in page
    answer = follow(
        code,
        act="add",
        text="在示例路工地。",
        pictures=[SimpleUploadedFile("工地.png", picture("PNG"))],
    )
    assert "在示例路工地。" in answer.content.decode()
    assert report.evidence.count() == 1
    assert report.messages.filter(side="reporter").count() == 1
    assert Notice.objects.filter(department__code="rsj", title__contains="新的补充").count() == 1


def test_an_addition_sent_twice_is_added_once(rules):
    report, code = builders.report("rsj")
    key = re.search(r'name="form_key" value="([^"]+)"', follow(code).content.decode())[1]
    for _time in "ab":
        assert follow(code, act="add", text="补充一句话。", form_key=key).status_code == 200
    assert report.messages.filter(side="reporter").count() == 1


def test_what_is_inside_is_not_told_to_the_reporter(rules):
    report, code = builders.report("rsj")
    report = builders.concluded(report)
    page = follow(code).content.decode()
    assert "核查结束" in page
    for inside in ("请核查。", "已责令限期支付", "属实"):
        assert inside not in page, inside
    services.inform(
        report,
        text="您举报的事属实，已经处理。",
        actor=Actor.of(builders.clerk()),
        today=report.received_on,
    )
    page = follow(code).content.decode()
    assert "结果：属实" in page
    assert "您举报的事属实，已经处理。" in page


def test_once_it_is_settled_nothing_more_is_added(rules):
    report, code = builders.report("rsj")
    builders.informed(report)
    answer = follow(code, act="add", text="再补充一句。")
    assert answer.status_code == 409
    assert not report.messages.filter(side="reporter").exists()


@pytest.mark.parametrize(("text", "words"), [("", "写几句话"), ("长" * 2_001, "最多 2000 个字")])
def test_a_bad_addition_is_refused_and_nothing_kept(rules, text, words):
    report, code = builders.report("rsj")
    answer = follow(code, act="add", text=text)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not report.messages.filter(side="reporter").exists()


def test_following_costs_the_same_however_much_was_written(rules):
    report, code = builders.report("rsj")

    def cost():
        with CaptureQueriesContext(connection) as asked:
            follow(code)
        return len(asked)

    cost()
    before = cost()
    for n in range(5):
        services.write(report, text=f"第 {n} 封。", actor=Actor.of(builders.clerk()))
        services.add(report, text=f"第 {n} 次补充。")
    assert cost() == before

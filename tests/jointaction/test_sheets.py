"""Checks by table: taken in, checked by the clock, handed back, forgotten."""

import io
import logging
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
import xlsxwriter
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from casework import documents
from casework.models import Document
from casework.moves import IllegalMove
from casework.services import check_table
from jointaction import services
from jointaction.models import Check, Hit, Sheet, SheetPart
from jointaction.services.sheets import run, upload
from listings import services as listings
from parties.models import AccessLog, Actor, Role, User
from rulebook.models import Parameter
from tests import builders

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
NUMBER = builders.resident_id(821, "19610203")
BAD_CODE = "91220501MA0ABC1216"
LIST, CATEGORY, DOCUMENT, MEASURES, DUE, MATCHED, DIFFERS, CHECK = range(5, 13)


@pytest.fixture(autouse=True)
def _own_documents(rules, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "documents"


@pytest.fixture
def today():
    return timezone.localdate()


def checked(*rows, on=None, **fields):
    """A table with its rows checked."""
    sheet = builders.sheet(*rows, **fields)
    services.check_sheets(today=on or timezone.localdate())
    sheet.refresh_from_db()
    return sheet


def lines_of(sheet):
    """The rows of the result beneath its titles."""
    return rows_in(documents.read(sheet.result))


def rows_in(content):
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return book.get_sheet_by_index(0).to_python()[1:]


def files():
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def taken(content, name="客户.csv"):
    return check_table(SimpleUploadedFile(name, content))


def workbook(*rows):
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        page = book.add_worksheet()
        for place, row in enumerate(rows):
            page.write_row(place, 0, row)
    return file.getvalue()


# ── what a table says ─────────────────────────────────────────────────────────────────────────


def test_the_rows_come_back_in_their_order_with_answer_measures_and_receipt(today):
    black, clean = builders.published_black(), builders.firm()
    firm = black.subject
    sheet = checked((firm.code, firm.name), (clean.code, "另一个名称"), (BAD_CODE,), ("", "某公司"))
    assert (sheet.status, sheet.rows) == ("done", 4)
    assert (sheet.listed, sheet.clear, sheet.invalid, sheet.repeated) == (1, 1, 2, 0)
    hit, logged = Hit.objects.get(), Check.objects.get()
    first, second, third, fourth = lines_of(sheet)
    assert first[:5] == ["2", firm.code, firm.name, "在名单上", ""]
    assert first[LIST : DOCUMENT + 1] == ["黑名单", str(black.category), black.document_number]
    assert hit.measures
    for row in hit.measures:
        assert row["name"] in first[MEASURES]
        assert row["article"] in first[MEASURES]
        assert row["until"] in first[MEASURES]
    assert first[DUE:] == [str(hit.feedback_due), "本身", "", f"CX-{logged.pk:06}"]
    assert second[:5] == ["3", clean.code, "另一个名称", "没有命中", ""]
    assert second[DIFFERS:] == ["是", f"CX-{logged.pk:06}"]
    assert third[:5] == ["4", "", "", "不能查询", "号码的校验位不正确"]
    assert fourth[:5] == ["5", "", "某*", "不能查询", "只有名称不能确定是谁"]
    assert (logged.subjects, logged.hits, logged.purpose) == (4, 1, "客户背景审查")
    assert hit in Hit.objects.pending(builders.department("czj").pk)
    assert [line.action for line in sheet.journal.all()] == ["receive", "begin", "finish"]


def test_a_firm_on_both_lists_has_two_lines_and_its_honours_pause(today):
    firm = builders.firm()
    builders.red_published(firm)
    builders.published_black(firm)
    black, red = lines_of(checked((firm.code,)))
    assert (black[0], red[0]) == ("2", "2")
    assert (black[LIST], red[LIST]) == ("黑名单", "红名单")
    assert red[4] == "因在黑名单上，激励暂停"
    assert red[MEASURES] == red[DUE] == ""
    assert Hit.objects.count() == 1


def test_a_row_that_says_the_same_again_is_asked_about_once():
    firm = builders.published_black().subject
    sheet = checked((firm.code, firm.name), (firm.code, firm.name), (firm.code.lower(), firm.name))
    assert (sheet.listed, sheet.repeated) == (2, 1)
    assert lines_of(sheet)[1][3:5] == ["重复", "和第 2 行相同"]


def test_a_responsible_person_is_met_by_name_and_paper_until_released(today):
    entry = builders.published_black(
        responsible_persons=[builders.responsible("王示例") | {"id_number": NUMBER}]
    )
    sheet = checked(("", "王示例", "居民身份证", NUMBER), ("", "李示例", "", NUMBER))
    mine, wrong = lines_of(sheet)
    assert mine[2:4] == ["王*", "在名单上"]
    assert mine[MATCHED] == "责任人员"
    assert wrong[2:5] == ["李*", "不能查询", "姓名与证件号码不相符"]
    clerk, reviewer = Actor.of(builders.clerk()), Actor.of(builders.reviewer())
    person = entry.responsible_persons.get()
    release = listings.propose_release(
        person, reason="error", actor=clerk, note="认错人", today=today
    )
    listings.approve(release, actor=reviewer, today=today)
    assert services.fetch_result(sheet, actor=by(), today=today) is None
    services.check_sheets(today=today)
    sheet.refresh_from_db()
    mine, _wrong = lines_of(sheet)
    assert mine[3:CHECK] == ["已不在名单上", "", "黑名单", "", "", "", "", "", ""]


@pytest.mark.parametrize(
    "header",
    ["统一社会信用代码,名称,证件类型,证件号码", "code,name,id_type,id_number", "code"],
)
def test_the_header_is_known_in_chinese_and_as_the_api_has_it(header):
    firm = builders.published_black().subject
    file = taken(f"客户名单\n{header}\n{firm.code}\n".encode())
    services.receive_sheet(file, actor=by(), purpose="审查", reference="1")
    services.check_sheets(today=timezone.localdate())
    assert Sheet.objects.get().listed == 1


def by(unit="czj"):
    return Actor.of(builders.liaison(unit))


def test_the_template_filled_in_is_a_table_that_is_understood():
    (head,) = (
        CalamineWorkbook.from_filelike(io.BytesIO(services.template()))
        .get_sheet_by_index(0)
        .to_python()
    )
    assert head == ["统一社会信用代码", "名称", "证件类型", "证件号码"]
    firm = builders.published_black().subject
    file = taken(workbook(head, [firm.code, firm.name]), "客户.xlsx")
    services.receive_sheet(file, actor=by(), purpose="审查", reference="1")
    services.check_sheets(today=timezone.localdate())
    assert Sheet.objects.get().listed == 1


def test_rows_that_can_not_be_asked_are_told_in_words_and_fail_nothing(today):
    firm = builders.published_black().subject
    sheet = checked(
        ("=1+1", "甲"),
        ("@x",),
        ("", "王示例", "驾驶证", NUMBER),
        ("", "长" * 201, "", NUMBER),
        (firm.code,),
    )
    assert (sheet.status, sheet.invalid, sheet.listed) == ("done", 4, 1)
    told = [line[4] for line in lines_of(sheet)]
    assert "不能是公式" in told[0]
    assert "证件类型：只能是" in told[2]
    assert "名称：最多 200 字" in told[3]
    assert Check.objects.get().subjects == 1


def test_a_part_of_which_no_row_can_be_asked_makes_no_check():
    sheet = checked(("=1",), ("=2",))
    assert (sheet.status, sheet.invalid) == ("done", 2)
    assert not Check.objects.exists()


def test_no_cell_of_the_result_is_a_formula():
    code = builders.firm().code
    names = ("=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "＝1", "\t=1")
    lines = lines_of(checked(*((code, name) for name in names)))
    for line in lines:
        assert not line[2] or line[2][0] in {"'", "1"}, line
    file = taken(workbook(["code", "name"], [code, "+cmd|' /C calc'!A0"]), "x.xlsx")
    services.receive_sheet(file, actor=by(), purpose="审查", reference="x")
    services.check_sheets(today=timezone.localdate())
    (line,) = lines_of(Sheet.objects.latest("pk"))
    assert line[2] == "'+cmd|' /C calc'!A0"


def test_2500_rows_are_three_parts_each_with_its_own_log_row(today):
    firm = builders.published_black().subject
    codes = [builders.code_of(n) for n in range(3_000_000, 3_002_499)]
    sheet = checked(*((code,) for code in codes), (firm.code,))
    assert (sheet.rows, sheet.position, sheet.clear, sheet.listed) == (2500, 2500, 2499, 1)
    assert list(Check.objects.order_by("pk").values_list("subjects", flat=True)) == [
        1000,
        1000,
        500,
    ]
    assert list(sheet.parts.values_list("first", flat=True)) == [2, 1002, 2002]
    lines = lines_of(sheet)
    assert [int(line[0]) for line in lines] == list(range(2, 2502))
    assert Hit.objects.get().check_id == Check.objects.latest("pk").pk


def test_a_part_asks_as_many_questions_for_many_rows_as_for_few():
    firms = [builders.published_black().subject for _n in range(6)]

    def asked(rows):
        builders.sheet(*rows)
        with CaptureQueriesContext(connection) as found:
            services.check_sheets(today=timezone.localdate())
        return len(found)

    asked([(firms[0].code,)])  # what is remembered of the rules is asked once
    few = asked([(firms[0].code,)])
    many = asked([(firm.code,) for firm in firms] + [(builders.code_of(n),) for n in range(50)])
    assert many == few


# ── taking in ─────────────────────────────────────────────────────────────────────────────────


def _packed(**parts):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return file.getvalue()


BOOK = {"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"}
FAR = b'<worksheet><sheetData><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"%PDF-1.7\n", "unknown_type"),
        (b"\x89PNG\r\n\x1a\n", "unknown_type"),
        (b"\xd0\xcf\x11\xe0 an old workbook", "unknown_type"),
        (b"MZ\x90\0", "unknown_type"),
        (b"code\0,name", "unknown_type"),
        (_packed(**{"a.txt": b"x"}), "unknown_type"),
        (b"PK\x03\x04 no sheet", "unfit"),
        (_packed(**BOOK, bomb=b"\0" * (documents.MOST_IN_PART + 1)), "unfit"),
        (_packed(**BOOK, **{"xl/worksheets/sheet1.xml": FAR}), "unfit"),
        (
            _packed(**BOOK, **{"xl/worksheets/sheet1.xml": FAR.replace(b"<c ", b"<x:c s='1' ")}),
            "unfit",
        ),
        (_packed(**BOOK, **{"xl/a.xml": b"<!DOCTYPE a [<!ENTITY b 'c'>]>"}), "unfit"),
        (_packed(**{**BOOK, "[Content_Types].xml": b"sheet.macroEnabled.main+xml"}), "unfit"),
    ],
)
def test_what_is_no_table_or_more_than_one_is_not_taken(content, code):
    with pytest.raises(ValidationError) as refusal:
        taken(content)
    assert refusal.value.code == code


def test_a_table_too_large_or_empty_is_not_taken(monkeypatch):
    monkeypatch.setattr(documents, "LARGEST", 10)
    for content in (b"", b"code,name\n1,2\n"):
        with pytest.raises(ValidationError, match="超过 10 MB"):
            taken(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("没有表头\n的文件\n", "没有找到表头"),
        ("名称,证件类型\n示例,护照\n", "缺少这些列"),
        ("code,code\n1,2\n", "出现了两次"),
        ("code,name\n", "表头下面没有要查的行"),
        (b"code,name\n\xff\xff\xff,1\n", "认不出文字编码"),
        (_packed(**BOOK), "不是完好的表格文件"),
        (b'code,name\n"' + b"x" * 1_100_000, "不是完好的 CSV 文件"),
    ],
)
def test_a_file_that_can_not_be_read_is_refused_with_the_reason_and_deleted(
    content, words, django_capture_on_commit_callbacks
):
    content = content.encode() if isinstance(content, str) else content
    services.receive_sheet(taken(content), actor=by(), purpose="审查", reference="1")
    with django_capture_on_commit_callbacks(execute=True):
        services.check_sheets(today=timezone.localdate())
    sheet = Sheet.objects.get()
    assert sheet.status == "refused"
    assert words in sheet.reason
    assert (sheet.upload, Document.objects.count(), files()) == (None, 0, [])
    assert not Check.objects.exists()
    assert services.check_sheets(today=timezone.localdate()) == 0


def test_a_table_of_too_many_rows_is_refused_before_any_is_checked(monkeypatch):
    monkeypatch.setattr(upload, "MOST_ROWS", 3)
    assert checked(*((f"{n}",) for n in range(3))).status == "done"
    sheet = checked(*((f"{n}",) for n in range(4)))
    assert (sheet.status, sheet.reason) == ("refused", "超过 3 行，请分成几份。")
    assert Check.objects.count() == 1


def test_only_who_may_check_uploads_and_both_reasons_are_asked_for():
    for user in (builders.officer("czj", Role.OPERATOR), builders.supervisor()):
        with pytest.raises(PermissionDenied):
            builders.sheet(("x",), actor=Actor.of(user))
    for business in ({"purpose": " "}, {"reference": "x" * 201}, {"purpose": "\0"}):
        with pytest.raises(ValidationError) as refusal:
            builders.sheet(("x",), **business)
        assert refusal.value.error_dict.keys() == business.keys()
    assert (Sheet.objects.count(), files()) == (0, [])


def test_the_same_file_for_the_same_business_waits_once():
    first = builders.sheet(("x",), reference="同一件")
    assert builders.sheet(("x",), reference="同一件") == first
    assert builders.sheet(("y",), reference="同一件") != first
    assert builders.sheet(("x",), reference="另一件") != first
    services.check_sheets(today=timezone.localdate())
    assert builders.sheet(("x",), reference="同一件") != first


def test_no_unit_fills_the_queue():
    for number in range(upload.MOST_WAITING):
        builders.sheet((f"{number}",))
    with pytest.raises(ValidationError) as refusal:
        builders.sheet(("x",))
    assert refusal.value.error_dict["file"][0].code == "too_many"
    assert builders.sheet(("x",), unit="ggzy")


# ── the clock ─────────────────────────────────────────────────────────────────────────────────


def test_a_run_cut_short_goes_on_and_doubles_no_hit(monkeypatch):
    monkeypatch.setattr(run, "MOST_SUBJECTS", 2)
    codes = [builders.published_black().subject.code for _n in range(5)]
    sheet = builders.sheet(*((code,) for code in codes), (codes[0],))
    part, done = run._check_part, []

    def cut(*given):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(part(*given))

    monkeypatch.setattr(run, "_check_part", cut)
    with pytest.raises(KeyboardInterrupt):
        services.check_sheets(today=timezone.localdate())
    sheet.refresh_from_db()
    assert (sheet.status, sheet.position, Hit.objects.count()) == ("running", 4, 4)
    monkeypatch.setattr(run, "_check_part", part)
    assert services.check_sheets(today=timezone.localdate()) == 1
    sheet.refresh_from_db()
    assert (sheet.status, sheet.listed, sheet.repeated) == ("done", 5, 1)
    assert (Hit.objects.count(), Check.objects.count()) == (5, 3)
    assert [line[0] for line in lines_of(sheet)] == ["2", "3", "4", "5", "6", "7"]
    assert [line.action for line in sheet.journal.all()] == ["receive", "begin", "finish"]


def test_a_part_that_fails_leaves_nothing_of_itself(monkeypatch, caplog):
    sheet = builders.sheet((builders.published_black().subject.code,))
    monkeypatch.setattr(run, "_line", lambda *_given: {}["secret"])
    services.check_sheets(today=timezone.localdate())
    sheet.refresh_from_db()
    assert (sheet.status, sheet.position, sheet.tries) == ("running", 0, 1)
    assert [model.objects.count() for model in (Check, Hit, SheetPart)] == [0, 0, 0]
    assert "KeyError" in caplog.text
    assert "secret" not in caplog.text


def test_a_table_that_fails_time_and_again_is_refused_and_blocks_none(monkeypatch):
    bad = builders.sheet(("bad",))
    content_of = run.content_of

    def poisoned(sheet):
        if sheet.pk == bad.pk:
            raise RuntimeError
        return content_of(sheet)

    monkeypatch.setattr(run, "content_of", poisoned)
    for _time in range(run.MOST_TRIES):
        good = checked((builders.firm().code,))
        assert good.status == "done"
    bad.refresh_from_db()
    assert bad.status == "running"
    services.check_sheets(today=timezone.localdate())
    bad.refresh_from_db()
    assert (bad.status, bad.upload) == ("refused", None)


@pytest.mark.parametrize(
    "change", [{"roles": ["operator"]}, {"is_active": False}, {"department": "ggzy"}]
)
def test_who_may_check_no_more_or_has_left_the_unit_has_nobody_checked(change):
    sheet = builders.sheet((builders.published_black().subject.code,))
    if "department" in change:
        change = {"department": builders.department(change["department"])}
    User.objects.filter(pk=sheet.by_user_id).update(**change)
    services.check_sheets(today=timezone.localdate())
    sheet.refresh_from_db()
    assert sheet.status == "refused"
    assert "上传的人员" in sheet.reason
    assert not Check.objects.exists()


def test_two_runs_at_once_are_one():
    sheet, other = builders.sheet(("x",)), connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, 0)", [upload.LOCKS])
        assert services.check_sheets(today=timezone.localdate()) == 0
        sheet.refresh_from_db()
        assert (sheet.status, sheet.tries) == ("received", 0)
        cursor.execute("SELECT pg_advisory_unlock(%s, 0)", [upload.LOCKS])
    other.close()
    assert services.check_sheets(today=timezone.localdate()) == 1


def test_an_upload_that_was_lost_or_altered_is_refused():
    lost, altered = builders.sheet(("1",)), builders.sheet(("2",))
    (Path(settings.MEDIA_ROOT) / lost.upload.path).unlink()
    (Path(settings.MEDIA_ROOT) / altered.upload.path).write_bytes(b"x" * 100)
    services.check_sheets(today=timezone.localdate())
    assert set(Sheet.objects.values_list("status", flat=True)) == {"refused"}


# ── confidentiality ───────────────────────────────────────────────────────────────────────────


def test_no_digit_of_a_paper_is_kept_or_told_anywhere(caplog, django_capture_on_commit_callbacks):
    caplog.set_level(logging.DEBUG)
    person = builders.person("王示例", NUMBER)
    builders.published_black(person)
    firm = builders.firm()
    sheet = builders.sheet(
        ("", "王示例", "居民身份证", NUMBER),
        (NUMBER, "王示例"),
        ("", NUMBER, "", "E12345678"),
        (firm.code, f"甲{NUMBER}"),
        ("", "王示例", NUMBER, NUMBER),
        ("", "王示例", "", NUMBER[:-1] + "Y"),
        name=f"{NUMBER}.csv",
    )
    assert [NUMBER.encode() in path.read_bytes() for path in files()] == [False]
    with django_capture_on_commit_callbacks(execute=True):
        services.check_sheets(today=timezone.localdate())
    sheet.refresh_from_db()
    assert (sheet.listed, sheet.status) == (1, "done")
    browser = builders.signed_in(Client(), builders.liaison("czj"))
    told = [
        str(lines_of(sheet)),
        caplog.text,
        *(browser.get(path).content.decode() for path in _pages(sheet)),
        *_database(),
    ]
    for text in told:
        for part in (NUMBER[:14], NUMBER[6:], "12345678", "王示例甲"):
            assert part not in text, text[:200]
    assert "王示例" not in str(lines_of(sheet))
    assert [document.pk for document in Document.objects.all()] == [sheet.result_id]
    assert len(files()) == 1
    assert AccessLog.objects.get().row == str(sheet.public_id)


def _pages(sheet):
    check = reverse("desk-check", args=[sheet.parts.get().check_public_id])
    return [reverse("desk-sheets"), reverse("desk-sheet", args=[sheet.public_id]), check]


def _database():
    """Every row of the tables that this piece writes, as text."""
    names = (
        "jointaction_sheet", "jointaction_sheetpart", "jointaction_check", "jointaction_hit",
        "casework_event", "casework_document", "parties_accesslog", "notices_notice",
    )  # fmt: skip
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"SELECT {name}::text FROM {name}")  # noqa: S608 - names above
            yield from (row for (row,) in cursor.fetchall())


def test_the_result_says_nothing_more_of_an_entry_that_has_ended(today):
    entry, other = builders.published_black(), builders.published_black()
    sheet = checked((entry.subject.code,), (other.subject.code,))
    assert services.fetch_result(sheet, actor=by(), today=today) == sheet.result
    clerk, reviewer = Actor.of(builders.clerk()), Actor.of(builders.reviewer())
    proposal = listings.propose_withdrawal(entry, reason="error", actor=clerk, note="列错")
    listings.approve(proposal, actor=reviewer, today=today)
    assert services.fetch_result(sheet, actor=by(), today=today) is None
    assert services.fetch_result(sheet, actor=by(), today=today) is None
    services.check_sheets(today=today)
    sheet.refresh_from_db()
    gone, kept = lines_of(sheet)
    assert gone[3:] == ["已不在名单上", "", "黑名单", "", "", "", "", "", "", gone[CHECK]]
    assert kept[DOCUMENT] == other.document_number
    assert services.fetch_result(sheet, actor=by(), today=today)
    assert (Check.objects.count(), Hit.objects.count()) == (1, 2)
    actions = [line.action for line in sheet.journal.all()]
    assert actions == ["receive", "begin", "finish", "download", "renew", "finish", "download"]


def test_an_entry_that_lapsed_at_midnight_makes_the_result_anew_with_no_sweep(today):
    sheet = checked((builders.last_public_day(today).subject.code,))
    assert services.fetch_result(sheet, actor=by(), today=today)
    assert services.fetch_result(sheet, actor=by(), today=today + DAY) is None
    services.check_sheets(today=today + DAY)
    sheet.refresh_from_db()
    assert lines_of(sheet)[0][3] == "已不在名单上"
    assert services.fetch_result(sheet, actor=by(), today=today + DAY)


def test_a_result_is_kept_as_long_as_the_rule_says_and_its_hits_stay(
    today, django_capture_on_commit_callbacks
):
    Parameter.objects.filter(code="sheet_kept").update(value=3)
    with django_capture_on_commit_callbacks(execute=True):
        sheet = checked((builders.published_black().subject.code,))
    assert sheet.kept_until == today + 3 * DAY
    assert services.forget_sheets(today=today + 3 * DAY) == 0
    with pytest.raises(IllegalMove):
        services.fetch_result(sheet, actor=by(), today=today + 4 * DAY)
    with django_capture_on_commit_callbacks(execute=True):
        assert services.forget_sheets(today=today + 4 * DAY) == 1
    assert services.forget_sheets(today=today + 4 * DAY) == 0
    sheet.refresh_from_db()
    assert (sheet.status, sheet.result, files()) == ("done", None, [])
    assert (sheet.parts.get().lines, sheet.parts.get().listings) == ([], [])
    assert Hit.objects.count() == 1
    assert sheet.journal.last().action == "forget"
    page = builders.signed_in(Client(), builders.liaison("czj")).get(address("desk-sheet", sheet))
    assert "结果已删除" in page.content.decode()


# ── the pages ─────────────────────────────────────────────────────────────────────────────────


def address(name, sheet):
    return reverse(name, args=[sheet.public_id])


@pytest.fixture
def browser():
    return builders.signed_in(Client(), builders.liaison("czj"))


def posted(browser, content, name="客户.csv", **fields):
    given = {"purpose": "授信审查", "reference": "示例1", "file": SimpleUploadedFile(name, content)}
    return browser.post(reverse("desk-sheets"), {**given, **fields})


def test_from_the_upload_to_the_result_at_the_desk(browser):
    entry = builders.published_black()
    assert reverse("desk-sheets") in browser.get(reverse("desk-checks")).content.decode()
    answer = posted(browser, f"code,name\n{entry.subject.code},甲\n".encode())
    sheet = Sheet.objects.get()
    assert (answer.status_code, answer.url) == (302, address("desk-sheet", sheet))
    assert "排队等候" in browser.get(answer.url).content.decode()
    assert browser.get(address("desk-sheet-result", sheet)).status_code == 404
    services.check_sheets(today=timezone.localdate())
    page = browser.get(answer.url).content.decode()
    assert "共 1 行，已查完，1 行在名单上" in page
    assert reverse("desk-check", args=[Check.objects.get().public_id]) in page
    assert entry.subject.name in page.replace("<wbr>", "")
    fetched = browser.get(address("desk-sheet-result", sheet))
    assert fetched["Content-Type"] == documents.XLSX
    assert fetched["Content-Disposition"].startswith("attachment")
    assert "no-store" in fetched["Cache-Control"]
    assert rows_in(fetched.content)[0][DOCUMENT] == entry.document_number
    line = sheet.journal.last()
    assert (line.action, line.by_user) == ("download", builders.liaison("czj"))
    assert "客户.csv" in browser.get(reverse("desk-sheets")).content.decode()


def test_a_result_being_made_anew_is_said_on_the_page(browser, today):
    entry = builders.published_black()
    sheet = checked((entry.subject.code,))
    listings.withdraw(
        entry, reason="error", actor=Actor.of(builders.clerk()), note="错", today=today
    )
    answer = browser.get(address("desk-sheet-result", sheet), follow=True)
    page = answer.content.decode()
    assert "正在重新生成" in page
    assert entry.document_number not in page
    assert "已不在名单上" in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"purpose": ""}, "写明办什么事。"),
        ({"reference": ""}, "填写业务编号。"),
        ({"reference": "x" * 201}, "201"),
        ({"file": ""}, "选择文件"),
        ({"file": SimpleUploadedFile("a.csv", b"")}, "文件是空的"),
        ({"file": SimpleUploadedFile("a.pdf", b"%PDF-1.7")}, "不是 xlsx 或 CSV"),
        ({"file": SimpleUploadedFile("a.xlsx", b"PK\x03\x04")}, "表格已损坏"),
    ],
)
def test_what_is_wrong_with_an_upload_is_said_on_the_form(browser, fields, words):
    if hasattr(fields.get("file"), "seek"):
        fields["file"].seek(0)
    answer = posted(browser, b"code\n1\n", **fields)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not Sheet.objects.exists()


def test_the_feedback_to_a_part_full_of_hits_is_not_too_long_a_form(browser):
    sheet = checked((builders.published_black().subject.code,))
    page = reverse("desk-check", args=[sheet.parts.get().check_public_id])
    answer = browser.post(page, {f"field{n}": "" for n in range(9_000)})
    assert "还没有填写反馈" in answer.content.decode()


def test_of_another_unit_there_is_no_table_and_other_roles_may_not(browser):
    sheet = checked((builders.published_black().subject.code,))
    pages = [address(name, sheet) for name in ("desk-sheet", "desk-sheet-result")]
    others = [builders.liaison("ggzy"), builders.supervisor(), builders.auditor()]
    for user in others:
        other = builders.signed_in(Client(), user)
        assert [other.get(page).status_code for page in pages] == [404, 404]
        assert sheet.file_name not in other.get(reverse("desk-sheets")).content.decode()
    operator = builders.signed_in(Client(), builders.officer("czj", Role.OPERATOR))
    assert [operator.get(page).status_code for page in pages] == [403, 403]
    page = operator.get(reverse("desk-sheets")).content.decode()
    assert sheet.file_name not in page
    assert 'type="file"' not in page
    assert posted(operator, b"code\n1\n").status_code == 403
    assert Sheet.objects.count() == 1
    with pytest.raises(PermissionDenied):
        services.fetch_result(sheet, actor=by("ggzy"), today=timezone.localdate())


def test_the_pages_ask_as_many_questions_for_many_as_for_few(browser):
    def asked(page):
        with CaptureQueriesContext(connection) as found:
            assert browser.get(page).status_code == 200
        return len(found)

    few = checked((builders.published_black().subject.code,))
    first = asked(reverse("desk-sheets")), asked(address("desk-sheet", few))
    many = checked(*((builders.published_black().subject.code,) for _n in range(5)))
    checked(("x",))
    assert (asked(reverse("desk-sheets")), asked(address("desk-sheet", many))) == first

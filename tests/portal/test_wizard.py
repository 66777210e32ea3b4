"""The import wizard: a file is tried, then taken in once or given up."""

import io
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from python_calamine import CalamineWorkbook

from casework import documents
from casework.models import Document, Event
from casework.moves import IllegalMove
from listings.models import AdverseRecord, Change, ImportBatch, Listing
from parties.models import Actor, Role, Subject
from portal.services import batches, wizard
from rulebook.models import ListCategory
from tests import builders
from tests.data import make
from tests.listings.files import DATA

HEADER = (
    "主体名称,统一社会信用代码,文书文号,文书种类,作出机关,文书日期,失信程度,认定理由,"
    "告知送达日期,送达方式,陈述申辩截止"
)
ROW = (
    "通化示例酒业有限公司,91220501MA0ABC1215,示例〔2026〕1号,行政处罚决定书,通化市人社局,"
    "2026-02-25,严重,拖欠工资,2026-03-02,直接送达,2026-03-16"
)
BAD = "通化示例米业有限公司,91220501MA0ABC1216,示例〔2026〕2号,,,,,,,,"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def house(rules, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "documents"
    return tmp_path


def upload(content=f"{HEADER}\n{ROW}\n{BAD}\n", name="黑名单.csv"):
    content = content.encode() if isinstance(content, str) else content
    return SimpleUploadedFile(name, content)


def by(unit="rsj", who=builders.clerk):
    return Actor.of(who(unit))


def tried(file=None, *, category="M05", unit="rsj", kind="listings", actor=None):
    return wizard.preview(
        file or upload(),
        kind=kind,
        category=category and ListCategory.objects.get(code=category),
        department=builders.department(unit),
        actor=actor or by(unit),
    )


def counts(batch):
    return batch.rows, batch.created, batch.updated, batch.unchanged, batch.rejected


def files():
    return [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


# ── the service ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db
def test_a_preview_says_what_would_happen_and_writes_nothing_else(house):
    before = [model.objects.count() for model in (Listing, Subject, Change)]
    batch = tried()
    assert (batch.state, batch.kind, batch.category.code) == ("previewed", "listings", "M05")
    assert counts(batch) == (2, 1, 0, 0, 1)
    assert [model.objects.count() for model in (Listing, Subject, Change)] == before
    assert ImportBatch.objects.count() == 1
    assert [line.action for line in batch.journal.all()] == ["preview"]
    (error,) = [row for row in batch.errors if row["rejected"]]
    assert (error["row"], error["column"], error["code"]) == (
        3, "统一社会信用代码", "bad_check_symbol",
    )  # fmt: skip
    assert documents.read(batch.source) == upload().read()
    rejected = io.BytesIO(documents.read(batch.rejected_file))
    _head, row = CalamineWorkbook.from_filelike(rejected).get_sheet_by_index(0).to_python()
    assert row[2] == "通化示例米业有限公司"
    assert {oct(path.stat().st_mode & 0o777) for path in files()} == {"0o600"}


@pytest.mark.django_db
def test_the_preview_of_a_long_file_is_what_its_import_then_does(house):
    _header, _rows, expected = make.black()
    batch = tried(upload((DATA / "black.xlsx").read_bytes(), "black.xlsx"))
    seen = counts(batch)
    assert seen[1:] == (100, 0, 1, len(expected))
    batch = wizard.commit(batch, actor=by())
    assert (batch.state, counts(batch)) == ("done", seen)
    assert Listing.objects.count() == 100
    assert set(Listing.objects.values_list("status", flat=True)) == {"draft"}
    again = tried(upload((DATA / "black.csv").read_bytes()))
    assert counts(again)[1:] == (0, 0, 101, len(expected))


@pytest.mark.django_db
def test_a_commit_imports_drafts_in_the_name_of_who_confirmed_and_keeps_no_source(
    house, django_capture_on_commit_callbacks
):
    batch = tried()
    with django_capture_on_commit_callbacks(execute=True):
        batch = wizard.commit(batch, actor=by(who=builders.reviewer))
    listing = Listing.objects.get()
    created = listing.journal.get()
    assert (created.action, created.by_user) == ("create", builders.reviewer("rsj"))
    assert created.note == "黑名单.csv"
    assert (listing.status, ImportBatch.objects.count()) == ("draft", 1)
    assert [line.action for line in batch.journal.all()] == ["preview", "commit"]
    assert batch.source is None
    assert [document.pk for document in Document.objects.all()] == [batch.rejected_file_id]
    assert len(files()) == 1
    assert batch.rejected_file.name == "黑名单.rejected.xlsx"


@pytest.mark.django_db
def test_what_changed_since_the_preview_is_seen_at_the_commit(house):
    first, second = tried(), tried()
    wizard.commit(first, actor=by())
    assert counts(wizard.commit(second, actor=by())) == (2, 0, 0, 1, 1)
    assert Listing.objects.count() == 1


@pytest.mark.django_db
def test_penalties_come_the_same_way_and_list_nobody(house):
    file = upload((DATA / "records.csv").read_bytes(), "records.csv")
    batch = tried(file, kind="records", category=None, unit="scjg")
    assert batch.created
    assert not AdverseRecord.objects.exists()
    batch = wizard.commit(batch, actor=by("scjg"))
    assert AdverseRecord.objects.filter(batch=batch).count() == batch.created
    assert not Listing.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("settle", [wizard.commit, wizard.discard])
def test_a_batch_is_settled_once(house, settle):
    batch = tried()
    settle(batch, actor=by())
    for again in (wizard.commit, wizard.discard):
        with pytest.raises(IllegalMove):
            again(batch, actor=by())


@pytest.mark.django_db
def test_what_is_given_up_leaves_no_file(house, django_capture_on_commit_callbacks):
    batch = tried()
    with django_capture_on_commit_callbacks(execute=True):
        batch = wizard.discard(batch, actor=by())
    assert (batch.state, batch.source, batch.rejected_file) == ("discarded", None, None)
    assert (Document.objects.count(), files()) == (0, [])
    assert not Listing.objects.exists()


@pytest.mark.django_db
def test_a_file_changed_in_its_place_is_not_imported(house):
    batch = tried()
    (Path(settings.MEDIA_ROOT) / batch.source.path).write_text(f"{HEADER}\n")
    with pytest.raises(ValidationError) as refusal:
        wizard.commit(batch, actor=by())
    assert refusal.value.error_dict["file"][0].code == "file_changed"
    assert ImportBatch.objects.get().state == "previewed"


@pytest.mark.django_db
def test_only_the_clerk_and_the_reviewer_of_the_department_try_commit_or_discard(house):
    batch = tried()
    strangers = [
        by("scjg"), by("rsj", builders.liaison), Actor.of(builders.supervisor()),
    ]  # fmt: skip
    for actor in strangers:
        for act in (wizard.commit, wizard.discard):
            with pytest.raises(PermissionDenied):
                act(batch, actor=actor)
        with pytest.raises(PermissionDenied):
            tried(actor=actor)
    with pytest.raises(PermissionDenied):
        tried(category="H01")  # a category of others
    assert ImportBatch.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("没有表头\n的文件\n", "unreadable_file"),
        ("主体名称,统一社会信用代码\n示例,1\n", "unreadable_file"),
        (b"PK\x03\x04 no sheet", "unreadable_file"),
        (b"\xff\xfe\x00\xd8", "unreadable_file"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "unreadable_file"),
    ],
)
def test_a_file_that_can_not_be_taken_is_refused_and_not_kept(house, content, code):
    with pytest.raises(ValidationError) as refusal:
        tried(upload(content))
    assert refusal.value.error_dict["file"][0].code == code
    assert not ImportBatch.objects.exists()
    assert not Document.objects.exists()
    assert files() == []


@pytest.mark.django_db
def test_a_file_too_large_is_refused(house, monkeypatch):
    monkeypatch.setattr(batches, "LARGEST", 10)
    with pytest.raises(ValidationError, match="不能超过"):
        tried()
    monkeypatch.setattr(batches, "LARGEST", 10**6)
    monkeypatch.setattr(batches, "LARGEST_UNPACKED", 100)
    with pytest.raises(ValidationError, match="表格太大"):
        tried(upload((DATA / "black.xlsx").read_bytes()))


@pytest.mark.django_db
def test_no_number_of_a_person_is_in_what_a_preview_tells(house):
    number = "220502198001010014"
    row = f"王示例,,示例〔2026〕3号,,,,,,,,,居民身份证,{number[:-1]}5"
    batch = tried(upload(f"{HEADER},证件类型,证件号码\n{row}\n"))
    assert batch.rejected == 1
    assert number[:-1] not in str(batch.errors)
    assert not Event.objects.filter(note__contains=number[:8]).exists()


# ── the pages ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def browser(house):
    return builders.signed_in(Client(), builders.clerk("rsj"))


def posted(browser, file=None, what="M05"):
    return browser.post("/desk/imports/new/", {"what": what, "file": file or upload()})


@pytest.mark.django_db
def test_from_the_file_to_the_drafts_at_the_desk(browser):
    form = browser.get("/desk/imports/new/").content.decode()
    assert "M05 恶意欠薪" in form
    assert "H01" not in form
    answer = posted(browser)
    batch = ImportBatch.objects.get()
    assert (answer.status_code, answer.url) == (302, f"/desk/imports/{batch.public_id}/")
    page = browser.get(answer.url).content.decode()
    assert "共 2 行，导入后会是这样" in page
    assert "第 3 行" in page
    fetched = browser.get(f"{answer.url}rejected.xlsx")
    assert fetched["Content-Type"] == SHEET
    assert fetched["Content-Disposition"].startswith("attachment")
    assert "no-store" in fetched["Cache-Control"]
    done = browser.post(answer.url, {"act": "commit"}, follow=True).content.decode()
    assert "共 2 行，已导入" in done
    assert 'value="commit"' not in done
    assert Listing.objects.get().status == "draft"
    assert "黑名单.csv" in browser.get("/desk/imports/").content.decode()
    again = browser.post(answer.url, {"act": "commit"})
    assert again.status_code == 409
    assert "已导入" in again.content.decode()


@pytest.mark.django_db
def test_a_file_given_up_at_the_desk(browser):
    url = posted(browser).url
    page = browser.post(url, {"act": "discard"}, follow=True).content.decode()
    assert "已放弃" in page
    assert browser.get(f"{url}rejected.xlsx").status_code == 404
    assert browser.post(url, {"act": "burn"}).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"what": "M05"}, "选择文件"),
        ({"file": upload()}, "选择文件里是什么"),
        ({"what": "H01", "file": upload()}, "H01"),
        ({"what": "M05", "file": upload("没有表头\n")}, "没有找到表头"),
    ],
)
def test_what_is_wrong_with_the_upload_is_said_on_the_form(browser, given, words):
    file = given.get("file")
    if file:
        file.seek(0)
    answer = browser.post("/desk/imports/new/", given)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not ImportBatch.objects.exists()


@pytest.mark.django_db
def test_others_see_no_batch_and_who_sees_all_fetches_no_rows(browser):
    url = posted(browser).url
    stranger = builders.signed_in(Client(), builders.officer("scjg", Role.CLERK.value))
    for path in (url, f"{url}rejected.xlsx"):
        assert stranger.get(path).status_code == 404
    supervisor = builders.signed_in(Client(), builders.supervisor())
    page = supervisor.get(url)
    assert page.status_code == 200
    assert 'value="commit"' not in page.content.decode()
    assert supervisor.get(f"{url}rejected.xlsx").status_code == 403
    assert supervisor.post(url, {"act": "commit"}).status_code == 403
    assert supervisor.get("/desk/imports/new/").status_code == 403
    assert not Listing.objects.exists()

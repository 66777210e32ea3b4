import os
import signal
import subprocess
import sys
import time
from datetime import date

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from blacklist import services as blacklist
from blacklist.models import BlackListing, PriorNotice
from casework.models import Event
from listings import services as listings
from listings.models import Change, ImportBatch, Listing
from listings.services.imports import files
from parties.models import Actor, Subject
from redlist.models import Nomination, Screening
from tests import builders
from tests.data import make
from tests.listings.files import DATA, Run, copy, write
from tests.listings.test_import_records import environment

pytestmark = pytest.mark.django_db
NOTICE = "告知送达日期,送达方式,陈述申辩截止"
HEADER = "主体名称,统一社会信用代码,文书文号,文书种类,作出机关,文书日期,失信程度,认定理由," + NOTICE
DOCUMENT = "示例〔2026〕1号,行政处罚决定书,通化市人社局,2026-02-25,严重,拖欠工资"
FIRM = "通化示例酒业有限公司,91220501MA0ABC1215"
SERVED = "2026-03-02,直接送达,2026-03-16"


@pytest.fixture(autouse=True)
def _rules(rules):
    pass


@pytest.fixture
def approver():
    return builders.reviewer("rsj").username


def black(path, *args, category="M05", department="rsj"):
    fixed = ("--list", "black", "--category", category, "--department", department)
    return Run("import_listings", path, *fixed, *args)


def red(path, *args):
    fixed = ("--list", "red", "--category", "RS1", "--department", "scjg")
    return Run("import_listings", path, *fixed, *args)


def one(folder, values=f"{FIRM},{DOCUMENT},{SERVED}", *args, header=HEADER, **options):
    return black(write(folder, f"{header}\n{values}\n"), *args, **options)


def said(fatal):
    errors = ImportBatch.objects.latest("id").errors
    return {error["row"]: error["code"] for error in errors if error["rejected"] == fatal}


def test_black_rows_become_drafts_with_their_notice_and_every_flaw_is_found(tmp_path):
    _header, _rows, expected = make.black()
    run = black(copy("black.csv", tmp_path))
    assert said(fatal=True) == expected
    assert run.came_back().keys() == expected.keys()
    assert run.counts() == (100, 0, 1, len(expected))
    assert set(Listing.objects.values_list("status", "kind")) == {("draft", "black")}
    assert PriorNotice.objects.count() == 96  # the others have none, or not all of one
    created = Event.objects.filter(action="create", object_id__in=Listing.objects.values("id"))
    assert created.count() == 100
    assert not Change.objects.exists()


def test_a_sheet_says_the_same_as_the_csv(tmp_path):
    black(copy("black.csv", tmp_path))
    assert black(copy("black.xlsx", tmp_path)).counts()[:3] == (0, 0, 101)


def test_a_sheet_of_too_many_rows_is_refused_and_told_to_come_as_csv(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MOST_SHEET_ROWS", 5)
    with pytest.raises(CommandError, match="改用 CSV"):
        black(copy("black.xlsx", tmp_path))
    assert not Listing.objects.exists()
    assert black(copy("black.csv", tmp_path)).created


def test_an_imported_draft_is_like_one_written_at_the_desk(tmp_path):
    one(tmp_path, f"{FIRM},{DOCUMENT},{SERVED}")
    made = Listing.objects.get()
    desk = builders.black_draft()
    same = (
        "kind",
        "origin",
        "category_id",
        "misconduct_id",
        "basis_id",
        "basis_article",
        "version",
    )
    same += (
        "term_months",
        "rule_version",
        "measure_codes",
        "measure_until",
        "end_reason",
        "status",
    )
    for name in same:
        assert getattr(made, name) == getattr(desk, name), name
    assert made.bigrams == sorted(set(made.bigrams))
    assert "示例" in made.bigrams


def test_only_what_lacks_nothing_is_published(tmp_path, approver):
    run = black(copy("black.csv", tmp_path), "--publish", "--approver", approver)
    assert (run.created, run.published, run.held) == (100, 80, 20)
    for listing in BlackListing.objects.filter(status="published"):
        assert blacklist.missing(listing, timezone.localdate()) == {}
    for listing in BlackListing.objects.filter(status="draft"):
        assert blacklist.missing(listing, timezone.localdate())
    assert Change.objects.count() == 80
    call_command("verify_ledger", "--entries")
    codes = set(said(fatal=False).values())
    assert {"not_serious", "no_notice", "defence_open", "no_ground", "no_document"} <= codes


def test_publishing_again_finds_everything_in_its_place(tmp_path, approver):
    path = copy("black.csv", tmp_path)
    black(path, "--publish", "--approver", approver)
    before = list(Listing.objects.order_by("id").values())
    run = black(path, "--publish", "--approver", approver)
    assert run.counts()[:3] == (0, 0, 101)
    assert (run.published, run.held) == (0, 20)
    assert list(Listing.objects.order_by("id").values()) == before
    assert Change.objects.count() == 80


def test_drafts_of_an_earlier_import_can_be_published_by_the_same_file(tmp_path, approver):
    path = copy("black.csv", tmp_path)
    black(path, "--by", builders.clerk("rsj").username)
    run = black(path, "--publish", "--approver", approver)
    assert (run.created, run.unchanged, run.published) == (0, 101, 80)


def test_who_wrote_a_draft_cannot_publish_it_by_import(tmp_path, approver):
    path = write(tmp_path, f"{HEADER}\n{FIRM},{DOCUMENT},{SERVED}\n")
    black(path, "--by", approver)
    run = black(path, "--publish", "--approver", approver)
    assert (run.published, run.held) == (0, 1)
    assert "own_draft" in run.said


@pytest.mark.parametrize("who", ["rsj-clerk", "scjg-reviewer", "rsj-reviewer"])
def test_an_approver_must_be_a_reviewer_of_the_department_and_not_the_author(who, tmp_path):
    for unit in ("rsj", "scjg"):
        builders.clerk(unit)
        builders.reviewer(unit)
    options = ("--by", "rsj-reviewer", "--publish", "--approver", who)
    with pytest.raises(CommandError, match="refused"):
        one(tmp_path, f"{FIRM},{DOCUMENT},{SERVED}", *options)
    assert not Listing.objects.exists()


def test_publish_without_an_approver_is_refused(tmp_path):
    with pytest.raises(CommandError, match="approver"):
        one(tmp_path, f"{FIRM},{DOCUMENT},{SERVED}", "--publish")


def test_a_department_that_may_not_list_under_the_category_is_refused(tmp_path):
    with pytest.raises(CommandError, match="refused"):
        one(tmp_path, f"{FIRM},{DOCUMENT},{SERVED}", department="czj")


def test_the_category_must_be_one_of_the_list(tmp_path):
    with pytest.raises(CommandError):
        one(tmp_path, f"{FIRM},{DOCUMENT},{SERVED}", category="RS1")


def test_a_changed_draft_is_updated_and_a_changed_entry_sent_back(tmp_path, approver):
    row = f"{FIRM},{DOCUMENT},{SERVED}"
    one(tmp_path, row)
    assert one(tmp_path, row.replace("拖欠工资", "拖欠工资甲")).counts() == (0, 1, 0, 0)
    draft = Listing.objects.get()
    assert (draft.ground, draft.version) == ("拖欠工资甲", 2)
    assert draft.journal.filter(action="edit").count() == 1
    moved = row.replace("拖欠工资", "拖欠工资甲").replace("2026-03-16", "2026-03-18")
    assert one(tmp_path, moved, "--publish", "--approver", approver).published == 1
    assert str(PriorNotice.objects.get().defence_until) == "2026-03-18"
    assert one(tmp_path, row).counts() == (0, 0, 0, 1)
    assert said(fatal=True) == {2: "published_differs"}
    assert Listing.objects.get().ground == "拖欠工资甲"


def test_a_column_that_is_not_in_the_file_leaves_the_draft_as_it_is(tmp_path):
    one(tmp_path, f"{FIRM},{DOCUMENT},{SERVED}")
    header = "主体名称,统一社会信用代码,文书文号,失信程度"
    assert one(tmp_path, f"{FIRM},示例〔2026〕1号,严重", header=header).counts() == (0, 0, 1, 0)
    assert one(tmp_path, f"{FIRM},示例〔2026〕1号,一般", header=header).counts() == (0, 1, 0, 0)
    draft = Listing.objects.get()
    assert (draft.degree, draft.ground) == ("general", "拖欠工资")


def test_an_ended_entry_does_not_come_back(tmp_path, approver):
    one(tmp_path, f"{FIRM},{DOCUMENT},{SERVED}", "--publish", "--approver", approver)
    listings.withdraw(
        Listing.objects.get(),
        reason="error",
        actor=Actor.of(builders.reviewer("rsj")),
        note="示例",
        today=timezone.localdate(),
    )
    run = one(tmp_path, f"{FIRM},{DOCUMENT},{SERVED}", "--publish", "--approver", approver)
    assert run.counts() == (0, 0, 1, 0)
    assert Listing.objects.get().status == "withdrawn"


def test_a_departments_own_number_finds_its_draft_and_no_other_may_take_it(tmp_path):
    header = HEADER + ",部门编号"
    other = "通化示例乙有限公司," + make.code(5)
    one(tmp_path, f"{FIRM},{DOCUMENT},{SERVED},甲", header=header)
    renumbered = DOCUMENT.replace("1号", "9号")
    assert one(tmp_path, f"{FIRM},{renumbered},{SERVED},甲", header=header).updated == 1
    assert Listing.objects.get().document_number == "示例〔2026〕9号"
    one(tmp_path, f"{other},{DOCUMENT},{SERVED},乙", header=header)
    one(tmp_path, f"{other},{DOCUMENT},{SERVED},甲", header=header)
    assert said(fatal=True) == {2: "reference_used"}


def test_the_fields_of_a_category_are_columns_and_are_checked(tmp_path):
    header = HEADER + ",税种,涉案税额"
    rows = "\n".join(
        f"{FIRM},{DOCUMENT.replace('1号', f'{n}号')},{SERVED},{values}"
        for n, values in enumerate(("增值税,128.6", ",1", "增值税,很多"), start=1)
    )
    run = one(tmp_path, rows, header=header, category="M02", department="swj")
    assert run.created == 1
    assert Listing.objects.get().details == {"tax_kind": "增值税", "amount": "128.6"}
    assert said(fatal=True) == {3: "required", 4: "bad_detail"}


def test_a_field_of_another_category_is_named_and_not_read(tmp_path):
    run = one(tmp_path, f"{FIRM},{DOCUMENT},{SERVED},增值税", header=HEADER + ",税种")
    assert run.created == 1
    assert "税种" in run.said


def test_a_person_on_the_list_is_sealed_and_not_searchable(tmp_path):
    header = "主体类别,主体名称,证件号码,文书文号"
    row = f"自然人,张示例,{make.ADULT},示例〔2026〕1号"
    assert one(tmp_path, row, header=header).created == 1
    assert one(tmp_path, row, header=header).unchanged == 1
    subject = Subject.objects.get()
    assert (subject.kind, subject.code) == ("person", None)
    assert Listing.objects.get().bigrams == []


def test_red_rows_become_nominations_and_every_flaw_is_found(tmp_path):
    _header, _rows, expected = make.red()
    run = red(copy("red.csv", tmp_path))
    assert said(fatal=True) == expected
    assert run.counts() == (40, 0, 0, len(expected))
    assert Nomination.objects.count() == 40
    assert set(Listing.objects.values_list("kind", "status")) == {("red", "draft")}
    assert red(copy("red.csv", tmp_path)).counts()[:3] == (0, 0, 40)


def test_red_entries_are_recognised_after_their_notice_and_not_while_black_listed(tmp_path):
    name, code = make.firms(221)[-1]
    builders.published_black(builders.firm(name, code))
    approver = builders.reviewer("scjg").username
    path = copy("red.csv", tmp_path)
    run = red(path, "--publish", "--approver", approver)
    assert (run.published, run.held) == (29, 11)
    assert set(said(fatal=False).values()) == {"black_listed", "notice_open"}
    assert Screening.objects.filter(clear=True).count() == 29
    assert red(path, "--publish", "--approver", approver).published == 0


def test_red_rows_without_a_number_of_their_own_are_known_by_subject_and_category(tmp_path):
    path = write(tmp_path, f"主体名称,统一社会信用代码,认定理由\n{FIRM},示例理由\n")
    assert red(path).created == 1
    assert red(path).unchanged == 1
    assert Nomination.objects.get().nominator == builders.department("scjg").name


def test_a_red_file_has_no_document_columns(tmp_path):
    run = red(write(tmp_path, f"主体名称,统一社会信用代码,失信程度\n{FIRM},严重\n"))
    assert "失信程度" in run.said
    assert Listing.objects.get().degree == ""


def test_a_dry_run_publishes_nothing(tmp_path, approver):
    run = black(copy("black.csv", tmp_path), "--dry-run", "--publish", "--approver", approver)
    assert run.published == 80
    for model in (Listing, Subject, Change, ImportBatch):
        assert not model.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_killed_import_leaves_nothing_and_the_next_one_succeeds(tmp_path, approver):
    rows = "".join(
        f"通化示例{n}号有限公司,{make.code(n)},{DOCUMENT.replace('1号', f'{n}号')},{SERVED}\n"
        for n in range(24_000)
    )
    path = write(tmp_path, f"{HEADER}\n{rows}")
    command = [sys.executable, "manage.py", "import_listings", str(path), "--list", "black"]
    command += ["--category", "M05", "--department", "rsj", "--publish", "--approver", approver]
    process = subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=DATA.parent.parent, env=environment(), stderr=subprocess.PIPE, text=True
    )
    next(line for line in process.stderr if "rows read" in line)
    time.sleep(1.5)  # somewhere between the first insert and the last line of the ledger
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    time.sleep(0.5)
    with connection.cursor() as cursor:  # the worst that statistics can tell: many pages, no row
        cursor.execute("VACUUM (ANALYZE, TRUNCATE false)")
    for model in (Listing, Subject, Change, ImportBatch, PriorNotice):
        assert not model.objects.exists()
    run = black(path, "--publish", "--approver", approver)
    assert (run.created, run.published) == (24_000, 24_000)
    call_command("verify_ledger", "--entries")


def test_a_refused_cell_of_the_first_row_leaves_its_column_checked_in_the_others(tmp_path):
    rows = (
        f"无,{FIRM},{DOCUMENT},{SERVED}\nred,{FIRM.replace('酒业', '木业')},{DOCUMENT},{SERVED}\n"
    )
    black(write(tmp_path, f"名单类型,{HEADER}\n{rows}"))
    assert [error["code"] for error in ImportBatch.objects.get().errors] == [
        "bad_choice",
        "other_list",
    ]


def test_a_notice_of_a_red_entry_is_refused_by_the_database():
    red = builders.red_draft()
    with pytest.raises(IntegrityError, match="black entries only"), transaction.atomic():
        PriorNotice.objects.bulk_create(
            [
                PriorNotice(
                    listing_id=red.pk,
                    served_on=date(2026, 3, 2),
                    means="direct",
                    defence_until=date(2026, 3, 16),
                )
            ]
        )

import os
import signal
import subprocess
import sys
import time
import zipfile
from datetime import date
from decimal import Decimal

import pytest
from django.core.management import CommandError
from django.db import connection

from listings.models import AdverseRecord, ImportBatch, Listing
from parties.models import Subject
from tests.data import make
from tests.listings.files import DATA, Run, copy, write

pytestmark = pytest.mark.django_db
HEADER = "行政相对人名称,统一社会信用代码,行政处罚决定书文号,处罚决定日期"
FIRM = ("通化示例酒业有限公司", "91220501MA0ABC1215")


@pytest.fixture(autouse=True)
def _rules(rules):
    pass


def take(path, *args):
    return Run("import_records", path, "--department", "scjg", *args)


def one(folder, values, header=HEADER, **options):
    """A file with one row."""
    return take(write(folder, f"{header}\n{values}\n", **options))


def why(run):
    return [error["code"] for error in ImportBatch.objects.latest("id").errors]


@pytest.mark.parametrize("name", ["records.csv", "records_gb18030.csv", "records.xlsx"])
def test_good_rows_come_in_and_every_flaw_is_found_in_its_row(name, tmp_path):
    _header, rows, expected = make.records()
    if name.endswith("xlsx"):  # a sheet cannot hold the character at all
        expected = {row: code for row, code in expected.items() if code != "bad_character"}
    run = take(copy(name, tmp_path))
    batch = ImportBatch.objects.get()
    found = {error["row"]: error["code"] for error in batch.errors}
    assert found == expected
    assert run.came_back().keys() == expected.keys()
    assert run.rows == len(rows) - 1
    assert run.counts() == (run.rows - 1 - len(expected), 0, 1, len(expected))
    assert AdverseRecord.objects.count() == run.created == batch.created


def test_the_committed_files_are_those_that_the_script_makes(tmp_path):
    make.write(tmp_path)
    for path in tmp_path.glob("*.csv"):
        assert path.read_bytes() == (DATA / path.name).read_bytes()


def test_penalties_list_nobody(tmp_path):
    take(copy("records.csv", tmp_path))
    assert not Listing.objects.exists()


@pytest.mark.parametrize("second", ["records.csv", "records.xlsx", "records_gb18030.csv"])
def test_the_same_content_a_second_time_changes_nothing(second, tmp_path):
    first = take(copy("records.csv", tmp_path))
    before = list(AdverseRecord.objects.order_by("id").values())
    again = take(copy(second, tmp_path))
    added = second == "records.xlsx"  # the row with the unstorable character is whole there
    assert (again.created, again.updated) == (added, 0)
    assert again.unchanged == first.created + 1
    assert list(AdverseRecord.objects.order_by("id").values())[: len(before)] == before


def test_a_changed_row_under_the_same_number_updates_the_record(tmp_path):
    header = HEADER + ",处罚内容"
    one(tmp_path, f"{FIRM[0]},{FIRM[1]},甲1号,2026-03-01,罚款一万元", header)
    run = one(tmp_path, f"{FIRM[0]},{FIRM[1]},甲1号,2026-03-01,罚款两万元", header)
    assert run.counts() == (0, 1, 0, 0)
    assert AdverseRecord.objects.get().content == "罚款两万元"


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01",
        "2026/3/1",
        "2026.3.1",
        "20260301",
        "2026年3月1日",
        "46082",
        "2026-03-01 00:00:00",
    ],
)
def test_dates_are_read_in_the_usual_forms(text, tmp_path):
    one(tmp_path, f"{FIRM[0]},{FIRM[1]},甲1号,{text}")
    assert AdverseRecord.objects.get().decided_on == date(2026, 3, 1)


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1.5", "1.5"), ('"1,200"', "1200"), ("0.000001", "0.000001"), ("3万元", "3")],
)
def test_amounts_are_in_ten_thousands(text, amount, tmp_path):
    one(tmp_path, f"{FIRM[0]},{FIRM[1]},甲1号,2026-03-01,{text}", HEADER + ",罚款金额（万元）")
    assert AdverseRecord.objects.get().fine == Decimal(amount)


def test_headers_may_be_codes_in_any_order_with_titles_above_and_chinese_below(tmp_path):
    text = (
        "2026年行政处罚公示表\n\n cf_jdrq ,CF_WSH,cf_xdr_shxym,cf_xdr_mc\n"
        "处罚决定日期,行政处罚决定书文号,统一社会信用代码,行政相对人名称\n"
        f"2026-03-01,甲1号,{FIRM[1]},{FIRM[0]}\n"
    )
    assert take(write(tmp_path, text)).counts() == (1, 0, 0, 0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_every_usual_encoding_and_separator_is_read(encoding, separator, tmp_path):
    text = f"{HEADER}\n{FIRM[0]},{FIRM[1]},甲1号,2026-03-01\n".replace(",", separator)
    assert take(write(tmp_path, text, encoding=encoding)).created == 1


def test_a_column_that_means_nothing_is_named_and_not_read(tmp_path):
    run = one(tmp_path, f"{FIRM[0]},{FIRM[1]},甲1号,2026-03-01,x,1", HEADER + ",密级,序号")
    assert run.created == 1
    assert "密级" in run.said
    assert why(run) == ["unknown_column"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (HEADER.replace(",处罚决定日期", "") + "\na,b,c\n", "处罚决定日期"),
        (HEADER + ",处罚决定日期\n", "两次"),
        ("甲,乙\n1,2\n", "表头"),
        ("", "表头"),
        (b"\xff\xff\x00 \xd8\x00" * 9, "编码"),
        (b"PK\x03\x04 no zip at all", "表格"),
        (HEADER + '\n"通化示例' + "示例" * 600_000, "引号"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(content, says, tmp_path):
    with pytest.raises(CommandError, match=says):
        take(write(tmp_path, content))
    assert not ImportBatch.objects.exists()


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CommandError):
        take(tmp_path / "none.csv")


def test_a_person_is_known_by_paper_and_the_number_is_kept_nowhere_in_clear(tmp_path):
    header = "行政相对人名称,证件号码,行政处罚决定书文号,处罚决定日期"
    one(tmp_path, f"张示例,{make.ADULT},甲1号,2026-03-01", header)
    run = one(tmp_path, f"张示例,{make.ADULT.lower()},甲2号,2026-03-01", header)
    assert run.created == 1
    assert Subject.objects.get(kind="person").adverse_records.count() == 2
    assert not _found_anywhere(make.ADULT[:17])


def test_an_error_about_a_paper_never_repeats_its_digits(tmp_path):
    header = "行政相对人名称,证件号码,行政处罚决定书文号,处罚决定日期"
    bad = make.ADULT[:17] + "1"
    run = one(tmp_path, f"张示例,{bad},甲1号,2026-03-01", header)
    assert run.rejected == 1
    assert not any(character.isdigit() for character in run.came_back()[2])
    assert bad[:6] not in run.said
    assert not _found_anywhere(bad[:17])


def _found_anywhere(text):
    """Is the text in any column of the tables that an import writes?"""
    tables = ("parties_subject", "listings_adverserecord", "listings_importbatch")
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text LIKE %s", [f"%{text}%"])  # noqa: S608
            if cursor.fetchone()[0]:
                return True
    return False


def test_the_rejected_file_holds_no_formula_and_comes_in_once_put_right(tmp_path):
    one(tmp_path, "=cmd|' /C calc'!A0,91220501MA0ABC1215,=1+1,2026-03-01")
    back = tmp_path / "file.rejected.xlsx"
    assert back.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(back) as packed:
        assert b"<f>" not in packed.read("xl/worksheets/sheet1.xml")
    again = take(back)
    assert again.rejected == 1  # still a formula, but a file that the import reads
    assert "unknown_column" not in why(again)


def test_a_dry_run_tells_all_and_keeps_nothing(tmp_path):
    run = take(copy("records.csv", tmp_path), "--dry-run")
    assert run.created > 100
    assert run.rejected > 10
    for model in (AdverseRecord, Subject, ImportBatch):
        assert not model.objects.exists()


def test_two_firms_of_one_name_stay_apart(tmp_path):
    other = make.code(77)
    rows = f"{FIRM[0]},{FIRM[1]},甲1号,2026-03-01\n{FIRM[0]},{other},甲1号,2026-03-01"
    assert one(tmp_path, rows).created == 2
    assert Subject.objects.filter(name=FIRM[0]).count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_killed_import_leaves_nothing_and_the_next_one_succeeds(tmp_path):
    path = tmp_path / "many.csv"
    rows = "".join(
        f"通化示例{n}号有限公司,{make.code(n)},甲{n}号,2026-03-01\n" for n in range(30_000)
    )
    path.write_text(f"{HEADER}\n{rows}")
    command = [sys.executable, "manage.py", "import_records", str(path), "--department", "scjg"]
    process = subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=DATA.parent.parent, env=environment(), stderr=subprocess.PIPE, text=True
    )
    next(line for line in process.stderr if "rows read" in line)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    time.sleep(0.5)
    for model in (AdverseRecord, Subject, ImportBatch):
        assert not model.objects.exists()
    assert take(path).created == 30_000


def environment():
    """The environment of the tests, on their database."""
    base, _mark, query = os.environ["DATABASE_URL"].partition("?")
    url = f"{base.rpartition('/')[0]}/{connection.settings_dict['NAME']}"
    return {**os.environ, "DATABASE_URL": url + (f"?{query}" if query else "")}

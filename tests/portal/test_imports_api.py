"""Files of entries that machines bring: kept at once, taken in as drafts when their turn comes."""

import io

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from python_calamine import CalamineWorkbook
from xlsxwriter import Workbook

from casework.models import Document
from listings.models import ImportBatch, Listing
from parties.models import User
from portal.services import arrivals, batches
from tests import builders
from tests.api import is_problem
from tests.builders import Machine

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules", "_own_folder")]
PATH = "/api/v1/imports/"


@pytest.fixture
def _own_folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "documents"


def bring(machine, file=None, headers=None, **fields):
    body = {"file": file or builders.table(), "list": "black", "category": "M05", **fields}
    return machine.client.post(PATH, body, "multipart", headers=headers)


def test_a_file_is_kept_and_later_its_good_rows_are_drafts_and_the_others_are_sent_back():
    machine = Machine(builders.clerk(), "publish")
    told = bring(machine)
    assert told.status_code == 202
    brought = told.json()
    assert (brought["status"], brought["rows"], brought["errors"]) == ("received", 0, [])
    assert not Listing.objects.exists()
    assert arrivals.take_in() == 1
    done = machine.get(f"/imports/{brought['id']}/")
    counts = [done[name] for name in ("rows", "created", "updated", "unchanged", "rejected")]
    assert (done["status"], counts) == ("done", [2, 1, 0, 0, 1])
    (error,) = [one for one in done["errors"] if one["rejected"]]
    assert (error["row"], error["code"]) == (3, "bad_check_symbol")
    assert error["column"]
    assert error["message"]
    rows = machine.client.get(f"{PATH}{brought['id']}/rejected.xlsx")
    book = CalamineWorkbook.from_filelike(io.BytesIO(rows.content))
    assert "91220501MA0ABC1216" in str(book.get_sheet_by_index(0).to_python())
    assert done["rejected_file"].endswith(f"{PATH}{brought['id']}/rejected.xlsx")
    draft = Listing.objects.get()
    assert (draft.status, draft.author_ids()) == ("draft", {machine.user.pk})
    journal = ImportBatch.objects.get().journal.order_by("pk")
    assert [line.action for line in journal] == ["receive", "commit", "download"]


def test_what_a_file_lacks_is_named():
    machine = Machine(builders.clerk(), "publish")
    empty = is_problem(machine.client.post(PATH, {}, "multipart"), 400)
    assert empty["errors"].keys() == {"file", "list", "category"}
    is_problem(machine.client.generic("POST", PATH, b"", "application/json"), 400)
    for wrong, name in (
        ({"category": "X99"}, "category"),
        ({"list": "red"}, "category"),
        ({"list": "grey"}, "list"),
        ({"file": "text"}, "file"),
        ({"file": SimpleUploadedFile("空.csv", b"")}, "file"),
        ({"publish": "true"}, "publish"),
        ({"list": ["black", "red"]}, "list"),
    ):
        assert name in is_problem(bring(machine, **wrong), 400)["errors"], wrong
    is_problem(machine.client.post(PATH, {"list": "black"}, "json"), 415)
    is_problem(machine.client.generic("POST", PATH, b"--x", "multipart/form-data; boundary=y"), 400)
    assert not ImportBatch.objects.exists()


def test_no_odd_form_is_a_fault():
    machine = Machine(builders.clerk(), "publish")
    machine.client.raise_request_exception = False
    part = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n--x--\r\n'
    for value in (b"", b"\0", b"\xff\xfe", b"9" * 100_000, b"<script>", "黑".encode("utf-16")):
        for name in (b"list", b"category", b"file", b"\0", b"\xff"):
            for charset in ("", "; charset=utf-16", "; charset=nosuch", "; charset=hex"):
                kind = f"multipart/form-data; boundary=x{charset}"
                is_problem(machine.client.generic("POST", PATH, part % (name, value), kind), 400)
    for kind in ("multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed"):
        is_problem(machine.client.generic("POST", PATH, b"x", kind), 400, 415)
    bring(machine, SimpleUploadedFile("../../etc/\0x\r\n.csv", b"a,b"))
    assert machine.client.get(f"{PATH}{ImportBatch.objects.get().public_id}/").status_code == 200


def test_only_who_may_list_under_the_category_brings_files():
    is_problem(bring(Machine(builders.clerk("hbj"), "publish")), 403)
    is_problem(bring(Machine(builders.liaison("rsj"), "publish")), 403)
    is_problem(bring(Machine(builders.clerk(), "read")), 403)
    batch = builders.brought()
    for stranger in (builders.clerk("scjg"), builders.supervisor()):
        machine = Machine(stranger, "publish")
        machine.get(f"/imports/{batch.public_id}/", 404)
        assert machine.client.get(f"{PATH}{batch.public_id}/rejected.xlsx").status_code == 404


def test_the_same_file_is_taken_once_and_the_same_request_answered_once():
    machine, content = Machine(builders.clerk(), "publish"), builders.table().read()

    def again(key, content=content):
        file = SimpleUploadedFile("黑名单.csv", content)
        return bring(machine, file, headers={"Idempotency-Key": key})

    first = again("a")
    assert again("a").json() == first.json()
    assert again("a")["Idempotent-Replayed"] == "true"
    is_problem(again("a", content + b"\n"), 422)
    assert again("b").json()["id"] == first.json()["id"]  # it waits already
    assert arrivals.take_in() == 1
    assert again("c").json()["id"] != first.json()["id"]
    assert arrivals.take_in() == 1
    assert Listing.objects.count() == 1
    assert ImportBatch.objects.latest("pk").unchanged == 1


def test_a_department_cannot_fill_the_queue(monkeypatch):
    monkeypatch.setattr(arrivals, "MOST_WAITING", 2)
    machine = Machine(builders.clerk(), "publish")
    for _file in range(2):
        assert bring(machine).status_code == 202
    assert "file" in is_problem(bring(machine), 400)["errors"]
    assert bring(Machine(builders.clerk("scjg"), "publish"), category="M01").status_code == 202


def test_a_file_that_cannot_be_read_is_refused_with_its_reason_and_holds_up_no_other():
    bad = builders.brought(SimpleUploadedFile("坏.xlsx", b"PK\x03\x04 broken"))
    good = builders.brought()
    assert arrivals.take_in() == 2
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.state, good.state) == ("refused", "done")
    assert bad.errors[0]["message"]
    assert bad.source is None
    assert Document.objects.filter(pk=good.rejected_file_id).exists()


def test_a_file_whose_sender_left_is_refused(rules):
    batch = builders.brought()
    User.objects.filter(pk=batch.by_user_id).update(roles=[])
    arrivals.take_in()
    batch.refresh_from_db()
    assert batch.state == "refused"
    with pytest.raises(PermissionDenied):
        builders.brought(actor=None, unit="hbj")


def test_a_file_that_always_fails_is_given_up(monkeypatch, caplog):
    batch = builders.brought()

    def broken(*_args, **_options):
        raise RuntimeError("示例：11010519491231002X")

    monkeypatch.setattr(batches, "run", broken)
    for _run in range(arrivals.MOST_TRIES):
        assert arrivals.take_in() == 0
    assert "11010519491231002X" not in caplog.text
    assert arrivals.take_in() == 1
    batch.refresh_from_db()
    assert batch.state == "refused"


def test_what_was_changed_meanwhile_is_tried_again(monkeypatch):
    batch = builders.brought()
    run = batches.run

    def disturbed(*args, **options):
        monkeypatch.setattr(batches, "run", run)
        raise batches.refusal("示例", batches.CHANGED)

    monkeypatch.setattr(batches, "run", disturbed)
    assert arrivals.take_in() == 0
    assert arrivals.take_in() == 1
    batch.refresh_from_db()
    assert batch.state == "done"


def test_a_cell_in_the_last_corner_is_refused_before_a_reader_makes_room_for_all_before_it():
    content = io.BytesIO()
    with Workbook(content) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "主体名称")
        sheet.write(190_000, 16_383, "远")
    file = SimpleUploadedFile("远.xlsx", content.getvalue())
    machine = Machine(builders.clerk(), "publish")
    assert "太大" in str(is_problem(bring(machine, file), 400)["errors"]["file"])


def test_a_file_called_by_a_persons_number_keeps_no_digit_of_it():
    batch = builders.brought(builders.table("11010519491231002X.csv"))
    assert batch.file_name == batch.source.name == "*.csv"


def test_a_file_costs_the_same_whatever_is_in_it(django_assert_max_num_queries):
    machine = Machine(builders.clerk(), "publish")
    with django_assert_max_num_queries(18):
        brought = bring(machine).json()
    arrivals.take_in()
    with django_assert_max_num_queries(4):
        machine.get(f"/imports/{brought['id']}/")

"""Files that are not what they should be: refused whole, with the line and the reason."""

import json
import tracemalloc

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from listings import services as listings
from listings.models import Change, ExchangeFile, Listing
from listings.services import exchange
from listings.services.exchange.reading import LONGEST_LINE
from parties.models import CLOCK, Department, Subject
from tests import builders
from tests.listings.exchanges import (
    CITY,
    another_city,
    key_of,
    partner,
    rewritten,
    signed,
    take,
    theirs,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(rules, tmp_path):
    """A good file of another city with three entries, one of them ended."""
    path = tmp_path / "changes.ndjson"
    with another_city():
        builders.published_black()
        builders.red_published()
        ended = builders.published_black()
        listings.withdraw(
            ended, reason="error", actor=CLOCK, note="列错", today=timezone.localdate()
        )
        exchange.export_changes(path, after=0, today=timezone.localdate())
    partner()
    return path


def refused(path, **given):
    """Why the file was refused; nothing of it is here."""
    before = Department.objects.count(), Subject.objects.count()
    taken = take(path, **given)
    assert taken.state == ExchangeFile.State.REFUSED
    assert not Listing.objects.exists()
    assert not Change.objects.exists()
    assert (Department.objects.count(), Subject.objects.count()) == before
    return taken.reason


def raw(path):
    return path.read_bytes().splitlines(keepends=True)


def test_the_good_file_is_taken(path):
    assert take(path).created == 2


def test_a_file_that_was_tampered_with_is_refused(path):
    lines = raw(path)
    lines[1] = lines[1].replace("拖欠".encode(), "欺诈".encode())
    path.write_bytes(b"".join(lines))
    assert "被改动过" in refused(path)


def test_a_line_more_or_less_is_refused(path):
    lines = raw(path)
    for changed in (lines[:1] + lines[2:], [*lines[:2], lines[1], *lines[2:]]):
        path.write_bytes(b"".join(changed))
        assert "被改动过" in refused(path)


def test_a_file_that_ends_too_early_is_refused(path):
    whole = path.read_bytes()
    for cut, words in (
        (whole[:-5], "最后一行没有结束"),
        (b"".join(raw(path)[:-1]), "没有签名"),
        (raw(path)[0], "不完整"),
        (b"", "不完整"),
    ):
        path.write_bytes(cut)
        assert words in refused(path)


def test_a_signature_of_another_key_is_refused(path):
    lines = raw(path)
    other = signed(path, b"".join(lines[:-1]), code="220700")
    assert "公钥对不上" in refused(other)


def test_a_trailer_that_says_something_else_is_refused(path):
    *lines, trailer = raw(path)
    for change in ({"lines": 2}, {"sha256": "0" * 64}, {"signature": "00" * 64}):
        told = json.dumps(json.loads(trailer) | change).encode() + b"\n"
        path.write_bytes(b"".join([*lines, told]))
        assert "公钥对不上" in refused(path)


def test_a_file_of_a_city_that_is_not_registered_is_refused(path):
    assert "没有登记" in refused(rewritten(path, _header(origin="220700"), code="220700"))


def test_our_own_file_is_refused(rules, tmp_path):
    exchange.export_changes(tmp_path / "own", after=0, today=timezone.localdate())
    assert "本市自己" in refused(tmp_path / "own")


def test_a_city_speaks_for_itself_alone(path):
    """Another partner's good key signs nothing in the name of this city."""
    partner("220700", public_key=key_of("220700"), name="松原市")
    forged = rewritten(path, lambda lines: lines, code="220700")
    assert "公钥对不上" in refused(forged)
    inside = rewritten(path, _entry(origin="220700"))
    assert "不是这个城市自己的记录" in refused(inside)


def test_a_gap_is_refused_and_says_which_position_is_wanted(path, tmp_path):
    with another_city():
        builders.published_black()
        builders.published_black()
        exchange.export_changes(tmp_path / "later", after=1, today=timezone.localdate())
    assert "自序号 1 起" in refused(tmp_path / "later")


def test_another_past_than_the_one_that_was_taken_is_refused(path, tmp_path):
    take(path)
    before = Change.objects.count()
    with another_city():
        for _n in range(6):
            builders.published_black()
        exchange.export_changes(tmp_path / "other", after=4, today=timezone.localdate())
        exchange.export_changes(tmp_path / "more", after=0, today=timezone.localdate())
    for name in ("other", "more"):
        assert "被改写过" in take(tmp_path / name).reason
    assert Change.objects.count() == before


def test_a_whole_list_older_than_what_was_taken_is_refused(path, tmp_path):
    with another_city():
        builders.published_black()
        exchange.export_snapshot(tmp_path / "old", today=timezone.localdate())
    take(path)
    assert "早于" in take(tmp_path / "old").reason


def test_a_whole_list_that_passes_over_what_we_hold_is_refused(path, tmp_path):
    take(path)
    with another_city():
        for _n in range(6):
            builders.published_black()
        exchange.export_snapshot(tmp_path / "all", today=timezone.localdate())
    held = {str(public_id) for public_id in theirs().values_list("public_id", flat=True)}

    def without(lines):
        return [line for line in lines if line.get("listing", {}).get("id") not in held]

    assert "没有提到本市已经接收的 2 条" in take(rewritten(tmp_path / "all", without)).reason
    assert theirs().filter(status="published").count() == 2


def test_a_whole_list_with_an_entry_twice_is_refused(rules, tmp_path):
    with another_city():
        builders.published_black()
        exchange.export_snapshot(tmp_path / "all", today=timezone.localdate())
    partner()
    twice = rewritten(tmp_path / "all", lambda lines: [*lines, lines[1]])
    assert refused(twice).startswith("第 3 行：这条记录在文件里出现了两次")


def test_a_huge_line_is_refused_without_being_read_whole(path):
    lines = raw(path)
    with path.open("wb") as file:
        file.write(lines[0])
        file.write(b'{"x":"')
        for _piece in range(60):
            file.write(b"x" * LONGEST_LINE)
        file.write(b'"}\n')
    tracemalloc.start()
    assert refused(path).startswith("第 2 行：超过")
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10 * LONGEST_LINE


@pytest.mark.parametrize("encoding", ["utf-16", "gb18030", "utf-8-sig"])
def test_another_encoding_is_refused(path, encoding):
    text = path.read_bytes().decode()
    path.write_bytes(text.encode(encoding))
    assert refused(path)
    *lines, _trailer = text.splitlines(keepends=True)
    path.write_bytes(lines[0].encode())
    body = lines[0].encode() + "".join(lines[1:]).encode("gb18030")
    assert "第 2 行：不是 UTF-8" in refused(signed(path, body))


@pytest.mark.parametrize(
    "line", [b"{\n", b"[]\n", b"null\n", b'"x"\n', b"\n", b'{"seq":NaN}\n', b"[" * 90_000 + b"\n",
             b'{"a":"\\u0000"}\n', b'{"a":"\\ud800"}\n'],
)  # fmt: skip
def test_a_line_that_is_no_object_is_refused_with_its_number(path, line):
    changed = rewritten(path, lambda lines: [lines[0], line, *lines[2:]])
    assert refused(changed).startswith("第 2 行：")


def _header(**fields):
    return lambda lines: [lines[0] | fields, *lines[1:]]


def _entry(**fields):
    def change(lines):
        lines[1]["listing"] |= fields
        return lines

    return change


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "x"}, {"kind": None}, {"kind": []}, {"to": -1}, {"to": 10**30}, {"to": "4"},
        {"to": 4.0}, {"from": 0}, {"from": 6}, {"from": True}, {"hash": "x"}, {"hash": None},
        {"previous_hash": 1}, {"day": "2026-02-30"}, {"day": None}, {"departments": {}},
        {"departments": [{}]}, {"departments": [1]}, {"departments": [{"code": 1}] * 3},
        {"format": "credit-exchange/2"}, {"format": None}, {"origin": []}, {"origin": None},
        {"origin": "\u0000"},
    ],
)  # fmt: skip
def test_a_header_that_says_nonsense_is_refused(path, fields):
    assert refused(rewritten(path, _header(**fields))).startswith("第 1 行：")


@pytest.mark.parametrize(
    "unit",
    [
        {"code": "x y"}, {"code": "x" * 34}, {"code": ""}, {"name": ""}, {"name": "x" * 101},
        {"kind": "x"}, {"short_name": "x" * 41},
    ],
)  # fmt: skip
def test_a_unit_that_is_none_is_refused(path, unit):
    def change(lines):
        lines[0]["departments"][0] |= unit
        return lines

    assert refused(rewritten(path, change)).startswith("第 1 行：")


SUBJECT = {"kind": "organization", "name": "白山示例", "code": "91220501MA0ABC1215", "region": ""}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"id": "x"}, "id"),
        ({"id": None}, "id"),
        ({"id": "E7862117-561D-47D0-AC3A-98D9C73E1FF7"}, "id"),
        ({"list": "green"}, "list"),
        ({"list": "red"}, "类别"),
        ({"status": "draft"}, "status"),
        ({"status": []}, "status"),
        ({"status": "withdrawn"}, "ended_on"),
        ({"status": "expired", "ended_on": "2026-01-05", "end_reason": "error"}, "end_reason"),
        ({"subject": None}, "subject"),
        ({"subject": SUBJECT | {"kind": "x"}}, "kind"),
        ({"subject": SUBJECT | {"name": ""}}, "名称"),
        ({"subject": SUBJECT | {"name": "x" * 201}}, "名称"),
        ({"subject": SUBJECT | {"code": "91220501MA0ABC1216"}}, "校验位"),
        ({"subject": SUBJECT | {"code": None}}, "code"),
        ({"subject": SUBJECT | {"code": 1}}, "code"),
        ({"subject": SUBJECT | {"kind": "person"}}, "自然人"),
        ({"subject": SUBJECT | {"region": "2205011"}}, "region"),
        ({"category": {"code": "M99"}}, "类别"),
        ({"category": "M05"}, "category"),
        ({"misconduct": "M06"}, "失信行为"),
        ({"misconduct": {}}, "失信行为"),
        ({"department": {"code": "nobody"}}, "单位"),
        ({"degree": "x"}, "degree"),
        ({"degree": {}}, "degree"),
        ({"document": "x"}, "document"),
        ({"document": {"number": "x" * 129}}, "number"),
        ({"document": {"date": "2026-02-30"}}, "date"),
        ({"document": {"date": "9999999999"}}, "date"),
        ({"ground": None}, "ground"),
        ({"ground": "x" * 20_001}, "ground"),
        ({"ground": f"身份证{builders.resident_id(5)}号"}, "身份号码"),
        ({"basis": 1}, "basis"),
        ({"basis": "x" * 201}, "basis"),
        ({"details": {}}, "details"),
        ({"details": [1]}, "details"),
        ({"details": [{"code": "a", "value": 1}]}, "value"),
        ({"details": [{"code": "a", "value": "x"}] * 101}, "details"),
        ({"published_on": "2026-1-5"}, "published_on"),
        ({"published_on": "2999-01-01"}, "visible_until"),
        ({"visible_until": None}, "visible_until"),
        ({"disputed": "no"}, "disputed"),
        ({"disputed": None}, "disputed"),
    ],
)
def test_an_entry_that_says_nonsense_refuses_the_file_with_its_line(path, fields, named):
    reason = refused(rewritten(path, _entry(**fields)))
    assert reason.startswith("第 2 行：")
    assert named in reason


def test_no_position_may_be_doubled_skipped_or_out_of_order(path):
    for change in (
        lambda lines: [*lines[:2], lines[1], *lines[2:]],
        lambda lines: [lines[0], *lines[2:]],
        lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
    ):
        assert "次序不对" in refused(rewritten(path, change))
    assert "缺少序号 4 以后" in refused(rewritten(path, lambda lines: lines[:-1]))


def test_a_link_that_does_not_hold_is_refused(path):
    def change(lines):
        lines[2]["previous_hash"] = "0" * 64
        return lines

    assert refused(rewritten(path, change)) == "第 3 行：和上一行接不上。"


def test_an_id_of_ours_is_taken_by_nobody(path):
    own = builders.published_black()
    taken = take(rewritten(path, _entry(id=str(own.public_id))))
    assert taken.reason == "第 2 行：记录编号已用于别处的记录。"
    assert list(Listing.objects.all()) == [own]


def test_two_entries_under_one_document_are_refused(path):
    def change(lines):
        first = lines[1]["listing"]
        lines[2]["listing"] = first | {"id": lines[2]["listing"]["id"]}
        return lines

    assert "文书都相同" in refused(rewritten(path, change))


def test_a_refusal_is_kept_and_told_to_whoever_looks(path):
    lines = raw(path)
    path.write_bytes(b"".join(lines[:-1]))
    taken = take(path)
    assert taken.city.code == CITY
    line = taken.city.journal.get(action="refuse_file")
    assert taken.reason in line.note


def test_a_refusal_never_repeats_what_the_file_says(path):
    number = builders.resident_id(6)
    reason = refused(rewritten(path, _entry(ground=f"号码 {number}")))
    assert number not in reason


# ── by command ────────────────────────────────────────────────────────────────────────────────


def test_the_command_takes_a_file_and_says_what_was_done(path, capsys):
    call_command("import_exchange", str(path))
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told == {
        "lines": 4, "created": 2, "changed": 0, "ended": 0, "unchanged": 1, "persons": 0,
        "city": CITY, "to": 4,
    }  # fmt: skip


def test_the_command_ends_with_one_sentence_where_a_file_is_refused(path, tmp_path):
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(CommandError, match="不完整"):
        call_command("import_exchange", str(path))
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_exchange", str(tmp_path / "none"))
    with pytest.raises(CommandError, match="directory"):
        call_command("import_exchange", str(tmp_path))


def test_the_export_command_goes_on_from_a_position(rules, tmp_path, capsys):
    builders.published_black()
    builders.published_black()
    call_command("export_exchange", str(tmp_path / "a"), "--after", "1")
    told = json.loads(capsys.readouterr().out)
    assert told == {"kind": "changes", "from": 2, "to": 2, "lines": 1}
    call_command("export_exchange", str(tmp_path / "b"), "--snapshot")
    told = json.loads(capsys.readouterr().out)
    assert told == {"kind": "snapshot", "from": None, "to": 2, "lines": 2}
    for after in ("3", "-1"):
        with pytest.raises(CommandError, match="position"):
            call_command("export_exchange", str(tmp_path / "c"), "--after", after)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a", "b"]


def test_the_key_that_other_cities_register_is_the_one_that_signs(rules, tmp_path, capsys):
    with another_city(undone=False):
        call_command("exchange_key")
    assert capsys.readouterr().out.strip() == key_of()

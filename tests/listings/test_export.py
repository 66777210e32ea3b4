"""The public lists as files: what the pages show, whole, bounded, and no cell a formula."""

import csv
import io
import json
import tracemalloc

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from python_calamine import CalamineWorkbook

from listings.models import Listing
from listings.services import export
from rulebook.models import CategoryField
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _rules(rules):
    pass


@pytest.fixture
def get(client):
    def get(form, path="/black/", **asked):
        answer = client.get(path, {"format": form, **asked})
        assert answer.status_code == 200
        assert f'.{form}"' in answer["Content-Disposition"]
        return b"".join(answer.streaming_content)

    return get


def as_rows(form, content):
    """Each file as [{title or name: text}]."""
    if form == "json":
        return json.loads(content)["entries"]
    if form == "csv":
        return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    head, *rows = (
        CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    )
    return [dict(zip(head, row, strict=True)) for row in rows]


def many(number):
    """Many public entries that differ in key only, as a bulk publication leaves them."""
    sample = builders.published_black()
    values = {f.attname: getattr(sample, f.attname) for f in Listing._meta.concrete_fields}
    for name in ("id", "public_id"):
        del values[name]
    Listing.objects.bulk_create(
        Listing(**{**values, "document_number": f"示例{n}号"}) for n in range(number)
    )


@pytest.mark.parametrize("form", ["csv", "xlsx", "json"])
def test_every_form_holds_what_the_pages_show_and_persons_masked(get, form):
    firm = builders.published_black()
    person = builders.published_black(builders.person("王示例"), category="J01", unit="zjfy")
    builders.black_draft()
    builders.last_public_day(timezone.localdate() - builders.DAY)
    content = get(form)
    rows = as_rows(form, content)
    by = {"json": ("id", "name", "code", "url")}.get(
        form, ("记录编号", "名称", "统一社会信用代码", "网址")
    )
    found = {row[by[0]]: row for row in rows}
    assert found.keys() == {str(firm.public_id), str(person.public_id)}
    assert found[str(person.public_id)][by[1]] == "王*"
    assert found[str(firm.public_id)][by[2]] == firm.subject.code
    assert found[str(firm.public_id)][by[3]].endswith(f"/black/{firm.public_id}/")
    assert "王示例" not in str(rows)


def test_a_file_of_one_category_has_its_public_fields_as_columns(get):
    CategoryField.objects.filter(category__code="J01", code="court").update(disclosure="shared")
    fields = CategoryField.objects.filter(category__code="J01", code="obligation")
    fields.update(masked=True)
    builders.published_black(category="J01", unit="zjfy", attested=True)
    (row,) = as_rows("json", get("json", category="J01"))
    assert row["details.case_number"] == "（2026）吉05执示1号"
    assert row["details.obligation"] == "支*"
    assert "details.court" not in row
    assert "示例人民法院" not in get("csv", category="J01").decode()
    (row,) = as_rows("json", get("json"))
    assert not [name for name in row if name.startswith("details.")]


def test_measures_are_told_in_words_and_red_entries_with_their_nominator(get):
    builders.published_black()
    (row,) = as_rows("json", get("json"))
    assert "限制财政性资金项目（" in row["measures"]
    builders.red_published()
    (row,) = as_rows("csv", get("csv", path="/red/"))
    assert row["推荐单位"] == "通化市示例行业协会"


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_no_cell_of_either_file_is_a_formula(get, form):
    builders.published_black(builders.firm("=cmd示例商贸有限公司"), document_number="＝1+1")
    (row,) = as_rows(form, get(form))
    assert row["名称"] == "'=cmd示例商贸有限公司"
    assert row["文书文号"] == "'＝1+1"


def test_a_file_names_its_licence_and_its_day(get, client):
    builders.published_black()
    told = json.loads(get("json"))
    assert "可以免费使用" in told["licence"]
    assert told["date"] == timezone.localdate().isoformat()
    assert 'rel="license"' in client.get("/black/", {"format": "csv"})["Link"]
    notes = CalamineWorkbook.from_filelike(io.BytesIO(get("xlsx"))).get_sheet_by_index(1)
    assert "可以免费使用" in str(notes.to_python())


def test_a_file_is_asked_for_anew_each_time_and_unchanged_costs_nothing(client):
    builders.published_black()
    first = client.get("/black/", {"format": "json"})
    assert "no-cache" in first["Cache-Control"]
    again = client.get("/black/", {"format": "json"}, headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    builders.published_black()
    again = client.get("/black/", {"format": "json"}, headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 200


@pytest.mark.parametrize("form", ["csv", "xlsx", "json"])
def test_a_head_makes_no_file(client, form):
    builders.published_black()
    answer = client.head("/black/", {"format": form})
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == b""


def test_a_question_that_can_not_be_answered_gives_no_file(client):
    answer = client.get("/black/", {"format": "csv", "category": "X99"})
    assert answer["Content-Type"].startswith("text/html")


def test_thousands_of_rows_cost_a_query_a_chunk(get):
    many(4_100)

    def cost(category):
        with CaptureQueriesContext(connection) as asked:
            rows = len(as_rows("csv", get("csv", category=category)))
        return len(asked), rows

    few, none = cost("M06")
    queries, rows = cost("M05")
    assert (none, rows) == (0, 4_101)
    # three chunks for one; the measures they share and the names of these, once
    assert queries <= few + 2 + 3


def test_rows_of_one_day_are_neither_lost_nor_doubled_between_chunks(monkeypatch):
    many(23)
    monkeypatch.setattr(export, "CHUNK", 5)
    table = export.Table(Listing.objects.public(timezone.localdate()))
    place = [column.name for column in table.columns].index("id")
    ids = [line[place] for line in table.lines()]
    assert len(ids) == len(set(ids)) == 24


def test_a_chunk_is_all_that_is_ever_held():
    many(4_100)

    def peak(rows):
        table = export.Table(rows)
        tracemalloc.start()
        for _part in export.csv_parts(table):
            pass
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    public = Listing.objects.public(timezone.localdate())
    lasts = public.order_by("pk").values_list("pk", flat=True)[export.CHUNK]
    peak(public.filter(pk__lt=lasts))
    assert peak(public) < 1.5 * peak(public.filter(pk__lt=lasts))


def test_a_sheet_too_long_says_where_the_rest_is(monkeypatch):
    many(3)
    monkeypatch.setattr(export, "SHEET_ROWS", 2)
    table = export.Table(Listing.objects.public(timezone.localdate()))
    content = b"".join(export.xlsx_parts(table, today=timezone.localdate()))
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert len(book.get_sheet_by_index(0).to_python()) == 1 + 2
    assert "只列最新的 2 条" in str(book.get_sheet_by_index(1).to_python())

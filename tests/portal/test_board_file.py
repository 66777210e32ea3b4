"""The supervisor's board as a table and as a text: the figures of the page, and who took them."""

import hashlib
import io
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from docx import Document
from python_calamine import CalamineWorkbook

from jointaction import services as jointaction
from jointaction.models import Push
from parties.models import Actor, Department
from portal import services
from portal.models import BoardExport
from tests import builders

DAY = timedelta(days=1)


@pytest.fixture
def today():
    return timezone.localdate()


@pytest.fixture
def late(rules, today):
    """Pushes of 60 days ago: ggzy answered, the others did not; an objection past its day."""
    entry = builders.published_black(today=today - 60 * DAY)
    jointaction.distribute(today=today - 60 * DAY)
    push = Push.objects.get(unit__code="ggzy")
    answers = [{"code": row["code"], "outcome": "applied"} for row in push.measures]
    liaison = Actor.of(builders.liaison("ggzy"))
    jointaction.answer(push, answers, actor=liaison, today=today - 60 * DAY)
    matter, _code = builders.objection(entry, received_on=today - 50 * DAY)
    return matter


@pytest.fixture
def supervisor(rules):
    return builders.signed_in(Client(), builders.supervisor())


def fetched(client, form, **query):
    answer = client.get(reverse("desk-board-file"), {"format": form, **query})
    assert answer.status_code == 200
    return answer.content


def test_the_table_holds_the_figures_of_the_page(supervisor, late, today):
    content = fetched(supervisor, "xlsx", year=today.year)
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    units, overdue = (book.get_sheet_by_name(name).to_python() for name in ("各单位", "逾期未办结"))
    lines = services.board(today, today.year)["lines"]
    rows = units[4:]
    assert rows[0][:2] == ["单位", "推送"]
    assert [row[0] for row in rows[1 : 1 + len(lines)]] == [line.unit.name for line in lines]
    for row, line in zip(rows[1:], lines, strict=False):
        assert [int(value) for value in row[1:5]] == [
            line.pushed, line.acknowledged, line.acted, line.answered,
        ]  # fmt: skip
        assert int(row[6]) == line.overdue
    assert [late.department.name, late.number, late.due_on.isoformat()] in overdue


def test_the_text_holds_them_too(supervisor, late, today):
    document = Document(io.BytesIO(fetched(supervisor, "docx", year=today.year)))
    words = "".join(paragraph.text for paragraph in document.paragraphs)
    assert f"联合奖惩督办情况（{today.year}年）" in words
    assert f"统计到 {today.isoformat()}" in words
    lines = services.board(today, today.year)["lines"]
    cells = [[cell.text for cell in row.cells] for row in document.tables[0].rows]
    assert [row[0] for row in cells[1:]] == [line.unit.name for line in lines]
    assert [row[6] for row in cells[1:]] == [str(line.overdue) for line in lines]
    assert late.number in [cell.text for row in document.tables[1].rows for cell in row.cells]


@pytest.mark.parametrize("form", ["xlsx", "docx"])
def test_a_year_without_anything_is_a_file_as_well(supervisor, form, today):
    assert fetched(supervisor, form, year=today.year - 4)


@pytest.mark.parametrize("form", ["xlsx", "docx"])
def test_who_took_the_figures_away_is_written_down_and_shown(supervisor, late, form, today):
    content = fetched(supervisor, form, year=today.year)
    row = BoardExport.objects.get()
    assert (row.year, row.form, row.by_user) == (today.year, form, builders.supervisor())
    assert row.sha256 == hashlib.sha256(content).hexdigest()
    page = supervisor.get(reverse("desk-supervision"), {"year": today.year}).content.decode()
    assert "最近的下载" in page
    assert row.by_label in page


def test_only_who_sees_every_department_takes_it_away(rules, today):
    for user in (builders.clerk(), builders.liaison(), builders.operator()):
        answer = builders.signed_in(Client(), user).get(reverse("desk-board-file"))
        assert answer.status_code == 403
        with pytest.raises(PermissionDenied):
            services.export_board(today.year, "xlsx", actor=Actor.of(user), today=today)
    with pytest.raises(PermissionDenied):
        services.export_board(today.year, "xlsx", actor=Actor(label="clock"), today=today)
    assert not BoardExport.objects.exists()
    auditor = builders.signed_in(Client(), builders.auditor())
    assert auditor.get(reverse("desk-board-file")).status_code == 200


@pytest.mark.parametrize("query", [{"format": "exe"}, {"format": "\0"}, {"format": ""}])
def test_a_form_that_there_is_not_is_not_found(supervisor, query):
    assert supervisor.get(reverse("desk-board-file"), query).status_code == 404
    assert not BoardExport.objects.exists()


def test_a_name_with_odd_signs_breaks_no_file(supervisor, late, today):
    Department.objects.filter(code="czj").update(name="=HYPERLINK(1)\x0b示例")
    for form in ("xlsx", "docx"):
        assert fetched(supervisor, form, year=today.year)


def test_the_board_names_the_laggards_and_tells_of_the_orders(supervisor, late, today):
    push = Push.objects.get(unit__code="czj")
    by = today + 5 * DAY
    jointaction.order(
        push, actor=Actor.of(builders.supervisor()), note="请立即反馈。", by=by, today=today
    )
    text = supervisor.get(reverse("desk-supervision"), {"year": today.year}).content.decode()
    assert "最多的是" in text
    assert push.unit.short_name in text
    assert "已发督办函　1 件" in text
    assert push.number in text


def test_the_board_asks_as_much_for_many_units_as_for_few(
    supervisor, late, today, django_assert_max_num_queries
):
    address = reverse("desk-supervision")
    supervisor.get(address)
    for _n in range(2):
        with django_assert_max_num_queries(24):
            supervisor.get(address)
        builders.published_black(today=today)
        builders.red_published(today=today)
        jointaction.distribute(today=today)

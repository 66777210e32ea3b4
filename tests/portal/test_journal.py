"""The auditor's page: all the journals as one, narrowed, paged, and taken along as a file."""

import io
from datetime import timedelta

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from casework.models import Event
from casework.moves import record, record_act
from jointaction import services as jointaction
from parties import services as parties
from parties.models import CLOCK, AccessLog, Actor
from portal import services
from portal.services import journal
from rulebook.models import ListCategory
from rulebook.services import record_version
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor(rules):
    return builders.signed_in(Client(), builders.auditor())


@pytest.fixture
def filled(rules):
    """A line or more in each of the journals."""
    entry = builders.published_black()
    objection, _code = builders.objection(entry)
    clerk = builders.clerk()
    AccessLog.objects.create(
        table="objections_objection", row=str(objection.public_id), field="contact",
        purpose="核实代发回单", **Actor.of(clerk).columns,
    )  # fmt: skip
    record(objection, "download", actor=Actor.of(clerk), note="回单.pdf")
    record_act(clerk, "sign_in", actor=Actor.of(clerk))
    parties.note(clerk, "change", actor=Actor.of(builders.supervisor()), note="改为审核")
    LogEntry.objects.log_actions(
        builders.supervisor().pk, [clerk], CHANGE, change_message="已停用", single_object=True
    )
    record_version(
        ListCategory.objects.get(code="M05"),
        actor=Actor.of(builders.supervisor()),
        reason="示例：期限改了",
        today=timezone.localdate(),
    )
    jointaction.check(
        [{"code": entry.subject.code}],
        actor=Actor.of(builders.liaison("czj")),
        purpose="投标资格审查",
        reference="示例1",
        today=timezone.localdate(),
    )
    return entry, objection


def told(client, **query):
    answer = client.get(reverse("desk-journal"), query)
    assert answer.status_code == 200
    return answer.context["lines"]


def test_every_journal_is_on_the_page_with_who_what_and_why(auditor, filled):
    lines = told(auditor)
    assert {line.kind for line in lines} >= {"act", "look", "export", "check", "office"}
    look = next(line for line in lines if line.kind == "look")
    assert (look.by, look.note) == (str(builders.clerk()), "核实代发回单")
    assert look.department == builders.clerk().department.short_name
    assert str(filled[1].public_id) in look.about
    act = next(line for line in lines if line.kind == "act" and "异议" in line.about)
    assert filled[1].number in act.about
    assert str(act.action) == "收到"
    assert sorted((line.at for line in lines), reverse=True) == [line.at for line in lines]


@pytest.mark.parametrize("kind", journal.KINDS)
def test_a_kind_narrows_the_page_to_it(auditor, filled, kind):
    lines = told(auditor, kind=kind)
    assert {line.kind for line in lines} == {kind}


def test_person_department_days_and_number_narrow_the_page(auditor, filled):
    entry, objection = filled
    assert {line.by for line in told(auditor, person="supervisor")} == {str(builders.supervisor())}
    czj = told(auditor, department="czj")
    assert {line.kind for line in czj} == {"check"}
    about = told(auditor, matter=objection.number)
    assert {line.kind for line in about} == {"act", "look", "export"}
    assert told(auditor, matter=str(objection.public_id))
    assert {line.kind for line in told(auditor, matter=str(entry.public_id))} == {"act"}
    tomorrow = timezone.localdate() + timedelta(days=1)
    assert told(auditor, since=tomorrow.isoformat()) == []
    assert told(auditor, until=timezone.localdate().isoformat())
    assert told(auditor, matter="没有这个编号") == []
    assert told(auditor, person="没有这个人") == []


def test_the_clock_is_a_person_here(auditor, filled):
    record(filled[0], "note", actor=CLOCK)
    assert {line.by for line in told(auditor, person="系统")} == {"系统"}


def test_pages_follow_one_another_without_a_gap_whatever_comes_meanwhile(filled, monkeypatch):
    whole = [(line.source, line.pk) for line in services.Journal(services.Asked()).page(10_000)[0]]
    seen, cursor, more = [], None, True
    while more:
        found = services.Journal(services.Asked(), cursor)
        lines, more = found.page(3)
        seen += [(line.source, line.pk) for line in lines]
        cursor = found.cursor
        record(filled[0], "note", actor=CLOCK)
    assert seen == whole


def test_the_page_leads_to_earlier_lines_and_back(auditor, filled, monkeypatch):
    for _n in range(60):
        record(filled[0], "note", actor=CLOCK)
    answer = auditor.get(reverse("desk-journal"))
    after = answer.context["after"]
    assert f"after={after}" in answer.content.decode()
    earlier = auditor.get(reverse("desk-journal"), {"after": after})
    assert "最新的</a>" in earlier.content.decode()
    assert {line.pk for line in earlier.context["lines"] if line.source == "event"}.isdisjoint(
        line.pk for line in answer.context["lines"] if line.source == "event"
    )


@pytest.mark.parametrize(
    "query",
    [
        {"after": "event-x.look--1.nothing-5"},
        {"after": "event-" + "9" * 30},
        {"kind": "nothing"},
        {"since": "0001-01-01"},
        {"until": "9999-12-31"},
        {"since": "gestern"},
        {"matter": "\0"},
        {"person": "\0", "department": "\0"},
    ],
)
def test_what_makes_no_sense_is_said_and_breaks_nothing(auditor, filled, query):
    assert auditor.get(reverse("desk-journal"), query).status_code == 200


def test_only_supervisor_and_auditor_read_it(rules):
    for user, status in (
        (builders.clerk(), 403),
        (builders.liaison("czj"), 403),
        (builders.supervisor(), 200),
        (builders.auditor(), 200),
    ):
        client = builders.signed_in(Client(), user)
        assert client.get(reverse("desk-journal")).status_code == status
        if status == 403:
            assert client.post(reverse("desk-journal"), {"format": "csv"}).status_code == 403


def test_the_queries_do_not_grow_with_the_lines(auditor, filled, django_assert_max_num_queries):
    for _n in range(100):
        record(filled[0], "note", actor=CLOCK)
        record(filled[1], "note", actor=CLOCK)
    with django_assert_max_num_queries(24):
        told(auditor)
    with django_assert_max_num_queries(45):  # a number is looked for in every kind of matter
        told(auditor, matter=filled[1].number)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_export_holds_what_was_asked_for_and_is_a_line_itself(auditor, filled, form):
    auditor.raise_request_exception = True
    before = Event.objects.count()
    answer = auditor.post(reverse("desk-journal"), {"format": form, "kind": "look"})
    content = b"".join(answer.streaming_content)
    rows = _rows(content, form)
    assert rows[0][:2] == ["时间", "性质"]
    assert [row[6] for row in rows[1:]] == ["核实代发回单"]
    line = Event.objects.last()
    assert Event.objects.count() == before + 1
    assert (line.action, line.by_user) == ("export", builders.auditor())
    assert f"{form} 查阅个人信息" in line.note
    assert told(auditor, kind="export")[0].by == str(builders.auditor())


def _rows(content, form):
    if form == "csv":
        text = content.decode().removeprefix("\ufeff")
        return [line.split(",") for line in text.strip().splitlines()]
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return book.get_sheet_by_index(0).to_python()


def test_a_long_export_comes_in_chunks_and_ends_at_the_most(filled, monkeypatch):
    monkeypatch.setattr(journal, "CHUNK", 3)
    whole = list(services.Journal(services.Asked()).lines())
    assert len(whole) == len(services.Journal(services.Asked()).page(10_000)[0])
    monkeypatch.setattr(journal, "MOST", 5)
    assert len(list(services.Journal(services.Asked()).lines())) == 5


def test_a_cell_that_a_spreadsheet_would_compute_is_inert(auditor, filled):
    record(filled[1], "download", actor=CLOCK, note="=1+1")
    answer = auditor.post(reverse("desk-journal"), {"format": "csv", "kind": "export"})
    assert ",'=1+1" in b"".join(answer.streaming_content).decode()

"""The journals under seal: what was written stays as it was, or is seen."""

import json
import re
import threading
from io import StringIO

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from casework.models import Event, JournalSeal
from casework.moves import record
from casework.services import journal, seal_journal, unsealed, verify_journal
from parties.models import CLOCK, AccessLog, Actor
from tests import builders

pytestmark = pytest.mark.django_db

TABLES = ("casework_event", "parties_accesslog", "django_admin_log")


@pytest.fixture
def written(rules):
    """Lines in each of the journals, none sealed yet."""
    entry = builders.published_black()
    user = builders.clerk()
    for row in "abc":
        AccessLog.objects.create(
            table="parties_subject", row=row, field="paper", purpose="示例", **CLOCK.columns
        )
    LogEntry.objects.log_actions(user.pk, [user], CHANGE, change_message="示例", single_object=True)
    return entry


def tamper(sql):
    """What somebody with the owner's rights could do: switch the triggers off and write."""
    with connection.cursor() as cursor:
        for table in (*TABLES, "casework_journalseal"):
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(sql)


def verify(*args):
    out = StringIO()
    call_command("verify_ledger", *args, stdout=out)
    return out.getvalue()


def test_a_journal_that_nobody_has_sealed_yet_is_whole(rules):
    assert verify_journal() is None
    assert "seal 0" in verify()


def test_every_line_comes_under_one_seal_and_a_second_run_seals_nothing(written):
    seal_journal()
    assert {row.table for row in JournalSeal.objects.all()} == set(TABLES)
    assert sum(JournalSeal.objects.values_list("rows", flat=True)) == (
        Event.objects.count() + AccessLog.objects.count() + LogEntry.objects.count()
    )
    assert seal_journal() == 0
    assert set(unsealed().values()) == {0}
    record(written, "note", actor=CLOCK)
    assert unsealed()["casework_event"] == 1
    assert seal_journal() == 1
    assert verify_journal() is None


def test_long_journals_are_sealed_in_stretches_without_a_gap(written, monkeypatch):
    monkeypatch.setattr(journal, "SPAN", 2)
    seal_journal()
    stretches = JournalSeal.objects.filter(table="parties_accesslog")
    assert len(stretches) >= 2
    assert verify_journal() is None


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE casework_event SET note = 'x' WHERE id = (SELECT min(id) FROM casework_event)",
        "UPDATE casework_event SET private_note = 'x'",
        "UPDATE casework_event SET at = at + interval '1 microsecond'",
        """UPDATE casework_event SET changes = '{"a": 1}'""",
        "UPDATE casework_event SET by_user_id = NULL, by_label = 'clock'",
        "DELETE FROM parties_accesslog WHERE row = 'b'",
        "UPDATE parties_accesslog SET purpose = 'x'",
        "UPDATE django_admin_log SET change_message = ''",
        """INSERT INTO parties_accesslog (id, at, "table", "row", field, purpose, by_label)
           SELECT min(id) - 1, now(), 'x', 'x', 'x', 'x', 'x' FROM parties_accesslog""",
    ],
)
def test_a_line_altered_added_or_taken_away_is_found(written, sql):
    AccessLog.objects.create(table="x", row="d", field="x", purpose="x", **CLOCK.columns)
    seal_journal()
    tamper(sql)
    assert re.search(r"(casework|parties|django)_.*(altered|added)", verify_journal())
    with pytest.raises(CommandError, match="the journal is broken at"):
        verify()


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("DELETE FROM casework_journalseal WHERE seq = 1", "missing or another"),
        ("UPDATE casework_journalseal SET rows = rows + 1 WHERE seq = 2", "the seal was altered"),
        ("UPDATE casework_journalseal SET first = first + 1 WHERE seq = 1", "does not begin"),
        ("UPDATE casework_journalseal SET digest = content WHERE seq = 1", "seal was altered"),
    ],
)
def test_a_seal_altered_or_taken_away_is_found(written, sql, found):
    seal_journal()
    tamper(sql)
    assert found in verify_journal()


def test_a_journal_sealed_anew_after_a_line_was_altered_is_found_by_the_head_kept(
    written, tmp_path
):
    seal_journal()
    kept = tmp_path / "head.json"
    call_command("export_ledger_head", str(kept))
    assert json.loads(kept.read_text())["journal"]["seq"] == JournalSeal.objects.count()
    assert "seal" in verify("--head", str(kept))
    tamper("UPDATE casework_event SET note = 'x'")
    tamper("DELETE FROM casework_journalseal")
    with pytest.raises(CommandError, match="is not there"):
        verify("--head", str(kept))
    seal_journal()
    assert verify_journal() is None
    with pytest.raises(CommandError, match="rewritten"):
        verify("--head", str(kept))


def test_a_kept_head_whose_journal_was_altered_is_refused(written, tmp_path):
    seal_journal()
    kept = tmp_path / "head.json"
    call_command("export_ledger_head", str(kept))
    head = json.loads(kept.read_text())
    kept.write_text(json.dumps({**head, "journal": {"seq": 0, "digest": "00"}}))
    with pytest.raises(CommandError, match="not signed"):
        verify("--head", str(kept))


@pytest.mark.parametrize("table", [*TABLES, "casework_journalseal"])
@pytest.mark.parametrize("act", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_database_refuses_to_rewrite_a_journal(written, table, act):
    act = act.replace("id", "seq") if "seal" in table else act
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(act.format(table))


@pytest.mark.django_db(transaction=True)
def test_a_line_whose_transaction_is_still_at_work_is_waited_for(rules, monkeypatch):
    seal_journal()
    sealed = JournalSeal.objects.filter(table="casework_event").count()
    monkeypatch.setattr(journal, "PATIENCE", 0.1)
    department, actor = builders.department("rsj"), Actor.of(builders.clerk())
    begun, may_end = threading.Event(), threading.Event()

    def slow():
        with transaction.atomic():
            _line(department, actor, "slow")
            begun.set()
            may_end.wait(20)
        connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    try:
        assert begun.wait(20)
        _line(department, actor, "quick")
        assert seal_journal() == 0  # the earlier id may still come
        assert JournalSeal.objects.filter(table="casework_event").count() == sealed
    finally:
        may_end.set()
        thread.join()
    assert seal_journal() == 2
    assert verify_journal() is None


def _line(department, actor, note):
    Event.objects.create(
        content_type=ContentType.objects.get_for_model(department),
        object_id=department.pk, action="note", status="",
        version=0, note=note, at=timezone.now(), **actor.columns,
    )  # fmt: skip

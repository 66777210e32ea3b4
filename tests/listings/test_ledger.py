from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from listings import ledger, services
from listings.models import Change, ChangeBody, LedgerHead, Listing
from parties.models import Actor
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _rules(rules):
    pass


@pytest.fixture
def entries(rules):
    """Three entries and five changes: the second is corrected, the third withdrawn."""
    today = timezone.localdate()
    first, second, third = (builders.published_black() for _n in range(3))
    actor = Actor.of(builders.reviewer("rsj"))
    services.correct(second, {"ground": "更正后的理由"}, actor=actor, note="笔误")
    services.withdraw(third, reason="error", actor=actor, note="列错", today=today)
    return first, second, third


def verify(*args):
    out = StringIO()
    call_command("verify_ledger", *args, stdout=out)
    return out.getvalue()


def tamper(sql, *params):
    """What somebody with the owner's rights could do: switch the triggers off and write."""
    with connection.cursor() as cursor:
        for table in ("listings_change", "listings_changebody"):
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(sql, params)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("listings_change", "listings_changebody"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def test_an_empty_ledger_is_whole():
    assert "seq 0" in verify("--entries")


def test_the_chain_verifies_and_every_entry_says_what_was_told_last(entries):
    assert "seq 5" in verify("--entries")
    assert list(Change.objects.values_list("seq", flat=True)) == [1, 2, 3, 4, 5]
    for change in Change.objects.all():
        link = ledger.chain(
            bytes(change.previous_hash),
            change.seq,
            change.listing_id,
            change.action,
            change.at,
            bytes(change.digest),
        )
        assert link == bytes(change.hash)


def test_many_entries_appended_at_once_are_chained_like_single_ones(entries):
    later = timezone.localdate() + timedelta(days=2_000)
    assert services.expire_lapsed(today=later) == 2
    assert services.expire_lapsed(today=later) == 0
    assert "seq 7" in verify("--entries")
    assert set(Listing.objects.values_list("status", flat=True)) == {"expired", "withdrawn"}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("action", "'withdraw'"),
        ("at", "at + interval '1 microsecond'"),
        ("listing_id", "(SELECT min(listing_id) FROM listings_change)"),
        ("digest", "sha256('x')"),
        ("previous_hash", "sha256('x')"),
        ("hash", "sha256('x')"),
    ],
)
def test_a_tampered_row_is_found_at_its_place(entries, column, value):
    tamper(f"UPDATE listings_change SET {column} = {value} WHERE seq = 3")  # noqa: S608
    with pytest.raises(CommandError, match=r"seq 3\b"):
        verify()


def test_a_tampered_body_is_found_at_its_place(entries):
    tamper("UPDATE listings_changebody SET body = 'x' WHERE seq = 2")
    with pytest.raises(CommandError, match=r"seq 2\b"):
        verify()


def test_a_deleted_row_is_found_where_the_chain_breaks(entries):
    tamper("DELETE FROM listings_changebody WHERE seq = 2")
    tamper("DELETE FROM listings_change WHERE seq = 2")
    with pytest.raises(CommandError, match=r"seq 3\b"):
        verify()


def test_a_cut_tail_is_found_against_the_head(entries):
    tamper("DELETE FROM listings_changebody WHERE seq = 5")
    tamper("DELETE FROM listings_change WHERE seq = 5")
    with pytest.raises(CommandError, match=r"seq 5\b"):
        verify()


def test_an_erased_body_of_the_past_leaves_the_chain_whole(entries):
    ChangeBody.objects.filter(pk=2).delete()
    assert "seq 5" in verify("--entries")


def test_an_entry_altered_behind_the_ledgers_back_is_found(entries):
    first, _second, _third = entries
    Listing.objects.filter(pk=first.pk).update(ground="悄悄改过的理由")
    assert "seq 5" in verify()
    with pytest.raises(CommandError, match=r"seq 1\b"):
        verify("--entries")


def test_an_entry_published_behind_the_ledgers_back_is_found(entries):
    draft, today = builders.black_draft(), timezone.localdate()
    Listing.objects.filter(pk=draft.pk).update(
        status="published", published_on=today, visible_until=today
    )
    with pytest.raises(CommandError):
        verify("--entries")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE listings_change SET action = 'withdraw'",
        "DELETE FROM listings_change",
        "TRUNCATE listings_change CASCADE",
        "UPDATE listings_changebody SET body = 'x'",
        "TRUNCATE listings_changebody",
    ],
)
def test_the_database_refuses_to_rewrite_the_ledger(entries, statement):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(DatabaseError, match="append"), transaction.atomic():
            cursor.execute(statement)
    assert Change.objects.count() == 5


def test_instants_never_go_back(entries):
    ahead = timezone.now() + timedelta(hours=1)
    LedgerHead.objects.update(at=ahead)
    builders.published_black()
    assert Change.objects.latest("seq").at == ahead
    assert "seq 6" in verify()

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from casework.moves import IllegalMove
from listings import ledger, services
from listings.models import Change, ChangeBody, LedgerCheckpoint, LedgerHead, Listing
from parties import sealing
from parties.models import Actor, Role
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


def test_expiry_costs_the_same_however_many_entries_end():
    later, costs = timezone.localdate() + timedelta(days=2_000), []
    for number in (1, 2, 8):  # the first one reads what is kept in memory
        for _entry in range(number):
            builders.published_black()
        with CaptureQueriesContext(connection) as asked:
            assert services.expire_lapsed(today=later) == number
        costs.append(len(asked))
    assert costs[1] == costs[2]


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


OPERATOR_REASON = "当事人依法要求删除，个人信息保护法第四十七条"


def test_content_erased_by_the_operator_is_named_by_a_change_and_the_chain_is_whole(entries):
    third, operator = entries[2], Actor.of(builders.officer("platform", Role.OPERATOR))
    assert services.erase(third, actor=operator, reason=OPERATOR_REASON) == [3, 5]
    assert not ChangeBody.objects.filter(pk__in=[3, 5]).exists()
    assert Change.objects.latest("seq").action == "erase"
    assert third.journal.last().note == OPERATOR_REASON
    assert set(third.versions.values_list("body__id", flat=True)) == {None}
    assert "seq 6" in verify("--entries")
    with pytest.raises(ValidationError, match="已经删除"):
        services.erase(third, actor=operator, reason=OPERATOR_REASON)


def test_a_body_that_is_gone_without_an_erase_is_found(entries):
    ChangeBody.objects.filter(pk=2).delete()
    with pytest.raises(CommandError, match=r"seq 2 .*no later erase"):
        verify()


def test_an_erase_of_another_entry_excuses_nothing(entries):
    operator = Actor.of(builders.officer("platform", Role.OPERATOR))
    services.erase(entries[2], actor=operator, reason=OPERATOR_REASON)
    ChangeBody.objects.filter(pk=2).delete()
    with pytest.raises(CommandError, match=r"seq 2\b"):
        verify()


def test_nobody_else_erases_nor_without_a_reason_nor_what_is_on_its_list(entries):
    first, _second, third = entries
    operator = Actor.of(builders.officer("platform", Role.OPERATOR))
    with pytest.raises(PermissionDenied):
        services.erase(third, actor=Actor.of(builders.reviewer()), reason=OPERATOR_REASON)
    with pytest.raises(ValidationError, match="至少"):
        services.erase(third, actor=operator, reason="要求")
    with pytest.raises(IllegalMove):
        services.erase(first, actor=operator, reason=OPERATOR_REASON)
    assert ChangeBody.objects.count() == 5


def test_the_command_erases_for_the_operator_and_says_what(entries):
    builders.officer("platform", Role.OPERATOR, username="platform-op")
    out, entry = StringIO(), str(entries[2].public_id)
    given = {"by": "platform-op", "reason": OPERATOR_REASON, "stdout": out}
    call_command("erase_content", entry, **given)
    assert "seq 3, 5" in out.getvalue()
    for wrong in ({"by": "nobody"}, {"reason": "无"}, {"by": builders.clerk().username}):
        with pytest.raises(CommandError):
            call_command("erase_content", entry, **{**given, **wrong})


# ── checkpoints and heads kept elsewhere ──────────────────────────────────────────────────────


def test_a_clean_run_signs_how_far_it_came_and_a_later_one_goes_on_from_there(entries):
    verify()
    point = LedgerCheckpoint.objects.get()
    assert (point.seq, bytes(point.hash)) == (5, bytes(LedgerHead.objects.get().hash))
    builders.published_black()
    assert "seq 6" in verify("--since-checkpoint", "--entries")
    assert list(LedgerCheckpoint.objects.values_list("seq", flat=True)) == [5, 6]


def test_a_broken_ledger_is_not_signed(entries):
    tamper("UPDATE listings_changebody SET body = 'x' WHERE seq = 2")
    with pytest.raises(CommandError):
        verify()
    assert not LedgerCheckpoint.objects.exists()


def test_a_past_rewritten_behind_a_checkpoint_is_found_from_it(entries):
    verify()
    builders.published_black()
    tamper("UPDATE listings_change SET hash = sha256('x') WHERE seq = 5")
    with pytest.raises(CommandError, match=r"seq 5\b.*rewritten"):
        verify("--since-checkpoint")


def test_a_checkpoint_that_somebody_else_made_is_refused(entries):
    head = LedgerHead.objects.get()
    LedgerCheckpoint.objects.create(
        seq=5, hash=head.hash, at=head.at, key_id=next(iter(sealing.keys())), signature=b"x" * 64
    )
    with pytest.raises(CommandError, match="not signed"):
        verify("--since-checkpoint")


def test_a_head_kept_elsewhere_finds_a_cut_tail_and_a_rewritten_past(entries, tmp_path):
    kept = tmp_path / "head.json"
    call_command("export_ledger_head", str(kept))
    assert json.loads(kept.read_text())["seq"] == 5
    builders.published_black()
    assert "seq 6" in verify("--head", str(kept))
    tamper("UPDATE listings_change SET hash = sha256('x') WHERE seq = 5")
    with pytest.raises(CommandError, match=r"seq 5\b.*rewritten"):
        verify("--head", str(kept))
    tamper("DELETE FROM listings_changebody WHERE seq > 4")
    tamper("DELETE FROM listings_change WHERE seq > 4")
    tamper("UPDATE listings_listingversion SET to_seq = NULL WHERE from_seq = 4")
    tamper(
        "UPDATE listings_ledgerhead SET seq = 4, hash = (SELECT hash FROM listings_change "
        "WHERE seq = 4)"
    )
    assert "seq 4" in verify()
    with pytest.raises(CommandError, match=r"seq 5\b.*cut"):
        verify("--head", str(kept))


def test_a_head_that_was_altered_where_it_was_kept_is_refused(entries, tmp_path):
    out, kept = StringIO(), tmp_path / "head.json"
    call_command("export_ledger_head", stdout=out)
    head = json.loads(out.getvalue())
    kept.write_text(json.dumps({**head, "hash": "00" * 32}))
    with pytest.raises(CommandError, match="not signed"):
        verify("--head", str(kept))
    kept.write_text("nothing")
    with pytest.raises(CommandError, match="no head"):
        verify("--head", str(kept))


def test_an_entry_whose_days_were_altered_in_its_versions_is_found(entries):
    tamper("UPDATE listings_listingversion SET in_force = '[2020-01-01,2020-02-01)'")
    with pytest.raises(CommandError, match="days it was in force"):
        verify("--entries")


def test_what_is_broken_is_named_by_entry_and_in_words(entries):
    second = entries[1]
    tamper("UPDATE listings_changebody SET body = 'x' WHERE seq = 2")
    with pytest.raises(CommandError, match=rf"(?s){second.public_id}.*body was altered"):
        verify()


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

"""The local copy: in step with the portal, forgetful of what has ended, whole after any trouble."""

import json
import sqlite3

import pytest
from django.utils import timezone

from credit_portal_client import Client, Copy, OutOfStepError, UnreachableError, local_copy
from credit_portal_client.digests import canonical, digest_of, hash_of, reduced
from listings import ledger
from listings import services as listings
from listings.models import Listing
from parties.models import Actor
from tests.builders import DAY, liaison, person, published_black, red_published, reviewer
from tests.clients.histories import GROUNDS, History
from tests.clients.servers import Flaky


@pytest.fixture
def client(client_of):
    return client_of(liaison("bank-demo"), "read", patience=5)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "copy.db"


@pytest.fixture
def copy(client, path):
    found = Copy(path, client)
    yield found
    found.close()


def act(entry, name, **fields):
    getattr(listings, name)(entry, actor=Actor.of(reviewer()), note="示例", **fields)


def withdraw(entry):
    act(entry, "withdraw", reason="error", today=timezone.localdate())


def public_ids(**which):
    rows = Listing.objects.public(timezone.localdate()).filter(**which)
    return sorted(map(str, rows.values_list("public_id", flat=True)))


def ids(copy):
    return [entry["id"] for entry in copy]


# ── in step ───────────────────────────────────────────────────────────────────────────────────


def test_it_starts_from_the_snapshot_and_goes_on_with_the_changes(copy):
    first, red = published_black(), red_published()
    assert copy.position is None
    assert copy.sync() == 0  # the snapshot has it all
    assert ids(copy) == public_ids()
    assert copy.position.seq == 2
    second = published_black()
    act(first, "correct", fields={"ground": "更正后的理由。"})
    withdraw(red)
    assert copy.sync() == 3
    assert ids(copy) == public_ids()
    assert copy.prove()
    (found,) = copy.of_code(first.subject.code)
    assert found["ground"] == "更正后的理由。"
    assert copy.entry(str(second.public_id))["subject"]["name"] == second.subject.name
    assert len(copy) == 2


def test_of_nothing_there_is_a_copy_too(copy):
    copy.ensure()
    assert len(copy) == 0
    assert copy.position.seq == 0
    published_black()
    assert copy.sync() == 1
    assert copy.prove()


@pytest.mark.parametrize("seed", range(2))
def test_whatever_happens_it_stays_in_step(copy, path, seed):
    history = History(seed)
    for _ in range(5):
        history.go_on(12)
        copy.sync()
    assert ids(copy) == public_ids()
    assert copy.prove()
    begun_now = Copy(path.with_name("new.db"), copy.client)
    assert begun_now.prove()
    assert list(begun_now) == list(copy)


def test_one_list_alone_can_be_copied(client, path):
    published_black()
    red_published()
    copy = Copy(path, client, list="red")
    copy.sync()
    published_black()
    red_published()
    assert copy.sync() == 2
    assert ids(copy) == public_ids(kind="red")
    assert copy.prove()


def test_a_person_is_in_it_but_not_to_be_found_by_name_or_number(copy):
    published_black(person("张示例"), unit="zjfy", category="J01")
    copy.sync()
    (entry,) = copy
    assert entry["subject"] == {"kind": "person", "name": "张*", "code": None, "region": ""}
    assert copy.prove()


def test_text_with_odd_signs_comes_whole(copy):
    texts = [published_black(ground=f"示例{ground}。").ground for ground in GROUNDS]
    copy.sync()
    assert sorted(entry["ground"] for entry in copy) == sorted(texts)
    assert copy.prove()


# ── what has ended ────────────────────────────────────────────────────────────────────────────


def test_an_ended_entry_leaves_nothing_but_its_id(copy, path):
    entries = [published_black(ground=f"拖欠工资的理由第{number}号。") for number in range(40)]
    copy.sync()
    assert all(entry.subject.code.encode() in path.read_bytes() for entry in entries)
    for entry in entries[:30]:
        withdraw(entry)
    copy.sync()
    left = path.read_bytes()
    for entry in entries[:30]:
        id = str(entry.public_id)
        assert copy.entry(id) is None
        assert copy.has_ended(id)
        for word in (entry.subject.code, entry.subject.name, entry.ground, entry.document_number):
            assert word.encode() not in left
        assert id.encode() in left
    assert not copy.has_ended("never heard of")
    assert not copy.has_ended(str(entries[35].public_id))
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name]
    copy.resync()
    assert copy.has_ended(str(entries[0].public_id))


def test_what_ends_by_its_date_is_gone_at_midnight_without_the_portal(copy, path, monkeypatch):
    today = timezone.localdate()
    entry = published_black(visible_until=today + DAY)
    stays = published_black()
    copy.sync()
    monkeypatch.setattr(local_copy, "today", lambda: str(today + DAY))
    assert len(copy) == 2
    monkeypatch.setattr(local_copy, "today", lambda: str(today + 2 * DAY))
    alone = Copy(path)
    assert ids(alone) == [str(stays.public_id)]
    assert len(alone) == 1
    assert alone.of_code(entry.subject.code) == []
    assert alone.has_ended(str(entry.public_id))
    assert entry.ground.encode() in path.read_bytes()
    copy.sync()
    assert copy.file.execute("SELECT count(*) FROM entry WHERE body IS NULL").fetchone() == (1,)


# ── out of step, and healed ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE position SET seq = seq + 100",  # the portal was restored from a backup
        "UPDATE position SET hash = 'another past'",
        "UPDATE position SET seq = seq - 1, hash = 'another past'",
    ],
)
def test_a_feed_that_does_not_go_on_from_here_leads_back_to_the_snapshot(copy, damage):
    published_black()
    copy.sync()
    published_black()
    copy.sync()
    copy.file.execute(damage)
    published_black()
    copy.sync()
    assert ids(copy) == public_ids()
    assert copy.position.seq == 3
    assert copy.prove()


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM entry WHERE rowid = 1",
        "UPDATE entry SET body = replace(body, '拖欠', '结清')",
        "INSERT INTO entry SELECT 'ghost', code, last_day, body FROM entry LIMIT 1",
        "UPDATE entry SET last_day = '2000-01-01' WHERE rowid = 1",
    ],
)
def test_a_copy_that_differs_is_found_out_and_made_anew(copy, damage):
    published_black()
    published_black()
    copy.ensure()
    copy.file.execute(damage)
    assert not copy.prove()
    copy.ensure()
    assert copy.prove()
    assert ids(copy) == public_ids()


def test_a_changed_rule_makes_the_copy_anew(copy):
    published_black()
    copy.ensure()
    copy.file.execute("UPDATE position SET rules = 'of last year'")
    (entry,) = copy
    copy.file.execute(
        "UPDATE entry SET body = replace(body, ?, '旧名称')", [entry["category"]["name"]]
    )
    assert next(iter(copy))["category"]["name"] == "旧名称"
    assert copy.prove()  # the name of a category is no part of the digest
    copy.ensure()
    assert list(copy) == [entry]


def test_two_followers_of_one_file_do_not_both_move_it(copy, path, client):
    published_black()
    copy.sync()
    published_black()
    position = copy.position
    changes = client.get("/changes/", after=position.seq)["results"]
    Copy(path, client).sync()
    with pytest.raises(OutOfStepError):
        copy._take(position, changes)
    assert copy.prove()


def test_what_a_change_carries_gives_its_hash(client):
    History(5).go_on(15)
    changes = list(client.changes())
    assert [change["seq"] for change in changes] == list(range(1, ledger.head().seq + 1))
    assert all(hash_of(change) == change["hash"] for change in changes)
    changes[3]["action"] = "erase"
    assert hash_of(changes[3]) != changes[3]["hash"]


def test_without_a_client_it_can_only_be_read(path):
    with pytest.raises(ValueError, match="only be read"):
        Copy(path).sync()


# ── a snapshot that breaks ────────────────────────────────────────────────────────────────────

ENTRY = {
    "id": "3f0d6f0e-0c55-4f0f-8a0f-6d1c3a0f9b1e",
    "list": "black",
    "subject": {"kind": "organization", "name": "示例", "code": "91", "region": "220501"},
    "category": {"code": "M05", "name": "恶意欠薪"},
    "misconduct": "M05",
    "degree": "serious",
    "department": {"code": "rsj", "name": "人社局"},
    "document": None,
    "ground": "示例",
    "measures": [],
    "published_on": "2026-04-01",
    "visible_until": "2999-04-01",
    "disputed": False,
    "version": 2,
}


def snapshot(*entries, count=None, digest=None, length=0):
    """A snapshot as a portal answers it; `length` more bytes are promised than come."""
    body = "".join(json.dumps(entry) + "\n" for entry in entries).encode()
    headers = {
        "X-Ledger-Seq": "7",
        "X-Snapshot-Day": "2026-04-01",
        "X-Snapshot-Count": str(len(entries) if count is None else count),
        "X-Snapshot-Digest": digest or digest_of(entries),
        "X-Rules-Version": "1",
        "Content-Length": str(len(body) + length),
    }
    return 200, headers, body


def test_a_snapshot_that_breaks_off_is_asked_for_again(path):
    with Flaky(snapshot(ENTRY, length=9), snapshot(ENTRY, count=2), snapshot(ENTRY)) as server:
        copy = Copy(path, Client(server.url, "key", patience=5))
        assert copy.resync().seq == 7
        assert len(server.asked) == 3
    assert list(copy) == [ENTRY]


def test_a_snapshot_that_is_not_what_it_says_replaces_nothing(path):
    other = {**ENTRY, "id": ENTRY["id"].replace("3", "4")}
    script = [snapshot(ENTRY), snapshot(other, digest="0" * 64), snapshot(other, length=9)]
    with Flaky(*script) as server:
        copy = Copy(path, Client(server.url, "key", patience=0))
        copy.resync()
        with pytest.raises(OutOfStepError):
            copy.resync()
        with pytest.raises(UnreachableError):
            copy.resync()
    assert list(Copy(path)) == [ENTRY]


def test_a_reader_sees_the_old_entries_until_the_new_are_whole(path):
    with Flaky(snapshot(ENTRY)) as server:
        Copy(path, Client(server.url, "key")).resync()
    half = sqlite3.connect(path)  # as a follower killed in the midst leaves it
    half.execute("CREATE TABLE incoming (id TEXT PRIMARY KEY, code, last_day, body)")
    half.commit()
    assert list(Copy(path)) == [ENTRY]
    with Flaky(snapshot(ENTRY)) as server:
        Copy(path, Client(server.url, "key")).resync()
    assert list(Copy(path)) == [ENTRY]


# ── the digest, by the vector that the portal's documentation gives ───────────────────────────


def test_the_digest_is_the_documented_one():
    listing = {
        **ENTRY,
        "subject": {
            **ENTRY["subject"],
            "name": "通化示例商贸有限公司",
            "code": "91220501MA0ABC1215",
        },
        "document": {
            "number": "吉通示人社决字〔2026〕第1号",
            "kind": "行政处理决定书",
            "organ": "通化市人力资源和社会保障局",
            "date": "2026-03-01",
        },
        "ground": "拖欠工资，\n经责令限期支付，逾期未付。",
        "measures": [
            {
                "code": "PA07",
                "name": "限制财政性资金项目",
                "article": "第五条",
                "memorandum": "联合惩戒合作备忘录",
                "unit": "czj",
                "advisory": False,
                "until": "2027-04-01",
            }
        ],
        "visible_until": "2027-04-01",
    }
    assert canonical(reduced(listing)).startswith(b'{"category":"M05","degree":"serious"')
    assert digest_of([listing]) == (
        "95139e435bbcbd288a100a8c2c550c576e219974560c2f4ba671bdfdd6df2f76"
    )
    assert digest_of([]).startswith("e3b0c442")

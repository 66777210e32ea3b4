"""The feed and the snapshot: nothing missing, nothing told that is not public, always in step."""

import contextlib
import hashlib
import json
import re
from datetime import date
from pathlib import Path

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.utils import timezone, translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.renderers import JSONRenderer

from casework.moves import IllegalMove
from listings import ledger, services
from listings.api import shown
from listings.models import EntryDigest, Listing
from listings.services import feed
from parties.models import Actor, Role, Subject
from rulebook.models import ListCategory, RuleVersion
from rulebook.services import record_version
from tests import builders
from tests.builders import DAY, Machine
from tests.listings.copies import Copy, canonical, lines, link, reduced, snapshot

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]
TOLD = {"id", "list", "status", "ended_on", "end_reason"}
KINDS = (None, "red", "black")


@pytest.fixture
def unit(rules):
    return Machine(builders.liaison(), "read")


def by(who, unit="rsj"):
    return Actor.of(who(unit))


def withdraw(entry, reason="error"):
    today = timezone.localdate()
    actor = by(builders.reviewer, entry.department.code)
    return services.withdraw(entry, reason=reason, actor=actor, note="示例", today=today)


def correct(entry, **fields):
    actor = by(builders.reviewer, entry.department.code)
    return services.correct(entry, fields, actor=actor, note="示例")


def as_public(entries, today):
    """What the API's own way of showing says of them, as JSON values."""
    rows = Listing.objects.with_parts().filter(pk__in=[entry.pk for entry in entries])
    told = shown(rows, builders.liaison(), today, as_public=True)
    return {row["id"]: row for row in json.loads(JSONRenderer().render(told))}


# ── one object, whoever renders it ────────────────────────────────────────────────────────────


def disclose(category, **fields):
    """The operator sets how own fields are shown."""
    found = ListCategory.objects.get(code=category)
    for code, values in fields.items():
        assert found.fields.filter(code=code).update(**values)
    today = timezone.localdate()
    record_version(found, actor=Actor(label="示例"), reason="示例原因", today=today)


def every_kind():
    """An entry of each kind that there is, all on their list."""
    today = timezone.localdate()
    disclose(
        "J01",
        court={"disclosure": "secret"},
        case_number={"disclosure": "shared"},
        obligation={"masked": True},
    )
    disputed, corrected = builders.published_black(), builders.published_black()
    services.annotate(disputed, disputed=True, actor=by(builders.reviewer))
    correct(corrected, ground='更正："引号"、\\反斜线\n换行\t制表', visible_until=today + 9 * DAY)
    with_persons = builders.published_black(
        responsible_persons=[
            builders.responsible(),
            builders.responsible("李示例", role="director", until=today),
            builders.responsible("王示例", role="shareholder"),
        ]
    )
    services.release_person(
        with_persons.responsible_persons.get(role="shareholder"),
        reason="error",
        actor=by(builders.reviewer),
        note="示例",
        today=today,
    )
    barred = builders.published_black(category="J01", unit="zjfy", attested=True)
    own_ends = {row["code"]: str(today + DAY) for row in barred.measure_set.measures[:1]}
    Listing.objects.filter(pk=barred.pk).update(measure_until=own_ends)
    bare = builders.red_published()
    Listing.objects.filter(pk=bare.pk).update(measure_set=None, basis=None, ground="")
    return [
        disputed, corrected, with_persons, barred, bare,
        builders.red_published(),
        builders.red_published(builders.person("李示例")),
        builders.published_black(
            builders.person(" 欧阳示例"), unit="zjfy", category="J01", attested=True
        ),
        builders.published_black(category="M02", unit="swj"),
        builders.published_black(details={"amount": "86.4", "people": "37"}),
    ]  # fmt: skip


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_database_writes_the_very_object_that_the_api_shows(rules, language):
    entries, today = every_kind(), timezone.localdate()
    with translation.override(language):
        expected = as_public(entries, today)
        written = b"".join(feed.Snapshot(today=today)).splitlines()
        rows, _head = feed.changes(after=0, limit=100, today=today)
    told = [json.loads(line) for line in written]
    assert {row["id"]: row for row in told} == expected
    assert list(told[0]) == list(next(iter(expected.values())))
    followed = [row["listing"] for row in json.loads(f"[{rows}]")]
    assert {row["id"]: row for row in followed} == expected


def test_the_database_tells_the_same_five_words_of_what_has_ended(unit):
    today = timezone.localdate()
    entries = [builders.published_black() for _ in range(4)]
    for entry, reason in zip(entries, ("error", "document_quashed"), strict=False):
        withdraw(entry, reason)
    services.repair(entries[2], actor=by(builders.reviewer), note="示例", today=today)
    entries += [builders.last_public_day(today - DAY), builders.last_public_day(today - 2 * DAY)]
    services.expire_lapsed(today=today - DAY)
    told = {row["listing"]["id"]: row["listing"] for row in unit.get("/changes/")["results"]}
    assert told == as_public(entries, today)
    assert [len(told[str(entry.public_id)]) for entry in entries] == [5, 5, 5, 22, 5, 5]
    assert {row["id"] for row in lines(snapshot(unit))} == {str(entries[3].public_id)}


TEXT = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12
)


@pytest.fixture
def person(rules):
    disclose("J01", obligation={"masked": True})
    return builders.published_black(builders.person(), unit="zjfy", category="J01")


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(name=TEXT, own=TEXT, ground=TEXT)
def test_any_text_is_escaped_and_masked_alike(unit, person, name, own, ground):
    today = timezone.localdate()
    Subject.objects.filter(pk=person.subject_id).update(name=name)
    details = {"obligation": own, "performance": own}
    Listing.objects.filter(pk=person.pk).update(details=details, ground=ground)
    told = {row["id"]: row for row in lines(snapshot(unit))}
    assert told[str(person.public_id)] == as_public([person], today)[str(person.public_id)]
    fresh = Listing.objects.with_parts().get(pk=person.pk)
    digest = hashlib.sha256(canonical(reduced(told[str(person.public_id)]))).digest()
    assert digest == ledger.entry_digest(fresh)


# ── the feed ──────────────────────────────────────────────────────────────────────────────────


def test_the_chain_can_be_checked_from_the_rows_alone(unit):
    entry, other = builders.published_black(), builders.red_published()
    services.annotate(entry, disputed=True, actor=by(builders.reviewer))
    withdraw(other)
    rows = unit.get("/changes/")["results"]
    previous = ledger.GENESIS.hex()
    for row in rows:
        assert row["previous_hash"] == previous
        assert link(row) == row["hash"]
        previous = row["hash"]
    assert previous == bytes(ledger.head().hash).hex()
    spoken = [row for row in rows if row["body"]]
    assert [(row["action"], row["listing"]["id"]) for row in spoken] == [
        ("annotate", str(entry.public_id))
    ]
    for row in spoken:
        said = bytes.fromhex(row["salt"]) + row["body"].encode()
        assert hashlib.sha256(said).hexdigest() == row["digest"]
    assert all(row["salt"] is None for row in rows if row["body"] is None)


def test_a_body_is_told_only_while_it_says_what_is_public_today(unit):
    def bodies():
        return [row["body"] for row in unit.get("/changes/")["results"]]

    entry = builders.published_black(category="J01", unit="zjfy")
    assert "示例人民法院" in bodies()[0]
    disclose("J01", court={"disclosure": "secret"})
    assert bodies() == [None]
    other = builders.published_black()
    assert other.document_number in bodies()[1]
    correct(other, document_number="吉通示更正〔2026〕7号")
    assert bodies() == [None, None, None]  # a correction names the old value
    withdraw(entry)
    last = builders.last_public_day(timezone.localdate())
    assert bodies()[4]
    with time_machine.travel(timezone.now() + DAY):
        assert bodies()[4] is None
    assert last.pk


def test_after_an_erasure_the_feed_goes_on_without_a_hole(unit):
    entry = builders.published_black()
    withdraw(entry)
    operator = Actor.of(builders.officer("platform", Role.OPERATOR.value))
    services.erase(entry, actor=operator, reason="依法删除：当事人已经死亡。")
    rows = unit.get("/changes/")["results"]
    assert [row["action"] for row in rows] == ["publish", "withdraw", "erase"]
    assert all(row["listing"].keys() == TOLD and row["body"] is None for row in rows)
    assert [link(row) for row in rows] == [row["hash"] for row in rows]


def test_pages_of_any_size_give_the_same_rows(unit):
    for _number in range(5):
        builders.published_black()
    whole = unit.get("/changes/")["results"]
    for limit in (1, 2, 5_000):
        copy = Copy(unit).follow(limit)
        assert copy.seq == len(whole) == 5
        assert list(copy.entries.values()) == [row["listing"] for row in whole]
    assert unit.get("/changes/", after="9" * 18) == {"results": [], "head": 5}


def test_a_page_costs_five_questions_and_the_same_again_four(unit, django_assert_num_queries):
    for _number in range(4):
        builders.published_black(responsible_persons=[builders.responsible()])
    with django_assert_num_queries(5):
        answer = unit.client.get("/api/v1/changes/")
    headers = {"If-None-Match": answer["ETag"]}
    with django_assert_num_queries(4):
        assert unit.client.get("/api/v1/changes/", headers=headers).status_code == 304
    builders.published_black()
    assert unit.client.get("/api/v1/changes/", headers=headers).status_code == 200


def test_what_may_be_kept_is_another_answer_after_midnight_and_after_a_new_rule(unit):
    builders.published_black()
    for path in ("/changes/", "/snapshot/", "/snapshot/digest/"):

        def again(tag, path=path):
            answer = unit.client.get(f"/api/v1{path}", headers={"If-None-Match": tag})
            if answer.streaming:
                lines(answer)
            return answer.status_code, answer["ETag"]

        _status, tag = again('"none"')
        assert again(tag) == (304, tag)
        with time_machine.travel(timezone.now() + DAY):
            assert again(tag)[0] == 200
        disclose("J01", court={"masked": not RuleVersion.objects.last_key() % 2})
        ListCategory.objects.get(code="J01").fields.filter(code="court").update(masked=True)
        record_version(
            ListCategory.objects.get(code="J01"),
            actor=Actor(label="示例"),
            reason=f"示例{path}",
            today=timezone.localdate(),
        )
        assert again(tag)[0] in {200, 304}


# ── the snapshot ──────────────────────────────────────────────────────────────────────────────


def test_a_snapshot_is_of_one_list_or_of_both_and_says_where_it_stands(unit):
    black, red = builders.published_black(), builders.red_published()
    withdraw(builders.published_black())
    today, every = timezone.localdate(), {"black": {str(black.public_id)}}
    every["red"] = {str(red.public_id)}
    every[None] = every["red"] | every["black"]
    for kind in KINDS:
        asked = {"list": kind} if kind else {}
        answer = snapshot(unit, **asked)
        assert answer["Content-Type"] == "application/x-ndjson"
        told = lines(answer)
        assert {row["id"] for row in told} == every[kind]
        digest = Copy(unit).begin(**asked).digest(today)
        expected = {
            "list": kind, "seq": 4, "day": str(today), "count": len(told), "digest": digest,
            "rules": RuleVersion.objects.last_key(),
        }  # fmt: skip
        assert unit.get("/snapshot/digest/", **asked) == expected
        head = unit.client.head("/api/v1/snapshot/", asked)
        assert head.content == b""
        for name, value in {
            "X-Ledger-Seq": 4, "X-Snapshot-Day": today, "X-Snapshot-Count": len(told),
            "X-Snapshot-Digest": digest, "X-Rules-Version": expected["rules"],
        }.items():  # fmt: skip
            assert answer[name] == head[name] == str(value)
        assert head["ETag"] == answer["ETag"]


def test_of_empty_lists_the_digest_is_that_of_nothing(unit):
    assert lines(snapshot(unit)) == []
    told = unit.get("/snapshot/digest/")
    assert (told["seq"], told["count"]) == (0, 0)
    assert told["digest"] == hashlib.sha256(b"").hexdigest()


def test_a_snapshot_is_compressed_for_who_takes_it(unit):
    builders.published_black()
    plain = snapshot(unit)
    for accepted in ("gzip", "br, gzip;q=0.5", "GZIP"):
        answer = snapshot(unit, headers={"Accept-Encoding": accepted})
        assert answer["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in answer["Vary"]
        assert lines(answer) == lines(snapshot(unit))
    for refused in ("identity", "gzip;q=0", "br"):
        answer = snapshot(unit, headers={"Accept-Encoding": refused})
        assert not answer.has_header("Content-Encoding")
        assert lines(answer)
    assert lines(plain)


def test_a_snapshot_costs_the_same_however_long(unit, django_assert_max_num_queries):
    for _number in range(5):
        builders.published_black()
        builders.red_published()
    with django_assert_max_num_queries(20):
        assert len(lines(snapshot(unit))) == 10
    unit.get("/snapshot/digest/")
    with django_assert_max_num_queries(6):
        assert unit.get("/snapshot/digest/")["count"] == 10


def test_a_snapshot_is_sent_whatever_kind_is_accepted(unit):
    builders.published_black()
    for accepted in ("application/x-ndjson", "text/plain", "*/*", "application/json"):
        assert len(lines(snapshot(unit, headers={"Accept": accepted}))) == 1


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/changes/", {"after": "-1"}), ("/changes/", {"after": "1" * 19}),
        ("/changes/", {"limit": "5001"}), ("/changes/", {"cursor": "x"}),
        ("/snapshot/", {"list": "blue"}), ("/snapshot/", {"list": ""}),
        ("/snapshot/", {"day": "2026-01-01"}), ("/snapshot/digest/", {"list": "RED"}),
        ("/snapshot/digest/", {"after": "1"}),
    ],
)  # fmt: skip
def test_an_odd_question_is_refused_by_name(unit, path, asked):
    assert unit.get(path, 400, **asked)["errors"].keys() == asked.keys()


# ── in step ───────────────────────────────────────────────────────────────────────────────────


def test_the_vector_of_the_documentation_is_right():
    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    entry, line = (part for part in re.findall(r"```json\n(\{\"(?:id|category)\".*)\n```", text))
    digests = re.findall(r"`([0-9a-f]{64})`", text)
    assert canonical(reduced(json.loads(entry))).decode() == line
    one = hashlib.sha256(line.encode())
    assert digests == [one.hexdigest(), hashlib.sha256(one.digest()).hexdigest()]


def in_step(day, *copies):
    """Whether copies that have read to the end have the server's digests."""
    told, machine = {}, copies[0].machine
    for kind in KINDS:
        state = machine.get("/snapshot/digest/", **({"list": kind} if kind else {}))
        assert {(state["seq"], state["day"])} == {(copy.seq, str(day)) for copy in copies}
        told[kind] = (state["count"], state["digest"])
    return all(
        told[kind] == (len(copy.effective(day, kind)), copy.digest(day, kind))
        for copy in copies
        for kind in KINDS
    )


FIRST = date(2026, 3, 2)
ACTS = st.one_of(
    st.tuples(st.just("correct"), st.integers(0, 30)),
    st.tuples(st.just("reword"), st.sampled_from(["示例：更正一。", "示例：“更正”\n二。"])),
    st.tuples(st.just("withdraw"), st.sampled_from(["error", "document_quashed"])),
    st.tuples(st.just("repair"), st.none()),
    st.tuples(st.just("annotate"), st.booleans()),
    st.tuples(st.just("expire"), st.none()),
    st.tuples(st.just("release"), st.none()),
    st.tuples(st.just("rename"), st.integers(1, 9)),
    st.tuples(st.just("publish"), st.booleans()),
)
HISTORIES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4), ACTS), min_size=1, max_size=8)


def act(entries, index, kind, value, today):
    """One act of a history; what the services refuse is not done."""
    entry = Listing.objects.get(pk=entries[index].pk)
    actor = by(builders.reviewer, entry.department.code)
    plain = {"actor": actor, "note": "示例"}
    operators = [
        Actor.of(builders.officer("platform", Role.OPERATOR.value, username=f"operator-{n}"))
        for n in "ab"
    ]

    def release():
        person = entry.responsible_persons.first()
        return person and services.release_person(person, reason="error", today=today, **plain)

    def rename():
        name = f"通化示例更名{value}号有限公司" if entry.subject.code else "张" + "新" * value
        change = services.propose_rename(
            entry.subject, name, changed_on=today, actor=operators[0], note="示例", today=today
        )
        named = {} if entry.subject.code else {"name": name}
        services.approve_subject_change(change, actor=operators[1], today=today, **named)

    def publish():
        made = builders.red_published if value else builders.published_black
        entries.append(made(today=today, visible_until=today + 3 * DAY))

    acts = {
        "correct": lambda: services.correct(
            entry, {"visible_until": FIRST + value * DAY}, today=today, **plain
        ),
        "reword": lambda: services.correct(entry, {"ground": value}, **plain),
        "withdraw": lambda: services.withdraw(entry, reason=value, today=today, **plain),
        "repair": lambda: services.repair(entry, today=today, **plain),
        "annotate": lambda: services.annotate(entry, disputed=value, actor=actor),
        "expire": lambda: services.expire_lapsed(today=today),
        "release": release,
        "rename": rename,
        "publish": publish,
    }
    with contextlib.suppress(IllegalMove, ValidationError):
        acts[kind]()


@settings(
    deadline=None,
    max_examples=6,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(terms=st.tuples(*[st.integers(0, 25)] * 5), history=HISTORIES)
def test_whoever_follows_and_whoever_begins_anew_are_in_step_whatever_happens(
    rules, terms, history
):
    machine, today = Machine(builders.liaison(), "read"), FIRST
    until = [FIRST + DAY * term for term in terms]
    with time_machine.travel(f"{today}T10:00:00+08:00", tick=False):
        entries = [
            builders.published_black(visible_until=until[0]),
            builders.red_published(visible_until=until[1]),
            builders.published_black(builders.person(), visible_until=until[2]),
            builders.published_black(category="J01", unit="zjfy", visible_until=until[3]),
            builders.published_black(
                visible_until=until[4],
                responsible_persons=[builders.responsible(until=FIRST + 3 * DAY)],
            ),
        ]
        early = Copy(machine).follow()
        begun = Copy(machine).begin()
    for later, index, (kind, value) in history:
        today += DAY * later
        with time_machine.travel(f"{today}T10:00:00+08:00", tick=False):
            act(entries, index, kind, value, today)
            fresh = Copy(machine).begin()
            assert in_step(today, early.follow(), begun.follow(limit=3), fresh)
            public = as_public(Listing.objects.public(today), today)
            assert fresh.effective(today) == public
            assert early.effective(today).keys() == begun.effective(today).keys() == public.keys()
    for ahead in (1, 4, 30):
        day = today + DAY * ahead
        with time_machine.travel(f"{day}T00:00:00+08:00", tick=False):
            assert in_step(day, early, Copy(machine).begin(), Copy(machine).follow(limit=2))
    assert ledger.verify_entries() is None


def test_a_copy_that_missed_a_change_or_kept_what_it_should_not_is_not_in_step(unit):
    entry, other = builders.published_black(), builders.published_black()
    copy, today = Copy(unit).follow(), timezone.localdate()
    assert in_step(today, copy)
    kept = dict(copy.entries)
    correct(entry, ground="示例：更正后的事实。")
    copy.follow()
    assert in_step(today, copy)
    copy.entries = kept
    assert not in_step(today, copy)
    copy.begin()
    copy.entries[str(other.public_id)]["disputed"] = True
    assert not in_step(today, copy)
    del copy.entries[str(other.public_id)]
    assert not in_step(today, copy)


def test_of_what_has_ended_no_digest_stays_and_a_wrong_one_is_found():
    entry, other = builders.published_black(), builders.published_black()
    withdraw(entry)
    assert [row.public_id for row in EntryDigest.objects.all()] == [other.public_id]
    call_command("verify_ledger", "--entries")
    EntryDigest.objects.update(visible_until=other.visible_until - DAY)
    with pytest.raises(Exception, match="copies are compared with"):
        call_command("verify_ledger", "--entries")


def test_entries_published_and_expired_by_the_hundred_are_in_step(unit):
    today = timezone.localdate()
    for _number in range(3):
        builders.last_public_day(today - DAY)
        builders.published_black()
    services.expire_lapsed(today=today)
    assert EntryDigest.objects.count() == 3
    assert in_step(today, Copy(unit).follow())


# ── what must stay inside ─────────────────────────────────────────────────────────────────────

MARK, NUMBER = "哨兵", builders.resident_id(821, "19610203")


def test_neither_feed_nor_snapshot_holds_a_persons_name_number_or_an_ended_entry(unit):
    person = builders.person(f"赵{MARK}", NUMBER)
    builders.published_black(person, unit="zjfy", category="J01", responsible_persons=[])
    named = builders.responsible(f"钱{MARK}", until=timezone.localdate())
    builders.published_black(responsible_persons=[named], reference=f"{MARK}编号")
    ended = builders.published_black(
        builders.firm(f"通化{MARK}商贸有限公司"), ground=f"{MARK}的事实"
    )
    withdraw(ended)
    lapsed = builders.last_public_day(
        timezone.localdate() - DAY, subject=builders.firm(f"通化{MARK}食品有限公司")
    )
    texts = [
        unit.client.get("/api/v1/changes/").content.decode(),
        json.dumps(lines(snapshot(unit)), ensure_ascii=False),
        json.dumps(lines(snapshot(unit, list="black")), ensure_ascii=False),
    ]
    for text in texts:
        assert MARK not in text
        assert not any(part in text for part in (NUMBER[:14], NUMBER[6:], named["id_number"][6:]))
        assert "赵*" in text
    assert str(lapsed.public_id) not in texts[1]
    assert str(ended.public_id) not in texts[1]

"""Lists exchanged between two cities: equal on both sides, once, from their own city alone."""

import json

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from jointaction import services as jointaction
from listings import ledger
from listings import services as listings
from listings.models import Change, ExchangeFile, Listing, PartnerCity
from listings.services import exchange
from listings.services.exchange.reading import Positions, open_file
from parties import sealing
from parties.models import CLOCK, Actor, Department, Subject
from redlist import services as redlist
from rulebook.models import LegalBasis
from tests import builders
from tests.listings.exchanges import (
    CITY,
    COMMAND,
    URL,
    another_city,
    partner,
    rewritten,
    take,
    theirs,
    told,
)

pytestmark = pytest.mark.django_db
DAY = builders.DAY


def today():
    return timezone.localdate()


@pytest.fixture
def files(rules, tmp_path):
    """Three files of another city and what it told after each; its entries are not here."""
    found = {"told": []}

    def write(name, after):
        path = tmp_path / f"{name}.ndjson"
        summary = exchange.export_changes(path, after=after, today=today())
        found[name] = path
        found["told"].append(told(Listing.objects.exclude(status="draft")))
        return summary["to"]

    with another_city():
        subject = builders.firm("白山示例建筑有限公司")
        black, other = builders.published_black(subject), builders.published_black()
        red = builders.red_published()
        person = builders.published_black(builders.person("王示例"))
        found |= {"code": subject.code, "black": black.public_id, "red": red.public_id}
        found |= {"person": person.public_id, "other": other.public_id}
        position = write("first", 0)
        _correct(black)
        builders.objection(other)
        builders.black_draft()
        position = write("second", position)
        actor = Actor.of(builders.clerk())
        listings.withdraw(black, reason="error", actor=actor, note="列错", today=today())
        listings.repair(other, actor=actor, note="已改正", today=today())
        new = builders.published_black(subject)
        found["new"] = new.public_id
        write("third", position)
        exchange.export_snapshot(tmp_path / "all.ndjson", today=today())
        found["all"] = tmp_path / "all.ndjson"
    assert not Listing.objects.exists()
    return found


def _correct(entry):
    fields = {"ground": "更正后的事实：拖欠 36 名工人工资。", "document_number": "更正〔2026〕1号"}
    until = entry.visible_until - DAY
    listings.correct(
        entry, {**fields, "visible_until": until}, actor=CLOCK, note="更正", today=today()
    )


def counts(file):
    assert file.state == ExchangeFile.State.TAKEN, file.reason
    return file.created, file.changed, file.ended, file.unchanged


# ── the same on both sides ────────────────────────────────────────────────────────────────────


def test_the_lists_of_both_cities_are_equal_after_each_file(files):
    partner()
    assert counts(take(files["first"])) == (4, 0, 0, 0)
    assert told(theirs()) == files["told"][0]
    assert counts(take(files["second"])) == (0, 2, 0, 0)
    assert told(theirs()) == files["told"][1]
    assert counts(take(files["third"])) == (1, 0, 2, 0)
    assert told(theirs()) == files["told"][2]
    assert ledger.verify() is None
    assert ledger.verify_entries() is None


def test_a_whole_list_brings_what_all_changes_bring(files):
    partner()
    taken = take(files["all"])
    assert counts(taken) == (3, 0, 0, 2)  # what had ended before was never here
    assert told(theirs()) == {
        key: value for key, value in files["told"][2].items() if "subject" in value
    }
    assert counts(take(files["all"])) == (0, 0, 0, 5)
    assert counts(take(files["third"])) == (0, 0, 0, 0)
    assert ledger.verify_entries() is None


def test_the_same_file_again_is_one_record(files):
    partner()
    take(files["first"])
    before = Listing.objects.count(), Change.objects.count(), Subject.objects.count()
    for _again in range(2):
        assert counts(take(files["first"])) == (0, 0, 0, 0)
    assert (Listing.objects.count(), Change.objects.count(), Subject.objects.count()) == before


def test_a_file_that_overlaps_adds_only_what_is_new(files):
    partner()
    take(files["first"])
    take(files["second"])
    assert counts(take(files["second"])) == (0, 0, 0, 0)
    assert counts(take(files["third"])) == (1, 0, 2, 0)


def test_one_file_with_all_changes_brings_each_entry_as_it_is_now(files):
    partner()
    both = files["all"].with_name("both.ndjson")
    lines = [path.read_bytes().splitlines(keepends=True) for path in _three(files)]
    header = json.loads(lines[0][0])
    last = json.loads(lines[2][0])
    header |= {"to": last["to"], "hash": last["hash"]}
    body = [json.loads(line) for part in lines for line in part[1:-1]]
    path = rewritten(files["first"], lambda _old: [header, *body], name=both.name)
    take(path)
    assert told(theirs()) == {
        key: value for key, value in files["told"][2].items() if "subject" in value
    } | {key: value for key, value in told(theirs()).items() if "subject" not in value}
    assert PartnerCity.objects.get().position == last["to"]


def _three(files):
    return files["first"], files["second"], files["third"]


def test_what_came_from_elsewhere_goes_nowhere_else(files, tmp_path):
    partner()
    take(files["first"])
    own = builders.published_black()
    path = tmp_path / "ours.ndjson"
    summary = exchange.export_changes(path, after=0, today=today())
    assert summary["lines"] == Change.objects.count()  # every position, though some are bare
    lines = [json.loads(line) for line in path.read_bytes().splitlines()[1:-1]]
    assert [line["listing"]["id"] for line in lines if "listing" in line] == [str(own.public_id)]
    exchange.export_snapshot(path, today=today())
    lines = [json.loads(line) for line in path.read_bytes().splitlines()[1:-1]]
    assert [line["listing"]["id"] for line in lines] == [str(own.public_id)]


def test_our_own_file_joins_on_at_another_city(files, tmp_path):
    """The bare positions keep the chain whole for whoever takes our file."""
    partner()
    take(files["first"])
    own = builders.published_black()
    path = tmp_path / "ours.ndjson"
    exchange.export_changes(path, after=0, today=today())
    key = sealing.public_key(next(iter(sealing.keys()))).hex()
    expected = told(Listing.objects.filter(pk=own.pk))
    with another_city("220700", "https://credit.songyuan.example.cn"):
        exchange.register_city(
            actor=Actor.of(builders.operator()),
            note="公函示例2号",
            code="220500",
            name="通化市",
            name_en="Tonghua",
            url="https://credit.tonghua.example.cn",
            public_key=key,
        )
        with path.open("rb") as file:
            opened = open_file(file)
            positions = Positions(opened)
            new = [row for line, row in opened.rows() if positions.step(line, row)]
        positions.end()
    assert [row["listing"]["id"] for row in new if "listing" in row] == list(expected)


def test_what_is_exported_is_what_the_api_tells_everybody(rules, tmp_path):
    entries = [
        builders.published_black(responsible_persons=[builders.responsible()]),
        builders.published_black(builders.person("王示例")),
        builders.red_published(),
        builders.published_black(category="M02", unit="swj"),
    ]
    listings.withdraw(entries[0], reason="error", actor=CLOCK, note="列错", today=today())
    builders.objection(entries[1])
    path = tmp_path / "all.ndjson"
    exchange.export_snapshot(path, today=today())
    lines = [json.loads(line) for line in path.read_bytes().splitlines()[1:-1]]
    exported = {line["listing"]["id"]: line["listing"] for line in lines}
    stranger = builders.Machine(builders.clerk("hbj"))
    rows = stranger.get("/listings/")["results"]
    assert {row["id"]: row for row in rows} == exported
    feed = stranger.get("/changes/", limit=100)["results"]
    exchange.export_changes(path, after=0, today=today())
    lines = [json.loads(line) for line in path.read_bytes().splitlines()[1:-1]]
    assert lines == [
        {name: row[name] for name in line} for row, line in zip(feed, lines, strict=True)
    ]


def test_nothing_of_an_ended_entry_but_five_words_is_in_a_file(rules, tmp_path):
    entry = builders.published_black(builders.firm("通化哨兵商贸有限公司"), ground="哨兵的事实")
    listings.withdraw(entry, reason="error", actor=CLOCK, note="哨兵说明", today=today())
    for name, write in (
        ("changes", lambda path: exchange.export_changes(path, after=0, today=today())),
        ("all", lambda path: exchange.export_snapshot(path, today=today())),
    ):
        write(tmp_path / name)
        text = (tmp_path / name).read_text()
        assert "哨兵" not in text
        assert entry.subject.code not in text
        assert str(entry.public_id) in text


# ── whom it is about ──────────────────────────────────────────────────────────────────────────


def test_units_and_laws_of_the_other_city_stand_apart_from_ours(files):
    partner()
    take(files["first"])
    entry = theirs().get(public_id=files["black"])
    assert entry.department.code == f"{CITY}-rsj"
    assert entry.department != builders.department("rsj")
    assert not entry.department.active  # nobody works in it here
    assert str(entry.basis) in set(LegalBasis.objects.values_list("name", flat=True))


def test_a_law_that_our_rules_lack_is_told_but_cited_by_nobody_here(files):
    partner()
    path = rewritten(files["first"], _citing("白山市示例条例"))
    assert take(path).state == "taken"
    entry = theirs().get(public_id=files["black"])
    assert str(entry.basis) == "白山市示例条例"
    assert not LegalBasis.objects.in_force(today()).filter(pk=entry.basis_id).exists()


def _citing(title):
    def change(lines):
        for line in lines[1:]:
            if "subject" in line["listing"]:
                line["listing"]["basis"] = title
        return lines

    return change


def test_a_firm_that_both_cities_list_is_one_subject_found_by_its_code(files):
    ours = builders.published_black(builders.firm("白山示例建筑有限公司", files["code"]))
    partner()
    taken = take(files["first"])
    assert taken.remarks == []
    assert set(Listing.objects.of_code(files["code"]).values_list("origin", flat=True)) == {
        ours.origin,
        CITY,
    }


def test_a_firm_known_here_under_another_name_keeps_it_and_somebody_is_told(files):
    builders.firm("通化另名商贸有限公司", files["code"])
    partner()
    (remark,) = take(files["first"]).remarks
    entry = theirs().get(public_id=files["black"])
    assert entry.subject.name == "通化另名商贸有限公司"
    assert "另一个名称" in remark["message"]
    assert set(entry.bigrams) >= {"另名", "商贸"}
    assert counts(take(files["all"]))[1] >= 0
    assert ledger.verify_entries() is None


def test_a_person_is_told_masked_and_no_check_ever_finds_them(files):
    partner()
    taken = take(files["first"])
    entry = theirs().get(public_id=files["person"])
    assert taken.persons == 1
    assert entry.subject.name == "王*"
    assert entry.subject.paper_index is None
    assert not entry.bigrams
    number = builders.resident_id(77)
    _check, results = jointaction.check(
        [{"name": "王*", "id_type": "resident_id", "id_number": number}],
        actor=Actor.of(builders.liaison("czj")),
        purpose="审查",
        reference="1",
        today=today(),
    )
    assert results[0].matches == []
    ours = builders.person("王示例", number)
    with pytest.raises(ValidationError) as refused:
        listings.propose_merge(
            entry.subject, ours, actor=Actor.of(builders.operator()), note="同一人"
        )
    assert refused.value.error_dict["into"][0].code == "no_paper"


# ── what it means here ────────────────────────────────────────────────────────────────────────


def _checked(code, unit="czj"):
    _check, (result,) = jointaction.check(
        [{"code": code}],
        actor=Actor.of(builders.liaison(unit)),
        purpose="投标资格审查",
        reference="示例1",
        today=today(),
    )
    return result


def test_a_check_by_code_finds_it_for_information(files):
    partner()
    take(files["first"])
    (match,) = _checked(files["code"]).matches
    assert (match.listing.origin, match.measures) == (CITY, [])
    assert jointaction.distribute(today=today()) == 0


def test_under_an_agreement_our_own_memoranda_ask_our_units(files):
    partner(agreement="吉东南信用合作协议〔2026〕1号")
    take(files["first"])
    (match,) = _checked(files["code"]).matches
    assert {row["unit"] for row in match.measures} == {"czj"}
    assert jointaction.distribute(today=today()) > 0
    person = theirs().get(public_id=files["person"])
    assert not person.pushes.exists()
    take(files["second"])
    take(files["third"])
    jointaction.distribute(today=today())
    ended = theirs().get(public_id=files["black"])
    assert set(ended.pushes.open().values_list("kind", flat=True)) == {"lift"}


def test_a_unit_that_met_it_in_a_check_is_told_when_it_ends(files):
    partner()
    take(files["first"])
    _checked(files["code"])
    take(files["second"])
    take(files["third"])
    jointaction.distribute(today=today())
    (push,) = theirs().get(public_id=files["black"]).pushes.open()
    assert (push.kind, push.unit.code) == ("lift", "czj")


def test_a_black_entry_elsewhere_suspends_benefits_and_a_red_one_gives_none(files):
    partner()
    take(files["first"])
    red = theirs().get(public_id=files["red"])
    black = theirs().get(public_id=files["black"])
    assert redlist.eligibility(black.subject, as_of=today()).reasons == ("black_listed",)
    assert redlist.eligibility(red.subject, as_of=today()).reasons == ("clean",)


def test_no_review_is_opened_of_a_red_entry_that_is_not_ours(files):
    partner()
    take(files["first"])
    red = theirs().get(public_id=files["red"])
    builders.published_black(red.subject)
    assert redlist.review_black_listed(today=today()) == 0


def test_it_ends_by_its_own_last_day_with_every_clock_off(files):
    partner()
    take(files["first"])
    entry = theirs().get(public_id=files["black"])
    after = entry.visible_until + DAY
    assert not theirs().public(after).filter(pk=entry.pk).exists()
    listings.expire_lapsed(today=after)
    entry.refresh_from_db()
    assert entry.status == "expired"
    assert counts(take(files["second"])) == (0, 0, 0, 2)  # what has ended stays ended
    assert ledger.verify_entries() is None


def test_the_feed_tells_our_units_whose_entry_it_is(files):
    partner()
    take(files["first"])
    rows = builders.Machine(builders.clerk("czj")).get("/changes/")["results"]
    assert [row["action"] for row in rows] == ["publish"] * 4
    assert {row["listing"]["origin"] for row in rows} == {CITY}


ACTS = {
    "annotate": lambda entry, actor: listings.annotate(entry, disputed=True, actor=actor),
    "correct": lambda entry, actor: listings.correct(
        entry, {"ground": "改写的事实和理由"}, actor=actor, note="示例", today=today()
    ),
    "withdraw": lambda entry, actor: listings.withdraw(
        entry, reason="error", actor=actor, note="示例", today=today()
    ),
    "repair": lambda entry, actor: listings.repair(entry, actor=actor, note="示例", today=today()),
    "edit": lambda entry, actor: listings.edit(entry, actor=actor, today=today(), ground="改"),
    "propose a correction": lambda entry, actor: listings.propose_correction(
        entry, {"ground": "改写的事实和理由"}, actor=actor, note="示例", today=today()
    ),
    "propose a withdrawal": lambda entry, actor: listings.propose_withdrawal(
        entry, reason="error", actor=actor, note="示例", today=today()
    ),
    "object": lambda entry, _actor: builders.objection(entry),
    "object at the counter": lambda entry, actor: builders.objection(entry, by=actor.user),
    "ask for repair": lambda entry, _actor: builders.repair(entry),
}


@pytest.mark.parametrize("act", ACTS)
def test_nobody_here_changes_it_and_the_refusal_says_where_to_turn(files, act):
    partner()
    take(files["first"])
    entry = theirs().get(public_id=files["black"])
    lines = entry.journal.count()
    insider = builders.officer(entry.department, "clerk", "reviewer")
    for user in (builders.clerk(), insider):
        with pytest.raises(ValidationError) as refused:
            ACTS[act](entry, Actor.of(user))
        (error,) = refused.value.error_dict["listing"]
        assert error.code == "other_city"
        assert f"{URL}/black/{entry.public_id}/" in error.messages[0]
        assert "白山市" in error.messages[0]
    assert entry.journal.count() == lines


# ── which cities ──────────────────────────────────────────────────────────────────────────────


def test_only_the_platform_operator_says_whom_to_trust_and_takes_files(files):
    for user in (builders.clerk(), builders.reviewer(), builders.supervisor()):
        actor = Actor.of(user)
        with pytest.raises(PermissionDenied):
            exchange.register_city(actor=actor, note="示例", code=CITY)
        with pytest.raises(PermissionDenied):
            take(files["first"], actor=actor)
    city = partner()
    for act in (exchange.pause_city, exchange.resume_city):
        with pytest.raises(PermissionDenied):
            act(city, actor=Actor.of(builders.clerk()), note="示例")
    line = city.journal.get(action="register")
    assert line.by_user == builders.operator()
    assert line.changes["public_key"] == ["", city.public_key]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", "22060"),
        ("code", "２２０６００"),
        ("code", "220500"),
        ("url", "javascript:alert(1)"),
        ("url", "credit.example.cn"),
        ("public_key", "0" * 63),
        ("public_key", "g" * 64),
        ("name", ""),
        ("name_en", "x" * 81),
        ("name", "白\0山"),
    ],
)
def test_a_city_is_registered_only_with_what_can_be_used(rules, field, value):
    given = {"code": CITY, field: value}
    with pytest.raises(ValidationError) as refused:
        partner(**given)
    assert field in refused.value.error_dict


def test_a_city_is_registered_once_and_every_change_of_its_key_is_journalled(rules):
    city = partner()
    with pytest.raises(ValidationError, match="已经登记"):
        partner()
    actor = Actor.of(builders.operator())
    exchange.change_city(city, {"public_key": "AB" * 32}, actor=actor, note="换钥")
    line = city.journal.get(action="change")
    assert line.changes == {"public_key": [city.public_key, "ab" * 32]}
    with pytest.raises(ValidationError, match="没有改动"):
        exchange.change_city(city, {"public_key": "ab" * 32}, actor=actor, note="换钥")


def test_a_paused_city_is_not_taken_from_until_it_is_used_again(files):
    city, actor = partner(), Actor.of(builders.operator())
    exchange.pause_city(city, actor=actor, note="核查")
    assert "停用" in take(files["first"]).reason
    exchange.resume_city(city, actor=actor, note="查清")
    assert take(files["first"]).state == ExchangeFile.State.TAKEN
    assert city.journal.filter(action="refuse_file").count() == 1
    assert city.journal.get(action="take").by_label == COMMAND.label


def test_units_of_other_cities_are_made_once_and_follow_their_names(files):
    partner()
    take(files["first"])
    units = Department.objects.filter(region=CITY).count()
    take(files["second"])
    assert Department.objects.filter(region=CITY).count() == units

"""Search by the numbers and names of subjects, at every door that has a box to type in."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from jointaction import services as jointaction
from listings import services as listings
from listings.filters import SearchForm
from parties import services as parties
from parties.models import Actor, Role, Subject, User
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]

DAY = timedelta(days=1)


def today():
    return timezone.localdate()


def found(text):
    form = SearchForm({"q": text})
    assert form.is_valid(), form.errors
    return form.found(today())


def renamed(subject, name, days=14):
    change = listings.propose_rename(
        Subject.objects.get(pk=subject.pk),
        name,
        changed_on=today() - days * DAY,
        actor=Actor.of(builders.officer("platform", Role.OPERATOR.value, username="operator-1")),
        note="已登记变更",
        today=today(),
    )
    other = builders.officer("platform", Role.OPERATOR.value, username="operator-2")
    again = {"name": name} if subject.is_person else {}
    listings.approve_subject_change(change, actor=Actor.of(other), today=today(), **again)
    return Subject.objects.get(pk=subject.pk)


# ── former names ──────────────────────────────────────────────────────────────────────────────


def test_a_former_name_is_offered_with_the_reason_and_never_counted(page):
    firm = builders.firm("通化昔日示例商贸有限公司")
    builders.published_black(firm)
    renamed(firm, "通化今朝示例商贸有限公司")
    answer = found("昔日示例")
    assert answer.total == 0
    (candidate,) = answer.candidates
    assert (candidate.name, candidate.code) == ("通化今朝示例商贸有限公司", firm.code)
    assert "曾用名" in candidate.reason
    text = page(f"{reverse('search')}?q=昔日示例").content.decode()
    assert "名称相近，请核对" in text
    assert "曾用名“通化昔日示例商贸有限公司”" in text
    assert "没有找到名称含“昔日示例”的有效记录" in text


def test_a_former_name_is_offered_only_while_there_is_an_entry_and_once_for_each_firm():
    gone = builders.last_public_day(today() - DAY, subject=builders.firm("通化昔日甲示例公司"))
    renamed(gone.subject, "通化今朝甲示例公司")
    draft = builders.black_draft(builders.firm("通化昔日乙示例公司"))
    renamed(draft.subject, "通化今朝乙示例公司")
    assert found("昔日").candidates == []
    firm = builders.firm("通化昔日丙示例公司")
    builders.published_black(firm), builders.published_black(firm)
    renamed(firm, "通化昔日丁示例公司", days=20)
    renamed(firm, "通化今朝丙示例公司", days=10)
    (candidate,) = found("昔日").candidates
    assert "昔日丁" in candidate.reason


def test_a_firm_still_called_so_is_a_hit_and_no_candidate():
    firm = builders.firm("通化长存示例有限公司")
    builders.published_black(firm)
    renamed(firm, "通化长存示例集团有限公司")
    answer = found("长存示例")
    assert (answer.total, answer.candidates) == (1, [])


def test_a_persons_former_name_is_found_at_no_door(page):
    person = builders.person("欧阳示例")
    builders.published_black(person)
    renamed(person, "欧阳示范")
    for text in ("欧阳示例", "欧阳示范", "欧阳"):
        answer = found(text)
        assert (answer.total, answer.candidates) == (0, [])
        assert "欧*" not in page(f"{reverse('search')}?q={text}").content.decode()


def test_a_code_that_is_right_and_unknown_has_no_candidates():
    builders.published_black()
    answer = found(builders.code_of(987_654))
    assert (answer.total, answer.candidates) == (0, [])


def test_the_machines_search_stays_exact():
    firm = builders.firm("通化昔日示例商贸有限公司")
    builders.published_black(firm)
    renamed(firm, "通化今朝示例商贸有限公司")
    machine = builders.Machine(builders.clerk("hbj"))
    assert machine.get("/listings/", q="昔日示例")["results"] == []
    assert len(machine.get("/listings/", q="今朝示例")["results"]) == 1


# ── near names ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("asked", "called", "reason"),
    [
        ("吉林省通化葡萄酒股份有限公司", "通化葡萄酒股份有限公司", "行政区划"),
        ("通化示佳商贸有限责任公司", "通化示佳商贸有限公司", "组织形式"),
        ("通化示佳商贸公司", "通化示佳商贸物流有限公司", "行业"),
        ("示佳（通化）商贸有限公司", "通化示佳商贸有限公司", "次序"),
    ],
)
def test_a_near_name_is_offered_with_the_reason_in_words_and_never_counted(
    page, asked, called, reason
):
    entry = builders.published_black(builders.firm(called))
    answer = found(asked)
    assert (answer.total, answer.black, answer.red) == (0, [], [])
    (candidate,) = answer.candidates
    assert (candidate.name, candidate.code) == (called, entry.subject.code)
    assert reason in candidate.reason
    text = page(f"{reverse('search')}?q={asked}").content.decode()
    assert "没有找到" in text
    assert reverse("subject", args=[entry.subject.code]) in text


@pytest.mark.parametrize(
    "asked",
    [
        "通化示嘉商贸有限公司",
        "长春示佳商贸有限公司",
        "通化示佳建筑有限公司",
        "示佳商",
        "有限公司公司",
    ],
)
def test_homophones_other_places_other_trades_and_scraps_are_not_offered(asked):
    builders.published_black(builders.firm("通化示佳商贸有限责任公司"))
    assert found(asked).candidates == []


def test_what_holds_the_text_is_a_hit_and_no_candidate_and_many_hits_need_none():
    for index in range(5):
        builders.published_black(builders.firm(f"通化示佳商贸{index}号有限公司"))
    near = builders.published_black(builders.firm("通化示佳商贸有限责任公司"))
    answer = found("示佳商贸0号有限公司")
    assert answer.total == 1
    assert "示佳商贸0号有限公司" not in {row.name[2:] for row in answer.candidates}
    assert found("示佳商贸").candidates == []
    assert near.subject.code in {row.code for row in found("吉林省通化示佳商贸有限公司").candidates}


def test_a_near_name_of_an_ended_entry_or_of_a_draft_is_not_offered():
    firm = builders.firm("通化示佳商贸有限公司")
    builders.last_public_day(today() - DAY, subject=firm)
    builders.black_draft(firm)
    assert found("吉林省通化示佳商贸有限公司").candidates == []


def test_two_firms_of_one_near_name_are_two_candidates_and_ten_are_the_most():
    for _firm in range(12):
        builders.published_black(builders.firm("通化示佳商贸有限公司"))
    codes = [row.code for row in found("吉林省通化示佳商贸有限公司").candidates]
    assert len(codes) == len(set(codes)) == 10


def test_near_names_cost_two_queries_more_however_many(client):
    def costs():
        with CaptureQueriesContext(connection) as asked:
            client.get(reverse("search"), {"q": "吉林省通化示佳商贸有限公司"})
        return len(asked)

    builders.published_black(builders.firm("通化示佳商贸有限公司"))
    costs()
    before = costs()
    for _firm in range(4):
        builders.published_black(builders.firm("通化示佳商贸有限公司"))
    assert costs() == before
    with CaptureQueriesContext(connection) as plain:
        client.get(reverse("search"), {"q": builders.code_of(1)})
    assert before <= len(plain) + 3  # former names, keys of near ones, their names


@pytest.mark.parametrize("limit", [0, 1_000])
def test_a_list_narrowed_by_name_shows_the_same_whether_few_or_many_are_called_so(
    page, monkeypatch, limit
):
    monkeypatch.setattr("listings.filters.SEARCH_LIMIT", limit)
    names = ("通化甲乙示例有限公司", "通化甲示例乙有限公司")
    called, other = (builders.published_black(builders.firm(name)) for name in names)
    draft = builders.black_draft(builders.firm("通化甲乙丙示例有限公司"))
    text = page(f"{reverse('black-list')}?q=甲乙示例").content.decode()
    assert [str(row.public_id) in text for row in (called, other, draft)] == [True, False, False]


# ── one name, two firms; one person, no name ──────────────────────────────────────────────────


@pytest.fixture
def twins():
    name = "通化示例同名商贸有限公司"
    one, other = builders.firm(name), builders.firm(name)
    return builders.published_black(one), builders.published_black(other)


def test_two_firms_of_one_name_are_two_rows_and_the_code_gives_one(twins, page):
    one, other = twins
    both = page(f"{reverse('search')}?q=示例同名").content.decode()
    listed = page(f"{reverse('black-list')}?q=示例同名").content.decode()
    for text in (both, listed):
        assert one.subject.code in text
        assert other.subject.code in text
    for path in (reverse("search"), reverse("black-list"), reverse("objection-new")):
        key = "code" if "objections" in path else "q"
        text = page(f"{path}?{key}={one.subject.code}").content.decode()
        assert str(other.public_id) not in text, path
    text = page(reverse("subject", args=[one.subject.code])).content.decode()
    assert str(one.public_id) in text
    assert str(other.public_id) not in text


def test_two_firms_of_one_name_stay_apart_for_machines_and_checks(twins):
    one, other = twins
    machine = builders.Machine(builders.clerk("hbj"))
    (row,) = machine.get("/listings/", code=one.subject.code)["results"]
    assert row["id"] == str(one.public_id)
    assert len(machine.get("/listings/", q="示例同名")["results"]) == 2
    asked = [{"code": other.subject.code, "name": one.subject.name}, {"name": one.subject.name}]
    _check, (coded, named) = jointaction.check(
        asked,
        actor=Actor.of(builders.liaison()),
        purpose="审查",
        reference="1",
        today=today(),
    )
    assert [match.listing for match in coded.matches] == [other]
    assert (named.outcome, named.reason) == ("invalid", "name_is_not_identity")


def test_a_person_is_found_by_name_at_no_door(client, page):
    entry = builders.published_black(builders.person("欧阳示例"))
    for path in (
        f"{reverse('search')}?q=欧阳示例",
        f"{reverse('black-list')}?q=欧阳示例",
        f"{reverse('black-list')}?q=欧阳示例&format=csv",
        f"{reverse('objection-new')}?code=欧阳示例",
        f"{reverse('repair-new')}?code=欧阳示例",
    ):
        text = b"".join(page(path)).decode()
        assert str(entry.public_id) not in text, path
    machine = builders.Machine(builders.clerk("hbj"))
    assert machine.get("/listings/", q="欧阳示例")["results"] == []
    browser = builders.signed_in(Client(), builders.clerk())
    for path in ("desk-home", "desk-listings", "desk-objections", "desk-repairs", "desk-pushes"):
        text = browser.get(f"{reverse(path)}?status=all&q=欧阳示例").content.decode()
        assert str(entry.public_id) not in text, path


# ── the back office ───────────────────────────────────────────────────────────────────────────


def test_the_back_office_finds_organisations_by_whole_code_or_name_and_no_person():
    firm, person = builders.firm("通化昔日示例商贸有限公司"), builders.person("欧阳示例")
    builders.published_black(firm)
    renamed(firm, "通化今朝示例商贸有限公司")
    office, request = admin.site._registry[Subject], RequestFactory().get("/")

    def hits(text):
        return set(office.get_search_results(request, Subject.objects.all(), text)[0])

    assert hits(firm.code) == hits("今朝示例") == hits("昔日示例") == {firm}
    assert hits(firm.code[:10]) == set()
    assert hits("欧阳示例") == hits("欧") == set()
    assert hits("  ") >= {firm, person}


def test_the_back_office_shows_former_names_and_mergers_and_changes_nothing():
    root = User.objects.create_superuser("root", password=None, full_name="示例管理员")
    browser = builders.signed_in(Client(), root)
    firm, person = builders.firm("通化昔日示例商贸有限公司"), builders.person("欧阳示例")
    for subject, name in ((firm, "通化今朝示例商贸有限公司"), (person, "欧阳示范")):
        builders.published_black(subject)
        renamed(subject, name)
    address = reverse("admin:parties_subject_change", args=[firm.pk])
    assert "通化昔日示例商贸有限公司" in browser.get(address).content.decode()
    shown = browser.get(reverse("admin:parties_subject_change", args=[person.pk])).content.decode()
    assert "示例" not in shown.replace("示例管理员", "")
    assert "示范" not in shown
    assert browser.post(address, {"name": "改"}).status_code == 403


# ── the filter by place ───────────────────────────────────────────────────────────────────────


def test_the_public_lists_are_narrowed_by_place(page):
    here = builders.published_black(builders.firm(code=builders.code_of(1, prefix="91220502MA")))
    county = builders.published_black(builders.firm(code=builders.code_of(2, prefix="91220521MA")))
    away = builders.published_black(builders.firm(code=builders.code_of(3, prefix="91110105MA")))
    person = builders.published_black(builders.person())
    for region, shown in (("220502", here), ("220521", county), ("other", away)):
        text = page(f"{reverse('black-list')}?region={region}").content.decode()
        for entry in (here, county, away, person):
            assert (str(entry.public_id) in text) == (entry == shown), (region, entry)
    text = page(f"{reverse('black-list')}?region=999999").content.decode()
    assert str(here.public_id) not in text
    assert "东昌区" in text


def test_the_places_are_those_of_today():
    names = dict(parties.regions_within("220500"))
    assert names["220502"] == "东昌区"
    assert "220500" in names
    assert "220504" not in names


# ── what it costs ─────────────────────────────────────────────────────────────────────────────


def test_a_search_costs_the_same_however_many_are_found_or_offered(client):
    def costs(text):
        with CaptureQueriesContext(connection) as asked:
            client.get(reverse("search"), {"q": text})
        return len(asked)

    def fill(n):
        for index in range(n):
            firm = builders.firm(f"通化昔日{index}{next(builders.numbers)}示例商贸有限公司")
            builders.published_black(firm)
            renamed(firm, f"通化今朝{next(builders.numbers)}示例商贸有限公司")

    fill(1)
    costs("昔日")
    before = {text: costs(text) for text in ("昔日", "今朝")}
    fill(4)
    assert not {text for text in before if costs(text) > before[text]}


@pytest.mark.parametrize(
    "text",
    [
        "%%",
        "__",
        "\\\\",
        "''",
        "\x00\x00",
        "\ud800\ud800",
        "（（",
        "有限",
        "a" * 100,
        "“”",
        "通化有限公司",
        "吉林省通化市",
        "有限公司有限公司",
        "(((((())))))",
        "（集团）（集团）",
    ],
)
def test_odd_text_is_answered_in_words(client, text):
    firm = builders.firm("通化昔日示例商贸有限公司")
    builders.published_black(firm)
    renamed(firm, "通化今朝示例商贸有限公司")
    answer = client.get(reverse("search"), {"q": text.encode("utf-8", "surrogatepass")})
    assert answer.status_code == 200
    assert "昔日" not in answer.content.decode() or text == "有限"

"""Responsible persons: named, told, bound and released one by one."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from blacklist import services as blacklist
from blacklist.models import BlackListing
from casework.moves import IllegalMove
from casework.workdays import add_working_days
from jointaction import services as jointaction
from jointaction.models import Hit
from listings import ledger
from listings import services as listings
from listings.models import Change, Listing, Proposal, ResponsiblePerson
from parties.models import Actor
from rulebook.models import Measure
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]
TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)
SERVED = TODAY - 25 * DAY


def own_notice(**fields):
    until = add_working_days(SERVED, 6)
    return {"served_on": SERVED, "means": "post", "defence_until": until, **fields}


def published(*people, today=TODAY, **fields):
    return builders.published_black(today=today, responsible_persons=list(people), **fields)


def name(draft, *people):
    blacklist.name_responsible_persons(draft, people, actor=Actor.of(builders.clerk()), today=TODAY)


def asked(person):
    return {key: person[key] for key in ("name", "id_type", "id_number")}


def checked(*subjects, unit="czj", today=TODAY):
    _check, results = jointaction.check(
        list(subjects),
        actor=Actor.of(builders.liaison(unit)),
        purpose="投标资格审查",
        reference="示例",
        today=today,
    )
    return results


# ── naming ────────────────────────────────────────────────────────────────────────────────────


def test_listing_a_firm_lists_nobody(rules):
    entry = builders.published_black(builders.firm(legal_representative="王示例"), today=TODAY)
    assert not entry.responsible_persons.exists()


def test_naming_is_an_act_of_its_own_and_naming_the_same_again_is_none(rules):
    person = builders.responsible()
    draft = builders.black_draft(today=TODAY)
    name(draft, person)
    assert draft.journal.last().action == "name_responsible_persons"
    lines, key = draft.journal.count(), ResponsiblePerson.objects.get().public_id
    name(draft, person)
    assert draft.journal.count() == lines
    assert ResponsiblePerson.objects.get().public_id == key
    name(draft, {**person, "role": "director"})
    assert draft.journal.count() == lines + 1
    name(draft)
    assert not ResponsiblePerson.objects.exists()


def test_one_person_is_named_once(rules):
    draft, person = builders.black_draft(today=TODAY), builders.responsible()
    with pytest.raises(ValidationError) as refusal:
        name(draft, person, {**person, "role": "director"})
    assert refusal.value.error_dict["responsible_persons.1"][0].code == "named_twice"


@pytest.mark.parametrize(
    ("notice", "key"),
    [
        ({"defence_until": SERVED + DAY}, "notice.defence_until"),
        ({"served_on": TODAY + DAY}, "notice.served_on"),
        ({"defence": {"received_on": SERVED - DAY, "text": "示例"}}, "notice.defence"),
    ],
)
def test_an_own_notice_obeys_the_rule_of_every_notice(rules, notice, key):
    draft = builders.black_draft(today=TODAY)
    with pytest.raises(ValidationError) as refusal:
        name(draft, builders.responsible(), builders.responsible(notice=own_notice(**notice)))
    assert list(refusal.value.error_dict) == [f"responsible_persons.1.{key}"]


def test_a_draft_that_goes_to_another_firm_keeps_no_persons_notice(rules):
    draft = builders.black_draft(
        today=TODAY, responsible_persons=[builders.responsible(notice=own_notice())]
    )
    clerk = Actor.of(builders.clerk())
    blacklist.edit(draft, actor=clerk, today=TODAY, subject=builders.firm())
    assert ResponsiblePerson.objects.get().notice_served_on is None


# ── at publication ────────────────────────────────────────────────────────────────────────────


def test_without_an_own_notice_that_of_the_entry_counts_and_the_journal_says_so(rules):
    told = builders.responsible(notice=own_notice())
    entry = published(builders.responsible(), told)
    together, own = entry.responsible_persons.order_by("pk")
    notice = BlackListing.objects.get(pk=entry.pk).prior_notice
    assert (together.notice_served_on, together.notice_means) == (notice.served_on, notice.means)
    assert together.defence_until == notice.defence_until
    assert own.notice_means == "post"
    line = entry.journal.get(action="serve_together")
    assert line.by_user == builders.reviewer()


def test_where_everybody_had_an_own_notice_no_such_line_is_left(rules):
    entry = published(builders.responsible(notice=own_notice()))
    assert not entry.journal.filter(action="serve_together").exists()


def test_no_persons_term_is_longer_than_the_entrys_and_a_ban_always_ends(rules):
    long = builders.responsible(role="senior_manager", until=TODAY + 4000 * DAY)
    short = builders.responsible(role="practitioner", until=TODAY + 10 * DAY)
    banned, other = builders.responsible(), builders.responsible(role="other")
    Measure.objects.filter(code="PA09").update(roles=["legal_representative"])
    Measure.objects.filter(code="PA11").update(roles=["legal_representative"])
    entry = published(long, short, banned, other)
    codes = {row["code"] for row in entry.measure_set.measures}
    assert codes & {"PA09", "PA11"}
    terms = list(entry.responsible_persons.order_by("pk").values_list("until", flat=True))
    assert terms == [entry.visible_until, TODAY + 10 * DAY, entry.visible_until, None]


def test_the_same_holds_for_many_published_at_once(rules):
    drafts = [
        builders.black_draft(today=TODAY, responsible_persons=[builders.responsible(**fields)])
        for fields in ({}, {"notice": own_notice()}, {"until": TODAY + 4000 * DAY})
    ]
    rows = Listing.objects.filter(pk__in=[draft.pk for draft in drafts])
    ready, held = blacklist.publish_many(rows, actor=Actor.of(builders.reviewer()), today=TODAY)
    assert (len(ready), held) == (3, {})
    people = ResponsiblePerson.objects.select_related("listing").order_by("pk")
    assert all(row.notice_served_on for row in people)
    assert all(row.until is None or row.until <= row.listing.visible_until for row in people)
    told = Listing.objects.filter(journal__action="serve_together").order_by("pk")
    assert list(told.values_list("pk", flat=True)) == [drafts[0].pk, drafts[2].pk]
    assert ledger.verify_entries() is None


def test_what_the_desk_calls_ready_is_what_can_be_published(rules):
    open_until = add_working_days(TODAY, 6)
    people = [
        {},
        {"notice": own_notice()},
        {"notice": {"served_on": TODAY, "means": "post", "defence_until": open_until}},
        {"notice": own_notice(defence={"received_on": SERVED, "text": "示例"})},
        {"notice": own_notice(defence={"received_on": SERVED, "text": "示", "opinion": "答"})},
        {"until": TODAY - DAY},
        {"until": TODAY},
    ]
    for fields in people:
        person = builders.responsible(**fields)
        builders.black_draft(today=TODAY, responsible_persons=[person])
    ready = set(BlackListing.objects.ready(TODAY).values_list("pk", flat=True))
    drafts = BlackListing.objects.select_related("prior_notice")
    assert ready == {row.pk for row in drafts if not blacklist.missing(row, TODAY)}
    assert len(ready) == 4


def test_an_earlier_end_of_the_entry_is_the_persons_end_too(rules):
    entry = published(builders.responsible(until=TODAY + 200 * DAY))
    clerk, reviewer = Actor.of(builders.clerk()), Actor.of(builders.reviewer())
    until = TODAY + 100 * DAY
    proposal = listings.propose_correction(
        entry, {"visible_until": until}, actor=clerk, note="提前结束", today=TODAY
    )
    listings.approve(proposal, actor=reviewer, today=TODAY)
    assert entry.responsible_persons.get().until == until


# ── release ───────────────────────────────────────────────────────────────────────────────────


def release(person, reason="error", today=TODAY):
    proposal = listings.propose_release(
        person, reason=reason, actor=Actor.of(builders.clerk()), note="认错了人", today=today
    )
    return listings.approve(proposal, actor=Actor.of(builders.reviewer()), today=today)


def test_a_released_person_hits_no_more_from_that_day_and_the_entry_stays(rules):
    person, other = builders.responsible(), builders.responsible(role="director")
    entry = published(person, other)
    row = entry.responsible_persons.order_by("pk").first()
    later = TODAY + 3 * DAY
    assert checked(asked(person), today=later)[0].outcome == "listed"
    release(row, reason="repaired", today=later)
    clear, still = checked(asked(person), asked(other), today=later)
    assert (clear.outcome, still.outcome) == ("clear", "listed")
    row.refresh_from_db()
    assert (row.ended_on, row.end_reason) == (later, "repaired")
    assert Listing.objects.get(pk=entry.pk).is_public(later)


def test_units_are_told_of_a_release_by_a_correction_that_names_nobody(rules):
    person = builders.responsible("李示例")
    entry = published(person)
    jointaction.distribute(today=TODAY)
    release(entry.responsible_persons.get())
    jointaction.distribute(today=TODAY)
    assert entry.pushes.get(unit__code="czj", status="open").kind == "correct"
    change = Change.objects.select_related("body").get(listing=entry, action="correct")
    body = bytes(change.body.body).decode()
    assert '"responsible_persons":[["李*","legal_representative"],null]' in body
    assert "李示例" not in body
    assert ledger.verify_entries() is None


def test_whoever_was_named_in_error_never_was_on_the_list(rules):
    wrong, repaired = builders.responsible(), builders.responsible(role="director")
    entry = published(wrong, repaired)
    first, second = entry.responsible_persons.order_by("pk")
    later = TODAY + 5 * DAY
    release(first, "error", today=later)
    release(second, "repaired", today=later)
    answerable = entry.responsible_persons.answerable(TODAY + DAY)
    assert list(answerable) == [second]


def test_nobody_is_released_twice_nor_from_an_entry_that_is_over(rules):
    entry = published(builders.responsible(), builders.responsible())
    first, second = entry.responsible_persons.order_by("pk")
    release(first)
    first.refresh_from_db()
    with pytest.raises(ValidationError) as refusal:
        release(first)
    assert refusal.value.error_dict["person"][0].code == "released"
    actor = Actor.of(builders.clerk())
    listings.withdraw(entry, reason="error", actor=actor, note="示例", today=TODAY)
    with pytest.raises(IllegalMove):
        release(second)


def test_a_reason_that_ends_no_person_is_refused(rules):
    entry = published(builders.responsible())
    with pytest.raises(ValidationError):
        release(entry.responsible_persons.get(), "expired")


# ── measures by role ──────────────────────────────────────────────────────────────────────────


def test_a_hit_of_a_person_shows_only_measures_that_reach_the_role(rules):
    legal = builders.responsible()
    holder = builders.responsible(role="shareholder")
    firm = builders.firm()
    entry = published(legal, holder, subject=firm)
    mine = {row["code"] for row in entry.measure_set.measures if row["unit"] == "ggzy"}
    results = checked({"code": firm.code}, asked(legal), asked(holder), unit="ggzy")
    found = [{row["code"] for row in result.matches[0].measures} for result in results]
    reach = dict(Measure.objects.values_list("code", "roles"))
    assert found[0] == mine
    for codes, role in ((found[1], "legal_representative"), (found[2], "shareholder")):
        assert codes == {code for code in mine if role in reach[code]}
        assert codes < mine
    kept = [{row["code"] for row in hit.measures} for hit in Hit.objects.order_by("pk")]
    assert sorted(map(sorted, kept)) == sorted(map(sorted, found))


def test_a_persons_measures_end_with_the_persons_own_term(rules):
    Measure.objects.update(roles=["legal_representative"])
    until = TODAY + 30 * DAY
    person = builders.responsible(until=until)
    published(person)
    (result,) = checked(asked(person))
    assert {row["until"] for row in result.matches[0].measures} == {until}


def test_one_answer_is_for_the_firm_and_for_its_person_each_by_its_own_measures(rules):
    person, firm = builders.responsible(role="shareholder"), builders.firm()
    published(person, subject=firm, today=timezone.localdate())
    machine = builders.Machine(builders.liaison("czj"))
    asked_of = {
        "purpose": "审查",
        "reference": "1",
        "subjects": [{"code": firm.code}, asked(person)],
    }
    check = machine.post("/checks/", asked_of, 201)
    listing = check["results"][0]["listings"][0]
    codes = [row["code"] for row in listing["measures"]]
    body = {"listing": listing["id"], "measures": codes, "handling": "applied", "result": "已执行"}
    machine.post(f"/checks/{check['id']}/feedback/", body)
    assert not Hit.objects.filter(answered_at=None).exists()


# ── the doors ─────────────────────────────────────────────────────────────────────────────────


def test_the_api_takes_a_notice_and_a_term_and_refuses_by_the_persons_index(rules):
    today = timezone.localdate()
    served = today - 3 * DAY
    notice = {
        "served_on": str(served),
        "means": "direct",
        "defence_until": str(add_working_days(served, 8)),
    }
    until = str(today + 60 * DAY)
    body = builders.black_body(
        responsible_persons=[
            builders.responsible(until=until),
            builders.responsible(notice=notice),
        ]
    )
    draft = builders.Machine(builders.clerk()).post("/listings/", body, 201)
    assert draft["responsible_persons"] == 2
    path = f"/listings/{draft['id']}/publish/"
    problem = builders.Machine(builders.reviewer()).post(path, {}, 400)
    assert (problem["code"], list(problem["errors"])) == (
        "person_defence_open",
        ["responsible_persons.1"],
    )
    assert str(ResponsiblePerson.objects.first().until) == until


def test_a_machine_proposes_a_release_and_another_officer_approves_it(rules):
    people = [builders.responsible(), builders.responsible(role="director")]
    entry = published(*people, today=timezone.localdate())
    path = f"/listings/{entry.public_id}"
    author, approver = builders.Machine(builders.clerk()), builders.Machine(builders.reviewer())
    persons = author.get(f"{path}/persons/")["results"]
    assert [row["name"] for row in persons] == ["张*", "张*"]
    body = {"person": persons[0]["id"], "reason": "error", "note": "认错了人"}
    author.post(f"{path}/release/", {**body, "person": str(entry.public_id)}, 400)
    author.post(f"{path}/release/", {**body, "reason": "expired"}, 400)
    pending = author.post(f"{path}/release/", body, 202)["pending"]
    assert (pending["action"], pending["reason"]) == ("release", "error")
    author.post(f"{path}/approve/", {}, 403)
    assert approver.post(f"{path}/approve/", {})["responsible_persons"] == 1
    assert author.post(f"{path}/release/", body, 400)["code"] == "released"
    stranger = builders.Machine(builders.clerk("scjg"))
    stranger.get(f"{path}/persons/", 404)
    stranger.post(f"{path}/release/", body, 404)


def test_the_list_of_persons_costs_the_same_however_many_they_are(
    rules, django_assert_max_num_queries
):
    entry = published(*(builders.responsible() for _row in range(6)), today=timezone.localdate())
    machine = builders.Machine(builders.clerk())
    with django_assert_max_num_queries(6):
        machine.get(f"/listings/{entry.public_id}/persons/")


@pytest.fixture
def desk(rules):
    return lambda user: builders.signed_in(Client(), user)


def url(what, *keys):
    return reverse(f"desk-listing-{what}", args=keys)


def typed(form):
    """What a browser posts of a page's form: every field as it was shown."""
    values = {}
    for part in (form, *form.rows):
        for field in part:
            value = field.value()
            if value not in (None, "", False):
                values[field.html_name] = value.isoformat() if hasattr(value, "day") else value
            elif field.name != "remove":
                values[field.html_name] = ""
    return values


def test_persons_are_named_at_the_desk_and_no_paper_is_shown_again(desk):
    clerk, draft = desk(builders.clerk()), builders.black_draft()
    address = url("black-edit", draft.public_id)
    person = builders.responsible("李示例")
    values = typed(clerk.get(address).context["form"])
    values |= {f"persons-0-{key}": value for key, value in person.items()}
    assert clerk.post(address, values).status_code == 302
    row = ResponsiblePerson.objects.get()
    assert (row.person.name, row.role) == ("李示例", "legal_representative")
    answer = clerk.get(address)
    page = answer.content.decode()
    assert "居民身份证　已登记" in page
    assert person["id_number"] not in page
    assert "李示例" not in page
    again = typed(answer.context["form"]) | {"persons-0-role": "director"}
    assert clerk.post(address, again).status_code == 302
    row.refresh_from_db()
    assert (row.role, row.person.name) == ("director", "李示例")
    gone = typed(clerk.get(address).context["form"]) | {"persons-0-remove": "on"}
    assert clerk.post(address, gone).status_code == 302
    assert not ResponsiblePerson.objects.exists()


def test_a_bad_row_is_refused_at_its_fields_and_changes_nothing(desk):
    clerk, draft = desk(builders.clerk()), builders.black_draft()
    address = url("black-edit", draft.public_id)
    values = typed(clerk.get(address).context["form"])
    bad = {"persons-1-name": "李示例", "persons-1-id_type": "resident_id"}
    page = clerk.post(address, values | bad | {"persons-1-id_number": "22050219"})
    assert page.status_code == 400
    assert "第 2 名责任人员" in page.content.decode()
    assert "22050219" not in page.content.decode()
    today = timezone.localdate()
    person = builders.responsible()
    late = {f"persons-0-{key}": value for key, value in person.items()} | {
        "persons-0-served_on": today.isoformat(),
        "persons-0-means": "post",
        "persons-0-defence_until": today.isoformat(),
    }
    page = clerk.post(address, values | late)
    assert page.status_code == 400
    assert "id_persons-0-defence_until_error" in page.content.decode()
    assert not ResponsiblePerson.objects.exists()


def test_measures_are_chosen_at_the_desk_and_bans_are_given_their_end(desk):
    clerk, draft = desk(builders.clerk()), builders.black_draft()
    address = url("black-edit", draft.public_id)
    values = typed(clerk.get(address).context["form"])
    assert values["measures_chosen"] == ""
    until = (timezone.localdate() + 90 * DAY).isoformat()
    some = {"measures_chosen": "yes", "measures": ["PA07", "PA09"], "until_PA09": until}
    assert clerk.post(address, values | some).status_code == 302
    kept = Listing.objects.get()
    assert (kept.measure_codes, kept.measure_until) == (["PA07", "PA09"], {"PA09": until})
    shown = typed(clerk.get(address).context["form"])
    assert (shown["measures_chosen"], shown["measures"]) == ("yes", ["PA07", "PA09"])
    none = clerk.post(address, shown | {"measures": []})
    assert "至少勾选一项措施" in none.content.decode()
    everything = shown | {"measures_chosen": "", "until_PA09": ""}
    assert clerk.post(address, everything).status_code == 302
    kept.refresh_from_db()
    assert (kept.measure_codes, kept.measure_until) == (None, {})


def test_a_release_is_proposed_and_approved_at_the_desk(desk):
    entry = published(builders.responsible("李示例"), today=timezone.localdate())
    person = entry.responsible_persons.get()
    clerk, reviewer = desk(builders.clerk()), desk(builders.reviewer())
    address = url("release", entry.public_id, person.public_id)
    assert address in clerk.get(url("black", entry.public_id)).content.decode()
    assert "李*" in clerk.get(address).content.decode()
    assert clerk.post(address, {"reason": "", "note": ""}).status_code == 400
    assert clerk.post(address, {"reason": "error", "note": "认错了人。"}).status_code == 302
    proposal = Proposal.objects.get()
    page = reviewer.get(url("proposal", proposal.public_id)).content.decode()
    assert "李*" in page
    assert "李示例" not in page
    assert reviewer.post(url("approve", proposal.public_id)).status_code == 302
    page = clerk.get(url("black", entry.public_id)).content.decode()
    assert "已解除" in page
    public = Client().get(reverse("black-entry", args=[entry.public_id])).content.decode()
    assert "解除一名责任人员" in public
    assert "李" not in public
    other = builders.published_black()
    assert clerk.get(url("release", other.public_id, person.public_id)).status_code == 404


def test_the_form_of_a_draft_costs_the_same_however_many_persons_it_has(
    desk, django_assert_max_num_queries
):
    people = [builders.responsible() for _row in range(9)]
    draft = builders.black_draft(responsible_persons=people)
    clerk = desk(builders.clerk())
    with django_assert_max_num_queries(22):
        page = clerk.get(url("black-edit", draft.public_id))
    assert len(page.context["form"].rows) == 10

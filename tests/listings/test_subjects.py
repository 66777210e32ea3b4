"""Subjects get new names and turn out to be one: entries, ledger and look-ups follow."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from casework.moves import IllegalMove
from jointaction import services as jointaction
from jointaction.models import Push
from listings import ledger
from listings import services as listings
from listings.models import AdverseRecord, Change, Listing, ResponsiblePerson, SubjectChange
from listings.services import subjects as service
from parties import identity
from parties import services as parties
from parties.models import Actor, FormerName, Role, Subject
from rulebook.models import ListKind
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]

NEW = "通化示例更名后商贸有限公司"
DAY = timedelta(days=1)
FORTNIGHT_AGO = -14 * DAY


def today():
    return timezone.localdate()


def operator(number=1):
    return builders.officer("platform", Role.OPERATOR.value, username=f"operator-{number}")


def propose_rename(subject, name=NEW, *, by=None, changed_on=None, note="市场监管部门已登记变更。"):
    return listings.propose_rename(
        subject,
        name,
        changed_on=changed_on or today() + FORTNIGHT_AGO,
        actor=Actor.of(by or builders.clerk()),
        note=note,
        today=today(),
    )


def approve(change, *, by=None, **fields):
    actor = Actor.of(by or builders.reviewer())
    return listings.approve_subject_change(change, actor=actor, today=today(), **fields)


def renamed(subject, name=NEW, **fields):
    approve(propose_rename(subject, name, **fields))
    return Subject.objects.get(pk=subject.pk)


def propose_merge(duplicate, into, *, by=None, note="同一单位换发新代码。"):
    actor = Actor.of(by or operator())
    return listings.propose_merge(duplicate, into, actor=actor, note=note)


def merged(duplicate, into):
    approve(propose_merge(duplicate, into), by=operator(2))
    return Subject.objects.get(pk=into.pk)


def code_of(error):
    found = error.value
    errors = found.error_dict.values() if hasattr(found, "error_dict") else [found.error_list]
    return next(iter(errors))[0].code


def whole():
    return ledger.verify() is None and ledger.verify_entries() is None


# ── a new name ────────────────────────────────────────────────────────────────────────────────


def test_a_new_name_reaches_every_entry_in_force_its_units_and_its_history():
    firm = builders.firm("通化示例旧名商贸有限公司")
    red, black = builders.red_published(firm), builders.published_black(firm)
    jointaction.distribute(today=today())
    subject = renamed(firm)
    assert subject.name == NEW
    former = subject.former_names.get()
    assert (former.name, former.until) == (firm.name, today() + FORTNIGHT_AGO - DAY)
    for entry in (black, red):
        entry.refresh_from_db()
        assert entry.bigrams == identity.bigrams(NEW)
        change = entry.history.last()
        assert change.action == "correct"
        assert (
            f'"changes":{{"subject":["{firm.name}","{NEW}"]}}' in bytes(change.body.body).decode()
        )
        line = entry.journal.last()
        assert (line.action, line.changes) == ("correct", {"subject": [firm.name, NEW]})
    jointaction.distribute(today=today())
    told = Push.objects.filter(kind="correct", listing=black).values_list("unit__code", flat=True)
    assert set(told) == {row["unit"] for row in black.measure_set.measures}
    assert whole()


def test_a_new_name_of_many_entries_costs_the_same(django_assert_max_num_queries):
    def costs(entries):
        firm = builders.firm()
        for _entry in range(entries):
            builders.published_black(firm)
        change, reviewer = (
            propose_rename(firm, f"通化示例{entries}更名有限公司"),
            builders.reviewer(),
        )
        with django_assert_max_num_queries(60) as asked:
            approve(change, by=reviewer)
        return len(asked)

    costs(1)
    assert costs(1) == costs(6)
    assert whole()


def test_a_draft_follows_a_new_name_and_who_approved_it_may_still_publish():
    firm = builders.firm()
    draft = builders.black_draft(firm)
    renamed(firm)
    fresh = Listing.objects.get(pk=draft.pk)
    assert (fresh.bigrams, fresh.version) == (identity.bigrams(NEW), draft.version + 1)
    assert not fresh.history.exists()
    assert builders.reviewer().pk not in fresh.author_ids()


def test_an_ended_entry_says_nothing_of_a_new_name():
    firm = builders.firm()
    ended = builders.last_public_day(today() - DAY, subject=firm)
    gone = builders.last_public_day(today() - 2 * DAY, subject=firm)
    listings.expire_lapsed(today=today() - DAY)
    renamed(firm)
    assert [change.action for change in gone.history.order_by("seq")] == ["publish", "expire"]
    assert [change.action for change in ended.history.order_by("seq")] == ["publish", "expire"]
    assert whole()


def test_a_new_name_of_a_person_is_masked_and_given_twice():
    person = builders.person("张示例")
    entry = builders.published_black(person)
    change = propose_rename(person, "李示例")
    with pytest.raises(ValidationError) as error:
        approve(change, name="李事例")
    assert code_of(error) == "name_does_not_match"
    approve(change, name=" 李示例")
    body = bytes(entry.history.last().body.body).decode()
    assert '"changes":{"subject":["张*","李*"]}' in body
    assert "示例" not in body.split("changes")[1].split("}")[0]
    assert entry.journal.last().changes == {"subject": ["张*", "李*"]}
    assert Listing.objects.get(pk=entry.pk).bigrams == []
    assert str(person.former_names.get()) == "张*"
    assert whole()


def test_a_former_name_is_refused_with_the_present_one_in_words():
    firm = builders.firm("通化示例旧名商贸有限公司")
    builders.published_black(firm)
    renamed(firm)
    with pytest.raises(ValidationError) as error:
        parties.organisation(firm.code, "通化示例旧名商贸有限公司")
    assert code_of(error) == "former_name"
    assert NEW in error.value.messages[0]
    with pytest.raises(ValidationError) as error:
        parties.organisation(firm.code, "通化示例别家商贸有限公司")
    assert code_of(error) == "name_differs"
    assert parties.organisation(firm.code, NEW) == firm


def test_a_check_under_a_former_name_still_answers_with_name_differs():
    firm = builders.firm()
    builders.published_black(firm)
    renamed(firm)
    asked = [{"code": firm.code, "name": firm.name}, {"code": firm.code, "name": NEW}]
    _check, (former, present) = _asked(asked)
    assert (former.outcome, former.name_differs) == ("listed", True)
    assert (present.outcome, present.name_differs) == ("listed", False)


def _asked(subjects):
    return jointaction.check(
        subjects,
        actor=Actor.of(builders.liaison()),
        purpose="审查",
        reference="1",
        today=today(),
    )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "名" * 201}, "name"),
        ({"name": "通化\x00示例"}, "name"),
        ({"changed_on": date(2999, 1, 1)}, "changed_on"),
        ({"note": " "}, "note"),
        ({"note": "有\x00空字符"}, "note"),
    ],
)
def test_a_bad_new_name_is_refused_by_field(fields, field):
    firm = builders.firm()
    builders.published_black(firm)
    with pytest.raises(ValidationError) as error:
        propose_rename(firm, **fields)
    assert list(error.value.error_dict) == [field]
    assert not SubjectChange.objects.exists()


def test_the_same_name_again_and_a_day_before_the_last_change_are_refused():
    firm = builders.firm()
    builders.published_black(firm)
    for fields in ({"name": firm.name}, {"name": f" {firm.name}"}):
        with pytest.raises(ValidationError) as error:
            propose_rename(firm, **fields)
        assert code_of(error) == "same_name"
    subject = renamed(firm)
    with pytest.raises(ValidationError, match="上一次更名"):
        propose_rename(subject, "通化示例再更名有限公司", changed_on=today() + FORTNIGHT_AGO)


def test_only_officers_it_concerns_propose_and_another_of_them_approves():
    firm = builders.firm()
    builders.black_draft(firm)
    for stranger in (builders.clerk("hbj"), builders.liaison("rsj"), builders.supervisor()):
        with pytest.raises(PermissionDenied):
            propose_rename(firm, by=stranger)
    both = builders.officer("rsj", Role.CLERK.value, Role.REVIEWER.value)
    change = propose_rename(firm, by=both)
    for other in (both, builders.clerk(), builders.reviewer("hbj"), builders.auditor()):
        with pytest.raises(PermissionDenied):
            approve(change, by=other)
        with pytest.raises(PermissionDenied):
            listings.reject_subject_change(change, actor=Actor.of(other), note="不符")
    approve(change, by=operator())
    assert Subject.objects.get(pk=firm.pk).name == NEW


def test_one_change_at_a_time_and_a_rejected_one_does_nothing():
    firm = builders.firm()
    builders.published_black(firm)
    change = propose_rename(firm)
    with pytest.raises(ValidationError) as error:
        propose_rename(firm, "通化示例又一名有限公司")
    assert code_of(error) == "pending"
    actor = Actor.of(builders.reviewer())
    with pytest.raises(ValidationError):
        listings.reject_subject_change(change, actor=actor, note="")
    listings.reject_subject_change(change, actor=actor, note="没有登记材料")
    with pytest.raises(IllegalMove):
        approve(change)
    assert not FormerName.objects.exists()
    assert [line.action for line in change.journal.all()] == ["propose_rename", "reject"]
    propose_rename(firm)


# ── two records of one subject ────────────────────────────────────────────────────────────────


def test_everything_about_the_duplicate_moves_to_the_record_that_counts():
    old, new = builders.firm("通化示例旧代码有限公司"), builders.firm("通化示例新代码有限公司")
    black, draft = builders.published_black(old), builders.black_draft(old)
    ended = builders.last_public_day(today() - DAY, subject=old)
    listings.expire_lapsed(today=today())
    kept = merged(old, new)
    assert set(Listing.objects.filter(subject=kept)) == {black, draft, ended}
    black.refresh_from_db()
    assert black.bigrams == identity.bigrams(new.name)
    assert black.journal.last().changes == {"subject": [old.code, new.code]}
    assert [row.action for row in black.history.order_by("seq")] == ["publish", "correct"]
    assert [row.action for row in ended.history.order_by("seq")] == ["publish", "expire"]
    assert [row.name for row in kept.former_names.all()] == [old.name]
    assert Subject.objects.get(pk=old.pk).kept == kept
    assert whole()


def test_every_key_to_a_subject_is_handled_when_two_become_one():
    """A new table about subjects must say here whether it follows a merger."""
    keys = {
        (relation.related_model, relation.field.name)
        for relation in Subject._meta.get_fields(include_hidden=True)
        if relation.auto_created and not relation.concrete and relation.related_model
        if not relation.related_model._meta.proxy
    }
    assert keys == {*service.MOVED, *service.KEPT}


def test_records_and_responsible_persons_move_too():
    entry = builders.published_black()
    passport = parties.person("ZHANG SHILI", "passport", "E12345678")
    resident = builders.person("张示例")
    _responsible(entry, passport)
    record = _record(passport)
    kept = merged(passport, resident)
    assert ResponsiblePerson.objects.get().person == kept
    record.refresh_from_db()
    assert record.subject == kept


def _responsible(entry, person):
    return ResponsiblePerson.objects.create(
        listing=entry, person=person, role="legal_representative", fact="决定拖欠", basis="第一条"
    )


def _record(subject, number="吉通示罚字〔2026〕1号"):
    return AdverseRecord.objects.create(
        origin="220500",
        subject=subject,
        department=builders.department("scjg"),
        document_number=number,
        decided_on=today(),
        organ_name="示例",
        content_digest=b"1",
    )


def test_every_door_leads_from_the_old_number_to_the_record_that_counts(client):
    old, new = builders.firm(), builders.firm()
    entry = builders.published_black(old)
    kept = merged(old, new)
    assert parties.organisation(old.code, new.name) == kept
    assert list(Listing.objects.of_code(old.code)) == [entry]
    assert list(Listing.objects.of_code(new.code)) == [entry]
    assert kept in parties.called(old.code)
    for code in (old.code, new.code):
        assert entry.category.name in client.get(f"/subjects/{code}/").content.decode()
        assert str(entry.public_id) in client.get(f"/search/?q={code}").content.decode()
    machine = builders.Machine(builders.clerk("hbj"))
    for filters in ({"code": old.code}, {"q": old.code}, {"code": new.code}):
        (found,) = machine.get("/listings/", **filters)["results"]
        assert found["subject"]["code"] == new.code
    _check, results = _asked([{"code": old.code}, {"code": new.code}])
    assert [result.outcome for result in results] == ["listed", "listed"]
    assert {result.subject for result in results} == {kept}


def test_a_person_is_found_by_either_paper_under_the_name_that_stands_in_it():
    passport = parties.person("ZHANG SHILI", "passport", "E12345678")
    number = builders.resident_id(771)
    resident = builders.person("张示例", number)
    entry = builders.published_black(passport)
    kept = merged(passport, resident)
    assert parties.find_person("passport", "E12345678") == kept
    assert parties.person("Zhang Shili", "passport", "E12345678") == kept
    assert parties.person("张示例", "passport", "E12345678") == kept
    with pytest.raises(ValidationError):
        parties.person("ZHANG SHILI", "resident_id", number)
    asked = [
        {"name": "张示例", "id_type": "resident_id", "id_number": number},
        {"name": "ZHANG SHILI", "id_type": "passport", "id_number": "E12345678"},
        {"name": "别人", "id_type": "passport", "id_number": "E12345678"},
    ]
    _check, (first, second, other) = _asked(asked)
    assert (first.matches[0].listing, second.matches[0].listing) == (entry, entry)
    assert (other.outcome, other.reason) == ("invalid", "name_does_not_match")
    assert entry.journal.last().changes == {"subject": ["Z*", "张*"]}
    assert whole()


def test_a_draft_under_the_old_code_is_about_the_record_that_counts():
    old, new = builders.firm(), builders.firm()
    builders.black_draft(old)
    merged(old, new)
    assert builders.black_draft(old).subject == new  # a row read before the merger
    with pytest.raises(ValidationError) as error:
        parties.organisation(old.code, old.name)
    assert code_of(error) == "former_name"


def test_chains_of_mergers_lead_to_the_end_in_one_step():
    first, second, third = (builders.firm() for _firm in range(3))
    entry = builders.published_black(first)
    merged(first, second)
    merged(Subject.objects.get(pk=second.pk), third)
    assert Subject.objects.get(pk=first.pk).merged_into == third
    assert list(Listing.objects.of_code(first.code)) == [entry]
    fourth = builders.firm()
    builders.published_black(fourth)
    merged(fourth, Subject.objects.get(pk=first.pk))  # what is merged leads on
    assert Subject.objects.get(pk=fourth.pk).merged_into == third
    assert {row.name for row in third.former_names.all()} == {first.name, second.name, fourth.name}
    assert whole()


def test_what_can_never_be_one_is_refused():
    firm, other, person = builders.firm(), builders.firm(), builders.person()
    merged(other, firm)
    for duplicate, into, code in (
        (firm, firm, "same_subject"),
        (firm, Subject.objects.get(pk=other.pk), "same_subject"),
        (other, builders.firm(), "merged_already"),
        (person, firm, "kinds_differ"),
        (firm, person, "kinds_differ"),
    ):
        with pytest.raises(ValidationError) as error:
            propose_merge(duplicate, into)
        assert code_of(error) == code


def test_what_may_be_once_of_a_subject_is_named_where_both_have_it():
    one, other = builders.firm(), builders.firm()
    number = "吉通示人社决字〔2026〕第77号"
    for subject in (one, other):
        builders.published_black(subject, document_number=number)
    with pytest.raises(ValidationError, match=number) as error:
        propose_merge(one, other)
    assert code_of(error) == "both_listed"
    one, other = builders.firm(), builders.firm()
    _record(one), _record(other)
    with pytest.raises(ValidationError) as error:
        propose_merge(one, other)
    assert code_of(error) == "both_recorded"
    entry, one, other = builders.published_black(), builders.person(), builders.person()
    _responsible(entry, one), _responsible(entry, other)
    with pytest.raises(ValidationError) as error:
        propose_merge(one, other)
    assert code_of(error) == "both_responsible"


def test_a_conflict_that_arose_since_the_proposal_is_refused_at_the_approval():
    one, other = builders.firm(), builders.firm()
    change = propose_merge(one, other)
    for subject in (one, other):
        builders.published_black(subject, document_number="吉通示人社决字〔2026〕第78号")
    with pytest.raises(ValidationError) as error:
        approve(change, by=operator(2))
    assert code_of(error) == "both_listed"
    change.refresh_from_db()
    assert change.status == "proposed"
    assert whole()


def test_only_two_operators_merge_and_never_beside_another_change():
    one, other = builders.firm(), builders.firm()
    for subject in (one, other):
        builders.published_black(subject)
    for user in (builders.clerk(), builders.reviewer(), builders.supervisor()):
        with pytest.raises(PermissionDenied):
            propose_merge(one, other, by=user)
    change = propose_merge(one, other)
    for user in (operator(), builders.reviewer(), builders.auditor()):
        with pytest.raises(PermissionDenied):
            approve(change, by=user)
    for subject in (one, other):
        with pytest.raises(ValidationError) as error:
            propose_rename(subject)
        assert code_of(error) == "pending"
    with pytest.raises(ValidationError) as error:
        propose_merge(builders.firm(), other)
    assert code_of(error) == "pending"


def test_a_file_under_the_old_code_is_about_the_record_that_counts(tmp_path):
    from listings.services.imports import import_records

    old, new = builders.firm(), builders.firm()
    merged(old, new)
    path = tmp_path / "records.csv"
    lines = ["cf_xdr_mc,cf_xdr_shxym,cf_wsh,cf_jdrq"]
    lines += [f"{new.name},{old.code},示例罚〔2026〕5号,2026-01-05"]
    lines += [f"{old.name},{old.code},示例罚〔2026〕6号,2026-01-06"]
    path.write_text("\n".join(lines))
    summary, problems = import_records(
        path, department=builders.department("scjg"), actor=Actor.of(builders.clerk("scjg"))
    )
    assert (summary["created"], summary["rejected"]) == (1, 1)
    assert AdverseRecord.objects.get().subject == new
    assert problems[0]["code"] == "name_differs"


def test_two_firms_of_one_name_stay_apart():
    name = "通化示例同名商贸有限公司"
    one, other = builders.firm(name), builders.firm(name)
    entry = builders.published_black(one)
    assert one != other
    assert list(Listing.objects.of_code(other.code)) == []
    _check, results = _asked([{"code": other.code, "name": name}, {"code": one.code}])
    assert [result.outcome for result in results] == ["clear", "listed"]
    subject = renamed(one)
    other.refresh_from_db()
    assert (subject.name, other.name) == (NEW, name)
    assert entry.subject_id == one.pk
    assert parties.organisation(other.code, name) == other


def test_the_list_is_what_it_was_after_a_merger_of_two_colours():
    one, other = builders.firm(), builders.firm()
    builders.red_published(one)
    builders.published_black(other)
    kept = merged(one, other)
    red = Listing.objects.public(today()).red().marking_paused(today()).get(subject=kept)
    assert red.kind == ListKind.RED
    assert red.paused
    assert Change.objects.filter(action="correct").count() == 1

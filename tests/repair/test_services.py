"""What a grant or a refusal does: to the entry, to its persons, to who asks who is listed."""

import json

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from casework.workdays import add_months
from jointaction import services as jointaction
from listings import ledger
from listings.models import AdverseRecord, Change
from parties.models import Actor
from redlist.services import eligibility
from repair import services
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]
TODAY = timezone.localdate()
REASONS = "经现场核实，违法用地已恢复原状并通过验收。"


def decided(matter, outcome="granted", *, today=None, **fields):
    """The application accepted, verified, decided by two people."""
    today = today or TODAY
    clerk, reviewer = (Actor.of(who("zrzy")) for who in (builders.clerk, builders.reviewer))
    matter = services.accept(matter, actor=clerk, today=today)
    given = {"actor": clerk, "today": today, "reasons": REASONS, "verification": "现场核实属实。"}
    matter = services.propose_decision(matter, outcome=outcome, **given, **fields)
    return services.approve_decision(matter, actor=reviewer, today=today)


def with_persons(*people, **fields):
    people = people or (builders.responsible("张示例"), builders.responsible("李示例"))
    return builders.repairable(responsible_persons=list(people), **fields)


def asked(subject):
    _check, (result,) = jointaction.check(
        [subject],
        actor=Actor.of(builders.liaison("czj")),
        purpose="投标资格审查",
        reference="示例",
        today=TODAY,
    )
    return result.outcome


# ── a person alone ────────────────────────────────────────────────────────────────────────────


def test_a_person_who_applies_alone_is_released_and_the_entry_stays():
    named = builders.responsible("张示例")
    entry = with_persons(named, builders.responsible("李示例"))
    jointaction.distribute(today=TODAY)
    own, other = entry.responsible_persons.order_by("pk")
    matter, _code = builders.repair(entry, responsible_person=own, by=builders.clerk("zrzy"))
    whole, _code = builders.repair(entry)  # the firm's own application is another matter
    decided(matter)
    jointaction.distribute(today=TODAY)
    for row in (entry, own, other, whole):
        row.refresh_from_db()
    assert (own.ended_on, own.end_reason) == (TODAY, "repaired")
    assert other.ended_on is None
    assert (entry.status, whole.status) == ("published", "received")
    paper = {key: named[key] for key in ("name", "id_type", "id_number")}
    assert (asked(paper), asked({"code": entry.subject.code})) == ("clear", "listed")
    assert set(entry.pushes.filter(status="open").values_list("kind", flat=True)) == {"correct"}
    letter = json.dumps(matter.letters.get(kind="repair_decision").content, ensure_ascii=False)
    assert "张*自今日起解除" in letter
    assert "移出名单" not in letter
    with pytest.raises(ValidationError) as refusal:
        builders.repair(entry, responsible_person=own)
    assert refusal.value.error_dict["responsible_person"][0].code == "released"


def test_a_person_waits_as_long_as_the_entry_and_a_refusal_is_its_own():
    entry = builders.published_black(
        unit="zrzy", category="M09", responsible_persons=[builders.responsible()]
    )
    person = entry.responsible_persons.get()
    assert services.earliest(entry, person) == services.earliest(entry)
    with pytest.raises(ValidationError) as refusal:
        builders.repair(entry, responsible_person=person)
    assert refusal.value.error_dict["received_on"][0].code == "too_early"

    ripe = with_persons()
    own, other = ripe.responsible_persons.order_by("pk")
    again = add_months(TODAY, 2)
    matter, _code = builders.repair(ripe, responsible_person=own)
    decided(matter, "refused", retry_from=again)
    assert services.earliest(ripe, own) == again
    assert services.earliest(ripe, other) == services.earliest(ripe) < TODAY


def test_a_person_of_another_entry_is_not_this_ones():
    stranger = with_persons().responsible_persons.first()
    with pytest.raises(ValidationError) as refusal:
        builders.repair(responsible_person=stranger)
    assert set(refusal.value.error_dict) == {"responsible_person"}


def test_the_persons_of_a_repaired_entry_answer_no_longer_and_are_left_as_they_are():
    named = builders.responsible()
    entry = with_persons(named)
    matter, _code = builders.repair(entry)
    decided(matter)
    person = entry.responsible_persons.get()
    assert (person.ended_on, person.end_reason) == (None, "")
    assert asked({key: named[key] for key in ("name", "id_type", "id_number")}) == "clear"


def test_a_grant_after_the_entry_has_ended_takes_nothing_off_and_says_so():
    entry = with_persons()
    own, _other = entry.responsible_persons.order_by("pk")
    alone, _code = builders.repair(entry, responsible_person=own)
    whole, _code = builders.repair(entry)
    decided(whole)
    decided(alone)
    assert Change.objects.filter(listing=entry, action="repair").count() == 1
    own.refresh_from_db()
    assert own.ended_on is None
    letter = json.dumps(alone.letters.get(kind="repair_decision").content, ensure_ascii=False)
    assert "此前已不在名单上" in letter


# ── what a repaired entry still is ────────────────────────────────────────────────────────────


def test_a_repaired_entry_stands_no_longer_against_its_subject_but_stays_in_the_ledger():
    entry = builders.repairable()
    firm = entry.subject
    AdverseRecord.objects.create(
        subject=firm,
        department=entry.department,
        origin="220500",
        document_number=entry.document_number,
        decided_on=entry.document_date,
        organ_name="示例机关",
        content_digest=b"",
    )
    assert eligibility(firm, as_of=TODAY).reasons == ("black_listed",)
    matter, _code = builders.repair(entry)
    decided(matter)
    assert eligibility(firm, as_of=TODAY).reasons == ("clean",)
    assert not eligibility(firm, as_of=TODAY - builders.DAY).eligible
    actions = list(Change.objects.filter(listing=entry).values_list("action", flat=True))
    assert actions == ["publish", "repair"]
    assert ledger.verify() is None
    assert ledger.verify_entries() is None
    assert asked({"code": firm.code}) == "clear"


def test_a_record_of_another_document_still_counts_after_the_repair():
    entry = builders.repairable()
    AdverseRecord.objects.create(
        subject=entry.subject,
        department=entry.department,
        origin="220500",
        document_number="通示例罚〔2026〕另1号",
        decided_on=TODAY - 30 * builders.DAY,
        organ_name="示例机关",
        content_digest=b"",
    )
    matter, _code = builders.repair(entry)
    decided(matter)
    assert eligibility(entry.subject, as_of=TODAY).reasons == ("adverse_record",)


# ── signed ────────────────────────────────────────────────────────────────────────────────────


def test_a_signature_is_the_signers_name_however_it_is_written():
    applicant = {"name": "通化示例（集团）商贸有限公司", "phone": "0435-0000000", "agent": "王示例"}
    for name in ("通化示例(集团)商贸 有限公司", "王示例"):
        matter, _code = builders.repair(applicant=applicant, committed_by=name)
        assert (matter.committed_by, matter.committed_on) == (name, TODAY)
    for name in ("李示例", "王示"):
        with pytest.raises(ValidationError) as refusal:
            builders.repair(applicant=applicant, committed_by=name)
        assert set(refusal.value.error_dict) == {"committed_by"}


# ── verified ──────────────────────────────────────────────────────────────────────────────────


def test_each_verification_is_kept_and_an_opinion_names_its_unit():
    matter, _code = builders.repair()
    clerk = Actor.of(builders.clerk("zrzy"))
    given = {"actor": clerk, "done_on": TODAY, "findings": "已缴清。", "today": TODAY}
    for fields in (
        {"means": "opinion"},
        {"means": "papers", "done_on": TODAY - builders.DAY},
        {"means": "papers", "done_on": TODAY + builders.DAY},
        {"means": "hearsay"},
        {"means": "papers", "findings": " "},
    ):
        with pytest.raises(ValidationError):
            services.verify(matter, **{**given, **fields})
    services.verify(matter, means="papers", **given)
    services.verify(matter, means="opinion", unit=builders.department("czj"), **given)
    rows = matter.verifications.values_list("means", "unit__code", "by_label")
    assert list(rows) == [("papers", None, clerk.label), ("opinion", "czj", clerk.label)]
    assert matter.journal.filter(action="verify").count() == 2


def test_no_decision_is_proposed_before_anything_was_verified():
    matter, _code = builders.repair()
    clerk = Actor.of(builders.clerk("zrzy"))
    services.accept(matter, actor=clerk, today=TODAY)
    with pytest.raises(ValidationError) as refusal:
        services.propose_decision(
            matter, actor=clerk, outcome="granted", reasons=REASONS, today=TODAY
        )
    assert set(refusal.value.error_dict) == {"verification"}

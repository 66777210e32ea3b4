"""A responsible person objects for itself: known to the department, told to nobody else."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from casework.moves import IllegalMove
from listings import services as listings
from listings.models import Change
from objections import services
from objections.models import Objection
from parties.models import Actor
from tests import builders

pytestmark = pytest.mark.usefixtures("rules")
REASONS = "经核实，事发时本人已离任，不应列为责任人员。"
GROUNDS = "事发时我已离任，工商登记可以证明，附变更通知书。"


@pytest.fixture
def entry(rules):
    """A black entry that names two persons."""
    persons = [builders.responsible("张示例"), builders.responsible("李示例", role="director")]
    return builders.published_black(responsible_persons=persons)


def one(entry):
    return entry.responsible_persons.select_related("person").order_by("pk")[0]


def claim(entry, **fields):
    return builders.objection(entry, fields=["person"], grounds=GROUNDS, **fields)[0]


def propose(objection, outcome, **fields):
    return services.propose_reply(
        objection,
        actor=Actor.of(builders.clerk()),
        outcome=outcome,
        reasons=REASONS,
        today=timezone.localdate(),
        **fields,
    )


def approve(objection):
    reviewer = Actor.of(builders.reviewer())
    return services.approve_reply(objection, actor=reviewer, today=timezone.localdate())


def attach(objection, person):
    return services.attach_person(objection, person=person, actor=Actor.of(builders.clerk()))


def filing(entry, **fields):
    return {
        "listing": str(entry.public_id),
        "applicant": {"name": "张示例", "phone": "0435-0000000", "agent": "王示例"},
        "fields": ["ground"],
        "grounds": GROUNDS,
        "received_on": str(timezone.localdate()),
        **fields,
    }


def test_the_public_form_offers_the_point_and_no_list_of_persons(entry):
    url = f"{reverse('objection-new')}?entry={entry.public_id}"
    page = Client().get(url).content.decode()
    assert "不应把我列为责任人员" in page
    for told in ("张示例", "李示例", str(one(entry).public_id)):
        assert told not in page
    plain = builders.published_black()
    page = Client().get(f"{reverse('objection-new')}?entry={plain.public_id}").content.decode()
    assert "不应把我列为责任人员" not in page


def test_a_strangers_guess_is_answered_like_the_persons_own_filing(entry):
    """Else the form would tell who is named, and who has objected."""
    url = f"{reverse('objection-new')}?entry={entry.public_id}"
    given = {"fields": ["person"], "grounds": GROUNDS, "applicant_phone": "0435-0000000"}
    for name in ("张示例", "张示例", "赵示例"):
        page = Client().post(url, {**given, "applicant_name": name})
        assert page.status_code == 200
        assert "查询码" in page.content.decode()
    assert Objection.objects.filter(responsible_person=None).count() == 3


def test_the_point_stands_alone(entry):
    with pytest.raises(ValidationError, match="只选这一项"):
        builders.objection(entry, fields=["person", "ground"], grounds=GROUNDS)
    with pytest.raises(ValidationError, match="没有责任人员"):
        builders.objection(fields=["person"], grounds=GROUNDS)


def test_who_is_not_attached_is_not_released_and_the_entry_is_not_withdrawn(entry):
    objection = claim(entry)
    for outcome in ("upheld_withdrawn", "upheld_corrected"):
        with pytest.raises(ValidationError, match="先核对身份"):
            propose(
                objection,
                outcome,
                corrections={"ground": "新的事实"} if "corr" in outcome else None,
            )
    approve(propose(objection, "rejected"))


def test_the_desk_attaches_the_person_and_upheld_releases_that_person_alone(entry):
    objection, person = claim(entry), one(entry)
    clerk = builders.signed_in(Client(), builders.clerk())
    url = reverse("desk-objection", args=[objection.public_id])
    page = clerk.get(url)
    assert "还没有核对" in page.content.decode()
    assert "张示例" not in page.content.decode()
    assert clerk.post(url, {"act": "attach", "person": person.pk}).status_code == 302
    given = {"act": "propose", "outcome": "upheld_withdrawn", "reasons": REASONS}
    assert clerk.post(url, given).status_code == 302
    reviewer = builders.signed_in(Client(), builders.reviewer())
    assert "立即解除这名责任人员" in reviewer.get(url).content.decode()
    assert reviewer.post(url, {"act": "approve"}).status_code == 302
    person.refresh_from_db()
    entry.refresh_from_db()
    assert (person.end_reason, person.ended_on) == ("error", timezone.localdate())
    assert (entry.status, entry.disputed) == ("published", False)
    assert entry.responsible_persons.answerable(timezone.localdate()).count() == 1
    actions = list(Change.objects.filter(listing=entry).values_list("action", flat=True))
    assert actions == ["publish", "annotate", "correct", "annotate"]
    letter = Objection.objects.get().letter.content
    assert "法定代表人" in letter["opening"]
    assert "记录本身不变" in str(letter["sections"])


def test_of_a_person_nothing_is_corrected(entry):
    objection = attach(claim(entry), one(entry))
    with pytest.raises(ValidationError, match="只能维持或者撤销"):
        propose(objection, "upheld_corrected", corrections={"ground": "新的事实"})


def test_a_person_released_meanwhile_stays_as_it_was_released(entry):
    person = one(entry)
    objection = propose(attach(claim(entry), person), "upheld_withdrawn")
    listings.release_person(
        person,
        reason="repaired",
        actor=Actor.of(builders.reviewer()),
        note="示例",
        today=timezone.localdate(),
    )
    approve(objection)
    person.refresh_from_db()
    assert person.end_reason == "repaired"


def test_a_person_is_attached_while_it_is_handled_and_only_one_of_the_entry(entry):
    objection, other = (
        claim(entry),
        builders.published_black(responsible_persons=[builders.responsible()]),
    )
    with pytest.raises(ValidationError, match="没有这名责任人员"):
        attach(objection, one(other))
    firm, _code = builders.objection(entry)
    with pytest.raises(IllegalMove):
        attach(firm, one(entry))
    proposed = propose(objection, "rejected")
    with pytest.raises(IllegalMove):
        attach(proposed, one(entry))


def test_two_open_objections_of_one_person_are_not_attached_both(entry):
    first, second = claim(entry), claim(entry)
    attach(first, one(entry))
    with pytest.raises(ValidationError, match=first.number):
        attach(second, one(entry))


def test_a_machine_names_the_person_by_its_public_id(entry):
    machine, person = builders.Machine(builders.clerk()), one(entry)
    body = filing(entry, responsible_person=str(person.public_id))
    machine.post("/objections/", body, 201)
    assert machine.post("/objections/", body, 409)["code"] == "duplicate"
    machine.post("/objections/", filing(entry), 201)  # the firm's own is another matter
    rows = machine.get("/objections/")["results"]
    assert {row["responsible_person"] for row in rows} == {str(person.public_id), None}
    assert set(Objection.objects.values_list("agent_name", flat=True)) == {"王示例"}
    other = one(builders.published_black(responsible_persons=[builders.responsible()]))
    for wrong in (other.public_id, entry.public_id):
        body = filing(entry, responsible_person=str(wrong), fields=["term"])
        assert list(machine.post("/objections/", body, 400)["errors"]) == ["responsible_person"]


def test_a_paper_filing_names_the_person_at_the_desk(entry):
    clerk, person = builders.signed_in(Client(), builders.clerk()), one(entry)
    url = f"{reverse('desk-objection-new')}?entry={entry.public_id}"
    page = clerk.post(
        url,
        {
            "fields": ["person"],
            "grounds": GROUNDS,
            "responsible_person": person.pk,
            "received_on": timezone.localdate().isoformat(),
            "applicant_name": "张示例",
            "applicant_phone": "0435-0000000",
        },
    )
    assert page.status_code == 200, page.context["form"].errors
    assert Objection.objects.get().responsible_person == person

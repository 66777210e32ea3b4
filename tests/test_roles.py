"""Who may do what in which state: every action × status × role of entries and proposals.

The tables grow by themselves from MOVES and Role: an action or a role without a row fails.
"""

from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction

from blacklist import services as blacklist
from blacklist.models import BlackListing
from casework.moves import IllegalMove
from casework.workdays import add_working_days
from listings import services as listings
from listings.models import Listing, Proposal
from parties.models import CLOCK, Actor, Role, User
from redlist import services as redlist
from rulebook.models import ListCategory
from tests import builders

TODAY = date(2026, 11, 23)
SERVED = date(2026, 10, 29)
DEPARTMENT = "rsj"

# ── who ───────────────────────────────────────────────────────────────────────────────────────


def _dismissed():
    user = builders.officer(DEPARTMENT, Role.REVIEWER.value, username="rsj-gone")
    User.objects.filter(pk=user.pk).update(is_active=False)
    user.refresh_from_db()
    return user


PEOPLE = {
    "anonymous": lambda: None,
    "clerk": builders.clerk,  # the author of the draft, and of the proposal
    "other clerk": lambda: builders.officer(DEPARTMENT, Role.CLERK.value, username="rsj-clerk-2"),
    "reviewer": builders.reviewer,
    "reviewer who is an author": lambda: builders.officer(
        DEPARTMENT, Role.REVIEWER.value, username="rsj-author"
    ),
    "reviewer of another department": lambda: builders.reviewer("scjg"),
    "clerk of another department": lambda: builders.clerk("scjg"),
    "liaison": lambda: builders.liaison(DEPARTMENT),
    "operator": lambda: builders.officer(DEPARTMENT, Role.OPERATOR.value),
    "supervisor": builders.supervisor,
    "vault": lambda: builders.officer(DEPARTMENT, Role.VAULT.value),
    "auditor": builders.auditor,
    "dismissed reviewer": _dismissed,
}
ROLE_OF = {  # which rows stand for a role
    Role.CLERK: "clerk",
    Role.REVIEWER: "reviewer",
    Role.LIAISON: "liaison",
    Role.OPERATOR: "operator",
    Role.SUPERVISOR: "supervisor",
    Role.VAULT: "vault",
    Role.AUDITOR: "auditor",
}
WRITERS = {"clerk", "other clerk", "reviewer", "reviewer who is an author"}
APPROVERS = {"reviewer"}
NOBODY = set()  # the clock and other services do it; no person can ask for it


class _Nobody:
    """Who has not signed in: no role, no department."""

    pk = None
    department_id = None
    sees_all = False

    def has_role(self, *_roles):
        return False

    def works_for(self, _department_id):
        return False


def _actor(who):
    user = PEOPLE[who]()
    return Actor.of(user) if user else Actor(label="匿名", user=_Nobody())


# ── what, of an entry ─────────────────────────────────────────────────────────────────────────


def _notice():
    until = add_working_days(SERVED, 5)
    return {"served_on": SERVED, "means": "direct", "defence_until": until}


def _record_defence(entry, actor):
    return blacklist.record_defence(
        entry, actor=actor, received_on=SERVED, text="示例意见", opinion="示例答复"
    )


def _withdrawal(entry, actor):
    return listings.propose_withdrawal(
        entry, reason="error", actor=actor, note="列错单位", today=TODAY
    )


def _correction(entry, actor):
    return listings.propose_correction(
        entry, {"ground": "示例：更正。"}, actor=actor, note="示例", today=TODAY
    )


ENTRY_ACTS = {  # action of Listing.MOVES: (who may, how a person asks for it)
    "edit": (
        WRITERS,
        lambda entry, actor: blacklist.edit(entry, actor=actor, today=TODAY, ground="示例：改。"),
    ),
    "publish": (
        APPROVERS,
        lambda entry, actor: blacklist.publish(entry, actor=actor, today=TODAY),
    ),
    "serve_notice": (
        WRITERS,
        lambda entry, actor: blacklist.serve_notice(entry, actor=actor, today=TODAY, **_notice()),
    ),
    "record_defence": (WRITERS, _record_defence),
    "name_responsible_persons": (
        WRITERS,
        lambda entry, actor: blacklist.name_responsible_persons(
            entry, [builders.responsible()], actor=actor, today=TODAY
        ),
    ),
    # these two are proposed; `approve` below carries them out
    "correct": (WRITERS, _correction),
    "withdraw": (WRITERS, _withdrawal),
    "annotate": (NOBODY, None),  # follows an objection
    "repair": (NOBODY, None),  # follows a repair that was granted
    "expire": (NOBODY, None),  # the clock
    "void_notice": (NOBODY, None),  # follows an edit
    "nominate": (NOBODY, None),  # of the red list, below
    "announce": (NOBODY, None),
}
ASKED = {action: (may, ask) for action, (may, ask) in ENTRY_ACTS.items() if ask}


def _allowed(case, action, status):
    sources, _target = case.MOVES[action]
    return status in sources


def _outcome(act):
    """What comes of an act that leaves nothing behind: allowed, denied or illegal."""
    try:
        with transaction.atomic():
            act()
            transaction.set_rollback(True)
    except PermissionDenied:
        return "denied"
    except IllegalMove:
        return "illegal"
    return "allowed"


def _entry(status):
    """A complete black draft of the clerk, of which a second reviewer wrote a part, in `status`."""
    draft = builders.black_draft(unit=DEPARTMENT, today=TODAY)
    author = _actor("reviewer who is an author")
    blacklist.edit(draft, actor=author, today=TODAY, ground="示例：审核人员补充。")
    if status != Listing.Status.DRAFT:
        blacklist.publish(draft, actor=_actor("reviewer"), today=TODAY)
    entry = BlackListing.objects.get(pk=draft.pk)
    ends = {
        Listing.Status.WITHDRAWN: lambda: listings.withdraw(
            entry, reason="error", actor=CLOCK, note="示例", today=TODAY
        ),
        Listing.Status.REPAIRED: lambda: listings.repair(
            entry, actor=CLOCK, note="示例", today=TODAY
        ),
        Listing.Status.EXPIRED: lambda: listings.expire_lapsed(today=date(2030, 1, 1)),
    }
    if status in ends:
        ends[status]()
    return BlackListing.objects.get(pk=draft.pk)


def test_every_role_stands_among_the_people_here():
    assert ROLE_OF.keys() == set(Role)
    assert set(ROLE_OF.values()) <= PEOPLE.keys()


def test_every_action_of_an_entry_has_a_row_here():
    assert ENTRY_ACTS.keys() == Listing.MOVES.keys()


@pytest.mark.parametrize("status", Listing.Status.values)
def test_who_may_do_what_with_an_entry(rules, status):
    entry = _entry(status)
    assert entry.status == status
    wrong = {}
    for action, (may, ask) in ASKED.items():
        possible = "allowed" if _allowed(entry, action, status) else "illegal"
        for who in PEOPLE:
            actor = _actor(who)
            told = _outcome(lambda ask=ask, actor=actor: ask(entry, actor))
            expected = possible if who in may else "denied"
            if told != expected:
                wrong[action, who] = told, expected
    assert not wrong


def _nominate(entry, actor):
    return redlist.edit(
        entry, actor=actor, today=TODAY, source="RS1", nominator="示例协会", ground="示例：改。"
    )


def _announce(entry, actor):
    until = add_working_days(TODAY, 10)
    return redlist.announce(entry, actor=actor, today=TODAY, notice_from=TODAY, notice_until=until)


RED_ACTS = {
    "nominate": (WRITERS, _nominate),
    "announce": (WRITERS, _announce),
    "publish": (
        APPROVERS | {"reviewer who is an author"},  # of another draft, not of this one
        lambda entry, actor: redlist.publish(entry, actor=actor, today=TODAY),
    ),
}


@pytest.mark.parametrize("status", ["draft", "published"])
def test_who_may_do_what_with_a_red_entry(rules, status):
    ListCategory.objects.get(code="RS1").departments.add(builders.department(DEPARTMENT))
    make = builders.red_draft if status == "draft" else builders.red_published
    entry = make(unit=DEPARTMENT, today=TODAY)
    wrong = {}
    for action, (may, ask) in RED_ACTS.items():
        possible = "allowed" if _allowed(entry, action, status) else "illegal"
        for who in PEOPLE:
            actor = _actor(who)
            told = _outcome(lambda ask=ask, actor=actor: ask(entry, actor))
            expected = possible if who in may else "denied"
            if told != expected:
                wrong[action, who] = told, expected
    assert not wrong


# ── what, of a proposal ───────────────────────────────────────────────────────────────────────

PROPOSAL_ACTS = {  # action of Proposal.MOVES: (who may, how)
    "approve": (
        APPROVERS | {"reviewer who is an author"},  # of the draft, not of the proposal
        lambda proposal, actor: listings.approve(proposal, actor=actor, today=TODAY),
    ),
    "reject": (
        APPROVERS | {"reviewer who is an author"},
        lambda proposal, actor: listings.reject(proposal, actor=actor, note="示例：不通过。"),
    ),
    "lapse": (NOBODY, None),  # follows the end of the entry
}
DECIDED = {action: row for action, row in PROPOSAL_ACTS.items() if row[1]}


def _release(entry, actor):
    return listings.propose_release(
        entry.responsible_persons.get(), reason="error", actor=actor, note="认错人", today=TODAY
    )


PROPOSALS = {
    Proposal.Action.CORRECT: _correction,
    Proposal.Action.WITHDRAW: _withdrawal,
    Proposal.Action.RELEASE: _release,
}


def _proposal(action, status, proposer="clerk"):
    persons = [builders.responsible()]
    entry = builders.published_black(unit=DEPARTMENT, today=TODAY, responsible_persons=persons)
    _actor("reviewer who is an author")
    proposal = PROPOSALS[action](entry, _actor(proposer))
    ends = {
        "approved": lambda: listings.approve(proposal, actor=_actor("reviewer"), today=TODAY),
        "rejected": lambda: listings.reject(proposal, actor=_actor("reviewer"), note="示例"),
        "lapsed": lambda: listings.expire_lapsed(today=date(2030, 1, 1)),
    }
    if status in ends:
        ends[status]()
    proposal.refresh_from_db()
    return proposal


def test_every_action_and_every_kind_of_proposal_has_a_row_here():
    assert PROPOSAL_ACTS.keys() == Proposal.MOVES.keys()
    assert PROPOSALS.keys() == set(Proposal.Action)


@pytest.mark.parametrize("kind", Proposal.Action.values)
@pytest.mark.parametrize("status", Proposal.Status.values)
def test_who_may_decide_a_proposal(rules, kind, status):
    proposal = _proposal(kind, status)
    assert proposal.status == status
    wrong = {}
    for action, (may, decide) in DECIDED.items():
        possible = "allowed" if _allowed(proposal, action, status) else "illegal"
        for who in PEOPLE:
            actor = _actor(who)
            told = _outcome(lambda decide=decide, actor=actor: decide(proposal, actor))
            expected = possible if who in may else "denied"
            if told != expected:
                wrong[action, who] = told, expected
    assert not wrong


@pytest.mark.parametrize("kind", Proposal.Action.values)
def test_a_reviewer_who_proposed_decides_nothing_of_it(rules, kind):
    proposal = _proposal(kind, "proposed", proposer="reviewer")
    for _may, decide in DECIDED.values():
        actor = _actor("reviewer")
        assert _outcome(lambda d=decide, actor=actor: d(proposal, actor)) == "denied"


@pytest.mark.parametrize("kind", Proposal.Action.values)
def test_who_may_propose(rules, kind):
    persons = [builders.responsible()]
    entry = builders.published_black(unit=DEPARTMENT, today=TODAY, responsible_persons=persons)
    for who in PEOPLE:
        actor = _actor(who)
        told = _outcome(lambda actor=actor: PROPOSALS[kind](entry, actor))
        assert told == ("allowed" if who in WRITERS else "denied"), who

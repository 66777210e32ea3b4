"""Every status × action of every matter, from the tables of arrows themselves."""

import pytest
from django.apps import apps
from django.db import DatabaseError, transaction
from django.utils import timezone

from casework.models import Case, Event
from casework.moves import IllegalMove, StaleVersion, move
from jointaction import services as jointaction
from listings import services as listings
from parties.models import Actor
from tests import builders

MATTERS = sorted(
    (m for m in apps.get_models() if issubclass(m, Case) and not m._meta.proxy),
    key=lambda model: model._meta.label,
)


def _proposal(entry):
    actor = Actor.of(builders.clerk())
    return listings.propose_withdrawal(entry, reason="error", actor=actor, note="列错单位")


def _push(entry):
    jointaction.distribute(today=timezone.localdate())
    return entry.pushes.first()


def _subject_change(entry):
    return listings.propose_rename(
        entry.subject,
        "通化示例更名商贸有限公司",
        changed_on=timezone.localdate(),
        actor=Actor.of(builders.clerk()),
        note="已登记变更。",
        today=timezone.localdate(),
    )


MAKERS = {
    "listings.Listing": lambda entry: entry,
    "listings.Proposal": _proposal,
    "listings.SubjectChange": _subject_change,
    "listings.PartnerCity": lambda _entry: builders.partner_city(),
    "jointaction.Push": _push,
    "jointaction.Sheet": lambda entry: builders.sheet((entry.subject.code,)),
    "jointaction.Endpoint": lambda _entry: builders.endpoint()[0],
    "redlist.Review": lambda _entry: builders.review(),
    "objections.Objection": lambda entry: builders.objection(entry)[0],
    "repair.Repair": lambda _entry: builders.repair()[0],
    "tipoffs.Report": lambda _entry: builders.report("rsj", named=True)[0],
    "tipoffs.VaultKey": lambda _entry: builders.vault_key(),
}


def _made(label):
    """One matter of the model, in a state that people reach."""
    return MAKERS[label](builders.published_black())


def test_every_kind_of_matter_is_walked_here():
    assert {model._meta.label for model in MATTERS} == MAKERS.keys()


@pytest.mark.parametrize("model", MATTERS, ids=lambda model: model._meta.label)
def test_every_arrow_starts_and_ends_at_a_status_of_the_matter(model):
    statuses = set(model.Status.values)
    for sources, target in model.MOVES.values():
        assert sources <= statuses
        assert target in statuses


@pytest.mark.parametrize("model", MATTERS, ids=lambda model: model._meta.label)
def test_every_action_outside_the_table_is_refused_and_leaves_no_line(rules, model):
    case = _made(model._meta.label)
    actor = Actor.of(builders.clerk())
    lines = Event.objects.count()
    for status in model.Status.values:
        model.objects.filter(pk=case.pk).update(status=status)
        for action, (sources, _target) in model.MOVES.items():
            if status not in sources:
                with pytest.raises(IllegalMove):
                    move(case, action, actor=actor)
    assert Event.objects.count() == lines


@pytest.mark.parametrize("model", MATTERS, ids=lambda model: model._meta.label)
def test_every_arrow_raises_the_version_and_leaves_one_line_that_says_who(rules, model):
    case = _made(model._meta.label)
    clerk = builders.clerk()
    for action, (sources, target) in model.MOVES.items():
        for status in sources:
            model.objects.filter(pk=case.pk).update(status=status)
            version = model.objects.get(pk=case.pk).version
            moved = move(case, action, actor=Actor.of(clerk), note="示例")
            line = moved.journal.last()
            assert (moved.status, moved.version) == (target, version + 1)
            assert (line.action, line.status, line.by_user) == (action, target, clerk)


def test_a_stale_version_is_refused_and_leaves_no_line(rules):
    draft = builders.black_draft()
    lines = draft.journal.count()
    with pytest.raises(StaleVersion):
        move(draft, "publish", actor=Actor.of(builders.clerk()), expected_version=99)
    assert draft.journal.count() == lines


def test_a_journal_line_can_be_neither_changed_nor_deleted(rules):
    builders.black_draft()
    for act in (lambda: Event.objects.update(note="改"), lambda: Event.objects.all().delete()):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            act()

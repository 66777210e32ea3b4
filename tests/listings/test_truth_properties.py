"""What is public, and what was in force when as known when, against a reading of the journal."""

import json
from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casework.moves import IllegalMove
from listings import ledger, services
from listings.models import Change, Listing
from parties.models import Actor
from tests import builders

FIRST = date(2026, 3, 2)
DAY = timedelta(days=1)
SPAN = 40  # days that a history takes at most
REASONS = ("error", "document_quashed", "recognition_withdrawn")

ACTS = st.one_of(
    st.tuples(st.just("correct"), st.integers(0, SPAN)),
    st.tuples(st.just("withdraw"), st.sampled_from(REASONS)),
    st.tuples(st.just("repair"), st.none()),
    st.tuples(st.just("annotate"), st.booleans()),
    st.tuples(st.just("expire"), st.none()),
)
HISTORIES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2), ACTS), min_size=1, max_size=8)


def act(entry, kind, given, *, today, actor):
    """One act of a history; what the services refuse is not done."""
    entry = Listing.objects.get(pk=entry.pk)
    try:
        if kind == "correct":
            until = FIRST + DAY * given
            services.correct(entry, {"visible_until": until}, actor=actor, note="示例")
        elif kind == "withdraw":
            services.withdraw(entry, reason=given, actor=actor, note="示例", today=today)
        elif kind == "repair":
            services.repair(entry, actor=actor, note="示例", today=today)
        elif kind == "annotate":
            services.annotate(entry, disputed=given, actor=actor)
        else:
            services.expire_lapsed(today=today)
    except (IllegalMove, ValidationError):
        pass


def told(entries, seq):
    """{entry: its changes up to a position, as (action, body)}, read from the ledger's bytes."""
    found = {entry.pk: [] for entry in entries}
    changes = Change.objects.filter(listing__in=found, seq__lte=seq).order_by("seq")
    for change in changes.select_related("body"):
        found[change.listing_id].append((change.action, json.loads(bytes(change.body.body))))
    return found


def days_of(changes):
    """(first day, last day) on which an entry was in force by what was told, or None."""
    first = last = None
    for action, body in changes:
        if action in {"publish", "correct"}:
            first = date.fromisoformat(body["published_on"])
            last = date.fromisoformat(body["visible_until"])
        elif action in {"withdraw", "repair"}:
            if body["end_reason"] in {"error", "document_quashed"}:
                return None
            last = min(last, date.fromisoformat(body["ended_on"]) - DAY)
    return (first, last) if first else None


def is_public(changes, day):
    over = {action for action, _body in changes} & {"withdraw", "repair", "expire"}
    days = days_of(changes)
    return bool(days) and not over and day <= days[1]


@pytest.mark.django_db
@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(terms=st.tuples(*[st.integers(0, SPAN)] * 3), history=HISTORIES)
def test_what_is_public_and_what_was_in_force_is_what_the_ledger_told(rules, terms, history):
    actor, today = Actor.of(builders.reviewer()), FIRST
    entries = [
        builders.published_black(today=FIRST, visible_until=FIRST + DAY * term) for term in terms
    ]
    since = ledger.head().seq
    for later, index, (kind, value) in history:
        today += DAY * later
        act(entries[index], kind, value, today=today, actor=actor)
    ours, last = Listing.objects.filter(pk__in=[entry.pk for entry in entries]), ledger.head().seq
    now = told(entries, last)
    for ahead in range(SPAN):
        day = today + DAY * ahead
        expected = {pk for pk, changes in now.items() if is_public(changes, day)}
        assert set(ours.public(day).values_list("pk", flat=True)) == expected
    for seq in range(since - 2, last + 1):
        known = {pk: days_of(changes) for pk, changes in told(entries, seq).items()}
        for ahead in range(0, SPAN, 3):
            day = FIRST + DAY * ahead
            expected = {pk for pk, days in known.items() if days and days[0] <= day <= days[1]}
            found = ours.in_force_on(day, known_at=seq)
            assert set(found.values_list("pk", flat=True)) == expected
            if seq == last:
                assert set(ours.in_force_on(day).values_list("pk", flat=True)) == expected
    assert ledger.verify_entries() is None

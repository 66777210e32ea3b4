"""When what failed is tried again: ever more rarely, for three days, not all at once."""

from datetime import timedelta

from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from jointaction.services.webhooks.backoff import (
    FIRST,
    GIVE_UP_AFTER,
    LATER,
    LONGEST,
    LONGEST_PAUSE,
    next_try,
    pause,
)

NOW = timezone.now()
chances = st.floats(0, 1)


def wait(attempts, chance, asked=None):
    later = next_try(attempts, first_tried_at=NOW, now=NOW, chance=chance, asked=asked)
    return (later - NOW).total_seconds()


@given(attempts=st.integers(1, 10**6), chance=chances)
def test_every_wait_is_within_its_bounds(attempts, chance):
    assert 0.8 * FIRST <= wait(attempts, chance) <= 1.2 * LONGEST + 1


@given(attempts=st.integers(1, 1_000), chance=chances)
def test_no_wait_is_shorter_than_the_one_before(attempts, chance):
    assert wait(attempts, chance) <= wait(attempts + 1, chance)


@given(attempts=st.integers(1, 1_000), one=chances, other=chances)
def test_chance_moves_a_wait_by_a_fifth_at_most(attempts, one, other):
    assert wait(attempts, one) <= wait(attempts, other) * 1.2 / 0.8 + 0.001


@given(asked=st.integers(0, 10**9), attempts=st.integers(1, 30), chance=chances)
def test_what_the_receiver_asks_for_makes_a_wait_longer_within_six_hours(asked, attempts, chance):
    plain = wait(attempts, chance)
    assert wait(attempts, chance, asked) == max(plain, min(asked, LONGEST))


@given(st.lists(st.tuples(chances, st.integers(0, 900)), min_size=60, max_size=60))
def test_the_last_try_is_at_the_end_of_three_days_however_late_each_one_comes(steps):
    now, tries = NOW, 1
    for chance, late in steps:
        later = next_try(tries, first_tried_at=NOW, now=now, chance=chance)
        if later is None:
            break
        assert now < later <= NOW + GIVE_UP_AFTER
        now, tries = later + timedelta(seconds=late), tries + 1
    assert later is None
    assert now >= NOW + GIVE_UP_AFTER
    assert 10 <= tries <= 40


@given(failures=st.integers(0, 10**6))
def test_an_endpoint_rests_only_after_many_failures_and_never_long(failures):
    assert (pause(failures) > timedelta(0)) == (failures >= LATER)
    assert pause(failures) <= pause(failures + 1) <= timedelta(seconds=LONGEST_PAUSE)

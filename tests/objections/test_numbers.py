"""Numbers have no gaps and no doubles, however many file at once."""

import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import connections
from django.utils import timezone

from objections.models import Objection
from rulebook.services import seed_rules
from tests import builders

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts):
    start, outcomes = threading.Barrier(len(acts)), []

    def run(act):
        try:
            start.wait()
            outcomes.append(act())
        except ValidationError as refusal:
            outcomes.append(refusal)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return outcomes


@pytest.fixture
def entries(transactional_db):
    seed_rules()
    return [builders.published_black() for _n in range(8)]


def test_of_filings_at_once_some_refused_the_numbers_have_no_gap(entries):
    acts = [lambda entry=entry: builders.objection(entry) for entry in entries]
    bad = [lambda entry=entry: builders.objection(entry, grounds="短") for entry in entries[:4]]
    outcomes = at_once(*acts, *bad)
    assert sum(isinstance(outcome, ValidationError) for outcome in outcomes) == 4
    numbers = sorted(Objection.objects.values_list("number", flat=True))
    year = timezone.localdate().year
    assert numbers == [f"YY-{year}-{n:06}" for n in range(1, 9)]


def test_the_same_point_filed_twice_at_once_is_one_matter(entries):
    entry = entries[0]
    outcomes = at_once(*[lambda: builders.objection(entry)] * 4)
    assert sum(isinstance(outcome, ValidationError) for outcome in outcomes) == 3
    assert Objection.objects.filter(listing=entry).count() == 1

"""Numbers have no gaps and no doubles, however many file at once."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from casework.models import Letter
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


CLIENTS, FILINGS = 50, 200
GROUNDS = "其中 15 名工人工资已通过银行代发，立案时未计入。"


def on_the_site(entry, point):
    """A filing on the public form."""
    given = {
        "fields": [point],
        "grounds": GROUNDS,
        "applicant_name": "示例申请人",
        "applicant_phone": "0435-0000000",
    }
    page = Client().post(f"{reverse('objection-new')}?entry={entry.public_id}", given)
    assert page.status_code == 200
    assert "查询码" in page.content.decode()


def by_machine(machine, entry, point):
    """A filing by machine that is sent again under its key; both answers are one."""
    body = {
        "listing": str(entry.public_id),
        "applicant": {"name": "示例申请人", "phone": "0435-0000000"},
        "fields": [point],
        "grounds": GROUNDS,
        "received_on": str(timezone.localdate()),
    }
    headers = {"Idempotency-Key": str(uuid4())}
    first, again = (machine.post("/objections/", body, 201, headers=headers) for _try in range(2))
    assert first == again


def test_of_200_filings_at_once_from_50_clients_none_is_lost_and_none_doubled(entries):
    points = ("ground", "term", "document", "measures", "subject")
    entries += [builders.published_black() for _n in range(FILINGS // len(points) - len(entries))]
    machine = builders.Machine(builders.clerk())
    doors = itertools.cycle([on_the_site, partial(by_machine, machine)])

    def file(door, pair):
        try:
            door(*pair)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(file, doors, itertools.product(entries, points)))  # raises what failed
    year = timezone.localdate().year
    numbers = sorted(Objection.objects.values_list("number", flat=True))
    assert numbers == [f"YY-{year}-{n:06}" for n in range(1, FILINGS + 1)]
    assert len(set(Objection.objects.values_list("listing", "fields__0"))) == FILINGS
    letters = Letter.objects.values_list("serial", flat=True).order_by("serial")
    assert list(letters) == list(range(1, FILINGS + 1))

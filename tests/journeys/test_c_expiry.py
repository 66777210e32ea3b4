"""Journey C: a term ends, and the entry is gone at midnight in Shanghai, sweeps or no sweeps."""

import datetime

import pytest
import time_machine
from django.urls import reverse

from jointaction import services as jointaction
from listings import services as listings
from listings.models import Change
from tests import builders

pytestmark = pytest.mark.usefixtures("rules")

LAST_DAY = datetime.date(2026, 7, 1)
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))
LAST_SECOND = datetime.datetime(2026, 7, 1, 23, 59, 59, tzinfo=SHANGHAI)
MIDNIGHT = LAST_SECOND + datetime.timedelta(seconds=1)


@pytest.fixture
def entry():
    """Published on 2026-04-01 for three months: 2026-07-01 is its last public day."""
    with time_machine.travel(datetime.datetime(2026, 4, 1, 10, tzinfo=SHANGHAI), tick=False):
        made = builders.published_black(term_months=3)
        jointaction.distribute(today=datetime.date(2026, 4, 1))
    assert made.visible_until == LAST_DAY
    return made


def pages(client, entry):
    """Status of the entry's page, and whether each page that could name the firm does."""
    name, code = entry.subject.name, entry.subject.code
    own = client.get(reverse("black-entry", args=[entry.public_id])).status_code
    asked = [
        client.get(reverse("home")),
        client.get(reverse("black-list")),
        client.get(reverse("search"), {"q": name}),
        client.get(reverse("subject", args=[code])),
        client.get(reverse("objection-new"), {"code": code}),
        client.get(reverse("repair-new"), {"code": code}),
    ]
    csv = b"".join(client.get(reverse("black-list"), {"format": "csv"}).streaming_content)
    link = f"/black/{entry.public_id}/"
    named = [
        link in page.content.decode() or f"entry={entry.public_id}" in page.content.decode()
        for page in asked
    ]
    return own, [*named, name in csv.decode()]


def test_the_entry_is_gone_everywhere_at_midnight_with_every_timer_off(client, entry):
    with time_machine.travel(LAST_SECOND, tick=False):
        assert pages(client, entry) == (200, [True] * 7)
    with time_machine.travel(MIDNIGHT, tick=False):
        assert pages(client, entry) == (410, [False] * 7)
    entry.refresh_from_db()
    assert entry.status == "published"  # nobody swept: the dates alone decide


def test_an_ended_entry_can_be_neither_objected_to_nor_repaired_on_the_site(client, entry):
    with time_machine.travel(MIDNIGHT, tick=False):
        for door in ("objection-new", "repair-new"):
            page = client.get(reverse(door), {"entry": entry.public_id})
            assert page.status_code == 404
            assert entry.subject.name not in page.content.decode()


def test_a_sweep_days_later_dates_the_end_by_the_term_and_tells_the_units(client, entry):
    late = datetime.date(2026, 7, 5)
    with time_machine.travel(datetime.datetime(2026, 7, 5, 9, tzinfo=SHANGHAI), tick=False):
        assert listings.expire_lapsed(today=late) == 1
        assert listings.expire_lapsed(today=late) == 0
        jointaction.distribute(today=late)
    entry.refresh_from_db()
    assert (entry.status, entry.ended_on) == ("expired", datetime.date(2026, 7, 2))
    assert Change.objects.filter(listing=entry, action="expire").count() == 1
    applied = set(entry.pushes.filter(kind="apply").values_list("unit", flat=True))
    lifted = set(entry.pushes.filter(kind="lift").values_list("unit", flat=True))
    assert applied == lifted != set()

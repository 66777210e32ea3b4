"""With every timer off, an entry whose last day was yesterday is nowhere: truth is read."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from jointaction.services import check
from listings.models import Change, Listing
from parties.models import Actor
from tests import builders

NAME = "通化昨日示例到期有限公司"
WORDS = re.compile(r'href="(/[^"#]*)')


@pytest.fixture
def lapsed(rules):
    """A firm whose entry ended at midnight; no sweep has run."""
    yesterday = timezone.localdate() - timedelta(days=1)
    entry = builders.last_public_day(yesterday, subject=builders.firm(NAME))
    assert Listing.objects.get(pk=entry.pk).status == "published"
    return entry


@pytest.fixture
def in_force(rules):
    return builders.published_black(builders.firm("通化今日示例有效有限公司"))


def pages_from(start):
    """Every page that links lead to from `start`, as anybody sees them: {path: text}."""
    client, found, waiting = Client(), {}, [start]
    while waiting:
        path = waiting.pop()
        answer = client.get(path)
        found[path] = _text(answer)
        if "html" in answer.get("Content-Type", ""):
            links = {link.replace("&amp;", "&") for link in WORDS.findall(found[path])}
            fresh = {link for link in links if not link.startswith(("/static/", "/api/"))}
            waiting += sorted(fresh - found.keys() - set(waiting))
        assert len(found) < 1_500, "the site has no end"
    return found


def _text(answer):
    content = b"".join(answer) if answer.streaming else answer.content
    return content.decode("utf-8", "replace")


def test_it_is_on_no_page_that_a_link_leads_to(lapsed, in_force):
    pages = pages_from("/")
    assert len(pages) > 15
    assert any(in_force.subject.name in text for text in pages.values())
    assert [
        path for path, text in pages.items() if NAME in text or lapsed.subject.code in text
    ] == []


def test_its_own_page_is_gone_and_says_nothing_of_it(lapsed, client):
    answer = client.get(f"/black/{lapsed.public_id}/")
    assert answer.status_code == 410
    assert NAME not in _text(answer)
    assert lapsed.document_number not in _text(answer)


def test_no_search_finds_it(lapsed, client):
    for asked in ("昨日示例", lapsed.subject.code):
        found = _text(client.get("/search/", {"q": asked}))
        assert f"/black/{lapsed.public_id}/" not in found


def test_no_export_holds_it(lapsed, in_force, client):
    text = _text(client.get("/black/", {"format": "csv"}))
    assert in_force.subject.code in text
    assert lapsed.subject.code not in text


def test_no_check_hits_it(lapsed):
    actor = Actor.of(builders.liaison("czj"))
    _logged, results = check(
        [{"code": lapsed.subject.code}],
        actor=actor,
        purpose="投标资格审查",
        reference="示例1",
        today=timezone.localdate(),
    )
    assert [(result.outcome, result.matches) for result in results] == [("clear", [])]


@pytest.fixture
def machine(rules):
    """A machine of another department."""
    key = builders.api_key(builders.liaison("czj"))
    return Client(headers={"Authorization": f"Api-Key {key}"})


def test_no_list_of_the_api_holds_it_but_as_ended(lapsed, in_force, machine):
    rows = machine.get("/api/v1/listings/").json()["results"]
    assert {row["id"]: "subject" in row for row in rows} == {
        str(in_force.public_id): True,
        str(lapsed.public_id): False,
    }
    for asked, found in (("published", in_force), ("expired", lapsed)):
        rows = machine.get("/api/v1/listings/", {"status": asked}).json()["results"]
        assert [row["id"] for row in rows] == [str(found.public_id)]


def test_the_feed_says_only_that_it_ended(lapsed, machine):
    rows = machine.get("/api/v1/changes/?after=0").json()["results"]
    assert [row["listing"] for row in rows] == [
        {
            "id": str(lapsed.public_id),
            "list": "black",
            "status": "expired",
            "ended_on": timezone.localdate().isoformat(),
            "end_reason": "expired",
        }
    ]


def test_no_count_counts_it(lapsed, client):
    assert Listing.objects.public(timezone.localdate()).count() == 0
    assert Change.objects.filter(action="expire").count() == 0
    home = _text(client.get("/"))
    shown = re.search(r"有效黑名单</dt>\s*<dd>\s*([\d,]+)", home)
    assert shown, "the home page counts what is in force"
    assert shown[1] == "0"

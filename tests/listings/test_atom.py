"""The newest entries of a list for feed readers."""

from xml.etree import ElementTree

import pytest
from django.utils import timezone

from listings import services
from listings.models import Change
from parties.models import Actor
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def read(client):
    def read(path="/black/", **asked):
        answer = client.get(path, {"format": "atom", **asked})
        assert answer["Content-Type"].startswith("application/atom+xml")
        return ElementTree.fromstring(answer.content)  # noqa: S314 - our own

    return read


def test_the_feed_tells_the_newest_entries_with_their_addresses(read):
    entry = builders.published_black(builders.firm("通化示例订阅<&>有限公司"))
    builders.red_published()
    (item,) = read().findall(f"{ATOM}entry")
    assert entry.subject.name in item.find(f"{ATOM}title").text
    assert item.find(f"{ATOM}link").get("href").endswith(f"/black/{entry.public_id}/")
    assert item.find(f"{ATOM}id").text == f"urn:uuid:{entry.public_id}"


def test_an_entrys_last_change_is_when_it_was_updated(read):
    entry = builders.published_black()
    at = timezone.localtime(Change.objects.get(listing=entry).at)
    updated = read().find(f"{ATOM}entry/{ATOM}updated").text
    assert updated.startswith(at.isoformat()[:19])


def test_persons_are_masked_and_ended_entries_gone(read):
    person = builders.published_black(builders.person("王示例"), unit="zjfy", category="J01")
    ended = builders.published_black(builders.firm("通化示例已撤有限公司"))
    services.withdraw(
        ended,
        reason="error",
        note="列错",
        actor=Actor.of(builders.reviewer()),
        today=timezone.localdate(),
    )
    text = ElementTree.tostring(read(), encoding="unicode")
    assert "王*" in text
    assert "王示例" not in text
    assert str(person.public_id) in text
    assert "已撤" not in text


def test_the_feed_is_narrowed_like_the_list_and_costs_the_same_for_many(
    read, client, django_assert_max_num_queries
):
    other = builders.published_black(unit="zjfy", category="J01")
    for _more in range(5):
        builders.published_black()
    items = read(department="zjfy").findall(f"{ATOM}entry")
    assert [item.find(f"{ATOM}id").text for item in items] == [f"urn:uuid:{other.public_id}"]
    with django_assert_max_num_queries(12):
        client.get("/black/", {"format": "atom"})


def test_pages_and_feeds_come_compressed_to_who_takes_it_and_304_to_who_has_it(client):
    builders.published_black()
    plain = client.get("/black/")
    packed = client.get("/black/", headers={"accept-encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert len(packed.content) < len(plain.content) / 2
    again = client.get(
        "/black/", headers={"accept-encoding": "gzip", "if-none-match": packed["ETag"]}
    )
    assert again.status_code == 304
    assert not again.content

"""What the search box offers while a name is typed."""

import pytest
from django.urls import reverse

from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]


@pytest.fixture
def hints(client):
    def hints(text):
        answer = client.get(reverse("search-hints"), {"q": text})
        assert answer.status_code == 200
        return answer.json()["firms"]

    return hints


def test_firms_with_entries_in_force_are_offered_with_their_codes(hints):
    entry = builders.published_black(builders.firm("通化示佳提示有限公司"))
    builders.published_black(entry.subject)
    builders.black_draft(builders.firm("通化示佳草稿有限公司"))
    assert hints("示佳") == [{"code": entry.subject.code, "name": entry.subject.name}]


def test_persons_codes_and_too_short_texts_are_offered_nothing(hints):
    builders.published_black(builders.person("王示例"), unit="zjfy", category="J01")
    assert hints("王示例") == hints("通") == hints("") == hints("91220501MA0ABC1215") == []


def test_few_are_offered_the_shortest_first_at_the_same_cost(hints, django_assert_max_num_queries):
    for index in range(12):
        builders.published_black(builders.firm(f"通化示佳{'甲' * (12 - index)}有限公司"))
    with django_assert_max_num_queries(7):  # two of them count who asks
        found = hints("示佳")
    assert len(found) == 8
    assert found[0]["name"] == "通化示佳甲有限公司"

"""The red list's desk: nomination, public notice, recognition by another officer."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from casework.workdays import add_working_days
from listings.models import Listing
from tests import builders

DAY = timedelta(days=1)


@pytest.fixture
def desk(rules):
    return lambda user: builders.signed_in(Client(), user)


def url(name, listing):
    return reverse(f"desk-listing-red{name}", args=[listing.public_id])


def nominated(client, **fields):
    start = timezone.localdate() - 40 * DAY
    given = {
        "kind": "organization",
        "code": builders.code_of(780_001),
        "name": "通化示例八号商贸有限公司",
        "term_months": 36,
        "source": "RS4",
        "nominator": "通化市示例行业协会",
        "ground": "连续三年监督抽检全部合格。",
        "public_notice_from": start.isoformat(),
        "public_notice_until": add_working_days(start, 10).isoformat(),
        **fields,
    }
    return client.post(f"{reverse('desk-listing-red-new')}?category=RS4", given)


def test_a_nomination_is_written_by_one_and_recognised_by_another(desk):
    clerk, reviewer = desk(builders.clerk("scjg")), desk(builders.reviewer("scjg"))
    assert nominated(clerk).status_code == 302
    listing = Listing.objects.get()
    assert listing.nomination.source == "RS4"
    page = clerk.get(url("", listing)).content.decode()
    assert "通化市示例行业协会" in page
    assert "可以公布了" in page
    given = {"version": listing.version}
    assert clerk.post(url("-publish", listing), given).status_code == 403
    assert reviewer.post(url("-publish", listing), given).status_code == 302
    assert Listing.objects.get().is_public(timezone.localdate())
    assert "不在黑名单上" in reviewer.get(url("", listing)).content.decode()


def test_a_nomination_can_be_completed_later(desk):
    clerk = desk(builders.clerk("scjg"))
    nominated(clerk, public_notice_from="", public_notice_until="")
    listing = Listing.objects.get()
    assert "须先公示" in clerk.get(url("", listing)).content.decode()
    form = clerk.get(url("-edit", listing)).context["form"]
    start = timezone.localdate() - 40 * DAY
    values = {name: form[name].value() or "" for name in form.fields} | {
        "public_notice_from": start.isoformat(),
        "public_notice_until": add_working_days(start, 10).isoformat(),
        "nominator": "通化市示例商会",
    }
    assert clerk.post(url("-edit", listing), values).status_code == 302
    page = clerk.get(url("", listing)).content.decode()
    assert "通化市示例商会" in page
    assert "可以公布了" in page


def test_half_a_public_notice_or_too_short_a_one_is_refused_in_words(desk):
    clerk = desk(builders.clerk("scjg"))
    half = nominated(clerk, public_notice_until="")
    assert half.status_code == 400
    assert "两个日期要一起填写" in half.content.decode()
    today = timezone.localdate().isoformat()
    short = nominated(clerk, public_notice_from=today, public_notice_until=today)
    assert short.status_code == 400
    assert "公示至少" in short.content.decode()
    assert not Listing.objects.exists()


def test_a_subject_on_the_black_list_can_not_be_recognised(desk):
    firm = builders.firm()
    listing = builders.red_draft(firm)
    builders.published_black(firm)
    reviewer = desk(builders.reviewer("scjg"))
    refused = reviewer.post(url("-publish", listing), {"version": listing.version})
    assert refused.status_code == 400
    assert "这个主体在黑名单上" in refused.content.decode()


def test_a_correction_of_a_red_entry_asks_for_no_document(desk):
    listing = builders.red_published()
    page = desk(builders.clerk("scjg")).get(
        reverse("desk-listing-correct", args=[listing.public_id])
    )
    assert "document_number" not in page.context["form"].fields


def test_a_black_entry_and_another_department_find_nothing_here(desk):
    black = builders.black_draft()
    assert desk(builders.clerk()).get(url("", black)).status_code == 404
    red = builders.red_draft()
    stranger = desk(builders.clerk("rsj"))
    for name in ("", "-edit", "-publish"):
        assert stranger.get(url(name, red)).status_code == 404, name

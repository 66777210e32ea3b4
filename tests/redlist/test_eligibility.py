"""Who may use the green channel: the vectors of three clean years, and what stands against it."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casework.workdays import add_months
from listings import services as listings
from listings.models import AdverseRecord
from parties.models import Actor
from redlist.services import eligibility, eligible_many
from tests import builders

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)


@pytest.fixture(autouse=True)
def _rules(rules):
    pass


def penalised(subject, decided_on, **fields):
    return AdverseRecord.objects.create(
        subject=subject,
        department=builders.department("scjg"),
        origin="220500",
        document_number=f"示例罚{decided_on}{fields.get('state', '')}",
        decided_on=decided_on,
        organ_name="示例机关",
        content_digest=b"",
        **fields,
    )


@pytest.mark.parametrize(
    ("decided_on", "eligible", "reason"),
    [
        (date(2023, 11, 23), True, "clean"),
        (date(2023, 11, 24), False, "adverse_record"),
        (date(2026, 11, 23), False, "adverse_record"),
        (date(2026, 11, 24), True, "clean"),  # decided after the day that is asked about
    ],
)
def test_three_clean_years_are_counted_to_the_day(decided_on, eligible, reason):
    firm = builders.firm()
    penalised(firm, decided_on)
    found = eligibility(firm, as_of=TODAY)
    assert (found.eligible, found.reasons, found.as_of) == (eligible, (reason,), TODAY)
    assert found.words


@pytest.mark.parametrize("state", ["repaired", "wrong"])
def test_repaired_and_wrong_records_do_not_count(state):
    firm = builders.firm()
    penalised(firm, date(2026, 1, 1), state=state)
    assert eligibility(firm, as_of=TODAY).eligible


def test_a_red_entry_makes_eligible_whatever_the_records_and_a_black_one_never():
    firm = builders.firm()
    penalised(firm, date(2026, 1, 1))
    builders.red_published(firm, today=date(2026, 6, 1))
    assert eligibility(firm, as_of=TODAY).reasons == ("red_listed",)
    black = builders.published_black(firm, today=TODAY)
    assert eligibility(firm, as_of=TODAY).reasons == ("black_listed",)
    assert eligibility(firm, as_of=TODAY - timedelta(days=1)).eligible
    listings.withdraw(
        black, reason="error", actor=Actor.of(builders.reviewer()), note="列错", today=TODAY
    )
    assert eligibility(firm, as_of=TODAY).eligible


def test_many_are_decided_in_a_fixed_number_of_queries(django_assert_num_queries):
    firms = [builders.firm() for _firm in range(12)]
    penalised(firms[0], date(2026, 1, 1))
    with django_assert_num_queries(4):
        found = eligible_many(firms, as_of=TODAY)
    assert [found[firm.pk].eligible for firm in firms] == [False] + [True] * 11


@settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    as_of=st.dates(date(2022, 1, 1), date(2032, 12, 31)) | st.sampled_from([date(2028, 2, 29)]),
    back=st.integers(0, 1_200),
)
def test_a_record_counts_until_the_corresponding_day_three_years_on(as_of, back):
    firm, decided_on = builders.firm(), as_of - timedelta(days=back)
    penalised(firm, decided_on)
    assert eligibility(firm, as_of=as_of).eligible == (decided_on <= add_months(as_of, -36))


def test_the_subjects_page_says_so_only_where_it_is_so(client):
    firm = builders.firm()
    page = f"/subjects/{firm.code}/"
    first = client.get(page)
    assert "符合绿色通道" in first.content.decode()
    unknown = client.get(f"/subjects/{builders.code_of(987654)}/")
    assert "符合绿色通道" in unknown.content.decode()
    builders.published_black(firm)
    assert "绿色通道" not in client.get(page).content.decode()

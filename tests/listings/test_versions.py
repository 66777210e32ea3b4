"""Versions of an entry side by side, read back from its journal."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from blacklist import services as blacklist
from listings import services
from parties.models import Actor
from tests import builders

DAY = timedelta(days=1)


@pytest.fixture
def today():
    return timezone.localdate()


def corrected(entry, today, **fields):
    """The correction of an entry, proposed by the clerk and approved by the reviewer."""
    proposal = services.propose_correction(
        entry, fields, actor=Actor.of(builders.clerk()), note="笔误", today=today
    )
    services.approve(proposal, actor=Actor.of(builders.reviewer()), today=today)
    proposal.refresh_from_db()
    return proposal


@pytest.fixture
def entry(rules, today):
    """Drafted, edited, published, corrected twice."""
    draft = builders.black_draft(ground="起草时的事实", today=today)
    clerk = Actor.of(builders.clerk())
    blacklist.edit(draft, actor=clerk, today=today, ground="修改后的事实")
    blacklist.publish(draft, actor=Actor.of(builders.reviewer()), today=today)
    corrected(draft, today, ground="第一次更正的事实")
    corrected(draft, today, ground="第二次更正的事实", document_kind="行政处罚决定书")
    draft.refresh_from_db()
    return draft


def told(rows):
    return {row.title: (row.old, row.new, row.words) for row in rows if row.is_changed}


def test_each_version_says_what_the_entry_said_then(entry):
    found = services.versions_of(entry)
    assert [version.action for version in found] == [
        "correct", "correct", "publish", "edit", "create",
    ]  # fmt: skip
    assert [version.values["ground"] for version in found] == [
        "第二次更正的事实", "第一次更正的事实", "修改后的事实", "修改后的事实", "起草时的事实",
    ]  # fmt: skip
    assert found[0].number == entry.version
    assert found[0].values["document_kind"] == "行政处罚决定书"
    assert found[1].values["document_kind"] == found[-1].values["document_kind"]
    assert found[2].values["visible_until"] == entry.visible_until.isoformat()
    assert found[3].values["visible_until"] is None  # publication set it


def test_what_changed_is_said_in_words(entry):
    newest, before, *_rest, oldest = services.versions_of(entry)
    assert set(told(services.differences(entry, before, newest))) == {"事实和理由", "文书种类"}
    changes = told(services.differences(entry, oldest, newest))
    assert changes["事实和理由"] == ("起草时的事实", "第二次更正的事实", "改了")
    assert changes["最后公布日"][2] == "新填"
    assert services.changed_titles(newest) == ["事实和理由", "文书种类"]


def test_an_earlier_last_day_is_told_with_what_it_was(entry, today):
    before = entry.visible_until
    corrected(entry, today, visible_until=before - 30 * DAY)
    entry.refresh_from_db()
    newest, older, *_rest = services.versions_of(entry)
    changes = told(services.differences(entry, older, newest))
    assert changes["最后公布日"][:2] == (before.isoformat(), (before - 30 * DAY).isoformat())


def test_fields_of_the_category_are_compared_one_by_one(rules, today):
    details = {
        "court": "示例法院", "case_number": "示例案号", "filed_on": "2026-01-15",
        "obligation": "支付", "performance": "全部未履行",
    }  # fmt: skip
    entry = builders.published_black(unit="zjfy", category="J01", details=details, today=today)
    proposal = services.propose_correction(
        entry,
        {"details": {**details, "case_number": "另一案号"}},
        actor=Actor.of(builders.clerk("zjfy")),
        note="笔误",
        today=today,
    )
    services.approve(proposal, actor=Actor.of(builders.reviewer("zjfy")), today=today)
    entry.refresh_from_db()
    newest, older, *_rest = services.versions_of(entry)
    assert list(told(services.differences(entry, older, newest)).values()) == [
        ("示例案号", "另一案号", "改了")
    ]


# ── the page ──────────────────────────────────────────────────────────────────────────────────


def page_of(user, entry, **query):
    return builders.signed_in(Client(), user).get(
        f"/desk/listings/{entry.public_id}/versions/", query
    )


def test_the_newest_stands_beside_the_one_before_and_any_two_can_be_chosen(entry):
    page = page_of(builders.clerk(), entry)
    text = page.content.decode()
    assert "改了 2 项：事实和理由、文书种类" in text
    assert "第一次更正的事实" in text
    assert "修改后的事实" not in text
    first = services.versions_of(entry)[-1].number
    page = page_of(builders.clerk(), entry, old=first, new=first + 1)
    assert page.context["changed"] == ["事实和理由"]
    same = page_of(builders.clerk(), entry, old=entry.version, new=entry.version)
    assert "只有第" in same.content.decode()


@pytest.mark.parametrize("query", [{"old": "x"}, {"new": "999"}, {"old": "-1", "new": "\0"}])
def test_a_version_that_is_none_is_passed_over(entry, query):
    page = page_of(builders.clerk(), entry, **query)
    assert page.status_code == 200
    assert page.context["new"].number == entry.version


def test_old_values_are_for_the_own_department_the_supervisor_and_the_auditor(entry):
    for user in (builders.reviewer(), builders.supervisor(), builders.auditor()):
        assert page_of(user, entry).status_code == 200
    for user in (builders.clerk("hbj"), builders.liaison("czj")):
        assert page_of(user, entry).status_code == 404


def test_the_page_asks_as_much_for_many_versions_as_for_few(
    entry, today, django_assert_max_num_queries
):
    clerk = builders.signed_in(Client(), builders.clerk())
    for n in range(3):
        with django_assert_max_num_queries(18):
            clerk.get(f"/desk/listings/{entry.public_id}/versions/")
        corrected(entry, today, ground=f"又一次更正的事实{n}")


def test_a_proposal_shows_old_beside_new_before_and_after_it_is_carried_out(entry, today):
    proposal = services.propose_correction(
        entry, {"ground": "提议的事实"}, actor=Actor.of(builders.clerk()), note="笔误", today=today
    )
    reviewer = builders.signed_in(Client(), builders.reviewer())
    address = f"/desk/proposals/{proposal.public_id}/"

    def shown():
        page = reviewer.get(address)
        assert "变化" in page.content.decode()
        return [(row.old, row.new, row.words) for row in page.context["values"]]

    wanted = [("第二次更正的事实", "提议的事实", "改了")]
    assert shown() == wanted
    services.approve(proposal, actor=Actor.of(builders.reviewer()), today=today)
    assert shown() == wanted
    corrected(entry, today, ground="更新的事实")
    assert shown() == wanted

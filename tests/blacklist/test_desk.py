"""The black list's desk, used as people use it: forms filled in, buttons pressed, pages read."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from casework.workdays import add_working_days
from jointaction import services as jointaction
from listings.models import Listing, Proposal
from parties.models import Role
from tests import builders

NEW = "desk-listing-black-new"
DAY = timedelta(days=1)


@pytest.fixture
def desk(rules):
    """A browser in which the officer is signed in."""
    return lambda user: builders.signed_in(Client(), user)


def text_of(response, status=200):
    assert response.status_code == status, response.status_code
    return response.content.decode()


def filled(**fields):
    today = timezone.localdate()
    served = today - 25 * DAY
    return {
        "kind": "organization",
        "code": builders.code_of(770_001),
        "name": "通化示例七号建筑工程有限公司",
        "degree": "serious",
        "term_months": 12,
        "ground": "拖欠 37 名工人工资共 86.4 万元，逾期未付。",
        "document_number": "吉通示人社监决字〔2026〕第12号",
        "document_kind": "行政处理决定书",
        "document_organ": "通化市示例人力资源和社会保障局",
        "document_date": (today - 40 * DAY).isoformat(),
        "prior_notice_served_on": served.isoformat(),
        "prior_notice_means": "direct",
        "prior_notice_defence_until": add_working_days(served, 7).isoformat(),
        **fields,
    }


def drafted(client, category="M05", **fields):
    return client.post(f"{reverse(NEW)}?category={category}", filled(**fields))


def url(name, listing):
    return reverse(f"desk-listing-{name}", args=[listing.public_id])


def test_the_look_before_publication_names_each_receiver_and_is_what_is_pushed(desk):
    builders.department("bank-demo")
    draft, today = builders.black_draft(), timezone.localdate()
    page = desk(builders.reviewer()).get(url("black-publish", draft))
    receivers = {row["unit"]: row for row in page.context["receivers"]}
    rows = builders.Machine(builders.clerk()).get(f"/listings/{draft.public_id}/")["measures"]
    told = {(row["unit"], row["code"], row["article"], row["advisory"]) for row in rows}
    draft = builders.blacklist.publish(
        draft, actor=builders.Actor.of(builders.reviewer()), today=today
    )
    jointaction.distribute(today=today)
    pushes = draft.pushes.select_related("unit")
    assert {push.unit.name for push in pushes} == receivers.keys()
    assert str(builders.department("rsj")) not in receivers
    for push in pushes:
        seen = receivers[push.unit.name]
        assert seen["due"] == push.feedback_due
        assert [row["code"] for row in seen["measures"]] == [row["code"] for row in push.measures]
    assert told == {
        (push.unit.code, row["code"], row["article"], row["advisory"])
        for push in pushes
        for row in push.measures
    }
    text = text_of(page)
    assert f"将推送 {len(receivers)} 个单位" in text
    assert "第五条" in text
    assert "不限期" in text


def test_a_clerk_drafts_and_another_officer_publishes_after_a_look_at_what_it_does(desk):
    answer = drafted(desk(builders.clerk()))
    listing = Listing.objects.get()
    assert answer.url == url("black", listing)
    assert listing.prior_notice.means == "direct"
    reviewer = desk(builders.reviewer())
    assert "可以公布了" in text_of(reviewer.get(answer.url))
    look = text_of(reviewer.get(url("black-publish", listing)))
    assert "确认公布" in look
    assert "市公共资源交易中心" in look or "公共资源交易" in look
    assert Listing.objects.get().status == "draft"  # a look publishes nothing
    done = reviewer.post(url("black-publish", listing), {"version": listing.version})
    assert done.url == url("black", listing)
    assert Listing.objects.get().is_public(timezone.localdate())
    assert "公布" in text_of(reviewer.get(done.url))


def test_the_category_is_chosen_first_and_brings_its_own_fields(desk):
    clerk = desk(builders.clerk("zjfy"))
    assert "?category=J01" in text_of(clerk.get(reverse(NEW)))
    form = text_of(clerk.get(f"{reverse(NEW)}?category=J01"))
    assert 'name="details_case_number"' in form
    refused = text_of(drafted(clerk, "J01"), status=400)
    assert "details_case_number" in refused
    answer = drafted(clerk, "J01", **{f"details_{k}": v for k, v in builders.NAMED["J01"].items()})
    assert answer.status_code == 302
    assert Listing.objects.get().details == builders.NAMED["J01"]


def test_a_category_of_another_department_is_not_found(desk):
    assert desk(builders.clerk("scjg")).get(f"{reverse(NEW)}?category=M05").status_code == 404


def test_a_draft_that_is_refused_keeps_what_was_typed_but_no_paper_number(desk):
    number = builders.resident_id(901)
    page = text_of(
        drafted(
            desk(builders.clerk()),
            kind="person",
            code="",
            name="张示例",
            id_type="resident_id",
            id_number=number,
            document_date=(timezone.localdate() + DAY).isoformat(),
        ),
        status=400,
    )
    assert "文书日期不能晚于今天" in page
    assert "吉通示人社监决字〔2026〕第12号" in page
    assert number not in page


def test_a_wrong_code_is_refused_at_its_field(desk):
    page = text_of(drafted(desk(builders.clerk()), code="91220501MA0ABC1216"), status=400)
    assert "校验位不正确" in page
    assert not Listing.objects.exists()


def test_a_short_notice_is_refused_at_its_field(desk):
    today = timezone.localdate()
    page = text_of(
        drafted(
            desk(builders.clerk()),
            prior_notice_served_on=today.isoformat(),
            prior_notice_defence_until=(today + DAY).isoformat(),
        ),
        status=400,
    )
    assert "id_prior_notice_defence_until_error" in page


def test_who_publishes_sees_which_persons_will_be_named(desk):
    draft = builders.black_draft(responsible_persons=[builders.responsible("张示例")])
    look = text_of(desk(builders.reviewer()).get(url("black-publish", draft)))
    assert "张*" in look
    assert "法定代表人" in look
    assert "张示例" not in look


def test_a_draft_says_what_it_still_lacks_and_offers_no_button_to_publish(desk):
    listing = builders.black_draft(notice=False, document_organ="")
    reviewer = desk(builders.reviewer())
    page = text_of(reviewer.get(url("black", listing)))
    assert "还差 2 项" in page
    assert "须先送达列入告知书" in page
    look = text_of(reviewer.get(url("black-publish", listing)))
    assert "确认公布" not in look
    refused = reviewer.post(url("black-publish", listing), {"version": listing.version})
    assert "须先送达列入告知书" in text_of(refused, status=400)
    assert Listing.objects.get().status == "draft"


def test_a_clerk_can_not_publish(desk):
    listing = builders.black_draft()
    clerk = desk(builders.clerk())
    assert "确认公布" not in text_of(clerk.get(url("black-publish", listing)))
    refused = clerk.post(url("black-publish", listing), {"version": listing.version})
    assert "须由别人来办" in text_of(refused, status=403)
    assert Listing.objects.get().status == "draft"


def test_a_reviewer_who_wrote_part_of_the_draft_can_not_publish_it(desk):
    listing = builders.black_draft()
    reviewer = desk(builders.reviewer())
    edited = filled(version=listing.version, ground="改过的事实和理由。")
    assert reviewer.post(url("black-edit", listing), edited).status_code == 302
    version = Listing.objects.get().version
    refused = reviewer.post(url("black-publish", listing), {"version": version})
    assert refused.status_code == 403
    other = desk(builders.officer("rsj", Role.REVIEWER.value, username="rsj-reviewer-2"))
    answer = other.post(url("black-publish", listing), {"version": version})
    assert answer.status_code == 302


def test_a_draft_changed_meanwhile_is_neither_published_nor_overwritten(desk):
    listing = builders.black_draft()
    clerk, reviewer = desk(builders.clerk()), desk(builders.reviewer())
    assert (
        clerk.post(url("black-edit", listing), filled(version=listing.version)).status_code == 302
    )
    late = reviewer.post(url("black-publish", listing), {"version": listing.version})
    assert "已有改动" in text_of(late, status=412)
    again = clerk.post(url("black-edit", listing), filled(version=listing.version, ground="旧的。"))
    assert "已有改动" in text_of(again, status=412)
    assert Listing.objects.get().ground.startswith("拖欠")


def test_the_defence_is_recorded_and_must_be_answered(desk):
    listing = builders.black_draft()
    clerk = desk(builders.clerk())
    defence = {
        "prior_notice_defence_received_on": (timezone.localdate() - 20 * DAY).isoformat(),
        "prior_notice_defence_text": "工资已部分支付。",
    }
    clerk.post(url("black-edit", listing), filled(version=listing.version, **defence))
    assert "请先写明答复意见" in text_of(clerk.get(url("black", listing)))
    version = Listing.objects.get().version
    answered = filled(version=version, prior_notice_opinion="已核减，仍属严重。", **defence)
    clerk.post(url("black-edit", listing), answered)
    page = text_of(clerk.get(url("black", listing)))
    assert "可以公布了" in page
    assert "已核减，仍属严重。" in page


def test_a_correction_is_proposed_by_one_and_approved_by_another(desk):
    listing = builders.published_black()
    clerk, reviewer = desk(builders.clerk()), desk(builders.reviewer())
    form = clerk.get(url("correct", listing)).context["form"]
    values = {name: form[name].value() or "" for name in form.fields} | {
        "ground": "更正：拖欠 22 名工人工资共 52.7 万元。",
        "note": "代发工资未计入。",
    }
    assert clerk.post(url("correct", listing), values).status_code == 302
    proposal = Proposal.objects.get()
    assert set(proposal.fields) == {"ground"}
    page = reverse("desk-listing-proposal", args=[proposal.public_id])
    approve = reverse("desk-listing-approve", args=[proposal.public_id])
    assert approve not in text_of(clerk.get(page))
    assert clerk.post(approve).status_code == 403
    assert approve in text_of(reviewer.get(page))
    assert reviewer.post(approve).status_code == 302
    assert Listing.objects.get().ground.startswith("更正：")
    assert "现在的状态是" in text_of(reviewer.post(approve), status=409)


def test_a_correction_that_changes_nothing_or_makes_the_term_longer_is_refused(desk):
    listing = builders.published_black()
    clerk = desk(builders.clerk())
    form = clerk.get(url("correct", listing)).context["form"]
    values = {name: form[name].value() or "" for name in form.fields} | {"note": "说明。"}
    assert "没有要更正的" in text_of(clerk.post(url("correct", listing), values), status=400)
    values["visible_until"] = (listing.visible_until + DAY).isoformat()
    assert "不能延长" in text_of(clerk.post(url("correct", listing), values), status=400)


def test_a_withdrawal_can_be_turned_down_with_a_reason(desk):
    listing = builders.published_black()
    clerk, reviewer = desk(builders.clerk()), desk(builders.reviewer())
    given = {"reason": "error", "note": "主体认定有误。"}
    assert clerk.post(url("withdraw", listing), given).status_code == 302
    assert "待审核" in text_of(clerk.post(url("withdraw", listing), given), status=400)
    reject = reverse("desk-listing-reject", args=[Proposal.objects.get().public_id])
    assert reviewer.post(reject, {"note": ""}).status_code == 400
    assert reviewer.post(reject, {"note": "文书没有撤销。"}).status_code == 302
    assert Listing.objects.get().status == "published"
    page = text_of(clerk.get(url("black", listing)))
    assert "提议未通过" in page
    assert "文书没有撤销。" in page


def test_the_department_sees_what_each_unit_answered(desk):
    listing = builders.published_black()
    jointaction.distribute(today=timezone.localdate())
    page = text_of(desk(builders.clerk()).get(url("black", listing)))
    assert "市财政局" in page
    assert "未反馈" in page


def test_another_department_finds_nothing_of_a_draft_at_any_door(desk):
    listing = builders.black_draft()
    stranger = desk(builders.reviewer("scjg"))
    for name in ("black", "black-edit", "black-publish", "correct", "withdraw"):
        assert stranger.get(url(name, listing)).status_code == 404, name
    assert stranger.post(url("black-publish", listing), {"version": 1}).status_code == 404
    supervisor = desk(builders.supervisor())
    assert supervisor.get(url("black", listing)).status_code == 200
    assert supervisor.get(url("black-edit", listing)).status_code == 403
    refused = supervisor.post(url("black-publish", listing), {"version": listing.version})
    assert refused.status_code == 403


def test_a_liaison_is_offered_no_draft(desk):
    liaison = desk(builders.liaison("rsj"))
    assert reverse(NEW) not in text_of(liaison.get(reverse("desk-listings")))
    assert "没有可以列入的类别" in text_of(liaison.get(reverse(NEW)))
    assert drafted(liaison).status_code == 404
    assert not Listing.objects.exists()


def test_a_red_entry_is_not_found_at_the_black_door(desk):
    listing = builders.red_draft()
    clerk = desk(builders.clerk("scjg"))
    for name in ("black", "black-edit", "black-publish"):
        assert clerk.get(url(name, listing)).status_code == 404, name


def test_the_list_shows_the_department_its_own_by_status_and_search(desk):
    builders.black_draft(builders.firm("通化示例甲字建筑工程有限公司"))
    builders.published_black(builders.firm("通化示例乙字建筑工程有限公司"))
    builders.red_draft(builders.firm("通化示例丙字商贸有限公司"))
    clerk = desk(builders.clerk())
    page = text_of(clerk.get(reverse("desk-listings")))
    assert "甲字" in page
    assert "乙字" not in page
    everything = text_of(clerk.get(reverse("desk-listings"), {"status": "all"}))
    assert "乙字" in everything
    assert "丙字" not in everything
    found = text_of(clerk.get(reverse("desk-listings"), {"status": "all", "q": "乙字"}))
    assert "甲字" not in found
    by_number = {
        "status": "all",
        "q": Listing.objects.get(subject__name__contains="甲字").document_number,
    }
    assert "乙字" not in text_of(clerk.get(reverse("desk-listings"), by_number))


def test_the_list_asks_as_many_questions_for_many_entries_as_for_few(
    desk, django_assert_max_num_queries
):
    clerk = desk(builders.clerk())
    for _n in range(3):
        builders.black_draft()
    with django_assert_max_num_queries(12):
        clerk.get(reverse("desk-listings"))
    for _n in range(9):
        builders.black_draft()
    with django_assert_max_num_queries(12):
        clerk.get(reverse("desk-listings"))

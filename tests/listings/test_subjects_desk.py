"""The desk of subjects: who sees one, proposes for it, and decides."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from listings import services as listings
from listings.models import SubjectChange
from parties.models import Actor, Role, Subject
from portal.services import Matters
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]

NEW = "通化示例更名后商贸有限公司"


def today():
    return timezone.localdate()


def operator(number=1):
    return builders.officer("platform", Role.OPERATOR.value, username=f"operator-{number}")


def desk(user):
    return builders.signed_in(Client(), user)


def page_of(subject, user):
    return desk(user).get(reverse("desk-subject", args=[subject.public_id]))


def act(step, row, user, **data):
    return desk(user).post(reverse(f"desk-subject-{step}", args=[row.public_id]), data)


RENAMING = {"name": NEW, "changed_on": "2026-01-05", "note": "变更登记通知书示例1号"}


def test_a_new_name_goes_from_the_entrys_page_over_two_desks_to_the_public_page(client):
    entry = builders.published_black(builders.firm("通化示例旧名商贸有限公司"))
    firm, clerk, reviewer = entry.subject, builders.clerk(), builders.reviewer()
    shown = desk(clerk).get(reverse("desk-listing-black", args=[entry.public_id])).content.decode()
    assert reverse("desk-subject", args=[firm.public_id]) in shown
    assert act("rename", firm, clerk, **RENAMING).status_code == 302
    change = SubjectChange.objects.get()
    waiting = page_of(firm, clerk).content.decode()
    assert "待审核" in waiting
    assert "审核通过" not in waiting
    (matter,) = [
        row
        for row in Matters(reviewer, today=today(), tab="approval")[:20]
        if str(firm.public_id) in row.url
    ]
    assert "更名" in matter.now
    assert "审核通过" in desk(reviewer).get(matter.url).content.decode()
    assert act("approve", change, reviewer).status_code == 302
    assert "通化示例旧名商贸有限公司" in page_of(firm, clerk).content.decode()
    public = client.get(reverse("subject", args=[firm.code])).content.decode()
    assert "曾用名" in public
    assert "旧名" in public
    entry.refresh_from_db()
    assert (
        "提议更名"
        in desk(clerk).get(reverse("desk-listing-black", args=[entry.public_id])).content.decode()
    )


def test_a_merger_is_proposed_by_one_operator_and_decided_by_another():
    old, new = builders.firm(), builders.firm()
    builders.published_black(old)
    first, second = operator(1), operator(2)
    assert act("merge", old, builders.clerk(), into=new.code, note="重复").status_code == 403
    given = {"into": new.code, "note": "换发新代码"}
    assert act("merge", old, first, **given).status_code == 302
    change = SubjectChange.objects.get()
    assert [matter.url for matter in Matters(second, today=today())[:5]] == [
        reverse("desk-subject", args=[old.public_id])
    ]
    assert not Matters(first, today=today())[:5]
    assert act("approve", change, first).status_code == 403
    assert act("approve", change, second).status_code == 302
    answer = page_of(old, builders.clerk())
    assert answer.url == reverse("desk-subject", args=[new.public_id])
    shown = page_of(new, builders.clerk()).content.decode()
    assert old.code in shown
    assert "提议合并" in shown


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("rename", {}, "填写新名称"),
        ("rename", {**RENAMING, "changed_on": "2999-01-01"}, "不能晚于今天"),
        ("rename", {**RENAMING, "name": "a\x00b"}, "不允许"),
        ("merge", {"into": "91220501MA0ABC1216", "note": "重复"}, "校验位"),
        ("merge", {"into": "91220501MA0ABC1215", "note": "重复"}, "没有这个主体"),
        ("merge", {"into": "张示例", "note": "重复"}, "18位"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(name, data, words):
    firm = builders.published_black().subject
    answer = act(name, firm, operator(), **data)
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not SubjectChange.objects.exists()


def test_a_persons_new_name_is_on_no_page_and_given_twice():
    person = builders.person("张示例")
    builders.published_black(person)
    given = {**RENAMING, "name": "李示范"}
    assert act("rename", person, builders.clerk(), **given).status_code == 302
    change = SubjectChange.objects.get()
    for user in (builders.clerk(), builders.reviewer(), operator(), builders.auditor()):
        shown = page_of(person, user).content.decode()
        assert "李*" in shown
        assert "李示范" not in shown
        assert "张示例" not in shown
    assert act("approve", change, builders.reviewer()).status_code == 400
    refused = act("approve", change, builders.reviewer(), name="李示例")
    assert "不一样" in refused.content.decode()
    assert "李示例" not in refused.content.decode()
    assert act("approve", change, builders.reviewer(), name="李示范").status_code == 302
    assert Subject.objects.get(pk=person.pk).name == "李示范"


def test_a_subject_is_opened_by_its_code_or_its_own_number_never_by_a_name():
    firm, person = builders.firm("通化示例同名商贸有限公司"), builders.person("张示例")
    builders.firm("通化示例同名商贸有限公司")
    for subject in (firm, person):
        builders.black_draft(subject)
    browser, address = desk(builders.clerk()), reverse("desk-subjects")
    for text, found in ((firm.code, firm), (str(person.public_id), person)):
        answer = browser.get(address, {"q": text})
        assert answer.url == reverse("desk-subject", args=[found.public_id])
    for text in (firm.name, person.name, builders.code_of(7), "0" * 32, "'; --", "\x00"):
        assert browser.get(address, {"q": text}).status_code == 200
    stranger = desk(builders.clerk("hbj"))
    assert "没有这个主体" in stranger.get(address, {"q": firm.code}).content.decode()
    assert page_of(firm, builders.clerk("hbj")).status_code == 404


def test_a_subjects_page_shows_public_entries_and_of_the_own_department_all():
    firm = builders.firm()
    builders.red_published(firm)
    builders.red_draft(firm, category="RS2", unit="wmb")
    draft = builders.black_draft(firm)
    shown = page_of(firm, builders.clerk()).content.decode()
    assert str(draft.public_id) in shown
    assert shown.count('class="full"') == 2
    assert page_of(firm, builders.supervisor()).content.decode().count('class="full"') == 3


def test_a_subjects_page_costs_the_same_however_much_is_on_it():
    firm = builders.firm()
    builders.published_black(firm)
    user, address = builders.clerk(), reverse("desk-subject", args=[firm.public_id])
    browser = desk(user)

    def costs():
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(address).status_code == 200
        return len(asked)

    costs()
    before = costs()
    for index in range(3):
        builders.published_black(firm)
        change = listings.propose_rename(
            Subject.objects.get(pk=firm.pk),
            f"通化示例{index}更名有限公司",
            changed_on=today() - timedelta(days=30 - 2 * index),
            actor=Actor.of(user),
            note="已登记变更",
            today=today(),
        )
        actor = Actor.of(builders.reviewer())
        listings.approve_subject_change(change, actor=actor, today=today())
    assert costs() <= before + 1

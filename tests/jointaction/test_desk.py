"""The units' desk: pushes acknowledged and answered, checks at the counter, hits fed back."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from jointaction import services
from jointaction.models import Check, Feedback, Hit, Push
from listings import services as listings
from parties.models import Actor
from tests import builders

DAY = timedelta(days=1)


@pytest.fixture
def desk(rules):
    return lambda user: builders.signed_in(Client(), user)


@pytest.fixture
def today():
    return timezone.localdate()


def text_of(response, status=200):
    assert response.status_code == status, response.status_code
    return response.content.decode()


def pushed(unit="ggzy", *, on=None, **fields):
    """What the unit is asked to do about a new black entry."""
    on = on or timezone.localdate()
    listing = builders.published_black(today=on, **fields)
    services.distribute(today=on)
    return Push.objects.get(unit__code=unit, listing=listing)


def url(name, push):
    return reverse(f"desk-push{name}", args=[push.public_id])


def test_a_liaison_acknowledges_and_answers_measure_by_measure(desk, today):
    push = pushed()
    liaison = desk(builders.liaison("ggzy"))
    assert push.listing.subject.name in text_of(liaison.get(reverse("desk-pushes")))
    page = text_of(liaison.get(url("", push)))
    assert url("-acknowledge", push) in page
    assert liaison.post(url("-acknowledge", push)).status_code == 302
    assert url("-acknowledge", push) not in text_of(liaison.get(url("", push)))
    part = {"m0_outcome": "applied", "m0_applied_on": today.isoformat(), "m0_remark": "已限制"}
    assert liaison.post(url("-answer", push), part).status_code == 302
    assert Push.objects.get(pk=push.pk).status == "partly_answered"
    rest = {"m1_outcome": "not_applicable", "m1_remark": "没有在办的业务"}
    assert liaison.post(url("-answer", push), rest).status_code == 302
    assert Push.objects.get(pk=push.pk).status == "answered"
    page = text_of(liaison.get(url("", push)))
    assert "反馈完毕" in page
    assert "没有在办的业务" in page
    owner = text_of(desk(builders.clerk()).get(url("", push)))
    assert "没有在办的业务" in owner  # the department that listed sees the answers
    assert url("-answer", push) not in owner


def test_declining_without_a_reason_is_refused_at_its_field_and_what_was_typed_stays(desk):
    push = pushed()
    liaison = desk(builders.liaison("ggzy"))
    given = {"m0_outcome": "applied", "m0_remark": "已限制", "m1_outcome": "declined"}
    page = text_of(liaison.post(url("-answer", push), given), status=400)
    assert 'id="id_m1_remark_error"' in page
    assert 'value="已限制"' in page
    assert not Feedback.objects.exists()
    alone = text_of(liaison.post(url("-answer", push), {"m1_outcome": "declined"}), status=400)
    assert 'id="id_m1_remark_error"' in alone


def test_an_answer_without_an_outcome_or_of_nothing_is_refused(desk):
    push = pushed()
    liaison = desk(builders.liaison("ggzy"))
    assert "请至少反馈一项措施" in text_of(liaison.post(url("-answer", push), {}), status=400)
    page = text_of(liaison.post(url("-answer", push), {"m0_remark": "已限制"}), status=400)
    assert 'id="id_m0_outcome_error"' in page


def test_a_push_answered_twice_is_refused_in_words(desk):
    push = pushed()
    liaison = desk(builders.liaison("ggzy"))
    assert liaison.post(url("-acknowledge", push)).status_code == 302
    assert "现在的状态是" in text_of(liaison.post(url("-acknowledge", push)), status=409)


def test_another_unit_does_not_find_a_push_and_a_reader_can_not_answer_it(desk):
    push = pushed()
    stranger = desk(builders.liaison("czj"))
    assert stranger.get(url("", push)).status_code == 404
    assert stranger.post(url("-acknowledge", push)).status_code == 404
    assert stranger.post(url("-answer", push), {"m0_outcome": "applied"}).status_code == 404
    supervisor = desk(builders.supervisor())
    assert supervisor.get(url("", push)).status_code == 200
    refused = supervisor.post(url("-answer", push), {"m0_outcome": "applied"})
    assert refused.status_code == 403
    assert not Feedback.objects.exists()


def test_ticked_pushes_are_acknowledged_together_and_only_the_units_own(desk):
    first, second, third = pushed(), pushed(), pushed()
    foreign = Push.objects.get(unit__code="czj", listing=first.listing)
    liaison = desk(builders.liaison("ggzy"))
    ticked = {"push": [first.pk, second.pk, foreign.pk, "x"]}
    answer = liaison.post(reverse("desk-push-acknowledge-many"), ticked, follow=True)
    assert "已签收 2 件" in text_of(answer)
    open_ = Push.objects.filter(status="open")
    assert third in open_
    assert foreign in open_
    reader = desk(builders.reviewer("ggzy"))
    refused = reader.post(reverse("desk-push-acknowledge-many"), {"push": [third.pk]})
    assert refused.status_code == 403


def test_every_measure_left_is_answered_as_usual_at_one_press(desk, today):
    push, ended = pushed(), pushed()
    part = [{"code": push.measures[0]["code"], "outcome": "declined", "remark": "先前已答"}]
    services.answer(push, part, actor=Actor.of(builders.liaison("ggzy")), today=today)
    actor = Actor.of(builders.reviewer())
    listings.withdraw(ended.listing, reason="error", actor=actor, note="列错", today=today)
    services.distribute(today=today)
    lift = Push.objects.get(unit__code="ggzy", listing=ended.listing, kind="lift")
    liaison = desk(builders.liaison("ggzy"))
    for one, words in ((push, "全部已执行"), (lift, "全部已解除")):
        assert words in text_of(liaison.get(url("", one)))
        assert liaison.post(url("-answer", one), {"act": "all"}).status_code == 302
        one.refresh_from_db()
        assert one.status == "answered"
        assert liaison.post(url("-answer", one), {"act": "all"}).status_code in {400, 409}
    told = list(push.feedback.order_by("pk").values_list("outcome", "applied_on"))
    assert told[0] == ("declined", None)
    assert set(told[1:]) == {("applied", today)}
    assert set(lift.feedback.values_list("outcome", flat=True)) == {"lifted"}
    stranger = desk(builders.liaison("czj"))
    assert stranger.post(url("-answer", push), {"act": "all"}).status_code == 404
    reader = desk(builders.supervisor())
    assert reader.post(url("-answer", push), {"act": "all"}).status_code == 403


TOGETHER = "desk-push-answer-many"


def together(client, pushes, *, act="confirm", **given):
    ticked = {"push": [push.pk for push in pushes]}
    return client.post(reverse(TOGETHER), {**ticked, **given, "act": act})


def test_ticked_pushes_are_answered_together_and_only_the_units_own(desk, today):
    first, second, third = pushed(), pushed(), pushed()
    foreign = Push.objects.get(unit__code="czj", listing=first.listing)
    part = [{"code": first.measures[0]["code"], "outcome": "declined", "remark": "先前已答"}]
    services.answer(first, part, actor=Actor.of(builders.liaison("ggzy")), today=today)
    liaison = desk(builders.liaison("ggzy"))
    assert "给选中的推送同一个反馈" in text_of(liaison.get(reverse("desk-pushes")))
    answer = together(liaison, [first, second, foreign], outcome="applied", remark="已限制")
    assert "已反馈 2 件" in text_of(answer)
    assert foreign.number not in text_of(answer)
    statuses = dict(Push.objects.values_list("pk", "status"))
    told = [statuses[push.pk] for push in (first, second, third, foreign)]
    assert told == ["answered", "answered", "open", "open"]
    outcomes = list(first.feedback.values_list("outcome", "remark", "applied_on"))
    assert outcomes == [("declined", "先前已答", None), ("applied", "已限制", today)]
    assert [line.action for line in second.journal.all()] == ["answer"]
    reader = desk(builders.reviewer("ggzy"))
    assert together(reader, [third], outcome="applied").status_code == 403
    assert liaison.get(reverse(TOGETHER)).status_code == 405


def test_a_look_at_one_answer_to_many_writes_nothing_and_tells_of_each(desk, today):
    first, second = pushed(), pushed()
    liaison = desk(builders.liaison("ggzy"))
    page = together(liaison, [first, second], act="preview", outcome="applied")
    text = text_of(page)
    assert "将反馈 2 件，还没有写入" in text
    for push in (first, second):
        assert push.number in text
        assert f'value="{push.pk}" id="push-{push.pk}" checked' in text
        for measure in push.measures:
            assert measure["name"] in text
    assert not Feedback.objects.exists()
    assert not Push.objects.exclude(status="open").exists()


def test_of_many_pushes_one_that_cannot_be_answered_so_hinders_no_other(desk, today):
    apply, ended, done = pushed(), pushed(), pushed()
    actor = Actor.of(builders.reviewer())
    listings.withdraw(ended.listing, reason="error", actor=actor, note="列错", today=today)
    services.distribute(today=today)
    lift = Push.objects.get(unit__code="ggzy", listing=ended.listing, kind="lift")
    ended.refresh_from_db()
    liaison = desk(builders.liaison("ggzy"))
    together(liaison, [done], outcome="applied")
    page = together(liaison, [apply, ended, lift, done], outcome="applied")
    told = {row.push.pk: row.refusal for row, _named in page.context["rows"]}
    assert told[apply.pk] == ""
    assert "不能这样反馈" in told[lift.pk]
    assert "已被后来的推送代替" in told[ended.pk]
    assert "已反馈" in told[done.pk]
    assert "已反馈 1 件" in text_of(page)
    assert "3 件不能这样反馈" in text_of(page)
    statuses = dict(Push.objects.values_list("pk", "status"))
    assert (statuses[apply.pk], statuses[lift.pk]) == ("answered", "open")
    assert done.feedback.count() == len(done.measures)  # twice is once


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"outcome": ""}, "选择处理"),
        ({"outcome": "nosuch"}, "有 1 处需要修改"),
        ({"outcome": "not_applicable"}, "请写明理由"),
        ({"outcome": "stands", "remark": "另有决定"}, "请写明到哪天为止"),
        ({"outcome": "applied", "until": "x"}, "有 1 处需要修改"),
        ({"outcome": "applied", "remark": "x" * 2001}, "有 1 处需要修改"),
        ({"outcome": "applied", "remark": "\0"}, "有 1 处需要修改"),
    ],
    ids=str,
)
def test_what_one_answer_to_many_lacks_is_said_once_and_the_ticks_stay(desk, given, words):
    push = pushed()
    page = text_of(together(desk(builders.liaison("ggzy")), [push], **given), status=400)
    assert words in page
    assert f'name="push" value="{push.pk}"' in page
    assert not Feedback.objects.exists()


def test_one_answer_to_none_or_to_too_many_is_refused(desk, today, monkeypatch):
    first, second = pushed(), pushed()
    liaison = desk(builders.liaison("ggzy"))
    foreign = Push.objects.get(unit__code="czj", listing=first.listing)
    for pushes in ([], [foreign]):
        page = together(liaison, pushes, outcome="applied")
        assert "没有选中可以反馈的推送" in text_of(page, status=400)
    monkeypatch.setattr(import_module("jointaction.services.answer"), "MOST_TOGETHER", 1)
    assert "一次最多 1 件" in text_of(together(liaison, [first, second], outcome="applied"), 400)
    assert not Feedback.objects.exists()


def test_a_look_costs_the_same_for_many_pushes_as_for_few(desk, django_assert_max_num_queries):
    liaison = desk(builders.liaison("ggzy"))
    pushes = [pushed()]
    together(liaison, pushes, act="preview", outcome="applied")
    for _n in range(2):
        with django_assert_max_num_queries(18):
            together(liaison, pushes, act="preview", outcome="applied")
        pushes += [pushed(), pushed(), pushed()]


def test_a_push_without_measures_asks_for_no_answer(desk, today):
    push = pushed()
    Push.objects.filter(pk=push.pk).update(measures=[])
    page = together(desk(builders.liaison("ggzy")), [push], outcome="applied")
    assert "签收就是确认" in text_of(page)
    assert "将反馈" not in text_of(page)
    assert not Feedback.objects.exists()


def test_a_decision_that_stands_is_asked_for_its_last_day(desk, today):
    push = pushed()
    actor = Actor.of(builders.reviewer())
    liaison = desk(builders.liaison("ggzy"))
    assert 'name="m0_until"' not in text_of(liaison.get(url("", push)))
    listings.withdraw(push.listing, reason="error", actor=actor, note="列错", today=today)
    services.distribute(today=today)
    lift = Push.objects.get(unit__code="ggzy", listing=push.listing, kind="lift")
    assert 'name="m0_until"' in text_of(liaison.get(url("", lift)))
    given = {"m0_outcome": "stands", "m0_remark": "另有处罚决定"}
    page = text_of(liaison.post(url("-answer", lift), given), status=400)
    assert 'id="id_m0_until_error"' in page
    given["m0_until"] = str(today + 90 * DAY)
    assert liaison.post(url("-answer", lift), given).status_code == 302
    assert lift.feedback.get().until == today + 90 * DAY


def test_a_correction_says_which_fields_and_which_person_by_mask_and_role(desk, today):
    listing = builders.published_black(responsible_persons=[builders.responsible("李示例")])
    services.distribute(today=today)
    reviewer = Actor.of(builders.reviewer())
    person = listing.responsible_persons.get()
    listings.release_person(person, reason="error", actor=reviewer, note="认错人", today=today)
    services.distribute(today=today)
    push = Push.objects.get(unit__code="ggzy", listing=listing, kind="correct")
    page = text_of(desk(builders.liaison("ggzy")).get(url("", push)))
    assert "责任人员 李*（法定代表人）已解除" in page
    assert "李示例" not in page


def test_who_met_the_entry_in_a_check_alone_confirms_with_one_button(desk, today):
    listing = builders.published_black()
    clerk = desk(builders.clerk("rwb"))
    asked(clerk, listing.subject)
    actor = Actor.of(builders.reviewer())
    listings.withdraw(listing, reason="error", actor=actor, note="列错", today=today)
    services.distribute(today=today)
    push = Push.objects.get(unit__code="rwb")
    page = text_of(clerk.get(url("", push)))
    assert "签收并确认" in page
    assert "签收就是确认" in page
    assert clerk.post(url("-acknowledge", push)).status_code == 302
    push.refresh_from_db()
    assert push.status == "answered"


def test_whom_an_ended_entry_is_about_is_told_while_it_is_to_be_lifted_and_no_longer(desk, today):
    push = pushed()
    actor, unit = Actor.of(builders.reviewer()), Actor.of(builders.liaison("ggzy"))
    listings.withdraw(push.listing, reason="error", actor=actor, note="列错", today=today)
    services.distribute(today=today)
    lift = Push.objects.get(unit__code="ggzy", listing=push.listing, kind="lift")
    name, code = lift.listing.subject.name, lift.listing.subject.code
    liaison, owner = desk(builders.liaison("ggzy")), desk(builders.clerk())
    everything = f"{reverse('desk-pushes')}?status=all"
    assert code in text_of(liaison.get(url("", lift)))
    answers = [{"code": row["code"], "outcome": "lifted"} for row in lift.measures]
    services.answer(lift, answers, actor=unit, today=today)
    for address in (url("", lift), url("", push), everything):
        page = text_of(liaison.get(address)).replace("<wbr>", "")
        assert name not in page, address
        assert code not in page, address
    assert code in text_of(owner.get(url("", lift)))


def test_lateness_is_said_in_words(desk, today):
    late = pushed(on=today - 60 * DAY)
    page = text_of(desk(builders.liaison("ggzy")).get(reverse("desk-pushes")))
    assert "逾期" in page
    assert "个工作日" in page
    overdue = {"status": "overdue"}
    page = text_of(desk(builders.liaison("ggzy")).get(reverse("desk-pushes"), overdue))
    assert url("", late) in page


def test_pushes_ask_as_many_questions_for_many_as_for_few(desk, django_assert_max_num_queries):
    liaison = desk(builders.liaison("ggzy"))
    pushed()
    with django_assert_max_num_queries(14):
        liaison.get(reverse("desk-pushes"))
    assert liaison.get(reverse("desk-pushes"), {"unit": "czj"}).context["page"].object_list == []
    for _n in range(8):
        pushed()
    with django_assert_max_num_queries(14):
        liaison.get(reverse("desk-pushes"))


def asked(client, subject, **fields):
    given = {"code": subject.code, "purpose": "投标资格审查", "reference": "GGZY-2026-07"}
    return client.post(reverse("desk-checks"), {**given, **fields})


def hit_fields(hit, **fields):
    return {f"{hit.public_id}-{name}": value for name, value in fields.items()}


def test_a_check_answers_and_takes_the_feedback_on_the_same_page(desk):
    listing = builders.published_black()
    liaison = desk(builders.liaison("ggzy"))
    page = text_of(asked(liaison, listing.subject))
    assert "命中黑名单 1 条" in page
    assert "本单位有 2 项措施要处理" in page
    hit = Hit.objects.get()
    feedback = reverse("desk-check", args=[hit.check_public_id])
    assert feedback in page
    given = hit_fields(
        hit,
        m0_outcome="applied",
        m0_remark="不予通过",
        m1_outcome="not_applicable",
        m1_remark="不涉及",
    )
    assert liaison.post(feedback, given).url == reverse("desk-checks")
    hit.refresh_from_db()
    assert hit.answered_at
    assert hit.handling == "applied"
    assert list(hit.feedback.values_list("outcome", flat=True)) == ["applied", "not_applicable"]
    assert "不予通过" in text_of(liaison.get(feedback))


def test_a_hit_that_is_left_for_later_waits_on_the_check_page_and_is_answered_whole(desk):
    listing = builders.published_black()
    liaison = desk(builders.liaison("ggzy"))
    asked(liaison, listing.subject)
    hit = Hit.objects.get()
    feedback = reverse("desk-check", args=[hit.check_public_id])
    assert feedback in text_of(liaison.get(reverse("desk-checks")))
    assert "还没有填写反馈" in text_of(liaison.post(feedback, {}))
    part = hit_fields(hit, m0_outcome="applied", m1_outcome="declined")
    page = text_of(liaison.post(feedback, part), status=400)
    assert "写明不适用或不执行的理由" in page
    half = text_of(liaison.post(feedback, hit_fields(hit, m0_outcome="applied")), status=400)
    assert "的处理。" in half
    assert not Feedback.objects.exists()


def test_of_a_hit_whose_entry_has_ended_the_check_page_says_that_and_no_document(desk):
    listing = builders.published_black()
    liaison = desk(builders.liaison("ggzy"))
    asked(liaison, listing.subject)
    page = reverse("desk-check", args=[Hit.objects.get().check_public_id])
    assert listing.document_number in text_of(liaison.get(page))
    clerk, reviewer = Actor.of(builders.clerk()), Actor.of(builders.reviewer())
    proposal = listings.propose_withdrawal(listing, reason="error", actor=clerk, note="列错")
    listings.approve(proposal, actor=reviewer, today=timezone.localdate())
    text = text_of(liaison.get(page))
    assert listing.document_number not in text
    assert "已不在名单上" in text


def test_a_hit_applied_without_further_words_is_answered_by_the_outcome_itself(desk):
    listing = builders.published_black()
    liaison = desk(builders.liaison("ggzy"))
    asked(liaison, listing.subject)
    hit = Hit.objects.get()
    feedback = reverse("desk-check", args=[hit.check_public_id])
    given = hit_fields(hit, m0_outcome="applied", m1_outcome="applied")
    assert liaison.post(feedback, given).status_code == 302
    hit.refresh_from_db()
    assert hit.result == "已执行；已执行"


def test_a_hit_without_measures_of_the_unit_is_answered_in_a_sentence(desk):
    listing = builders.published_black()
    clerk = desk(builders.clerk("rwb"))
    page = text_of(asked(clerk, listing.subject))
    hit = Hit.objects.get()
    if hit.measures:
        pytest.fail("choose a unit without measures for M05")
    assert "没有规定本单位的措施" in page
    feedback = reverse("desk-check", args=[hit.check_public_id])
    assert clerk.post(feedback, hit_fields(hit, result="暂缓办理")).status_code == 302
    hit.refresh_from_db()
    assert hit.result == "暂缓办理"


def test_nothing_found_is_said_with_what_it_does_not_mean(desk):
    page = text_of(asked(desk(builders.liaison("ggzy")), builders.firm()))
    assert "不是信用评价" in page
    assert Check.objects.get().hits == 0


def test_a_red_entry_beside_a_black_one_is_shown_as_paused(desk):
    firm = builders.firm()
    builders.red_published(firm)
    builders.published_black(firm)
    page = text_of(asked(desk(builders.liaison("ggzy")), firm))
    assert "黑名单 1 条，红名单 1 条" in page
    assert "激励暂停" in page


def test_a_person_is_asked_about_by_name_and_paper_and_the_number_stays_off_the_page(desk):
    number = builders.resident_id(321)
    person = builders.person("王示例", number)
    builders.published_black(person)
    liaison = desk(builders.liaison("ggzy"))
    given = {"code": "", "name": "王示例", "id_type": "resident_id", "id_number": number}
    page = text_of(asked(liaison, person, **given))
    assert "命中黑名单 1 条" in page
    assert number not in page
    wrong = text_of(asked(liaison, person, **given | {"name": "李示例"}))
    assert "姓名与证件号码不相符" in wrong
    assert "没有命中" not in wrong


def test_a_check_without_purpose_or_with_a_wrong_code_is_refused_and_not_logged(desk):
    firm, liaison = builders.firm(), desk(builders.liaison("ggzy"))
    assert "写明办什么事" in text_of(asked(liaison, firm, purpose=""), status=400)
    wrong = text_of(asked(liaison, firm, code="91220501MA0ABC1216"), status=400)
    assert "校验位不正确" in wrong
    assert text_of(asked(liaison, firm, code=""), status=400)
    assert not Check.objects.exists()


def test_another_unit_does_not_find_a_check(desk):
    listing = builders.published_black()
    asked(desk(builders.liaison("ggzy")), listing.subject)
    page = reverse("desk-check", args=[Check.objects.get().public_id])
    assert desk(builders.liaison("czj")).get(page).status_code == 404
    assert desk(builders.supervisor()).get(page).status_code == 404


def test_a_reviewer_may_check_but_the_feedback_is_given_by_clerk_or_liaison(desk):
    listing = builders.published_black()
    reviewer = desk(builders.reviewer("ggzy"))
    page = text_of(asked(reviewer, listing.subject))
    assert "由经办人员或联络员反馈" in page
    hit = Hit.objects.get()
    feedback = reverse("desk-check", args=[hit.check_public_id])
    given = hit_fields(hit, m0_outcome="applied", m1_outcome="applied")
    assert reviewer.post(feedback, given).status_code == 403
    assert not Feedback.objects.exists()

"""Following a matter: number and query code together, slowly for who guesses, for nobody else."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from casework.services import make_missing
from objections import services
from parties.models import Actor
from tests import builders

pytestmark = pytest.mark.usefixtures("rules")
TRACK = reverse("objection-track")


def ask(client, number, code):
    return client.post(TRACK, {"number": number, "query_code": code})


def test_number_and_code_open_the_matter_and_it_stays_open_for_the_session(client):
    objection, code = builders.objection()
    assert (
        ask(client, objection.number.lower(), f"{code[:5]}-{code[5:].lower()}").status_code == 302
    )
    for _again in range(2):
        assert objection.number in client.get(TRACK).content.decode()
    assert objection.number not in Client().get(TRACK).content.decode()
    client.post(TRACK, {"leave": "1"})
    assert objection.number not in client.get(TRACK).content.decode()


@pytest.mark.parametrize("wrong", ["code", "number"])
def test_one_of_the_two_alone_opens_nothing_and_which_was_wrong_is_not_said(client, wrong):
    objection, code = builders.objection()
    other, other_code = builders.objection()
    tried = (objection.number, other_code) if wrong == "code" else ("YY-2020-000009", code)
    page = ask(client, *tried)
    assert page.status_code == 400
    assert "受理编号或查询码不对" in page.content.decode()
    assert other.number not in client.get(TRACK).content.decode()


def test_after_ten_wrong_tries_an_address_must_wait_even_with_the_right_code(client):
    objection, code = builders.objection()
    for _try in range(10):
        assert ask(client, objection.number, "AAAAAAAAAA").status_code == 400
    refused = ask(client, objection.number, code)
    assert refused.status_code == 429
    assert refused["Retry-After"]
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert ask(elsewhere, objection.number, code).status_code == 302


def test_the_course_names_no_staff_and_nothing_that_is_not_decided(client):
    objection, code = builders.objection()
    clerk = builders.clerk()
    services.investigate(objection, actor=Actor.of(clerk), note="正在核对代发记录。")
    reasons = "经核实，列入有误，拟予撤销记录。"
    services.propose_reply(
        objection,
        actor=Actor.of(clerk),
        outcome="upheld_withdrawn",
        reasons=reasons,
        today=timezone.localdate(),
    )
    services.return_reply(objection, actor=Actor.of(builders.reviewer()), note="证据不足，再查。")
    ask(client, objection.number, code)
    page = client.get(TRACK).content.decode()
    assert "正在核对代发记录。" in page
    for hidden in (clerk.full_name, reasons, "证据不足", builders.APPLICANT["phone"]):
        assert hidden not in page


def test_an_ended_persons_matter_shows_no_number_and_a_masked_name(client):
    entry = builders.published_black(builders.person("张示例"))
    objection, code = builders.objection(entry)
    ask(client, objection.number, code)
    page = client.get(TRACK).content.decode()
    assert "张*" in page
    assert "张示例" not in page


def test_the_letter_is_for_the_session_that_was_let_in_and_only_once_there_is_one(client):
    objection, code = builders.objection()
    assert client.get(reverse("objection-letter")).status_code == 302
    ask(client, objection.number, code)
    assert client.get(reverse("objection-letter")).status_code == 404
    reply(objection)
    answer = client.get(reverse("objection-letter"))
    assert answer.content.startswith(b"%PDF")
    objection.refresh_from_db()
    first = objection.letter
    assert client.get(reverse("objection-letter")).content == answer.content
    make_missing()
    objection.refresh_from_db()
    assert objection.letter == first


def reply(objection, outcome="rejected"):
    reasons = "经核实，拖欠事实清楚，应予维持。"
    services.propose_reply(
        objection,
        actor=Actor.of(builders.clerk()),
        outcome=outcome,
        reasons=reasons,
        today=timezone.localdate(),
    )
    actor = Actor.of(builders.reviewer())
    return services.approve_reply(objection, actor=actor, today=timezone.localdate())


def test_a_letters_code_proves_it_genuine_and_tells_nothing_of_the_subject(client):
    objection, _code = builders.objection()
    replied = reply(objection)
    code = replied.letter.verify_code
    for typed in (code, f"{code[:4]}-{code[4:8]}-{code[8:]}".lower()):
        page = client.get(reverse("verify-code", args=[typed]))
        assert page.status_code == 200
        text = page.content.decode()
        assert replied.letter.number in text
        assert objection.subject.name not in text
        assert builders.APPLICANT["name"] not in text
    asked = client.get(reverse("verify"), {"code": code})
    assert asked["Location"] == reverse("verify-code", args=[code])
    assert client.get(reverse("verify-code", args=["AAAABBBBCCCC"])).status_code == 404
    assert client.get(reverse("verify")).status_code == 200

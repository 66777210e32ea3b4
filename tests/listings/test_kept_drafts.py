"""A draft that is being filled in is kept, comes back, and never counts before it is saved."""

import json
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from blacklist import services as blacklist
from casework.models import KeptForm
from casework.services import kept
from listings.models import Listing, ResponsiblePerson
from parties.models import Actor
from tests import builders

NEW = "/desk/black/new/?category=M05"
JSON = {"Accept": "application/json"}


@pytest.fixture
def clerk(rules):
    return builders.signed_in(Client(), builders.clerk())


def keep(client, address=NEW, *, stamp=0, **typed):
    """As the page's script keeps it: (status, what it is told)."""
    data = {"act": "keep", "stamp": stamp, **typed}
    answer = client.post(address, data, headers=JSON)
    return answer.status_code, json.loads(answer.content)


def edit_of(draft):
    return f"/desk/black/{draft.public_id}/edit/"


def test_what_is_typed_comes_back_and_is_no_draft(clerk):
    code = builders.code_of(77)
    status, told = keep(clerk, code=code, ground="拖欠工资的", degree="serious", measures=["PA07"])
    assert (status, told["stamp"]) == (200, 1)
    assert "已自动存住" in told["words"]
    assert not Listing.objects.exists()
    page = clerk.get(NEW)
    form = page.context["form"]
    assert (form["code"].value(), form["ground"].value()) == (code, "拖欠工资的")
    assert form["measures"].value() == ["PA07"]
    assert not form.is_bound
    text = page.content.decode()
    assert "没有存完的内容已放回表单" in text
    assert "有 1 处需要修改" not in text
    assert code in text


def test_nothing_of_a_kept_form_is_published_or_shown_to_another(clerk, rules):
    keep(clerk, ground="只给自己看的")
    other = builders.signed_in(Client(), builders.officer("rsj", "clerk", username="rsj-2"))
    assert "只给自己看的" not in other.get(NEW).content.decode()
    assert "只给自己看的" not in other.get("/desk/listings/?status=all").content.decode()


def test_the_number_of_a_paper_is_never_kept(clerk):
    number = builders.resident_id(555, "19610203")
    typed = {
        "name": "赵示例",
        "id_number": number,
        "persons-0-name": "钱示例",
        "persons-0-id_number": number,
        "csrfmiddlewaretoken": "x",
    }
    keep(clerk, **typed)
    values = KeptForm.objects.get().values
    assert values["name"] == ["赵示例"]
    assert values["persons-0-name"] == ["钱示例"]
    assert number not in json.dumps(values)
    assert "csrfmiddlewaretoken" not in values
    assert number not in clerk.get(NEW).content.decode()


def test_persons_come_back_in_their_rows(clerk):
    draft = builders.black_draft(responsible_persons=[builders.responsible()])
    known = draft.responsible_persons.get()
    page = clerk.get(edit_of(draft))
    assert len(page.context["form"].rows) == 3
    typed = {
        "persons-0-id": str(known.public_id),
        "persons-0-fact": "改过的责任事实",
        "persons-2-name": "孙示例",
        "persons-2-role": "actual_controller",
    }
    keep(clerk, edit_of(draft), version=draft.version, **typed)
    rows = clerk.get(edit_of(draft)).context["form"].rows
    assert rows[0].person == known
    assert rows[0]["fact"].value() == "改过的责任事实"
    assert [row["name"].value() for row in rows if row.number == 2] == ["孙示例"]
    assert len([row for row in rows if row.is_open]) == 2
    assert ResponsiblePerson.objects.get().fact != "改过的责任事实"


def test_each_keeping_raises_the_stamp_and_the_last_one_counts(clerk):
    assert keep(clerk, ground="一")[1]["stamp"] == 1
    assert keep(clerk, stamp=1, ground="二")[1]["stamp"] == 2
    assert KeptForm.objects.get().values["ground"] == ["二"]


def test_of_two_windows_the_second_is_told_and_overwrites_nothing(clerk):
    keep(clerk, ground="第一个窗口")
    status, told = keep(clerk, ground="第二个窗口")
    assert status == 409
    assert "另一个窗口" in told["words"]
    assert keep(clerk, stamp=7, ground="更旧的窗口")[0] == 409
    assert KeptForm.objects.get().values["ground"] == ["第一个窗口"]


def test_once_saved_nothing_is_kept_and_another_window_brings_nothing_back(clerk):
    keep(clerk, code=builders.code_of(78))
    saved = clerk.post(
        NEW,
        {
            "kind": "organization",
            "code": builders.code_of(78),
            "name": "通化示例甲厂",
            "degree": "serious",
        },
    )
    assert saved.status_code == 302
    assert not KeptForm.objects.exists()
    assert keep(clerk, stamp=1, ground="旧窗口")[0] == 409
    assert not KeptForm.objects.exists()


def test_what_is_kept_can_be_given_up(clerk):
    keep(clerk, ground="不要了")
    assert clerk.post(NEW, {"act": "forget"}).url == NEW
    assert not KeptForm.objects.exists()
    assert clerk.post(NEW, {"act": "forget"}).status_code == 302
    assert "不要了" not in clerk.get(NEW).content.decode()


def test_without_a_script_a_button_does_the_same(clerk):
    answer = clerk.post(NEW, {"act": "keep", "stamp": "0", "ground": "半句"})
    assert answer.url == NEW
    page = clerk.get(NEW)
    assert "已经存住" in page.content.decode()
    assert page.context["form"]["ground"].value() == "半句"
    other = clerk.post(NEW, {"act": "keep", "stamp": "0", "ground": "另一窗口的"})
    assert other.status_code == 409
    text = other.content.decode()
    assert "另一个窗口" in text
    assert "另一窗口的" in text
    again = {"act": "keep", "stamp": other.context["form"]["stamp"].value(), "ground": "另一窗口的"}
    assert clerk.post(NEW, again).status_code == 302
    assert KeptForm.objects.get().values["ground"] == ["另一窗口的"]


def test_a_draft_that_others_changed_meanwhile_is_told_with_what_differs(clerk):
    draft = builders.black_draft()
    keep(clerk, edit_of(draft), version=draft.version, ground="我写的", document_number="")
    blacklist.edit(
        draft, actor=Actor.of(builders.reviewer()), today=timezone.localdate(), ground="同事写的"
    )
    page = clerk.get(edit_of(draft))
    text = page.content.decode()
    draft.refresh_from_db()
    assert f"现在是第 {draft.version} 版" in text
    assert "事实和理由" in page.context["differ"]
    assert page.context["form"]["ground"].value() == "我写的"
    assert page.context["form"]["version"].value() == draft.version
    draft.refresh_from_db()
    assert draft.ground == "同事写的"


def test_a_save_that_comes_too_late_keeps_what_was_typed(clerk):
    draft = builders.black_draft()
    stale = draft.version
    blacklist.edit(
        draft, actor=Actor.of(builders.reviewer()), today=timezone.localdate(), ground="同事写的"
    )
    late = clerk.post(edit_of(draft), {"version": stale, "ground": "来晚的", "degree": "serious"})
    assert late.status_code == 412
    page = clerk.get(edit_of(draft))
    assert page.context["form"]["ground"].value() == "来晚的"
    assert page.context["stale"]


def test_a_published_entry_takes_no_kept_form(clerk):
    entry = builders.published_black()
    status = clerk.post(edit_of(entry), {"act": "keep", "ground": "x"}, headers=JSON).status_code
    assert status in {200, 403, 409}
    entry.refresh_from_db()
    assert entry.ground != "x"


@pytest.mark.parametrize(
    "typed",
    [
        {"stamp": "x"},
        {"stamp": "-1"},
        {"stamp": "9" * 30},
        {"version": "9" * 30},
        {"ground": "\0"},
        {"ground": "字" * 250_000},
    ],
    ids=str,
)
def test_what_cannot_be_kept_is_refused_in_words(clerk, typed):
    body = {"act": "keep", **typed}
    text = "&".join(
        f"{name}={quote(value, errors='surrogatepass')}" for name, value in body.items()
    )
    answer = clerk.post(NEW, text, "application/x-www-form-urlencoded", headers=JSON)
    assert 400 <= answer.status_code < 500
    assert json.loads(answer.content)["words"]
    assert not KeptForm.objects.exists()


def test_a_user_has_so_many_unfinished_forms_and_no_more(rules, monkeypatch, clerk):
    monkeypatch.setattr(kept, "MOST_FORMS", 1)
    assert keep(clerk, ground="一")[0] == 200
    status, told = keep(clerk, edit_of(builders.black_draft()), ground="二")
    assert status == 400
    assert "没有填完的表单太多" in told["words"]
    assert keep(clerk, stamp=1, ground="三")[0] == 200
    assert KeptForm.objects.count() == 1


def test_a_stranger_keeps_nothing_at_a_foreign_draft(rules):
    draft = builders.black_draft()
    stranger = builders.signed_in(Client(), builders.clerk("hbj"))
    assert stranger.post(edit_of(draft), {"act": "keep", "ground": "x"}).status_code == 404
    auditor = builders.signed_in(Client(), builders.auditor())
    assert auditor.post(edit_of(draft), {"act": "keep", "ground": "x"}).status_code == 403
    assert not KeptForm.objects.exists()


def test_a_nomination_is_kept_as_well(rules):
    clerk = builders.signed_in(Client(), builders.clerk("scjg"))
    status, _told = keep(clerk, "/desk/red/new/?category=RS1", ground="三年无违法记录")
    assert status == 200
    page = clerk.get("/desk/red/new/?category=RS1")
    assert page.context["form"]["ground"].value() == "三年无违法记录"

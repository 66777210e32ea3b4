"""Every refusal of a black entry by name: one row each, asked through three doors.

A row says how a draft is spoiled, the code of the refusal and words of its sentence. The
doors are the service, the API and the page of the desk; each leaves everything as it was.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from blacklist import services as blacklist
from casework.models import Event
from casework.workdays import add_working_days
from listings.models import Change, Listing, ResponsiblePerson
from parties import services as parties
from parties.models import Actor
from rulebook.models import CategoryField, LegalBasis, ListCategory
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]
DAY = timedelta(days=1)
FIRM = {"code": builders.code_of(660_001), "name": "通化示例六六建筑有限公司"}


def _days():
    today = timezone.localdate()
    served = today - 25 * DAY
    return today, served, add_working_days(served, 5)


def _notice(**fields):
    _today, served, until = _days()
    return {"served_on": served, "means": "direct", "defence_until": until, **fields}


def _open_notice():
    """A notice served yesterday: the time to answer still runs."""
    today = timezone.localdate()
    return _notice(served_on=today - DAY, defence_until=add_working_days(today - DAY, 6))


def _unanswered():
    return _notice(defence={"received_on": _days()[1], "text": "工资已付"})


# ── what stands against publication ───────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Publication:
    """A draft that may be written, and is not published."""

    code: str
    at: str  # the field at which the API names it
    words: str
    fields: Callable = dict  # what the draft is made with
    afterwards: Callable | None = None  # what happens to it, or to the rules, later
    status: int = 400


def _lapsed_basis(draft):
    LegalBasis.objects.filter(pk=draft.basis_id).update(in_force_to=_days()[0] - DAY)


def _future_basis(draft):
    LegalBasis.objects.filter(pk=draft.basis_id).update(in_force_from=_days()[0] + DAY)


def _low_basis(draft):
    LegalBasis.objects.filter(pk=draft.basis_id).update(level=9)


def _no_basis(draft):
    Listing.objects.filter(pk=draft.pk).update(basis=None)


def _closed(draft):
    ListCategory.objects.filter(pk=draft.category_id).update(active=False)


def _past(draft):
    ResponsiblePerson.objects.filter(listing=draft.pk).update(until=_days()[0] - DAY)


def _term_over(draft):
    Listing.objects.filter(pk=draft.pk).update(visible_until=_days()[0] - DAY)


def _secret(draft):
    """A field of the category that is not for everybody, and a value in it."""
    CategoryField.objects.create(
        category=draft.category,
        code="process",
        title="示例工艺",
        title_en="Process",
        type="text",
        disclosure="secret",
    )
    Listing.objects.filter(pk=draft.pk).update(details={"process": "示例工艺说明"})


def _person(**fields):
    return lambda: {"responsible_persons": [builders.responsible(**fields)]}


def _heard_person(notice):
    return lambda: {"responsible_persons": [builders.responsible(notice=notice())]}


PUBLICATIONS = {
    "no document": Publication(
        "no_document", "document.number", "请填写文书文号", lambda: {"document_number": ""}
    ),
    "no ground": Publication("no_ground", "ground", "请写明事实和理由", lambda: {"ground": ""}),
    "no basis": Publication("no_basis", "basis", "请写明法律依据", afterwards=_no_basis),
    "basis too low": Publication("basis_too_low", "basis", "层级不够", afterwards=_low_basis),
    "basis lapsed": Publication(
        "basis_not_in_force", "basis", "已经失效", afterwards=_lapsed_basis
    ),
    "basis of tomorrow": Publication(
        "basis_not_in_force", "basis", "还没有施行", afterwards=_future_basis
    ),
    "not serious": Publication(
        "not_serious", "degree", "只有严重失信行为", lambda: {"degree": "general"}
    ),
    "no notice": Publication(
        "no_notice", "prior_notice", "须先送达列入告知书", lambda: {"notice": False}
    ),
    "defence period open": Publication(
        "defence_open",
        "prior_notice.defence_until",
        "陈述申辩期到",
        lambda: {"prior_notice": _open_notice()},
    ),
    "defence not answered": Publication(
        "defence_open",
        "prior_notice.defence",
        "请先写明答复意见",
        lambda: {"prior_notice": _unanswered()},
    ),
    "category closed": Publication("category_closed", "category", "已停用", afterwards=_closed),
    "term over": Publication("term_over", "visible_until", "截止日已过", afterwards=_term_over),
    "secret not attested": Publication("not_attested", "attested", "请先核对", afterwards=_secret),
    "person without any notice": Publication(
        "person_no_notice",
        "responsible_persons.0",
        "须先向法定代表人送达告知书",
        lambda: {"notice": False, **_person()()},
    ),
    "person's defence period open": Publication(
        "person_defence_open",
        "responsible_persons.0",
        "陈述申辩期未满",
        _heard_person(_open_notice),
    ),
    "person's defence not answered": Publication(
        "person_defence_open",
        "responsible_persons.0",
        "提出了陈述申辩",
        _heard_person(_unanswered),
    ),
    "person's term over": Publication(
        "person_term_over", "responsible_persons.0", "期限已过", _person(), afterwards=_past
    ),
}


@pytest.fixture(params=sorted(PUBLICATIONS))
def spoiled(request):
    row = PUBLICATIONS[request.param]
    draft = builders.black_draft(**row.fields())
    if row.afterwards:
        row.afterwards(draft)
    return row, draft


def _state():
    return (
        list(Listing.objects.order_by("pk").values_list("pk", "status", "version")),
        ResponsiblePerson.objects.count(),
        Event.objects.count(),
        Change.objects.count(),
    )


def _codes(refusal):
    told = refusal.error_dict if hasattr(refusal, "error_dict") else {"": refusal.error_list}
    return {error.code for errors in told.values() for error in errors}


def test_the_service_refuses_to_publish_with_the_code(spoiled):
    row, draft = spoiled
    before = _state()
    with pytest.raises(ValidationError) as refusal:
        blacklist.publish(draft, actor=Actor.of(builders.reviewer()), today=timezone.localdate())
    assert row.code in _codes(refusal.value)
    assert _state() == before


def test_the_api_refuses_to_publish_and_names_the_field(spoiled):
    row, draft = spoiled
    before = _state()
    machine = builders.Machine(builders.reviewer())
    body = {"version": draft.version}
    problem = machine.post(f"/listings/{draft.public_id}/publish/", body, row.status)
    assert any(row.words in text for text in problem["errors"][row.at])
    if len(problem["errors"]) == 1:
        assert problem["code"] == row.code
    assert _state() == before


def test_the_desk_refuses_to_publish_and_says_why(spoiled):
    row, draft = spoiled
    before = _state()
    browser = builders.signed_in(Client(), builders.reviewer())
    address = reverse("desk-listing-black-publish", args=[draft.public_id])
    answer = browser.post(address, {"version": draft.version})
    assert answer.status_code == row.status
    assert row.words in answer.content.decode()
    assert _state() == before


def test_many_at_once_are_held_back_with_the_same_code(spoiled):
    row, draft = spoiled
    before = _state()
    ready, held = blacklist.publish_many(
        Listing.objects.filter(pk=draft.pk),
        actor=Actor.of(builders.reviewer()),
        today=timezone.localdate(),
    )
    assert ready == []
    assert row.words in held[draft.pk][1]
    assert _state() == before


def test_whoever_wrote_a_part_is_refused_at_every_door():
    draft = builders.black_draft()
    author = builders.officer("rsj", "clerk", "reviewer", username="rsj-both")
    blacklist.edit(
        draft, actor=Actor.of(author), today=timezone.localdate(), ground="示例：改了一个字。"
    )
    version = Listing.objects.get().version
    before = _state()
    with pytest.raises(PermissionDenied):
        blacklist.publish(draft, actor=Actor.of(author), today=timezone.localdate())
    path = f"/listings/{draft.public_id}/publish/"
    builders.Machine(author).post(path, {"version": version}, 403)
    address = reverse("desk-listing-black-publish", args=[draft.public_id])
    browser = builders.signed_in(Client(), author)
    assert browser.post(address, {"version": version}).status_code == 403
    assert _state() == before


# ── what is refused when a draft is written ───────────────────────────────────────────────────


@dataclass(frozen=True)
class Writing:
    """What makes a draft one that can't be written: in the service's words and in the API's.

    `desk` is what is typed at the desk instead of what makes a complete draft.
    """

    code: str
    words: str
    service: dict = field(default_factory=dict)
    body: dict = field(default_factory=dict)
    desk: dict = field(default_factory=dict)
    subject: dict | None = None
    before: Callable | None = None
    status: int = 400


PERSON = {"kind": "person", "name": "张示例", "id_type": "resident_id"}
NUMBER = builders.resident_id(661)
BAD_NUMBER = NUMBER[:-1] + ("0" if NUMBER[-1] != "0" else "1")
TYPED = {"code": "", "kind": "person", "id_type": "resident_id"}


def _known_person():
    parties.person("李示例", "resident_id", NUMBER)


def _known_firm():
    parties.organisation(FIRM["code"], "通化示例别家商贸有限公司")


def _same_document():
    builders.black_draft(parties.organisation(**FIRM), document_number="吉通示决字〔2026〕第661号")


WRITINGS = {
    "a measure that does not fit": Writing(
        "not_relevant",
        "与这个类别无关",
        {"measure_codes": ["PM04"]},
        {"measures": ["PM04"]},
        {"measures_chosen": "yes", "measures": ["PM04"]},
    ),
    "a ban without an end": Writing(
        "no_end_date",
        "须写明截止日",
        {"measure_codes": ["PA09"], "measure_until": {"PA09": None}},
        {"measures": [{"code": "PA09", "until": None}]},
        {"measures_chosen": "yes", "measures": ["PA09"], "until_PA09": ""},
    ),
    "a name without a code": Writing(
        "name_is_not_identity",
        "只有名称不能确定是谁",
        subject={"name": FIRM["name"], "code": None},
        desk={"code": ""},
    ),
    "a code of the wrong form": Writing(
        "bad_format",
        "应为18位",
        subject={**FIRM, "code": "9122050"},
        desk={"code": "9122050"},
    ),
    "a code with a wrong check symbol": Writing(
        "bad_check_symbol",
        "校验位不正确",
        subject={**FIRM, "code": "91350100M000100Y44"},
        desk={"code": "91350100M000100Y44"},
    ),
    "a code known under another name": Writing(
        "name_differs", "与填写的不一致", subject=FIRM, before=_known_firm
    ),
    "a paper of the wrong form": Writing(
        "bad_format",
        "",
        subject={**PERSON, "id_number": "22050219"},
        desk={**TYPED, "name": "张示例", "id_number": "22050219"},
    ),
    "a paper with a wrong check digit": Writing(
        "bad_check_symbol",
        "校验",
        subject={**PERSON, "id_number": BAD_NUMBER},
        desk={**TYPED, "name": "张示例", "id_number": BAD_NUMBER},
    ),
    "a paper of somebody of another name": Writing(
        "name_does_not_match",
        "姓名和证件号码对不上",
        subject={**PERSON, "id_number": NUMBER},
        desk={**TYPED, "name": "张示例", "id_number": NUMBER},
        before=_known_person,
    ),
    "the same finding again": Writing(
        "duplicate",
        "已有一条记录",
        {"document_number": "吉通示决字〔2026〕第661号"},
        {"document": {"number": "吉通示决字〔2026〕第661号"}},
        {"document_number": "吉通示决字〔2026〕第661号"},
        before=_same_document,
        status=409,
    ),
}


@pytest.fixture(params=sorted(WRITINGS))
def written(request):
    row = WRITINGS[request.param]
    builders.clerk()
    if row.before:
        row.before()
    return row


def _subject(given):
    if given.get("kind") == "person":
        return parties.person(given["name"], given["id_type"], given["id_number"])
    return parties.organisation(given["code"], given["name"])


def _drafted(row):
    return builders.black_draft(_subject(row.subject or FIRM), **row.service)


def test_the_service_refuses_the_draft_with_the_code(written):
    before = _state()
    with pytest.raises(ValidationError) as refusal:
        _drafted(written)
    assert written.code in _codes(refusal.value)
    assert _state() == before


def test_the_api_refuses_the_draft_with_the_code(written):
    before = _state()
    given = written.subject or FIRM
    subject = {name: value for name, value in given.items() if value is not None}
    body = {**builders.black_body(subject), **written.body}
    problem = builders.Machine(builders.clerk()).post("/listings/", body, written.status)
    assert problem["code"] == written.code
    assert written.words in problem["detail"]
    assert _state() == before


def test_the_desk_refuses_the_draft_and_says_why(written):
    before = _state()
    today, served, until = _days()
    typed = {
        "kind": "organization",
        **FIRM,
        "degree": "serious",
        "ground": "拖欠 37 名工人工资共 86.4 万元，逾期未付。",
        "document_number": "吉通示人社监决字〔2026〕第662号",
        "document_kind": "行政处理决定书",
        "document_organ": "通化市示例人力资源和社会保障局",
        "document_date": (today - 40 * DAY).isoformat(),
        "prior_notice_served_on": served.isoformat(),
        "prior_notice_means": "direct",
        "prior_notice_defence_until": until.isoformat(),
        **written.desk,
    }
    browser = builders.signed_in(Client(), builders.clerk())
    answer = browser.post(f"{reverse('desk-listing-black-new')}?category=M05", typed)
    assert answer.status_code == 400
    assert written.words in answer.content.decode()
    assert _state() == before

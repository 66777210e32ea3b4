"""Every page in a browser: accessible, fits 360 px, no complaint, no call outside."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.shortcuts import render
from django.utils import timezone
from django_otp.oath import totp
from playwright.sync_api import expect

from parties.models import Role
from tests import builders
from tests.listings import exchanges

AXE = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"color-contrast-enhanced": {"enabled": True}},  # 7:1, as the design has it
}


@pytest.fixture
def filled(transactional_db):
    """An entry of each list, disputed and answered, so that every page has something to show."""
    from jointaction import services as jointaction
    from jointaction.models import Delivery
    from jointaction.services import webhooks
    from listings import services as listings
    from listings.services import feed
    from parties import services as parties
    from parties.models import Actor
    from portal import services
    from rulebook.services import seed_rules

    seed_rules(demo=True)
    firm = builders.firm("通化宏达示例建筑工程有限公司", "91220501MA0ABC1215")
    red = builders.red_published(builders.firm("集安示例参茸药业有限公司"))
    black_too = builders.review()
    black = builders.published_black(firm, responsible_persons=[builders.responsible()])
    objection, _code = builders.objection(black)
    repair, _code = builders.repair()
    report, _code = builders.report("rsj", named=True)
    draft = builders.black_draft(responsible_persons=[builders.responsible()])
    _leave_unfinished(draft)
    batch = builders.previewed()
    endpoint, _secret = builders.endpoint("rsj", url="https://1.1.1.1/" + "long" * 40)
    webhooks.ping(endpoint, actor=Actor.of(builders.clerk()))
    quashed = listings.propose_withdrawal(
        builders.published_black(),
        reason="document_quashed",
        actor=Actor.of(builders.clerk()),
        note="行政复议撤销了处理决定。",
        quashed_by="通化市示例复议决定书",
        today=timezone.localdate(),
    )
    ended = builders.published_black()
    jointaction.distribute(today=timezone.localdate())
    check, _results = jointaction.check(
        [{"code": firm.code}, {"name": "只有名称"}],
        actor=Actor.of(builders.clerk()),
        purpose="投标资格审查",
        reference="示例1",
        today=timezone.localdate(),
    )
    key, _raw = parties.make_key(builders.clerk(), scopes=["read"], name="行政审批系统")
    absence = {"starts": timezone.localdate(), "ends": timezone.localdate(), "why": "出差"}
    away = builders.officer("rsj", "clerk", username="rsj-away")
    stands_in = builders.reviewer()
    parties.delegate(away, stands_in, actor=Actor.of(away), **absence)
    feed.make_daily_file(today=timezone.localdate())
    sheet = builders.sheet((firm.code, firm.name), ("", "王示例"), unit="rsj")
    jointaction.check_sheets(today=timezone.localdate())
    listings.withdraw(
        ended,
        reason="error",
        actor=Actor.of(builders.reviewer()),
        note="列错单位",
        today=timezone.localdate(),
    )
    jointaction.distribute(today=timezone.localdate())
    push = black.pushes.get(unit__code="czj")
    jointaction.order(
        push,
        actor=Actor.of(builders.supervisor()),
        note="请立即核查，逐项反馈。",
        by=timezone.localdate(),
        today=timezone.localdate(),
    )
    webhooks.announce_changes()
    answered = {"http_status": 500, "fault": "refused", "answer": "内部错误" * 60}
    Delivery.objects.filter(listing=None).update(status="dead", attempts=1, **answered)
    return {
        "check": check,
        "key": key,
        "red": red,
        "black": black,
        "draft": draft,
        "quashed": quashed,
        "batch": batch,
        "sheet": sheet,
        "review": black_too,
        "objection": objection,
        "repair": repair,
        "tipoff": report,
        "report": services.credit_report(firm.code, now=timezone.now()),
        "endpoint": endpoint,
        "push": push,
        "ended": ended,
        "lift": ended.pushes.get(unit__code="czj", kind="lift"),
    }


def _leave_unfinished(draft):
    """The desk's user left a draft, which others changed since, and has a view of the inbox."""
    from casework.services import keep_form
    from portal.services import keep_view

    user = builders.officer("rsj", Role.CLERK.value, Role.LIAISON.value, username="rsj-desk")
    known = {"stamp": 0, "basis": draft.version - 1, "now": timezone.now()}
    place = "black-edit", str(draft.public_id)
    keep_form(user, *place, {"ground": ["没有写完"]}, **known)
    keep_view(user, name="逾期的", query="due=overdue", default=False)


def public_addresses(filled):
    black, red = filled["black"], filled["red"]
    return [
        "/",
        "/search/",
        "/search/?q=宏达",
        "/search/?q=91220501MA0ABC1215",
        "/search/?q=没有这家",
        "/search/?q=通化宏达示例建筑有限责任公司",
        "/red/",
        "/red/?region=220582",
        "/red/?region=other",
        "/black/",
        "/black/?region=220501&q=示例",
        "/red/notices/",
        f"/red/{red.public_id}/",
        f"/black/{black.public_id}/",
        "/subjects/91220501MA0ABC1215/",
        f"/subjects/{red.subject.code}/",
        f"/subjects/{filled['review'].listing.subject.code}/",
        "/statistics/",
        "/memoranda/",
        f"/memoranda/{black.category.memoranda.first().public_id}/",
        "/about/",
        "/accessibility/",
        f"/credit-reports/{filled['report'].verify_code}/",
        "/verify/",
        f"/verify/{filled['check'].code}/",
        f"/verify/{filled['check'].number}/",
        "/sign-in/",
        "/objections/new/",
        f"/objections/new/?entry={black.public_id}",
        "/objections/track/",
        "/repair/new/",
        f"/repair/new/?entry={filled['repair'].listing.public_id}",
        "/repair/track/",
        "/reports/new/",
        "/reports/track/",
        "/en/reports/new/",
        "/en/",
        f"/en/black/{black.public_id}/",
    ]


def desk_addresses(filled):
    black, draft = filled["black"], filled["draft"]
    person = black.responsible_persons.get()
    return [
        "/desk/",
        "/desk/?due=later&state=new&who=mine&sort=kind",
        "/desk/?due=nosuch",
        "/desk/listings/",
        f"/desk/listings/{black.public_id}/versions/",
        "/desk/black/new/",
        "/desk/red/new/",
        "/desk/black/new/?category=M05",
        f"/desk/black/{draft.public_id}/",
        f"/desk/black/{draft.public_id}/edit/",
        f"/desk/black/{black.public_id}/",
        f"/desk/black/{filled['ended'].public_id}/",
        f"/desk/listings/{black.public_id}/correct/",
        f"/desk/listings/{black.public_id}/withdraw/",
        f"/desk/listings/{black.public_id}/persons/{person.public_id}/release/",
        f"/desk/proposals/{filled['quashed'].public_id}/",
        "/desk/daily/",
        "/desk/subjects/",
        f"/desk/subjects/{filled['black'].subject.public_id}/",
        "/desk/objections/",
        f"/desk/objections/{filled['objection'].public_id}/",
        "/desk/repairs/",
        "/desk/reports/",
        f"/desk/reports/{filled['tipoff'].public_id}/",
        "/desk/pushes/",
        "/desk/checks/",
        f"/desk/checks/{filled['check'].public_id}/",
        f"/desk/checks/{filled['check'].public_id}/receipt/",
        "/desk/sheets/",
        f"/desk/sheets/{filled['sheet'].public_id}/",
        "/desk/notices/",
        "/desk/endpoints/",
        f"/desk/endpoints/{filled['endpoint'].public_id}/",
        "/desk/account/",
        "/desk/account/password/",
        "/desk/account/codes/",
        "/desk/imports/",
        "/desk/imports/new/",
        f"/desk/imports/{filled['batch'].public_id}/",
    ]


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_every_public_page_is_accessible_and_fits(filled, page_at, width):
    page = page_at(width)
    problems = {path: _problems(page, path) for path in public_addresses(filled)}
    assert {path: found for path, found in problems.items() if found} == {}


@pytest.mark.parametrize("width", [360, 1280])
def test_every_desk_page_is_accessible_and_fits(filled, page_at, width):
    user = builders.officer("rsj", Role.CLERK.value, Role.LIAISON.value, username="rsj-desk")
    page = page_at(width, user=user)
    problems = {path: _problems(page, path) for path in desk_addresses(filled)}
    page.get_by_role("button", name="关闭快捷键").click()
    problems["switched off"] = _faults(page)
    page.get_by_role("button", name="打开快捷键").click()
    page.keyboard.press("?")
    problems["the keys"] = _faults(page)
    assert {path: found for path, found in problems.items() if found} == {}


def reviewer_addresses(filled):
    return [
        f"/desk/black/{filled['draft'].public_id}/",
        f"/desk/black/{filled['draft'].public_id}/publish/",
        f"/desk/proposals/{filled['quashed'].public_id}/",
        "/desk/account/",
        "/desk/keys/",
        f"/desk/keys/{filled['key'].prefix}/",
    ]


def supervisor_addresses(filled):
    review = filled["review"]
    return [
        "/desk/",
        "/desk/board/",
        "/desk/journal/",
        "/desk/pushes/",
        "/desk/vault/openings/",
        f"/desk/pushes/{filled['push'].public_id}/",
        f"/desk/red/{review.listing.public_id}/",
        f"/desk/red/reviews/{review.public_id}/",
        f"/desk/subjects/{review.listing.subject.public_id}/",
    ]


@pytest.mark.parametrize("width", [360, 1280])
def test_what_a_reviewer_decides_on_is_accessible_and_fits(filled, page_at, width):
    page = page_at(width, user=builders.reviewer())
    problems = {path: _problems(page, path) for path in reviewer_addresses(filled)}
    assert {path: found for path, found in problems.items() if found} == {}


@pytest.mark.parametrize("width", [360, 1280])
def test_the_way_of_a_new_officer_is_accessible_and_fits(filled, page_at, width):
    from parties import services as parties
    from parties.models import Actor

    clerk, operator = builders.clerk(), Actor.of(builders.operator())
    clerk.set_password("correct-horse-battery")
    clerk.save()
    parties.password_given(clerk, actor=operator, reason="新来")
    code = parties.reset_second_factor(clerk, actor=operator, reason="新来")
    page = page_at(width)
    page.goto("/sign-in/")
    page.get_by_label("账号").fill(clerk.username)
    page.get_by_label("密码").fill("correct-horse-battery")
    page.get_by_label("动态口令").fill(code)
    page.get_by_role("button", name="登录", exact=True).click()
    assert page.get_by_role("heading", name="绑定手机令牌").count() == 1
    assert _faults(page) == []
    device = parties.enrolment(clerk)
    page.get_by_label("动态口令").fill(f"{totp(device.bin_key):06d}")
    page.get_by_role("button", name="绑定", exact=True).click()
    assert page.locator("ol .code").count() == 10
    assert _faults(page) == []
    page.get_by_role("link", name="抄好了，继续").click()
    assert page.get_by_role("heading", name="修改密码").count() == 1
    assert _faults(page) == []


@pytest.mark.parametrize("width", [360, 1280])
def test_a_lock_is_told_accessibly_and_fits(filled, page_at, width):
    page = page_at(width)
    for _n in range(5):
        page.goto("/sign-in/")
        page.get_by_label("账号").fill("rsj-clerk")
        page.get_by_label("密码").fill("wrong")
        page.get_by_label("动态口令").fill("000000")
        page.get_by_role("button", name="登录", exact=True).click()
    assert page.get_by_role("heading", name="以后再登录").count() == 1
    assert _faults(page) == []


@pytest.mark.parametrize("width", [360, 1280])
def test_every_page_of_the_supervisor_is_accessible_and_fits(filled, page_at, width):
    page = page_at(width, user=builders.supervisor())
    problems = {path: _problems(page, path) for path in supervisor_addresses(filled)}
    assert {path: found for path, found in problems.items() if found} == {}


@pytest.mark.parametrize("width", [360, 1280])
def test_every_page_of_the_vault_is_accessible_and_fits(filled, page_at, width):
    page = page_at(width, user=builders.vault_officer())
    for path in ("/desk/vault/", f"/desk/vault/reports/{filled['tipoff'].public_id}/"):
        assert _problems(page, path, open_all=True) == [], path


@pytest.mark.parametrize("width", [360, 1280])
def test_a_red_entry_under_review_is_accessible_and_fits(filled, page_at, width):
    page = page_at(width, user=builders.reviewer("scjg"))
    assert _problems(page, f"/desk/red/reviews/{filled['review'].public_id}/") == []


@pytest.mark.parametrize("width", [360, 1280])
def test_a_units_push_is_accessible_and_fits(filled, page_at, width):
    page = page_at(width, user=builders.liaison("czj"))
    page.goto("/desk/pushes/?status=open")
    page.locator("input[name=push]").first.check()
    page.get_by_text("给选中的推送同一个反馈").click()
    page.get_by_label("处理", exact=True).select_option("applied")
    page.get_by_role("button", name="先看会怎样").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("同一个反馈")
    assert _faults(page) == []
    for name in ("push", "lift"):
        assert _problems(page, f"/desk/pushes/{filled[name].public_id}/") == [], name
    assert _problems(page, "/desk/pushes/?status=open", open_all=True) == []


@pytest.fixture
def spent(filled):
    """An entry that has ended and a report that said something of it."""
    from listings import services as listings
    from parties.models import Actor
    from portal import services

    entry, now = builders.published_black(), timezone.now()
    report = services.credit_report(entry.subject.code, now=now)
    actor = Actor.of(builders.reviewer())
    today = timezone.localdate()
    listings.withdraw(entry, reason="error", note="列错单位", actor=actor, today=today)
    return {
        f"/black/{entry.public_id}/": 410,
        f"/credit-reports/{report.verify_code}/": 410,
        "/nosuch/": 404,
        "/en/nosuch/": 404,
        "/verify/ABCDEFGHJKMN/": 404,
        "/search/?q=x": 200,
        "/black/?q=x": 200,
    }


@pytest.mark.parametrize("width", [360, 1280])
def test_every_page_that_has_nothing_to_show_is_accessible_and_fits(spent, page_at, width):
    page = page_at(width)
    problems = {path: _problems(page, path, status) for path, status in spent.items()}
    assert {path: found for path, found in problems.items() if found} == {}


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize(
    ("path", "made"),
    [("/objections/new/", builders.published_black), ("/repair/new/", builders.repairable)],
)
def test_a_form_with_errors_is_accessible_and_fits(filled, page_at, width, path, made):
    entry, page = made(), page_at(width)
    page.goto(f"{path}?entry={entry.public_id}")
    page.get_by_role("button", name="提交").first.click()
    assert page.get_by_role("alert").count()
    assert _faults(page) == []


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", ["400", "403", "429", "500", "maintenance"])
def test_every_page_of_a_fault_is_accessible_and_fits(filled, page_at, rf, width, name):
    page = page_at(width)
    html = render(rf.get("/"), f"{name}.html").content.decode()
    page.route("**/fault/", lambda route: route.fulfill(content_type="text/html", body=html))
    assert _problems(page, "/fault/") == []


@pytest.mark.parametrize("width", [360, 1280])
def test_what_comes_from_another_city_is_accessible_and_fits(filled, page_at, width, tmp_path):
    from listings.services import exchange

    city, path = exchanges.partner(), tmp_path / "changes.ndjson"
    with exchanges.another_city():
        builders.published_black()
        exchange.export_changes(path, after=0, today=timezone.localdate())
    exchanges.take(path)
    path.write_bytes(b"broken")
    exchanges.take(path)
    entry = exchanges.theirs().get()
    page = page_at(width, user=builders.operator())
    addresses = [
        "/black/",
        f"/black/{entry.public_id}/",
        f"/objections/new/?entry={entry.public_id}",
        "/desk/exchange/",
        "/desk/exchange/new/",
        f"/desk/exchange/{city.public_id}/",
    ]
    problems = {address: _problems(page, address) for address in addresses}
    assert {address: found for address, found in problems.items() if found} == {}


def _problems(page, path, status=200, *, open_all=False):
    """What axe finds, and how far the page is wider than the window."""
    answer = page.goto(path)
    if open_all:
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    return _faults(page) if answer.status == status else [f"answers {answer.status}"]


def _faults(page):
    found = [
        f"{row['id']}: {row['nodes'][0]['html'][:120]}"
        for row in Axe().run(page, options=AXE).response["violations"]
    ]
    wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return found + ([f"{wider} px too wide"] if wider > 0 else [])

"""The pages of an objection at every stage: accessible, and no wider than the window."""

import pytest
from django.utils import timezone

from objections import services
from parties.models import Actor, Role
from rulebook.models import parameter_row
from rulebook.services import seed_rules
from tests import builders
from tests.browser.test_pages import _problems

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def matters(transactional_db):
    """One of a person not attached yet; one passed on, extended and waiting, its clock stopped."""
    seed_rules()
    today = timezone.localdate()
    rule = parameter_row("objection_reply", on=today)
    rule.stops, rule.extendable_by = True, 10
    rule.save()
    persons = [builders.responsible()]
    entry = builders.published_black(today=today - 20 * builders.DAY, responsible_persons=persons)
    claimed, _code = builders.objection(entry, fields=["person"])
    waiting, code = builders.objection(entry, received_on=today - 6 * builders.DAY)
    to, reasons = builders.department("zjj"), "工程款的争议由住建部门核查。"
    services.forward(waiting, department=to, actor=Actor.of(builders.clerk()), reasons=reasons)
    waiting.refresh_from_db()
    reviewer, reasons = Actor.of(builders.reviewer("zjj")), "案情复杂，需要调取银行流水。"
    services.extend(waiting, actor=reviewer, days=5, reasons=reasons, today=today)
    services.ask(
        waiting,
        actor=Actor.of(builders.clerk("zjj")),
        text="加盖公章的银行代发流水。\n工人名册。",
        by=today + 9 * builders.DAY,
        today=today - builders.DAY,
    )
    return {"entry": entry, "claimed": claimed, "waiting": waiting, "code": code}


@pytest.mark.parametrize("width", [360, 1280])
def test_an_objection_at_the_desk_is_accessible_with_every_form_open(matters, page_at, width):
    both = builders.officer("rsj", Role.CLERK.value, Role.REVIEWER.value, username="rsj-both")
    receiver = builders.officer("zjj", Role.CLERK.value, Role.REVIEWER.value, username="zjj-both")
    own, other = page_at(width, user=both), page_at(width, user=receiver)
    waiting = f"/desk/objections/{matters['waiting'].public_id}/"
    for page, path in (
        (own, f"/desk/objections/{matters['claimed'].public_id}/"),
        (own, f"/desk/objections/new/?entry={matters['entry'].public_id}"),
        (own, "/desk/objections/?state=elsewhere"),
        (own, waiting),
        (other, waiting),
    ):
        assert _problems(page, path) == []
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wider <= 0, (path, wider)


@pytest.mark.parametrize("width", [360, 1280])
def test_the_applicant_is_asked_for_more_and_hands_it_in(matters, page_at, width):
    page = page_at(width)
    assert _problems(page, f"/objections/new/?entry={matters['entry'].public_id}") == []
    page.goto("/objections/track/")
    page.get_by_label("受理编号").fill(matters["waiting"].number)
    page.get_by_label("查询码").fill(matters["code"])
    page.get_by_role("button", name="查进度").click()
    assert page.get_by_text("期限暂停").first.is_visible()
    assert _problems(page, "/objections/track/") == []
    page.get_by_role("button", name="提交补充").click()
    assert page.get_by_text("说明和材料至少有一样").first.is_visible()
    page.get_by_label("补充说明").fill("补交加盖公章的流水。")
    page.get_by_role("button", name="提交补充").click()
    assert page.get_by_text("收到您补充的材料").is_visible()
    with page.expect_download() as letter:
        page.get_by_role("link", name="异议补正通知书").click()
    assert letter.value.suggested_filename.endswith(".pdf")

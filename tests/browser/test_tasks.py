"""Five things people come for, each done from the home page in four clicks or fewer."""

import pytest
from django.utils import timezone

from jointaction import services as jointaction
from objections.models import Objection
from rulebook.services import seed_rules
from tests import builders
from tests.browser.test_journeys import CODE, FIRM, says

pytestmark = pytest.mark.django_db(transaction=True)
MOST = 4


@pytest.fixture
def entry(transactional_db):
    seed_rules()
    entry = builders.published_black(builders.firm(FIRM, CODE))
    jointaction.distribute(today=timezone.localdate())
    return entry


@pytest.fixture(params=[360, 1280])
def walk(request, page_at, entry):
    """A visitor on the home page whose clicks are counted."""
    page = page_at(request.param)
    page.goto("/")
    page.clicks = 0

    def click(role, name):
        page.clicks += 1
        page.get_by_role(role, name=name).first.click()

    page.click_on = click
    yield page
    assert page.clicks <= MOST


def _search(page, text):
    page.get_by_label("单位名称或统一社会信用代码").fill(text)
    page.click_on("button", "查询")


def test_to_find_a_firm(walk):
    _search(walk, "宏达示例")
    walk.click_on("link", FIRM)
    says(walk, CODE)


def test_to_understand_why_it_is_listed(walk, entry):
    _search(walk, CODE)
    walk.click_on("link", FIRM)
    says(walk, "为什么列入", entry.ground, entry.document_number, "公布到", "联合惩戒措施")


def test_to_object(walk):
    _search(walk, CODE)
    walk.click_on("link", FIRM)
    walk.click_on("link", "提出异议")
    says(walk, FIRM, "哪里有错")


def test_to_check_the_state_of_an_objection(walk, entry):
    matter, code = builders.objection(entry)
    walk.click_on("link", "查异议进度")
    walk.get_by_label("受理编号").fill(matter.number)
    walk.get_by_label("查询码").fill(code)
    walk.click_on("button", "查进度")
    says(walk, matter.number, "最迟")
    assert Objection.objects.get().status == "received"


def test_to_see_what_the_units_do(walk, entry):
    _search(walk, CODE)
    walk.click_on("link", FIRM)
    says(walk, "执行单位", "财政局", "限制财政性资金项目")
    walk.click_on("link", "统计")
    says(walk, "各部门闭环", "按期反馈")

"""What staff do every day, counted in clicks from the desk's first page; keys; kept drafts."""

import datetime

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from casework.models import KeptForm
from casework.workdays import add_working_days
from jointaction import services as jointaction
from jointaction.models import Push
from listings.models import Listing
from objections.models import Objection
from rulebook.services import seed_rules
from tests import builders
from tests.browser.test_journeys import CODE, FIRM, GROUND, fill, says

pytestmark = pytest.mark.django_db(transaction=True)
DAY = datetime.timedelta(days=1)


@pytest.fixture(autouse=True)
def _city(transactional_db):
    seed_rules()


@pytest.fixture
def today():
    return timezone.localdate()


class Clicks:
    """Counts the clicks of one task, by however many officers do it."""

    def __init__(self):
        self.n = 0

    def __call__(self, page, role, name, *, exact=False):
        self.n += 1
        page.get_by_role(role, name=name, exact=exact).first.click()


@pytest.fixture
def click():
    return Clicks()


@pytest.fixture(params=[360, 1280])
def desk(request, page_at):
    """The first page of an officer's desk."""

    def opened(user):
        page = page_at(request.param, user=user)
        page.goto("/desk/")
        return page

    return opened


def test_a_ready_draft_is_published_in_two_clicks(desk, click):
    draft = builders.black_draft(builders.firm(FIRM, CODE))
    page = desk(builders.reviewer())
    click(page, "link", FIRM)
    says(page, "将向社会公布", "将推送")
    click(page, "button", "公布", exact=True)
    says(page, "已公布，将推送有关单位。")
    draft.refresh_from_db()
    assert draft.status == "published"
    assert click.n <= 2


def test_an_entry_is_published_from_nothing_in_eight_clicks(desk, click, today):
    clerk, served = desk(builders.clerk()), today - 25 * DAY
    click(clerk, "link", "名单", exact=True)
    click(clerk, "link", "起草黑名单")
    click(clerk, "link", "恶意欠薪")
    fill(
        clerk,
        {
            "统一社会信用代码": CODE,
            "名称或姓名": FIRM,
            "文书文号": "通人社监决字〔2026〕第17号",
            "文书种类": "行政处理决定书",
            "作出机关": "通化市人力资源和社会保障局",
            "文书日期": today - 40 * DAY,
            "事实和理由": GROUND,
            "拖欠工资金额": "86.4",
            "涉及人数": "37",
            "告知书送达日期": served,
        },
    )
    clerk.get_by_label("送达方式").first.select_option("直接送达")
    clerk.get_by_label("陈述申辩截止").first.fill(str(add_working_days(served, 5)))
    click(clerk, "button", "存草稿")
    says(clerk, "可以公布了")
    reviewer = desk(builders.reviewer())
    click(reviewer, "link", FIRM)
    click(reviewer, "button", "公布", exact=True)
    says(reviewer, "已公布，将推送有关单位。")
    assert Listing.objects.get().status == "published"
    assert click.n <= 8


def test_a_push_is_answered_in_three_clicks(desk, click, today):
    builders.published_black(builders.firm(FIRM, CODE))
    jointaction.distribute(today=today)
    page = desk(builders.liaison("czj"))
    click(page, "link", FIRM)
    click(page, "button", "全部已执行")
    says(page, "反馈已提交，认定部门可以看到。", "反馈完毕")
    assert Push.objects.get(unit__code="czj").status == "answered"
    assert click.n <= 3


def test_an_objection_is_answered_in_six_clicks(desk, click):
    matter, _code = builders.objection(builders.published_black(builders.firm(FIRM, CODE)))
    clerk = desk(builders.clerk())
    click(clerk, "link", FIRM)
    clerk.locator("#act textarea").first.fill("已调取工资表和银行回单核对。")
    click(clerk, "button", "开始核查")
    click(clerk, "radio", "维持")
    clerk.get_by_label("理由", exact=True).fill("经核查，拖欠事实清楚，证据充分，依法维持。")
    click(clerk, "button", "送审核")
    reviewer = desk(builders.reviewer())
    click(reviewer, "link", FIRM)
    click(reviewer, "button", "审核通过")
    matter.refresh_from_db()
    assert matter.status == Objection.Status.REPLIED
    assert click.n <= 6


# ── keys ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def listed(page_at, today):
    for number in range(3):
        builders.objection(builders.published_black(builders.firm(f"通化示例{number}号有限公司")))
    page = page_at(1280, user=builders.clerk())
    page.goto("/desk/")
    return page


def focused(page):
    return page.evaluate("document.activeElement.textContent.trim()")


def test_rows_are_walked_and_the_search_is_reached_by_keys(listed):
    names = listed.locator("main tbody tr th a").all_text_contents()
    listed.keyboard.press("j")
    assert focused(listed) == names[0].strip()
    listed.keyboard.press("j")
    assert focused(listed) == names[1].strip()
    listed.keyboard.press("k")
    assert focused(listed) == names[0].strip()
    listed.keyboard.press("/")
    expect(listed.get_by_label("主体或编号")).to_be_focused()
    listed.keyboard.type("j/?gh")  # while typing they are letters
    expect(listed.get_by_label("主体或编号")).to_have_value("j/?gh")
    expect(listed.locator("dialog")).to_be_hidden()


def test_the_keys_are_explained_and_lead_home(listed):
    listed.goto("/desk/pushes/")
    listed.keyboard.press("?")
    expect(listed.get_by_role("dialog")).to_contain_text("到我的事项")
    listed.keyboard.press("j")  # the dialog alone is listened to
    listed.keyboard.press("Escape")
    expect(listed.locator("dialog")).to_be_hidden()
    listed.keyboard.press("g")
    listed.keyboard.press("h")
    listed.wait_for_url("**/desk/")


def test_the_keys_can_be_switched_off_and_on_again(listed):
    listed.get_by_role("button", name="关闭快捷键").click()
    says_all = listed.locator("footer.keys")
    expect(says_all).to_contain_text("键盘快捷键已关")
    listed.keyboard.press("/")
    expect(listed.get_by_label("主体或编号")).not_to_be_focused()
    listed.keyboard.press("?")
    expect(listed.locator("dialog")).to_have_count(0)
    listed.get_by_role("button", name="打开快捷键").click()
    expect(says_all).to_contain_text("键盘快捷键已开")
    listed.wait_for_load_state()  # the script is there
    listed.keyboard.press("/")
    expect(listed.get_by_label("主体或编号")).to_be_focused()


# ── what is typed is kept ─────────────────────────────────────────────────────────────────────

NEW = "/desk/black/new/?category=M05"


def kept(page):
    return page.locator("[data-kept]")


def test_a_draft_is_kept_as_one_types_and_comes_back_after_a_lost_session(page_at):
    page = page_at(1280, user=builders.clerk())
    page.goto(NEW)
    page.get_by_label("事实和理由").fill(GROUND)
    page.get_by_label("证件号码").first.fill(builders.resident_id(501))
    expect(kept(page)).to_contain_text("已自动存住")
    row = KeptForm.objects.get()
    assert row.values["ground"] == [GROUND]
    assert "id_number" not in row.values
    page.get_by_label("文书种类").fill("行政处理决定书")
    expect(kept(page)).to_contain_text("已自动存住")
    page.context.clear_cookies()
    page.get_by_label("作出机关").fill("通化市示例局")
    expect(kept(page)).to_contain_text("登录已过期")
    again = page_at(360, user=builders.clerk())
    again.goto(NEW)
    expect(again.get_by_label("事实和理由")).to_have_value(GROUND)
    expect(again.get_by_label("证件号码").first).to_have_value("")
    says(again, "没有存完的内容已放回表单")
    assert not Listing.objects.exists()


def test_of_two_windows_the_second_is_told(page_at):
    first, second = (page_at(1280, user=builders.clerk()) for _n in range(2))
    for page in (first, second):
        page.goto(NEW)
    first.get_by_label("事实和理由").fill("第一个窗口")
    expect(kept(first)).to_contain_text("已自动存住")
    second.get_by_label("事实和理由").fill("第二个窗口")
    expect(kept(second)).to_contain_text("另一个窗口")
    assert KeptForm.objects.get().values["ground"] == ["第一个窗口"]


def test_without_scripts_a_button_keeps_it(page_at):
    page = page_at(360, user=builders.clerk(), scripts=False)
    page.goto(NEW)
    page.get_by_label("事实和理由").fill("半句")
    page.get_by_role("button", name="先存住，以后接着填").click()
    says(page, "已经存住，还没有成为草稿")
    expect(page.get_by_label("事实和理由")).to_have_value("半句")
    page.get_by_role("button", name="放弃这些内容").click()
    expect(page.get_by_label("事实和理由")).to_have_value("")

"""The journeys as people make them: by reading, clicking and typing in a browser."""

import datetime
import io

import pytest
from django.utils import timezone
from django.utils.formats import date_format
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice
from PIL import Image
from playwright.sync_api import expect

from casework.workdays import add_months, add_working_days
from jointaction import services as jointaction
from rulebook.services import seed_rules
from tests import builders

PASSWORD = "sanwen-yu-2026-shili"  # noqa: S105
FIRM, CODE = "通化宏达示例建筑工程有限公司", "91220501MA0ABC1215"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF"
GROUND = "2026年1月至3月拖欠 37 名农民工工资共 86.4 万元，经责令限期支付，逾期未付。"
FUNDS, SUPPORT = "限制财政性资金项目", "限制预算和扶持资金"  # the measures of czj
DISPUTED = "异议处理中"
STOPS = 120  # more stops than any page has


@pytest.fixture(autouse=True)
def _city(transactional_db):
    seed_rules()


@pytest.fixture
def today():
    return timezone.localdate()


@pytest.fixture
def desk(page_at):
    """A page of an officer who has signed in at the door with password and second factor."""

    def signed_in(user, width=1280):
        user.set_password(PASSWORD)
        user.save()
        device = TOTPDevice.objects.create(user=user, name="示例", confirmed=True)
        page = page_at(width)
        page.goto("/")
        page.get_by_role("link", name="工作人员登录").click()
        page.get_by_label("账号").fill(user.username)
        page.get_by_label("密码").fill(PASSWORD)
        page.get_by_label("动态口令").fill(f"{totp(device.bin_key):06d}")
        page.get_by_role("button", name="登录", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("我的事项")
        return page

    return signed_in


# ── reading and filling in ────────────────────────────────────────────────────────────────────


def says(page, *words):
    """The page shows all of this to whoever reads it."""
    for part in words:
        expect(page.locator("#main")).to_contain_text(part)


def says_not(page, *words):
    for part in words:
        expect(page.locator("#main")).not_to_contain_text(part)


def fill(page, fields):
    for label, value in fields.items():
        page.get_by_label(label).fill(str(value))


def press(page, button):
    page.get_by_role("button", name=button, exact=True).click()


def follow(page, link):
    page.get_by_role("link", name=link).first.click()


def open_matter(page, name):
    """From 我的事项 to the matter of this subject."""
    page.get_by_role("navigation", name="主导航").get_by_role("link", name="我的事项").click()
    page.get_by_role("table").get_by_role("link", name=name).click()


def scan(name="银行代发回单.png"):
    """A photograph of a paper, as a telephone makes it."""
    drawn = io.BytesIO()
    Image.new("RGB", (40, 30), "#F2EFE6").save(drawn, "PNG")
    return {"name": name, "mimeType": "image/png", "buffer": drawn.getvalue()}


def paper(name="支付凭证.pdf"):
    return {"name": name, "mimeType": "application/pdf", "buffer": PDF}


def receipt(page):
    """(number, query code) as they stand on the receipt."""
    plate = page.locator("dl.receipt")
    return [plate.locator("dd").nth(place).inner_text() for place in (0, 1)]


def measure(page, name):
    """The part of the page where this measure is answered."""
    return page.locator(".todo").filter(has=page.get_by_role("heading", name=name))


def track(page, matter, number, code):
    page.goto("/")
    follow(page, f"查{matter}进度")
    fill(page, {"受理编号": number, "查询码": code})
    press(page, "查进度")


# ── A: published, pushed, answered, checked ───────────────────────────────────────────────────


def test_a_department_publishes_a_unit_answers_and_checks_at_its_counter(desk, page_at, today):
    clerk = desk(builders.clerk())
    _draft(clerk, today)
    _serve_notice(clerk, today)

    reviewer = desk(builders.reviewer())
    follow(reviewer, "名单")
    follow(reviewer, FIRM)
    follow(reviewer, "审核公布")
    says(reviewer, "将向社会公布", GROUND, "将推送", "市财政局")
    press(reviewer, "公布")
    says(reviewer, "已公布，将推送有关单位。")
    reader = page_at(360)
    reader.goto("/")
    follow(reader, FIRM)
    says(reader, CODE, GROUND, "37", FUNDS)

    jointaction.distribute(today=today)
    liaison = desk(builders.liaison("czj"))
    _answer_push(liaison, today)
    clerk.reload()
    answers = clerk.get_by_role("row").filter(has_text="市财政局")
    for words in ("已反馈", f"{FUNDS}：已执行", f"{SUPPORT}：不适用", "没有申请扶持资金"):
        expect(answers).to_contain_text(words)
    _check_at_the_counter(liaison)


def _draft(page, today):
    """Saved as far as it is known: the notice has yet to be served."""
    follow(page, "名单")
    follow(page, "起草黑名单")
    page.get_by_role("link", name="恶意欠薪").click()
    fill(
        page,
        {
            "统一社会信用代码": CODE,
            "名称或姓名": FIRM,
            "文书文号": "通人社监决字〔2026〕第17号",
            "文书种类": "行政处理决定书",
            "作出机关": "通化市人力资源和社会保障局",
            "文书日期": today - datetime.timedelta(days=40),
            "事实和理由": GROUND,
            "拖欠工资金额": "86.4",
            "涉及人数": "37",
        },
    )
    press(page, "存草稿")
    says(page, "草稿已保存。", "还差 1 项", "须先送达列入告知书。")
    expect(page.get_by_role("link", name="审核公布")).to_have_count(0)


def _serve_notice(page, today):
    served = today - datetime.timedelta(days=25)
    follow(page, "修改草稿")
    fill(page, {"告知书送达日期": served})
    press(page, "存草稿")
    says(page, "有 2 处需要修改", "错误：请填写送达方式。", "错误：请填写陈述申辩截止。")
    # the entry's own notice stands before those of its responsible persons
    page.get_by_label("送达方式").first.select_option("直接送达")
    page.get_by_label("陈述申辩截止").first.fill(str(add_working_days(served, 5)))
    press(page, "存草稿")
    says(page, "草稿已保存。", "可以公布了", "须由没有参与起草的审核人员公布。")
    expect(page.get_by_role("link", name="审核公布")).to_have_count(0)


def _answer_push(page, today):
    open_matter(page, FIRM)
    press(page, "先签收，以后反馈")
    says(page, "已签收，请逐项反馈。")
    measure(page, FUNDS).get_by_role("radio", name="已执行").check()
    measure(page, FUNDS).get_by_label("执行日期").fill(str(today))
    measure(page, SUPPORT).get_by_role("radio", name="不适用").check()
    press(page, "提交反馈")
    says(page, "有 1 处需要修改", "错误：不执行、不适用或继续执行的，请写明理由。")
    measure(page, SUPPORT).get_by_label("写理由").fill("该单位没有申请扶持资金")
    press(page, "提交反馈")
    says(page, "反馈已提交，认定部门可以看到。", "反馈完毕", "没有申请扶持资金")


def _check_at_the_counter(page):
    follow(page, "查询")
    asked = {"统一社会信用代码": CODE, "办什么事": "财政补助审核", "业务编号": "示例-2026-7"}
    fill(page, asked)
    press(page, "查询")
    says(page, "命中黑名单 1 条。", "本单位有 2 项措施要处理。", FIRM)
    measure(page, FUNDS).get_by_role("radio", name="已执行").check()
    measure(page, SUPPORT).get_by_role("radio", name="不执行").check()
    press(page, "提交反馈，办下一件")
    says(page, "错误：写明不适用或不执行的理由。")
    measure(page, SUPPORT).get_by_label("写理由").fill("补助已在列入前拨付")
    press(page, "提交反馈，办下一件")
    says(page, "反馈已提交，可以办下一件。", "还没反馈的命中　0 条")


# ── B: objected to, corrected, answered in writing ────────────────────────────────────────────


def test_the_subject_objects_the_entry_is_corrected_and_the_reply_downloaded(desk, page_at, today):
    entry = builders.published_black(builders.firm(FIRM, CODE))
    subject = page_at(1280)
    subject.goto(f"/black/{entry.public_id}/")
    subject.get_by_role("complementary").get_by_role("link", name="提出异议").click()
    press(subject, "提交异议")
    says(subject, "有 4 处需要修改", "错误：选择哪一项有错", "错误：写明理由")
    _fill_in_objection(subject)
    press(subject, "提交异议")
    says(subject, "异议已收到", "查询码只在这里出现一次")
    number, code = receipt(subject)

    reader = page_at(1280)
    reader.goto(f"/black/{entry.public_id}/")
    says(reader, DISPUTED, "本记录正在复核")
    applicant = page_at(360)
    track(applicant, "异议", number, code)
    due = add_working_days(today, 15)
    says(applicant, number, "证据 1 份", f"最迟 {due.month}月{due.day}日")
    expect(applicant.get_by_role("table", name="办理期限逐日说明")).to_be_visible()

    clerk = desk(builders.clerk())
    _propose_correction(clerk)
    expect(clerk.get_by_role("button", name="审核通过")).to_have_count(0)
    says(clerk, "拟答复：更正", "答复由提出人以外的审核人员审核。")
    says_not(reader, "52.7 万元")
    reviewer = desk(builders.reviewer())
    open_matter(reviewer, FIRM)
    says(reviewer, "52.7 万元")
    press(reviewer, "审核通过")
    says(reviewer, "已答复：更正")

    reader.reload()
    says(reader, "52.7 万元")
    says_not(reader, "本记录正在复核")
    follow(reader, "黑名单")
    says(reader, FIRM)
    says_not(reader, DISPUTED)
    applicant.reload()
    says(applicant, "答复：更正", "核对银行代发记录")
    with applicant.expect_download() as download:
        follow(applicant, "下载答复函")
    assert download.value.suggested_filename.endswith(".pdf")
    assert download.value.path().read_bytes().startswith(b"%PDF-")


def _fill_in_objection(page):
    page.get_by_role("group", name="您认为哪一项有错").get_by_label("事实或金额不对").check()
    page.get_by_label("证据").set_input_files([scan()])
    fill(
        page,
        {
            "理由": "其中 15 名工人工资已通过银行代发，立案时未计入，附回单。",
            "姓名或者单位名称": FIRM,
            "联系电话": "0435-0000000",
        },
    )


def _propose_correction(page):
    open_matter(page, FIRM)
    says(page, "银行代发回单.png", "15 名工人工资已通过银行代发")
    page.get_by_label("怎样核查").fill("向示例农商银行核对银行代发记录。")
    press(page, "开始核查")
    page.get_by_label("更正", exact=False).first.check()
    page.get_by_label("事实和理由").fill("拖欠 22 名农民工工资共 52.7 万元，逾期未付。")
    page.get_by_label("理由", exact=True).fill("经银行核实，代发 15 人工资 33.7 万元属实，应扣除。")
    press(page, "送审核")


# ── C: the term ends ──────────────────────────────────────────────────────────────────────────


def test_an_entry_whose_last_day_was_yesterday_is_gone_from_every_page(page_at, today):
    ended = builders.last_public_day(today - builders.DAY, subject=builders.firm(FIRM, CODE))
    other = builders.firm("通化宏达示例园林绿化有限公司")
    builders.last_public_day(today, subject=other)
    page = page_at(360)
    page.goto("/")
    says(page, other.name)
    says_not(page, FIRM)
    page.get_by_role("search").get_by_label("单位名称或统一社会信用代码").fill("宏达示例")
    page.get_by_role("search").get_by_role("button").click()
    says(page, "园林绿化")
    says_not(page, CODE)
    page.goto("/black/")
    says(page, other.name)
    says_not(page, FIRM)
    assert page.goto(f"/black/{ended.public_id}/").status == 410
    says(page, "这条记录已不再公布", "公布期已满", "任何单位也不应再依据它办事")
    says_not(page, FIRM, CODE, "拖欠")


# ── repair ────────────────────────────────────────────────────────────────────────────────────


def test_repair_asked_for_too_early_names_the_day_and_shows_no_form(page_at, today):
    entry = builders.repairable(today=add_months(today, 11))  # published two months ago
    page = page_at(360)
    page.goto(f"/black/{entry.public_id}/")
    follow(page, "看修复条件")
    first_day = date_format(add_months(entry.published_on, 12))
    says(page, "还没到可以申请的时候", f"最早 {first_day}", "罚款缴纳凭证")
    expect(page.get_by_role("button", name="提交申请")).to_have_count(0)


def test_repair_is_applied_for_accepted_verified_and_granted_and_the_entry_is_gone(
    desk, page_at, today
):
    entry = builders.repairable(subject=builders.firm(FIRM, CODE))
    firm = page_at(360)
    firm.goto(f"/black/{entry.public_id}/")
    follow(firm, "看修复条件")
    says(firm, "现在可以申请")
    _fill_in_repair(firm, entry)
    press(firm, "提交申请")
    says(firm, "修复申请已收到")

    clerk = desk(builders.clerk("zrzy"))
    open_matter(clerk, FIRM)
    press(clerk, "受理")
    says(clerk, "已受理，办理期限从今天的次日起算。", "支付凭证.pdf")
    clerk.get_by_label("实地核查").check()
    clerk.get_by_label("核实日期").fill(str(today))
    clerk.get_by_label("核实情况").fill("到现场核实，并查验缴款凭证，均属实。")
    press(clerk, "登记核实")
    says(clerk, "核实情况已登记。")
    clerk.get_by_label("准予修复").check()
    clerk.get_by_label("理由").fill("已纠正失信行为，符合修复条件。")
    press(clerk, "送审核")
    says(clerk, "决定已送审核，须由另一人审核。", "决定由提出人以外的审核人员审核。")
    reviewer = desk(builders.reviewer("zrzy"))
    open_matter(reviewer, FIRM)
    says(reviewer, "拟决定：准予修复")
    press(reviewer, "审核通过")
    says(reviewer, "已作出决定。", "（已不公布）")

    follow(firm, "看办理进度")
    says(firm, "准予修复", "记录已撤下")
    assert firm.goto(f"/black/{entry.public_id}/").status == 410
    says(firm, "这条记录已不再公布")
    firm.goto(f"/search/?q={CODE}")
    says_not(firm, FIRM)


def _fill_in_repair(page, entry):
    for kind in entry.category.repair_evidence:
        page.get_by_label(kind, exact=True).set_input_files([paper()])
    page.get_by_label("我（单位）承诺").check()
    fill(
        page,
        {
            "怎样改正的": "违法用地已恢复原状，罚款已缴清，附验收意见。",
            "姓名或者单位名称": FIRM,
            "联系电话": "0435-0000000",
            "承诺人签名": FIRM,
        },
    )


def test_who_is_asked_for_more_adds_it_where_the_matter_is_followed(desk, page_at, today):
    entry = builders.repairable(subject=builders.firm(FIRM, CODE))
    firm = page_at(360, scripts=False)
    firm.goto(f"/repair/new/?entry={entry.public_id}")
    _fill_in_repair(firm, entry)
    press(firm, "提交申请")
    clerk = desk(builders.clerk("zrzy"))
    open_matter(clerk, FIRM)
    clerk.locator("summary", has_text="要求补正").click()
    fill(
        clerk,
        {
            "要补充什么": "缴款凭证看不清，请重新上传清晰的。",
            "最迟哪天补充": str(today + 7 * builders.DAY),
        },
    )
    press(clerk, "通知补正")
    says(clerk, "已通知申请人补正", "等候申请人补正")
    follow(firm, "看办理进度")
    says(firm, "等您补充材料", "缴款凭证看不清")
    press(firm, "提交补充材料")
    says(firm, "说明和材料至少有一样")
    firm.get_by_label("其他材料").set_input_files([paper()])
    press(firm, "提交补充材料")
    says(firm, "补充的材料已经收到。", "收到补充材料")
    clerk.reload()
    says(clerk, "其他材料：", "收到补充材料")


# ── without scripts, without a mouse ──────────────────────────────────────────────────────────


def test_both_remedies_are_filed_and_followed_without_scripts(page_at):
    entry = builders.repairable(subject=builders.firm(FIRM, CODE))
    page = page_at(360, scripts=False)
    page.goto("/")
    follow(page, "提出异议")
    fill(page, {"统一社会信用代码，或者记录编号": CODE})
    press(page, "查找记录")
    follow(page, "对这一条提出异议")
    _fill_in_objection(page)
    press(page, "提交异议")
    _leave_and_track(page, "异议")

    page.goto("/")
    follow(page, "申请信用修复")
    fill(page, {"统一社会信用代码，或者记录编号": CODE})
    press(page, "查找记录")
    follow(page, "看修复条件")
    _fill_in_repair(page, entry)
    press(page, "提交申请")
    _leave_and_track(page, "修复")


def _leave_and_track(page, matter):
    number, code = receipt(page)
    follow(page, "看办理进度")
    says(page, number)
    press(page, "退出，查另一件")
    fill(page, {"受理编号": number, "查询码": "AAAAA-AAAAA"})
    press(page, "查进度")
    says(page, "受理编号或查询码不对，请核对回执后重新填写")
    track(page, matter, number, code)
    says(page, number, "这个日期怎么算出来的")


def test_an_objection_is_filed_with_the_keyboard_alone(page_at):
    entry = builders.published_black(builders.firm(FIRM, CODE))
    page = page_at(1280)
    page.goto(f"/black/{entry.public_id}/")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("跳到正文")
    page.keyboard.press("Enter")
    _tab_to(page, page.get_by_role("complementary").get_by_role("link", name="提出异议"))
    page.keyboard.press("Enter")
    _tab_to(page, page.get_by_role("button", name="提交异议"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()

    _tab_to(page, page.get_by_label("事实或金额不对"))
    page.keyboard.press("Space")
    _tab_to(page, page.get_by_label("理由"))
    page.keyboard.type("其中 15 名工人工资已通过银行代发，立案时未计入。")
    _tab_to(page, page.get_by_label("姓名或者单位名称"))
    page.keyboard.type(FIRM)
    _tab_to(page, page.get_by_label("联系电话"))
    page.keyboard.type("0435-0000000")
    _tab_to(page, page.get_by_role("button", name="提交异议"))
    page.keyboard.press("Enter")
    says(page, "异议已收到", "受理编号")


def test_a_repair_is_applied_for_with_the_keyboard_alone(page_at):
    entry = builders.repairable(subject=builders.firm(FIRM, CODE))
    page = page_at(1280)
    page.goto(f"/black/{entry.public_id}/")
    _tab_to(page, page.get_by_role("complementary").get_by_role("link", name="看修复条件"))
    page.keyboard.press("Enter")
    for kind in entry.category.repair_evidence:
        control = page.get_by_label(kind, exact=True)
        _tab_to(page, control)
        expect(control).to_be_focused()
        control.set_input_files([paper()])  # the window that Enter opens is the system's own
    _tab_to(page, page.get_by_label("怎样改正的"))
    page.keyboard.type("违法用地已恢复原状，罚款已缴清，附验收意见。")
    _tab_to(page, page.get_by_label("我（单位）承诺"))
    page.keyboard.press("Space")
    _tab_to(page, page.get_by_label("承诺人签名"))
    page.keyboard.type(FIRM)
    _tab_to(page, page.get_by_label("姓名或者单位名称"))
    page.keyboard.type(FIRM)
    _tab_to(page, page.get_by_label("联系电话"))
    page.keyboard.type("0435-0000000")
    _tab_to(page, page.get_by_role("button", name="提交申请"))
    page.keyboard.press("Enter")
    says(page, "修复申请已收到", "受理编号")


def _tab_to(page, control):
    """Press Tab until this control has the focus."""
    for _stop in range(STOPS):
        if control.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no way by Tab to {control}")

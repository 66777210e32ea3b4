"""A report told and followed in a browser, without script and without a cookie."""

import re

import pytest

from tests import builders
from tests.browser.test_pages import _faults

CODE = re.compile(r"[2-9A-HJ-NP-Z]{4}(?:-[2-9A-HJ-NP-Z]{4}){6}")


@pytest.fixture
def open_vault(transactional_db):
    from rulebook.services import seed_rules

    seed_rules()
    builders.vault_key()


@pytest.mark.parametrize("width", [360, 1280])
def test_a_report_is_told_and_followed_without_a_cookie(open_vault, page_at, width):
    page = page_at(width)
    page.goto("/reports/new/")
    page.get_by_role("button", name="提交举报").click()
    assert page.get_by_role("alert").count()
    assert _faults(page) == []
    page.get_by_label("举报谁").fill("通化示例建筑有限公司")
    page.get_by_label("举报什么事").fill("2026年5月以来拖欠工资，多次催要，老板拒不支付。")
    page.get_by_label("实名：身份单独加密保管").check()
    page.get_by_label("您的姓名").fill("示例举报人")
    page.get_by_label("联系电话").fill("0435-0000000")
    page.get_by_role("button", name="提交举报").click()
    assert _faults(page) == []
    code = CODE.search(page.content())[0]
    page.goto("/reports/track/")
    page.get_by_label("回执码").fill(code)
    page.get_by_role("button", name="查结果").click()
    assert _faults(page) == []
    page.get_by_label("补充或者提问").fill("在示例路工地。")
    page.get_by_role("button", name="提交", exact=True).click()
    assert page.get_by_text("已收到您的补充").count()
    assert page.get_by_text("在示例路工地。").count()
    assert _faults(page) == []
    assert page.context.cookies() == []


@pytest.mark.parametrize("width", [360, 1280])
def test_an_identity_is_opened_with_purpose_and_passphrase(open_vault, page_at, width):
    report, _code = builders.report(named=True)
    page = page_at(width, user=builders.vault_officer())
    page.goto(f"/desk/vault/reports/{report.public_id}/")
    page.get_by_label("查看事由").fill("电话告知核查结果")
    page.get_by_label("保险箱口令").fill(builders.PASSPHRASE)
    page.get_by_role("button", name="打开").click()
    assert page.get_by_text(builders.REPORTER["name"]).count()
    assert _faults(page) == []

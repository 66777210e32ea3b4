"""Filing often from one address: the browser computes a proof; without scripts there is a limit."""

import pytest
from django.contrib import admin
from django.urls import reverse

from objections.models import Objection
from parties.models import User
from repair.models import Repair
from tests import builders
from tests.browser.test_pages import _faults

pytestmark = pytest.mark.django_db(transaction=True)
GROUNDS = "其中 15 名工人工资已通过银行代发，立案时未计入。"


@pytest.fixture
def _often(settings, transactional_db):
    from rulebook.services import seed_rules

    seed_rules()
    settings.FREE_FILINGS, settings.SLOW_FILINGS = 0, (0, 9)


def _object(page):
    page.goto(f"/objections/new/?entry={builders.published_black().public_id}")
    page.wait_for_load_state("networkidle")
    _fill_in(page)


def _fill_in(page):
    page.locator("input[name=fields]").first.check()
    page.locator("[name=grounds]").fill(GROUNDS)
    page.locator("[name=applicant_name]").fill("示例申请人")
    page.locator("[name=applicant_phone]").fill("0435-3210000")
    page.get_by_role("button", name="提交异议").click()


@pytest.mark.usefixtures("_often")
def test_the_browser_proves_its_work_and_the_filing_is_taken(page_at):
    page = page_at(1280)
    for filed in (1, 2):
        _object(page)
        page.get_by_role("heading", name="已收到").wait_for()
        assert Objection.objects.count() == filed


@pytest.mark.usefixtures("_often")
def test_a_form_with_a_mistake_is_proved_anew_when_it_is_sent_again(page_at):
    page = page_at(1280)
    page.goto(f"/objections/new/?entry={builders.published_black().public_id}")
    page.wait_for_load_state("networkidle")
    page.get_by_role("button", name="提交异议").click()
    page.get_by_role("alert").wait_for()
    assert "分钟后再提交" not in page.get_by_role("alert").inner_text()
    assert _faults(page) == []
    page.wait_for_load_state("networkidle")
    _fill_in(page)
    page.get_by_role("heading", name="已收到").wait_for()


@pytest.mark.usefixtures("_often")
@pytest.mark.parametrize("width", [360, 1280])
def test_without_scripts_the_limit_is_said_and_nothing_need_be_typed_again(page_at, width):
    page = page_at(width, scripts=False)
    _object(page)
    assert "分钟后再提交" in page.get_by_role("alert").inner_text()
    assert page.locator("[name=grounds]").input_value() == GROUNDS
    assert "没有开启 JavaScript 也能提交" in page.content()
    assert not Objection.objects.exists()


@pytest.mark.usefixtures("_often")
def test_without_scripts_a_few_are_taken_every_hour(page_at, settings):
    settings.SLOW_FILINGS = (1, 9)
    page = page_at(1280, scripts=False)
    _object(page)
    assert page.get_by_role("heading", name="已收到").is_visible()
    assert Objection.objects.count() == 1


@pytest.mark.usefixtures("_often")
def test_an_application_for_repair_is_proved_as_well(page_at, tmp_path):
    entry = builders.repairable(category="M05", unit="rsj", term_months=24)
    page = page_at(1280)
    page.goto(f"/repair/new/?entry={entry.public_id}")
    page.wait_for_load_state("networkidle")
    page.locator("[name=statement]").fill("拖欠的工资已经全部付清，附银行回单。")
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF")
    for upload in page.locator("input[type=file]").all():
        upload.set_input_files(paper)
    page.locator("[name=applicant_name]").fill("示例申请人")
    page.locator("[name=applicant_phone]").fill("0435-3210000")
    page.locator("[name=commitment]").check()
    page.locator("[name=committed_by]").fill("示例申请人")
    page.get_by_role("button", name="提交申请").click()
    page.get_by_role("heading", name="已收到").wait_for()
    assert Repair.objects.count() == 1


def test_the_back_office_runs_under_the_content_policy(transactional_db, page_at):
    """`page_at` fails over whatever the browser complains of."""
    from rulebook.services import seed_rules

    seed_rules()
    builders.objection()
    root = User.objects.create_superuser("root", password=None, full_name="示例管理员")
    page = page_at(1280, user=root)
    page.goto(reverse("admin:index"))
    for model, office in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert page.goto(reverse(f"{name}_changelist")).status == 200
        first = model._default_manager.first()
        if first:
            assert page.goto(reverse(f"{name}_change", args=[first.pk])).status == 200
        adding = page.goto(reverse(f"{name}_add")).status
        assert adding in {200, 403}, (office, adding)

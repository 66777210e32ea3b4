"""The pages of repair at each stage of an application: axe has nothing to say, and they fit."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone

from jointaction import services as jointaction
from parties.models import PUBLIC, Actor, Role
from repair import services
from rulebook.models import Parameter
from rulebook.services import seed_rules
from tests import builders
from tests.browser.test_pages import AXE

REASONS = "现场核实仍未恢复原状，不符合修复条件。"


@pytest.fixture
def entry(transactional_db):
    seed_rules()
    Parameter.objects.filter(code="repair_decide").update(extendable_by=5)
    Parameter.objects.filter(code="repair_accept").update(stops=True)
    entry = builders.repairable(responsible_persons=[builders.responsible()])
    jointaction.distribute(today=timezone.localdate())
    return entry


class Watched:
    """A browser of the applicant and one of an officer, on one application, stage by stage."""

    def __init__(self, page_at, width, matter, code):
        self.page_at, self.width, self.matter, self.problems = page_at, width, matter, {}
        user = builders.officer("zrzy", Role.CLERK.value, Role.REVIEWER.value, username="both")
        self.desk, self.applicant = page_at(width, user=user), page_at(width)
        self.applicant.goto("/repair/track/")
        self.applicant.get_by_label("受理编号").fill(matter.number)
        self.applicant.get_by_label("查询码").fill(code)
        self.applicant.get_by_role("button", name="查进度").click()

    def look(self, stage):
        self.desk.goto(f"/desk/repairs/{self.matter.public_id}/")
        for closed in self.desk.locator("#act summary").all():
            closed.click()
        self.judge(self.desk, f"{stage}-desk")
        self.applicant.goto("/repair/track/")
        self.judge(self.applicant, f"{stage}-track")

    def judge(self, page, name):
        found = [
            f"{row['id']}: {row['nodes'][0]['html'][:120]}"
            for row in Axe().run(page, options=AXE).response["violations"]
        ]
        wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        found += [f"{wider} px too wide"] if wider > 0 else []
        if found:
            self.problems[name] = found


@pytest.mark.parametrize("width", [360, 1280])
def test_an_application_is_accessible_and_fits_at_every_stage(entry, page_at, width):
    today = timezone.localdate()
    matter, code = builders.repair(entry)
    clerk, reviewer = (Actor.of(who("zrzy")) for who in (builders.clerk, builders.reviewer))
    seen = Watched(page_at, width, matter, code)
    seen.look("1-received")
    by, text = today + 7 * builders.DAY, "缴款凭证看不清，请重新上传清晰的。"
    matter = services.ask(matter, actor=clerk, text=text, by=by, today=today)
    seen.look("2-awaiting")
    matter = services.supplement(matter, actor=PUBLIC, text="已重新上传。", today=today)
    matter = services.accept(matter, actor=clerk, today=today)
    seen.look("3-accepted")
    opinion = {"unit": builders.department("czj"), "findings": "罚款已缴清。", "means": "opinion"}
    services.verify(matter, actor=clerk, done_on=today, today=today, **opinion)
    seen.look("4-verified")
    decision = {"reasons": REASONS, "retry_from": by}
    services.propose_decision(matter, actor=clerk, outcome="refused", today=today, **decision)
    seen.look("5-proposed")
    services.approve_decision(matter, actor=reviewer, today=today)
    seen.look("6-refused")
    seen.applicant.goto(f"/repair/new/?entry={entry.public_id}")
    seen.judge(seen.applicant, "7-again")
    assert seen.problems == {}


@pytest.mark.parametrize("width", [360, 1280])
def test_forms_and_what_a_grant_says_are_accessible_and_fit(entry, page_at, width):
    today = timezone.localdate()
    matter, code = builders.repair(builders.repairable())
    clerk, reviewer = (Actor.of(who("zrzy")) for who in (builders.clerk, builders.reviewer))
    jointaction.distribute(today=today)
    seen = Watched(page_at, width, matter, code)
    services.accept(matter, actor=clerk, today=today)
    services.propose_decision(
        matter,
        actor=clerk,
        outcome="granted",
        reasons="已纠正失信行为，符合修复条件。",
        verification="现场核实，属实。",
        today=today,
    )
    services.approve_decision(matter, actor=reviewer, today=today)
    jointaction.distribute(today=today)
    seen.look("8-granted")
    for page, path in (
        (seen.desk, f"/desk/repairs/new/?entry={entry.public_id}"),
        (seen.applicant, f"/repair/new/?entry={entry.public_id}"),
        (seen.applicant, f"/black/{entry.public_id}/"),
    ):
        page.goto(path)
        seen.judge(page, path)
        if "repair" in path:
            page.locator("form:has(textarea) button").last.click()
            seen.judge(page, f"{path} refused")
    assert seen.problems == {}

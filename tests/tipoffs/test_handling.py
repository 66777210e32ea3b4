"""Handling a report: who may do what in which state, deadlines, erasure, the desk."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from casework.documents import Checked
from casework.models import Document, SpecialDay
from casework.moves import IllegalMove
from casework.services import load_year
from casework.workdays import add_months, add_working_days
from notices.models import Notice
from parties.models import CLOCK, Actor, Role
from portal.services import Matters
from rulebook.models import Parameter
from tests import builders
from tests.tipoffs.test_reporting import picture
from tipoffs import services
from tipoffs.models import Evidence, Message, Report, Wrap
from tipoffs.services import erasure

pytestmark = pytest.mark.usefixtures("rules")
TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)
TEXT = "示例说明，至少写满十个字才行。"
CONCLUSION = {"outcome": "confirmed", "findings": TEXT}


def clerk(unit="rsj"):
    return Actor.of(builders.clerk(unit))


# ── who, in which state ───────────────────────────────────────────────────────────────────────

PEOPLE = {
    "clerk": lambda: builders.clerk("rsj"),
    "reviewer": lambda: builders.reviewer("rsj"),
    "liaison": lambda: builders.liaison("rsj"),
    "clerk of another department": lambda: builders.clerk("scjg"),
    "clerk of the lead unit": lambda: builders.clerk("fgw"),
    "operator": builders.operator,
    "supervisor": builders.supervisor,
    "auditor": builders.auditor,
    "vault": builders.vault_officer,
}
HANDLERS = {"clerk", "reviewer"}


def _acts(report, actor):
    """Every act as it is asked for: {action: call}."""
    unit = builders.department("scjg")
    by, when = {"actor": actor}, {"actor": actor, "today": TODAY}
    return {
        "assign": lambda: services.assign(report, department=unit, text="", **when),
        "not_accept": lambda: services.not_accept(report, text=TEXT, **when),
        "send_back": lambda: services.send_back(report, text=TEXT, lead_unit="fgw", **when),
        "refer": lambda: services.refer(
            report, department=builders.department("hbj"), text=TEXT, **when
        ),
        "investigate": lambda: services.investigate(report, **by),
        "conclude": lambda: services.conclude(report, **CONCLUSION, **when),
        "inform": lambda: services.inform(report, text=TEXT, **when),
    }


def _in(status, *, named=True):
    report, _code = builders.report(named=named, today=TODAY)
    if status == "received":
        return report
    if status == "not_accepted":
        return services.not_accept(report, text=TEXT, actor=clerk("fgw"), today=TODAY)
    report = builders.handed_out(report, today=TODAY)
    steps = {
        "assigned": lambda: report,
        "investigating": lambda: services.investigate(report, actor=clerk()),
        "concluded": lambda: builders.concluded(report, today=TODAY),
        "informed": lambda: builders.informed(report, today=TODAY),
    }
    return steps[status]()


def _may(action, status, who):
    if status in {"received", "not_accepted"}:  # the lead unit has it
        operator = {"operator"} if status == "received" else set()
        triage = {"clerk of the lead unit"} | operator
        may = triage if action in {"assign", "not_accept"} else {"clerk of the lead unit"}
    else:
        may = set(HANDLERS)
    return who in may | ({"vault"} if action == "inform" else set())


def _outcome(act):
    try:
        with transaction.atomic():
            act()
            transaction.set_rollback(True)
    except PermissionDenied:
        return "denied"
    except IllegalMove:
        return "illegal"
    return "allowed"


def test_every_action_of_a_report_is_tried_here(rules):
    assert {*_acts(None, None), "erase"} == Report.MOVES.keys()


@pytest.mark.parametrize(
    "status", ["received", "assigned", "investigating", "concluded", "informed", "not_accepted"]
)
def test_who_may_do_what_with_a_report(rules, status):
    report, wrong = _in(status), {}
    assert report.status == status
    for who, make in PEOPLE.items():
        for action, act in _acts(report, Actor.of(make())).items():
            possible = "allowed" if status in report.MOVES[action][0] else "illegal"
            expected = possible if _may(action, status, who) else "denied"
            if (told := _outcome(act)) != expected:
                wrong[action, who] = told, expected
    assert not wrong


def test_the_vault_notes_nothing_for_an_anonymous_reporter(rules):
    report = _in("concluded", named=False)
    with pytest.raises(PermissionDenied):
        services.inform(report, text=TEXT, actor=Actor.of(builders.vault_officer()), today=TODAY)


def test_the_department_that_gave_it_on_reads_it_no_more(rules):
    report = _in("investigating")
    unit = builders.department("scjg")
    services.refer(report, department=unit, text=TEXT, actor=clerk(), today=TODAY)
    assert not Report.objects.readable_by(builders.clerk("rsj")).exists()
    assert Report.objects.readable_by(builders.clerk("scjg")).get() == report
    with pytest.raises(PermissionDenied):
        services.investigate(Report.objects.get(), actor=clerk("rsj"))


@pytest.mark.parametrize("code", ["bank-demo", "xh-demo", "platform"])
def test_no_report_is_handed_to_who_looks_into_none(rules, code):
    report, _code = builders.report(today=TODAY)
    unit = builders.department(code)
    with pytest.raises(ValidationError, match="不办理举报"):
        services.assign(report, department=unit, text="", actor=clerk("fgw"), today=TODAY)


def test_words_stand_in_messages_and_never_in_the_journal(rules):
    report = _in("informed")
    lines = report.journal.values_list("note", "private_note")
    assert not any(TEXT in note or "拖欠" in note for line in lines for note in line)
    assert Message.objects.filter(report=report, side="internal", text="请核查。").exists()


# ── deadlines ─────────────────────────────────────────────────────────────────────────────────


def test_each_step_has_its_own_period_in_working_days(rules):
    days = {"received": 5, "assigned": 60, "investigating": 60, "concluded": 5}
    for status, n in days.items():
        assert _in(status).due_on == add_working_days(TODAY, n), status


def test_the_outcome_is_due_five_working_days_after_the_conclusion_by_the_rule_of_that_day(rules):
    Parameter.objects.filter(code="report_outcome").update(value=3)
    report = _in("concluded")
    assert report.due_on == add_working_days(TODAY, 3)


def test_a_late_step_is_reminded_of_and_told_to_the_lead_unit_once(rules):
    report = _in("concluded")
    for day in (report.due_on - DAY, report.due_on, report.due_on + DAY, report.due_on + 9 * DAY):
        for _time in "ab":
            services.chase_due(today=day, lead_unit="fgw")
    late = Notice.objects.filter(key__startswith=f"report-overdue:{report.number}")
    assert sorted(late.values_list("department__code", flat=True)) == ["fgw", "rsj"]
    assert Notice.objects.filter(key__startswith="report-due-1:").count() == 1
    assert report.journal.filter(action="escalate").count() == 1


def test_a_late_report_of_the_lead_unit_itself_is_told_once(rules):
    report = _in("received")
    services.chase_due(today=report.due_on + DAY, lead_unit="fgw")
    assert Notice.objects.filter(key__startswith="report-overdue:").count() == 1


def test_a_calendar_that_changes_has_the_day_counted_anew(rules):
    today = date(2027, 3, 1)
    report, _code = builders.report(today=today)
    off = [SpecialDay(day=date(2027, 3, 3), kind="off", name="示例", name_en="x", year_id=2027)]
    before = report.due_on
    load_year(2027, off, status="official", source="示例", actor=CLOCK)
    services.chase_due(today=today, lead_unit="fgw")
    report.refresh_from_db()
    assert report.due_on == before + DAY
    assert report.journal.filter(action="recount").count() == 1


# ── public-interest litigation ────────────────────────────────────────────────────────────────

REFERRAL = {"organ": "通化市示例人民检察院", "document_number": "通示公诉移〔2026〕1号"}


def test_a_referral_to_the_procuratorate_is_recorded_once(rules):
    report = _in("investigating")
    given = {**REFERRAL, "referred_on": TODAY, "actor": clerk(), "today": TODAY}
    services.litigate(report, **given)
    assert report.litigations.get().organ == REFERRAL["organ"]
    assert report.journal.filter(action="litigate").count() == 1
    with pytest.raises(ValidationError, match="已经登记过"):
        services.litigate(report, **given)
    for day in (TODAY + DAY, TODAY - DAY):
        with pytest.raises(ValidationError, match="移送日期"):
            services.litigate(report, **{**given, "document_number": "2", "referred_on": day})


@pytest.mark.parametrize("status", ["received", "assigned", "not_accepted"])
def test_nothing_is_referred_before_it_was_looked_into(rules, status):
    report = _in(status)
    actor = clerk(report.department.code)
    with pytest.raises(IllegalMove):
        services.litigate(report, **REFERRAL, referred_on=TODAY, actor=actor, today=TODAY)


# ── erasure ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def closed(settings, tmp_path):
    """A named report with a picture and messages, settled on TODAY: (report, code)."""
    settings.MEDIA_ROOT = tmp_path
    picked = [Checked("原名.jpg", "image/jpeg", picture())]
    report, code = builders.report("rsj", named=True, today=TODAY, pictures=picked)
    services.add(report, text="补充一句话。")
    report = builders.informed(report, today=TODAY)
    services.litigate(report, **REFERRAL, referred_on=TODAY, actor=clerk(), today=TODAY)
    return report, code


def test_first_the_identity_goes_then_all_that_was_told(closed, tmp_path):
    report, code = closed
    services.erase(today=add_months(TODAY, 12))
    report.refresh_from_db()
    assert report.identity_sealed is not None
    services.erase(today=add_months(TODAY, 12) + DAY)
    report.refresh_from_db()
    assert (report.identity_sealed, Wrap.objects.count(), report.status) == (None, 0, "informed")
    assert report.facts
    services.erase(today=add_months(TODAY, 36) + DAY)
    report.refresh_from_db()
    assert report.status == "erased"
    assert (report.facts, report.about, report.findings, report.receipt_digest) == (
        "",
        "",
        "",
        None,
    )
    assert Report.objects.of_code(code) is None
    for model in (Message, Evidence, Document):
        assert not model.objects.exists()
    assert report.litigations.count() == 1
    assert {"forget", "erase"} <= set(report.journal.values_list("action", flat=True))


def test_the_bytes_of_an_erased_picture_go_with_the_transaction(
    closed, tmp_path, django_capture_on_commit_callbacks
):
    assert [place for place in tmp_path.rglob("*") if place.is_file()]
    with django_capture_on_commit_callbacks(execute=True):
        services.erase(today=add_months(TODAY, 37))
    assert not [place for place in tmp_path.rglob("*") if place.is_file()]


def test_a_long_outage_erases_both_at_once_and_a_second_run_nothing(closed):
    report, _code = closed
    services.erase(today=add_months(TODAY, 60))
    lines = report.journal.count()
    services.erase(today=add_months(TODAY, 60))
    assert report.journal.count() == lines


def test_what_is_open_is_never_erased(rules):
    report = _in("concluded")
    services.erase(today=add_months(TODAY, 120))
    report.refresh_from_db()
    assert report.status == "concluded"
    assert report.identity_sealed is not None


def test_a_poisoned_row_blocks_no_other(rules, monkeypatch, caplog):
    bad, good = _in("informed"), _in("informed")
    plain = erasure._erase
    monkeypatch.setattr(erasure, "_erase", lambda row: 1 / 0 if row.pk == bad.pk else plain(row))
    services.erase(today=add_months(TODAY, 60))
    good.refresh_from_db()
    assert good.status == "erased"
    assert bad.number in caplog.text
    assert "拖欠" not in caplog.text


# ── the desk ──────────────────────────────────────────────────────────────────────────────────


def browser(user):
    return builders.signed_in(Client(), user)


def test_a_report_goes_its_way_at_the_desk(rules):
    report, _code = builders.report(named=True)
    address = reverse("desk-report", args=[report.public_id])
    rsj = builders.department("rsj")
    lead, handler = browser(builders.operator()), browser(builders.clerk())
    steps = [
        (lead, {"act": "assign", "department": rsj.pk, "text": ""}),
        (handler, {"act": "investigate"}),
        (handler, {"act": "write", "text": "请问是哪个工地？"}),
        (handler, {"act": "conclude", **CONCLUSION}),
        (handler, {"act": "inform", "text": TEXT}),
        (handler, {"act": "litigate", **REFERRAL, "referred_on": report.received_on}),
    ]
    for client, data in steps:
        page = client.get(address).content.decode()
        assert f'value="{data["act"]}"' in page, data["act"]
        answer = client.post(address, data)
        assert answer.status_code == 302, (data["act"], answer.content.decode()[:500])
    report.refresh_from_db()
    assert (report.status, report.outcome) == ("informed", "confirmed")
    assert lead.get(address).status_code == 404
    assert handler.post(address, {"act": "investigate"}).status_code == 409
    assert handler.post(address, {"act": "x"}).status_code == 400


def test_the_page_of_a_report_holds_nothing_of_who_told_it(rules):
    report, _code = builders.report("rsj", named=True)
    for user in (builders.clerk(), builders.supervisor(), builders.auditor()):
        page = browser(user).get(reverse("desk-report", args=[report.public_id])).content.decode()
        assert not [words for words in builders.REPORTER.values() if words in page]


def test_the_vault_officer_reads_no_report(rules):
    report, _code = builders.report("rsj", named=True)
    client = browser(builders.vault_officer())
    assert client.get(reverse("desk-report", args=[report.public_id])).status_code == 404
    assert client.get(reverse("desk-reports")).url == reverse("desk-vault")
    page = client.get(reverse("desk-vault-report", args=[report.public_id])).content.decode()
    assert report.number in page
    assert "拖欠" not in page
    assert report.about not in page


def test_the_vault_officer_notes_that_a_named_reporter_was_told(rules):
    report = _in("concluded")
    address = reverse("desk-vault-report", args=[report.public_id])
    answer = browser(builders.vault_officer()).post(address, {"act": "inform", "text": TEXT})
    assert answer.status_code == 302
    report.refresh_from_db()
    assert report.status == "informed"


def test_the_picture_is_handed_to_the_handler_with_a_line_and_to_nobody_else(closed):
    report, _code = closed
    document = Document.objects.get()
    address = reverse("desk-report-document", args=[report.public_id, document.public_id])
    answer = browser(builders.clerk()).get(address)
    assert answer.status_code == 200
    assert "attachment" in answer["Content-Disposition"]
    assert report.journal.filter(action="download").count() == 1
    for user in (builders.clerk("scjg"), builders.vault_officer(), builders.liaison("rsj")):
        assert browser(user).get(address).status_code == 404


def test_the_first_page_of_the_desk_shows_what_waits_by_its_day(rules):
    report, _code = builders.report("rsj", today=TODAY)
    matters = Matters(builders.clerk(), today=TODAY, tab="report")
    assert [(row.number, row.due) for row in matters[:10]] == [(report.number, report.due_on)]
    assert matters.tabs["report"] == 1
    for user in (builders.liaison("rsj"), builders.clerk("scjg"), builders.vault_officer()):
        assert len(Matters(user, today=TODAY, tab="report")) == 0
    assert len(Matters(builders.clerk(), today=TODAY, text=report.about)) == 0
    assert len(Matters(builders.clerk(), today=TODAY, text=report.number)) == 1


def test_lists_and_vault_cost_the_same_however_many_reports_there_are(rules):
    pages = {
        "desk-reports": builders.clerk(),
        "desk-vault": builders.vault_officer(),
        "desk-vault-openings": builders.supervisor(),
    }

    def costs():
        found = {}
        for name, user in pages.items():
            client = browser(user)
            with CaptureQueriesContext(connection) as asked:
                assert client.get(reverse(name)).status_code == 200
            found[name] = len(asked)
        return found

    def one():
        report, _code = builders.report("rsj", named=True)
        services.open_identity(
            report,
            passphrase=builders.PASSPHRASE,
            purpose="示例",
            actor=Actor.of(builders.vault_officer()),
            lead_unit="fgw",
        )

    one()
    costs()
    before = costs()
    for _row in range(3):
        one()
    assert costs() == before


def test_a_member_of_staff_without_a_part_in_it_has_no_desk_of_reports(rules):
    assert browser(builders.liaison("rsj")).get(reverse("desk-reports")).status_code == 403
    both = builders.officer("rsj", Role.VAULT.value, Role.CLERK.value)
    assert browser(both).get(reverse("desk-reports")).status_code == 200

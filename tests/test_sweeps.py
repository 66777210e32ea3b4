"""Every sweep of the clock: twice is once, a gap loses nothing, a poisoned row blocks none."""

import os
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from casework import documents
from casework.models import Document, Event, JournalSeal, KeptForm, Letter, RateCount
from casework.services import (
    count,
    forget_old_forms,
    keep_form,
    make_missing,
    seal_journal,
    sweep_rates,
)
from jointaction import services as jointaction
from jointaction.models import Delivery, Endpoint, Hit, Push, Sheet
from jointaction.services import webhooks
from listings import services as listings
from listings.api import shown
from listings.models import Change, Listing
from listings.services import feed
from notices import services as notices
from notices.models import Notice
from objections import services as objections
from objections.models import Objection
from parties import services as parties
from parties.models import Actor, SignInRecord
from portal import services as portal
from portal.services import arrivals
from redlist import services as redlist
from repair import services as repairs
from tests import builders
from tipoffs import services as tipoffs
from tipoffs.models import Report, Wrap

LEAD = settings.LEAD_UNIT
TODAY = date(2026, 11, 23)
LATER = TODAY + timedelta(days=60)
LATER_STILL = TODAY + timedelta(days=120)


def _lapsed():
    builders.last_public_day(TODAY - timedelta(days=1))


def _pushed():
    builders.published_black(today=TODAY)
    jointaction.distribute(today=TODAY)


def _met():
    entry = builders.published_black(today=TODAY)
    question = {"purpose": "示例", "reference": "示例", "today": TODAY}
    actor = Actor.of(builders.liaison("ggzy"))
    jointaction.check([{"code": entry.subject.code}], actor=actor, **question)


def _heard():
    builders.endpoint()
    builders.published_black(today=TODAY)


def _to_be_sent():
    """To an address that has turned inwards since: nothing leaves this machine."""
    _heard()
    webhooks.announce_changes()
    Endpoint.objects.update(url="https://127.0.0.1/hook")


def _told_long_ago():
    _to_be_sent()
    long_ago = timezone.now() - timedelta(days=400)
    Delivery.objects.update(status="delivered", tried_at=long_ago)


def _objected():
    builders.objection(builders.published_black(today=TODAY), today=TODAY)


def _replied():
    matter, _code = builders.objection(builders.published_black(today=TODAY), today=TODAY)
    matter = objections.propose_reply(
        matter,
        actor=Actor.of(builders.clerk()),
        outcome="rejected",
        reasons="经核查，拖欠事实清楚，证据充分。",
        today=TODAY,
    )
    objections.approve_reply(matter, actor=Actor.of(builders.reviewer()), today=TODAY)


def _black_listed():
    red = builders.red_published(today=TODAY - timedelta(days=1))
    builders.published_black(red.subject, today=TODAY)


def _told():
    notices.tell(key="示例", title="示例", text="示例", email="applicant@example.cn")


def _quashed():
    listings.propose_withdrawal(
        builders.published_black(today=TODAY),
        reason="document_quashed",
        actor=Actor.of(builders.clerk()),
        note="行政复议撤销了处理决定。",
        quashed_by="通化市人民政府行政复议决定书示例1号",
        today=TODAY,
    )


def _reported():
    portal.report_file(portal.credit_report("91220501MA0ABC1215", now=timezone.now()))


def _brought():
    builders.brought()


def _uploaded():
    builders.sheet((builders.published_black(today=TODAY).subject.code,))


def _checked():
    _uploaded()
    jointaction.check_sheets(today=TODAY)


def _signed_in_long_ago():
    long_ago = timezone.now() - timedelta(days=200)
    builders.clerk()
    parties.record_failure("rsj-clerk", address="192.0.2.1", user_agent="", now=long_ago)


def _written():
    """Lines of the journals; what was written before this test is sealed already."""
    seal_journal()
    builders.published_black(today=TODAY)


def _orphaned():
    folder = Path(settings.MEDIA_ROOT) / "0f"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "orphan").touch()
    os.utime(folder / "orphan", (0, 0))


def _left_unfinished():
    known = {"stamp": 0, "basis": None, "now": timezone.now()}
    keep_form(builders.clerk(), "black-draft", "M05", {"ground": ["示例"]}, **known)


SWEEPS = {  # sweep: (what lies before it, the sweep)
    "listings.tasks.expire_lapsed": (_lapsed, lambda: listings.expire_lapsed(today=TODAY)),
    "listings.tasks.chase_withdrawals": (
        _quashed,
        lambda: listings.chase_withdrawals(today=LATER, lead_unit=LEAD),
    ),
    "listings.tasks.make_daily_file": (
        lambda: builders.published_black(today=TODAY),
        lambda: feed.make_daily_file(today=TODAY),
    ),
    "jointaction.tasks.distribute": (
        lambda: builders.published_black(today=TODAY),
        lambda: jointaction.distribute(today=TODAY),
    ),
    "jointaction.tasks.chase_late_pushes": (
        _pushed,
        lambda: [jointaction.chase_late(today=LATER, lead_unit=LEAD) for _round in "ab"],
    ),
    "jointaction.tasks.chase_late_hits": (
        _met,
        lambda: [jointaction.chase_late_hits(today=LATER, lead_unit=LEAD) for _round in "ab"],
    ),
    "jointaction.tasks.check_sheets": (
        _uploaded,
        lambda: jointaction.check_sheets(today=TODAY),
    ),
    "jointaction.tasks.forget_sheets": (
        _checked,
        lambda: jointaction.forget_sheets(today=LATER),
    ),
    "jointaction.tasks.announce_changes": (_heard, webhooks.announce_changes),
    "jointaction.tasks.send_webhooks": (_to_be_sent, lambda: webhooks.send(shown=shown)),
    "jointaction.tasks.remove_old_webhooks": (
        _told_long_ago,
        lambda: webhooks.remove_old(today=timezone.localdate()),
    ),
    "redlist.tasks.review_black_listed": (
        _black_listed,
        lambda: redlist.review_black_listed(today=TODAY),
    ),
    "redlist.tasks.chase_reviews": (
        lambda: builders.review(today=TODAY),
        lambda: redlist.chase_reviews(today=LATER, lead_unit=LEAD),
    ),
    "objections.tasks.chase_due": (
        _objected,
        lambda: objections.chase_due(today=LATER, lead_unit=LEAD),
    ),
    "casework.tasks.make_letters": (_replied, make_missing),
    "repair.tasks.chase_due": (
        lambda: builders.repair(today=TODAY),
        lambda: repairs.chase_due(today=LATER, lead_unit=LEAD),
    ),
    "tipoffs.tasks.chase_due": (
        lambda: builders.report("rsj", today=TODAY),
        lambda: tipoffs.chase_due(today=LATER_STILL, lead_unit=LEAD),
    ),
    "tipoffs.tasks.erase": (
        lambda: builders.informed(builders.report("rsj", named=True, today=TODAY)[0], today=TODAY),
        lambda: tipoffs.erase(today=TODAY + timedelta(days=2_000)),
    ),
    "notices.tasks.deliver": (_told, notices.deliver),
    "portal.tasks.take_in_files": (_brought, arrivals.take_in),
    "portal.tasks.erase_reports": (
        _reported,
        lambda: portal.erase_reports(now=timezone.now() + timedelta(days=2)),
    ),
    "casework.tasks.sweep_rates": (
        lambda: count("address", "192.0.2.1", limit=1),
        lambda: sweep_rates(now=timezone.now() + timedelta(hours=1)),
    ),
    "parties.tasks.forget_sign_ins": (
        _signed_in_long_ago,
        lambda: parties.forget_sign_ins(now=timezone.now()),
    ),
    "casework.tasks.seal_journal": (_written, seal_journal),
    "casework.tasks.forget_old_forms": (
        _left_unfinished,
        lambda: forget_old_forms(now=timezone.now() + timedelta(days=31)),
    ),
    "casework.tasks.sweep_documents": (_orphaned, lambda: documents.sweep(now=timezone.now())),
}
HEARTBEAT = {"portal.tasks.heartbeat"}  # says only that the worker lives


def test_every_sweep_of_the_clock_is_tried_here():
    assert SWEEPS.keys() | HEARTBEAT == settings.SWEEPS.keys()


@pytest.mark.parametrize("name", sorted(settings.SWEEPS))
def test_every_sweep_is_a_task_that_can_be_called(rules, name):
    import_string(name)()


def _state():
    """Everything that a second run could double or move."""
    return (
        list(Listing.objects.order_by("pk").values_list("pk", "status", "version")),
        list(Push.objects.order_by("pk").values_list("pk", "status", "version", "escalated_on")),
        list(Hit.objects.order_by("pk").values_list("pk", "reminded_on", "escalated_on")),
        list(Sheet.objects.order_by("pk").values_list("pk", "status", "version", "result")),
        list(Hit.objects.order_by("pk").values_list("pk", "check_id")),
        list(Delivery.objects.order_by("pk").values_list("pk", "status", "attempts")),
        list(Objection.objects.order_by("pk").values_list("pk", "version", "due_on")),
        list(Report.objects.order_by("pk").values_list("pk", "version", "due_on", "facts")),
        Wrap.objects.count(),
        list(Change.objects.values_list("seq", flat=True)),
        list(Notice.objects.order_by("pk").values_list("key", "tries")),
        Event.objects.count(),
        JournalSeal.objects.count(),
        Document.objects.count(),
        RateCount.objects.count(),
        SignInRecord.objects.count(),
        KeptForm.objects.count(),
        sorted(Path(settings.MEDIA_ROOT).glob("*/orphan")),
    )


@pytest.mark.parametrize("name", sorted(SWEEPS))
def test_a_sweep_run_twice_is_run_once(rules, name):
    prepare, sweep = SWEEPS[name]
    prepare()
    before = _state()
    sweep()
    once = _state()
    assert once != before, "the sweep had something to do"
    sweep()
    assert _state() == once


def test_an_outage_of_days_loses_no_expiry(rules):
    entries = [builders.last_public_day(TODAY - timedelta(days=gap)) for gap in (1, 4, 9)]
    assert listings.expire_lapsed(today=TODAY) == 3
    for entry in entries:
        entry.refresh_from_db()
        assert entry.status == "expired"
        assert entry.ended_on == entry.visible_until + timedelta(days=1)


def test_an_outage_of_days_escalates_an_overdue_objection_once(rules):
    matter, _code = builders.objection(builders.published_black(today=TODAY), today=TODAY)
    for gap in (1, 5, 6):
        objections.chase_due(today=matter.due_on + timedelta(days=gap), lead_unit=LEAD)
    assert Notice.objects.filter(key__startswith=f"objection-overdue:{matter.number}").count() == 2
    assert matter.journal.filter(action="escalate").count() == 1


def test_a_poisoned_row_blocks_no_other_letter(rules, caplog):
    _replied()
    _replied()
    *_others, bad, good = Letter.objects.order_by("pk")
    Letter.objects.filter(pk=bad.pk).update(content={})
    make_missing()
    assert list(Letter.objects.unmade()) == [bad]
    good.refresh_from_db()
    assert good.document is not None
    assert bad.number in caplog.text


def test_a_notice_that_cannot_be_sent_blocks_no_other(rules, mailoutbox):
    notices.tell(key="甲", title="甲", text="甲", email="a@example.cn")
    notices.tell(key="乙", title="乙", text="乙", email="not\nan address@example.cn")
    notices.tell(key="丙", title="丙", text="丙", email="c@example.cn")
    notices.deliver()
    assert [mail.to for mail in mailoutbox] == [["a@example.cn"], ["c@example.cn"]]
    waiting = Notice.objects.get(key="乙")
    assert waiting.sent_at is None
    assert waiting.next_try_at > timezone.now()

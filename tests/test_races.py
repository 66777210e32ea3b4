"""People and machines acting at once, on a real PostgreSQL with real transactions."""

import contextlib
import json
import random
import threading
import time
import uuid
from datetime import date
from functools import partial

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import OperationalError, connection, connections, transaction
from django.utils import timezone

from blacklist import services as blacklist
from casework.models import KeptForm, Letter
from casework.moves import IllegalMove
from casework.services import OTHER_WINDOW, keep_form
from jointaction import services as jointaction
from jointaction.models import Check, Hit, Push
from listings import ledger
from listings import services as listings
from listings.models import Change, Listing, Proposal
from listings.services import feed
from objections import services as objections
from objections.models import Objection
from parties import services as parties
from parties.models import (
    CLOCK,
    Actor,
    ApiKey,
    Delegation,
    Role,
    SignInRecord,
    StaffSession,
)
from portal.models import SavedView
from portal.services import keep_view, wizard
from portal.services.imports import import_listings
from repair import services as repairs
from repair.models import Repair
from rulebook.models import ListCategory, RuleVersion
from rulebook.services import record_version, seed_rules
from tests import builders
from tests.listings.copies import Copy
from tipoffs import services as tipoffs
from tipoffs.models import Report, VaultKey, Wrap

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def committed_rules(transactional_db):
    seed_rules()


def at_once(*acts):
    """Run each act in a thread of its own, started together; returns results or exceptions."""
    start, outcomes = threading.Barrier(len(acts)), [None] * len(acts)

    def run(index, act):
        try:
            start.wait()
            outcomes[index] = act()
        except Exception as refusal:
            outcomes[index] = refusal
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return outcomes


def test_of_eight_officers_publishing_at_once_exactly_one_succeeds(committed_rules):
    draft, today = builders.black_draft(), timezone.localdate()
    actor = Actor.of(builders.reviewer())
    outcomes = at_once(*[lambda: blacklist.publish(draft, actor=actor, today=today)] * 8)
    assert sum(isinstance(outcome, Listing) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, IllegalMove) for outcome in outcomes) == 7
    assert Change.objects.filter(listing=draft, action="publish").count() == 1


def test_of_two_handlers_concluding_at_once_one_outcome_stands(committed_rules):
    report, _code = builders.report("rsj")
    clerk, reviewer = Actor.of(builders.clerk()), Actor.of(builders.reviewer())
    report = tipoffs.investigate(report, actor=clerk)
    given = {"findings": "示例核查情况，至少写满十个字。", "today": timezone.localdate()}
    outcomes = at_once(
        lambda: tipoffs.conclude(report, outcome="confirmed", actor=clerk, **given),
        lambda: tipoffs.conclude(report, outcome="not_confirmed", actor=reviewer, **given),
    )
    assert sum(isinstance(outcome, IllegalMove) for outcome in outcomes) == 1
    concluded = next(row for row in outcomes if isinstance(row, Report))
    assert Report.objects.get().outcome == concluded.outcome
    assert report.journal.filter(action="conclude").count() == 1


def test_of_one_report_sent_eight_times_at_once_one_is_kept(committed_rules):
    key = uuid.uuid4()
    outcomes = at_once(*[lambda: builders.report(form_key=key)] * 8)
    assert sum(isinstance(outcome, tuple) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, ValidationError) for outcome in outcomes) == 7
    assert Report.objects.count() == 1


def test_an_officer_who_makes_a_key_twice_at_once_has_one(committed_rules):
    actor = Actor.of(builders.vault_officer())
    given = {"passphrase": builders.PASSPHRASE, "actor": actor, "lead_unit": "fgw"}
    outcomes = at_once(*[lambda: tipoffs.make_key(**given)] * 4)
    assert sum(isinstance(outcome, VaultKey) for outcome in outcomes) == 1
    assert VaultKey.objects.count() == 1
    assert VaultKey.objects.get().journal.count() == 1


def test_a_key_retired_while_a_report_comes_locks_nobody_out(committed_rules):
    """The report is wrapped to a key that stays, or the retirement is refused."""
    first, second = (builders.vault_key(builders.vault_officer(name)) for name in ("甲", "乙"))
    actor = Actor.of(second.officer)
    outcomes = at_once(
        lambda: builders.report(reporter=builders.REPORTER),
        lambda: tipoffs.retire(first, actor=actor, lead_unit="fgw"),
        lambda: builders.report(reporter=builders.REPORTER),
    )
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    for report in Report.objects.all():
        assert list(report.wraps.values_list("key", flat=True)) == [second.pk]


def test_of_two_officers_who_retire_each_others_key_one_is_refused(committed_rules):
    first, second = (builders.vault_key(builders.vault_officer(name)) for name in ("甲", "乙"))
    report, _code = builders.report(reporter=builders.REPORTER)
    outcomes = at_once(
        lambda: tipoffs.retire(first, actor=Actor.of(second.officer), lead_unit="fgw"),
        lambda: tipoffs.retire(second, actor=Actor.of(first.officer), lead_unit="fgw"),
    )
    assert sum(isinstance(outcome, ValidationError) for outcome in outcomes) == 1
    assert report.wraps.count() == 1
    assert VaultKey.objects.active().count() == 1


def test_an_identity_erased_while_it_is_granted_stays_erased(committed_rules):
    report, _code = builders.report("rsj", named=True, today=date(2024, 1, 5))
    builders.informed(report, today=date(2024, 1, 8))
    key, _private = tipoffs.make_recovery_key(lead_unit="fgw")
    actor = Actor.of(builders.vault_officer())
    given = {"passphrase": builders.PASSPHRASE, "actor": actor, "lead_unit": "fgw"}
    at_once(
        lambda: tipoffs.grant(key, **given),
        lambda: tipoffs.erase(today=timezone.localdate()),
    )
    assert Wrap.objects.count() == 0
    assert Report.objects.get().identity_sealed is None


def test_of_two_people_confirming_one_file_at_once_one_imports_it(
    committed_rules, settings, tmp_path
):
    settings.MEDIA_ROOT = tmp_path
    batch = builders.previewed()
    actors = [Actor.of(builders.clerk()), Actor.of(builders.reviewer())]
    acts = [lambda actor=actor: wizard.commit(batch, actor=actor) for actor in actors]
    outcomes = at_once(*acts, lambda: wizard.discard(batch, actor=actors[0]))
    assert sum(isinstance(outcome, IllegalMove) for outcome in outcomes) == 2, outcomes
    batch.refresh_from_db()
    assert Listing.objects.count() == (batch.state == "done")
    assert batch.journal.count() == 2


def test_of_windows_that_keep_a_form_at_once_one_does_and_the_others_are_told(committed_rules):
    user, now = builders.clerk(), timezone.now()
    for stamp in (0, 1):
        known = {"stamp": stamp, "basis": None, "now": now}
        outcomes = at_once(
            *[
                lambda n=n, known=known: keep_form(
                    user, "示例", "一", {"ground": [str(n)]}, **known
                )
                for n in range(6)
            ]
        )
        (kept,) = [one for one in outcomes if isinstance(one, KeptForm)]
        told = [one.code for one in outcomes if isinstance(one, ValidationError)]
        assert told == [OTHER_WINDOW] * 5
        row = KeptForm.objects.get()
        assert (row.values, row.stamp) == (kept.values, stamp + 1)


def test_of_views_kept_at_once_one_is_the_default_and_there_are_no_more_than_twenty(
    committed_rules,
):
    user = builders.clerk()
    for n in range(18):
        keep_view(user, name=f"视图{n}", query="")
    acts = [lambda n=n: keep_view(user, name=f"新{n}", query="", default=True) for n in range(6)]
    outcomes = at_once(*acts)
    assert sum(isinstance(one, ValidationError) for one in outcomes) == 4, outcomes
    assert SavedView.objects.count() == 20
    assert SavedView.objects.filter(is_default=True).count() == 1


def test_of_two_officers_answering_the_same_pushes_at_once_each_push_is_answered_once(
    committed_rules,
):
    for _n in range(3):
        builders.published_black()
    today = timezone.localdate()
    jointaction.distribute(today=today)
    pushes = Push.objects.of_unit(builders.department("ggzy").pk)
    actor = Actor.of(builders.liaison("ggzy"))

    def answer():
        return jointaction.answer_many(pushes, outcome="applied", actor=actor, today=today)

    outcomes = at_once(answer, answer)
    done = [row.push.pk for rows in outcomes for row in rows if not row.refusal]
    assert sorted(done) == sorted(pushes.values_list("pk", flat=True))
    for push in pushes:
        assert push.feedback.count() == len(push.measures)


def test_entries_published_at_once_are_chained_without_a_gap(committed_rules):
    drafts, today = [builders.black_draft() for _draft in range(8)], timezone.localdate()
    actor = Actor.of(builders.reviewer())
    acts = [lambda d=d: blacklist.publish(d, actor=actor, today=today) for d in drafts]
    outcomes = at_once(*acts)
    assert all(isinstance(outcome, Listing) for outcome in outcomes), outcomes
    assert list(Change.objects.values_list("seq", flat=True)) == list(range(1, 9))
    assert ledger.verify() is None
    assert ledger.verify_entries() is None


def test_changes_of_one_rule_at_once_are_each_a_version_of_its_own(committed_rules):
    today = timezone.localdate()

    def change(months):
        with transaction.atomic():
            rule = ListCategory.objects.filter(code="M05")
            rule.update(term_months=months)
            return record_version(rule.get(), actor=CLOCK, reason="示例", today=today)

    outcomes = at_once(*[lambda n=n: change(n) for n in range(20, 26)])
    assert sorted(kept.version for kept in outcomes) == list(range(2, 8))
    category = ListCategory.objects.get(code="M05")
    last = RuleVersion.objects.of(category).last()
    assert (category.version, last.version) == (7, 7)
    assert last.content["term_months"] == category.term_months


def test_distribution_run_by_four_workers_at_once_makes_each_push_once(committed_rules):
    entry, today = builders.published_black(), timezone.localdate()
    units = {row["unit"] for row in entry.measure_set.measures}
    at_once(*[lambda: jointaction.distribute(today=today)] * 4)
    assert Push.objects.count() == len(units)


def test_a_table_uploaded_and_checked_several_times_at_once_is_checked_once(
    committed_rules, settings, tmp_path
):
    settings.MEDIA_ROOT = tmp_path
    codes, today = (
        [builders.published_black().subject.code for _n in range(3)],
        timezone.localdate(),
    )
    liaison, business = Actor.of(builders.liaison("czj")), {"reference": "同一件"}
    rows = [(code,) for code in codes]
    (sheet,) = set(at_once(*[lambda: builders.sheet(*rows, actor=liaison, **business)] * 4))
    outcomes = at_once(*[lambda: jointaction.check_sheets(today=today)] * 4)
    sheet.refresh_from_db()
    assert (sheet.status, sheet.listed, sum(outcomes)) == ("done", 3, 1)
    assert (Hit.objects.count(), Check.objects.count()) == (3, 1)
    fetch = [lambda: jointaction.fetch_result(sheet, actor=liaison, today=today)] * 4
    assert set(at_once(*fetch)) == {sheet.result}
    assert sheet.journal.filter(action="download").count() == 4


def test_a_withdrawal_and_the_expiry_sweep_at_once_end_the_entry_once(committed_rules):
    entry = builders.last_public_day(date(2026, 3, 31))
    actor, today = Actor.of(builders.clerk()), date(2026, 4, 1)
    proposal = listings.propose_withdrawal(entry, reason="error", actor=actor, note="列错单位")
    approver = Actor.of(builders.reviewer())
    at_once(
        lambda: listings.approve(proposal, actor=approver, today=today),
        lambda: listings.expire_lapsed(today=today),
    )
    listings.expire_lapsed(today=today)
    endings = Change.objects.filter(listing=entry, action__in=Listing.ENDINGS)
    assert endings.count() == 1
    assert ledger.verify_entries() is None


def test_objections_filed_at_once_are_numbered_without_a_gap(committed_rules):
    entries = [builders.published_black() for _entry in range(6)]
    outcomes = at_once(*[lambda e=e: builders.objection(e) for e in entries])
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    numbers = sorted(Objection.objects.values_list("number", flat=True))
    year = timezone.localdate().year
    assert numbers == [f"YY-{year}-{index:06}" for index in range(1, 7)]


def test_the_same_objection_filed_twice_at_once_is_taken_once(committed_rules):
    entry = builders.published_black()
    outcomes = at_once(*[lambda: builders.objection(entry)] * 4)
    assert sum(isinstance(outcome, ValidationError) for outcome in outcomes) == 3
    assert entry.objections.count() == 1


def test_a_draft_of_the_same_document_written_twice_at_once_is_one_draft(committed_rules):
    firm = builders.firm()
    number = {"document_number": "吉通示人社监决字〔2026〕第900号"}
    builders.clerk()
    outcomes = at_once(*[lambda: builders.black_draft(firm, **number)] * 4)
    assert Listing.objects.filter(subject=firm).count() == 1
    assert sum(isinstance(outcome, ValidationError) for outcome in outcomes) == 3, outcomes


def test_a_new_name_approved_twice_at_once_is_written_once(committed_rules):
    firm, change = _renaming()
    actors = [Actor.of(builders.reviewer()), Actor.of(_operator(2))]
    today = timezone.localdate()
    outcomes = at_once(
        *[
            lambda actor=actor: listings.approve_subject_change(change, actor=actor, today=today)
            for actor in actors
        ]
    )
    assert sum(isinstance(outcome, IllegalMove) for outcome in outcomes) == 1, outcomes
    assert firm.former_names.count() == 1
    assert Change.objects.filter(action="correct").count() == 2
    assert ledger.verify() is None
    assert ledger.verify_entries() is None


def test_a_draft_published_while_its_subject_is_renamed_bears_the_new_name(committed_rules):
    firm, change = _renaming()
    draft, today = builders.black_draft(firm), timezone.localdate()
    operator, reviewer = Actor.of(_operator(2)), Actor.of(builders.reviewer())
    outcomes = at_once(
        lambda: listings.approve_subject_change(change, actor=operator, today=today),
        lambda: blacklist.publish(draft, actor=reviewer, today=today),
    )
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes
    assert ledger.verify_entries() is None


def test_what_is_drafted_while_two_records_become_one_is_about_the_one_that_counts(committed_rules):
    old, new = builders.firm(), builders.firm()
    builders.published_black(old)
    first, second = Actor.of(_operator(1)), Actor.of(_operator(2))
    change = listings.propose_merge(old, new, actor=first, note="换发新代码")
    today = timezone.localdate()
    outcomes = at_once(
        lambda: listings.approve_subject_change(change, actor=second, today=today),
        *[lambda: builders.black_draft(old)] * 3,
    )
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes
    assert set(Listing.objects.values_list("subject", flat=True)) == {new.pk}
    assert ledger.verify_entries() is None


def test_two_records_proposed_to_be_one_in_both_directions_at_once_are_proposed_once(
    committed_rules,
):
    one, other = builders.firm(), builders.firm()
    acts = [
        lambda pair=pair: listings.propose_merge(*pair, actor=Actor.of(_operator(1)), note="重复")
        for pair in ((one, other), (other, one))
    ]
    _operator(1)
    outcomes = at_once(*acts)
    assert sum(isinstance(outcome, ValidationError) for outcome in outcomes) == 1, outcomes


def _renaming():
    firm = builders.firm()
    for _entry in range(2):
        builders.published_black(firm)
    today = timezone.localdate()
    change = listings.propose_rename(
        firm,
        "通化示例更名后商贸有限公司",
        changed_on=today,
        actor=Actor.of(builders.clerk()),
        note="已登记变更",
        today=today,
    )
    return firm, change


def _operator(number):
    return builders.officer("platform", Role.OPERATOR.value, username=f"operator-{number}")


def _tried(seed, act):
    """An act that a person tries again and again, with small pauses, until it is done or moot."""
    pauses = random.Random(seed)  # noqa: S311

    def act_on():
        for _try in range(6):
            time.sleep(pauses.random() / 100)
            try:
                return act()
            except (IllegalMove, ValidationError) as refusal:
                told = refusal
        return told

    return act_on


def _eight_people(draft, officers, today, seed):
    clerk, first, second = officers

    def publish(actor):
        return lambda: blacklist.publish(draft, actor=actor, today=today)

    def change(actor, approver, propose, **asked):
        def act():
            proposal = propose(
                Listing.objects.get(pk=draft.pk), actor=actor, note="示例", today=today, **asked
            )
            return listings.approve(proposal, actor=approver, today=today)

        return act

    correct, withdraw = listings.propose_correction, listings.propose_withdrawal
    acts = [
        publish(first),
        publish(second),
        publish(first),
        change(clerk, first, correct, fields={"ground": "示例：更正一。"}),
        change(first, second, correct, fields={"ground": "示例：更正二。"}),
        change(second, first, correct, fields={"document_organ": "通化市示例人社局"}),
        change(clerk, second, withdraw, reason="error"),
        change(first, second, withdraw, reason="recognition_withdrawn"),
    ]
    return [_tried(f"{seed}-{number}", act) for number, act in enumerate(acts)]


def test_eight_people_publish_correct_and_withdraw_one_entry_at_once(committed_rules):
    """Twenty times over: every effect once, versions without a gap, the ledger whole."""
    today = timezone.localdate()
    second = builders.officer("rsj", "reviewer", username="rsj-reviewer-2")
    officers = [Actor.of(user) for user in (builders.clerk(), builders.reviewer(), second)]
    for round_ in range(20):
        draft = builders.black_draft()
        outcomes = at_once(*_eight_people(draft, officers, today, round_))
        refusals = (IllegalMove, ValidationError)
        faults = [o for o in outcomes if isinstance(o, Exception) and not isinstance(o, refusals)]
        assert not faults, faults
        done = [o for o in outcomes if not isinstance(o, Exception)]
        changes = list(Change.objects.filter(listing=draft).order_by("seq"))
        actions = [change.action for change in changes]
        carried = [o.action for o in done if isinstance(o, Proposal)]
        assert actions.count("publish") == sum(isinstance(o, Listing) for o in done) == 1
        assert actions.count("correct") == carried.count("correct")
        assert actions.count("withdraw") == carried.count("withdraw") <= 1
        first = changes[0].version
        assert [row.version for row in changes] == list(range(first, first + len(changes)))
        entry = Listing.objects.get(pk=draft.pk)
        assert entry.version == changes[-1].version
        if "withdraw" in actions:
            assert actions[-1] == "withdraw"
            assert not entry.proposals.open().exists()
        lines = entry.journal.filter(action__in=set(actions)).values_list("action", flat=True)
        assert list(lines) == actions
    assert ledger.verify() is None
    assert ledger.verify_entries() is None


def test_nothing_new_is_locked_once_the_ledger_head_is(committed_rules):
    """The lock order that rules deadlocks out, over the longest act: an upheld objection.

    Its correction and the badge taken off are two changes of one entry: after the head that
    entry is read again, a row this transaction holds already, and no other.
    """
    entry = builders.published_black()
    clerk, reviewer = Actor.of(builders.clerk()), Actor.of(builders.reviewer())
    matter, _code = builders.objection(entry)
    matter = objections.propose_reply(
        matter,
        actor=clerk,
        outcome="upheld_corrected",
        reasons="经核实，部分工资已经付清，应予更正。",
        corrections={"ground": "拖欠 22 名农民工工资共 52.7 万元。"},
        today=timezone.localdate(),
    )
    with _statements() as seen:
        objections.approve_reply(matter, actor=reviewer, today=timezone.localdate())
    locked = [_table(sql) for sql in seen if "FOR UPDATE" in sql]
    head = locked.index("listings_ledgerhead")
    assert locked[:head][-1] == "listings_listing"
    assert {"objections_objection", "casework_counter"} <= set(locked[:head])
    assert set(locked[head:]) == {"listings_ledgerhead", "listings_listing"}


def test_a_grant_locks_matter_counter_entry_and_the_ledger_head_last(committed_rules):
    matter, actor = _proposed_repair(builders.repairable())
    with _statements() as seen:
        repairs.approve_decision(matter, actor=actor, today=timezone.localdate())
    locked = list(dict.fromkeys(_table(sql) for sql in seen if "FOR UPDATE" in sql))
    order = ["repair_repair", "casework_counter", "listings_listing", "listings_ledgerhead"]
    assert [table for table in locked if table in order] == order


def test_repairs_of_one_department_are_applied_for_and_granted_at_once(committed_rules):
    today = timezone.localdate()
    decided = [_proposed_repair(builders.repairable()) for _n in range(3)]
    ripe = builders.repairable()
    other = decided[0][0].listing
    acts = [
        lambda pair=pair: repairs.approve_decision(pair[0], actor=pair[1], today=today)
        for pair in decided
    ]
    outcomes = at_once(
        *acts, *acts, *[lambda: builders.repair(ripe)] * 3, lambda: builders.repair(other)
    )
    assert sum(isinstance(outcome, Repair) for outcome in outcomes[:6]) == 3
    assert sum(isinstance(outcome, IllegalMove) for outcome in outcomes[:6]) == 3
    assert sum(isinstance(outcome, ValidationError) for outcome in outcomes[6:9]) == 2
    assert isinstance(outcomes[9], ValidationError)  # pending, or off its list already
    assert ripe.repairs.open().count() == 1
    assert Change.objects.filter(action="repair").count() == 3
    serials = Letter.objects.filter(kind="repair_decision").values_list("serial", flat=True)
    assert sorted(serials) == [1, 2, 3]
    assert ledger.verify_entries() is None


def _proposed_repair(entry):
    matter, _code = builders.repair(entry)
    clerk, reviewer = (Actor.of(who("zrzy")) for who in (builders.clerk, builders.reviewer))
    today = timezone.localdate()
    matter = repairs.accept(matter, actor=clerk, today=today)
    matter = repairs.propose_decision(
        matter,
        actor=clerk,
        outcome="granted",
        reasons="已纠正失信行为，符合修复条件。",
        verification="现场核实属实。",
        today=today,
    )
    return matter, reviewer


def _table(sql):
    return sql.split("FROM", 1)[1].split()[0].strip('"')


class _statements:  # noqa: N801 - reads as a phrase
    def __enter__(self):
        self.seen = []
        self.wrapper = connection.execute_wrapper(self._note)
        self.wrapper.__enter__()
        return self.seen

    def __exit__(self, *error):
        return self.wrapper.__exit__(*error)

    def _note(self, execute, sql, params, many, context):
        self.seen.append(sql)
        return execute(sql, params, many, context)


# ── a file on its way in ──────────────────────────────────────────────────────────────────────


def _file_of(tmp_path, rows=3):
    path = tmp_path / "名单.csv"
    lines = [
        f"通化示例{n}号有限公司,{builders.code_of(next(builders.numbers))},示例〔2026〕{n}号"
        for n in range(rows)
    ]
    path.write_text("\n".join(["主体名称,统一社会信用代码,文书文号", *lines]), encoding="utf-8")
    return path


def _counted(found):
    """Whether the server may count the rows of `parties_subject` now; asked by another session."""

    def ask():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(COUNTING)
            found.append(True)
        except OperationalError:
            found.append(False)
        finally:
            connections.close_all()

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()


COUNTING = "LOCK TABLE parties_subject IN SHARE UPDATE EXCLUSIVE MODE NOWAIT"  # as ANALYZE does


def _import(path, **options):
    return import_listings(
        path,
        kind="black",
        category=ListCategory.objects.get(code="M05"),
        department=builders.department("rsj"),
        actor=Actor.of(builders.clerk()),
        **options,
    )


def test_the_server_counts_no_rows_while_a_file_is_on_its_way_in(committed_rules, tmp_path):
    """It would take a young table for empty, and a statement planned so takes for ever."""
    found = []
    summary, _problems = _import(_file_of(tmp_path), progress=lambda _rows: _counted(found))
    assert summary["created"] == 3
    assert found == [False]
    _counted(found)
    assert found[-1]


def test_a_file_comes_in_though_the_server_is_just_counting(committed_rules, tmp_path):
    started, ended = threading.Event(), threading.Event()

    def count():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(COUNTING)
            started.set()
            ended.wait(30)
        connections.close_all()

    thread = threading.Thread(target=count)
    thread.start()
    started.wait(30)
    summary, _problems = _import(_file_of(tmp_path))
    ended.set()
    thread.join()
    assert summary["created"] == 3


def _a_day_of(seed, drafts, entries, actor, today):
    """Everything that one of eight people tries: publications, corrections, badges, an ending."""
    dice, plain = random.Random(seed), {"actor": actor, "note": "示例"}  # noqa: S311
    ending = dice.choice(entries)
    acts = [partial(blacklist.publish, draft, actor=actor, today=today) for draft in drafts]
    acts += [
        partial(listings.annotate, entry, disputed=dice.random() < 0.5, actor=actor)
        for entry in entries
    ]
    acts += [
        partial(listings.correct, entry, {"ground": f"示例：更正 {dice.random()}。"}, **plain)
        for entry in entries
    ]
    acts.append(partial(listings.withdraw, ending, reason="error", today=today, **plain))
    dice.shuffle(acts)
    for act in acts:
        with contextlib.suppress(IllegalMove, ValidationError):
            act()


def test_the_feed_has_no_hole_while_eight_people_write(committed_rules):
    """Whoever reads along and whoever begins in the middle end in step with the portal."""
    drafts = [builders.black_draft() for _number in range(6)]
    entries = [builders.published_black() for _number in range(4)]
    machine, today = builders.Machine(builders.liaison(), "read"), timezone.localdate()
    house = (drafts, entries, Actor.of(builders.reviewer()), today)
    done, reading = threading.Event(), Copy(machine)

    def write():
        try:
            return at_once(*[partial(_a_day_of, seed, *house) for seed in range(8)])
        finally:
            done.set()

    def read_along():
        while not done.is_set():
            reading.follow(limit=3)
        return reading.follow()

    def begin_in_the_middle():
        copy = Copy(machine).begin()
        done.wait(60)
        return copy.follow()

    written, *copies = at_once(write, read_along, begin_in_the_middle)
    assert written == [None] * 8
    last, state = ledger.head().seq, machine.get("/snapshot/digest/")
    assert Change.objects.count() == last > len(drafts) + 2 * len(entries)
    for copy in (*copies, Copy(machine).follow(), Copy(machine).begin()):
        assert (copy.seq, copy.digest(today)) == (last, state["digest"])
    assert ledger.verify() is None
    assert ledger.verify_entries() is None


def test_a_snapshot_is_of_the_moment_in_which_it_began(committed_rules):
    """What is published and withdrawn while it is sent is told by the feed afterwards."""
    entries, draft = [builders.published_black() for _number in range(3)], builders.black_draft()
    actor, today = Actor.of(builders.reviewer()), timezone.localdate()
    plain = {"actor": actor, "today": today}
    copy = Copy(builders.Machine(builders.liaison(), "read"))
    snapshot = feed.Snapshot(today=today)
    outcomes = at_once(
        lambda: listings.withdraw(entries[0], reason="error", note="示例", **plain),
        lambda: blacklist.publish(draft, **plain),
    )
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes
    copy.seq = snapshot.state.seq
    copy.entries = {row["id"]: row for row in map(json.loads, b"".join(snapshot).splitlines())}
    assert copy.entries.keys() == {str(entry.public_id) for entry in entries}
    assert copy.digest(today) == snapshot.state.digest
    copy.follow()
    assert copy.digest(today) == feed.state(today=today).digest
    assert copy.seq == snapshot.state.seq + 2 == ledger.head().seq


# ── accounts ──────────────────────────────────────────────────────────────────────────────────


def _signs_in(user, number):
    session = SessionStore()
    session.create()
    parties.open_session(
        user,
        session.session_key,
        outcome="token",
        address=f"192.0.2.{number}",
        user_agent="",
        now=timezone.now(),
    )


def test_of_sessions_opened_at_once_so_many_run_as_may(committed_rules, settings):
    clerk = builders.clerk()
    for number in range(settings.SESSIONS_EACH):
        _signs_in(clerk, number)
    outcomes = at_once(*[partial(_signs_in, clerk, number) for number in range(10, 16)])
    assert outcomes == [None] * 6
    assert StaffSession.objects.count() == Session.objects.count() == settings.SESSIONS_EACH
    assert SignInRecord.objects.count() == settings.SESSIONS_EACH + 6


def test_a_spare_code_used_twice_at_once_leads_in_once(committed_rules):
    clerk = builders.clerk()
    parties.give_second_factor(clerk)
    code = parties.make_recovery_codes(clerk, actor=Actor.of(clerk))[0]
    outcomes = at_once(*[partial(parties.second_factor, clerk, code)] * 6)
    assert sum(outcome[0] == "recovery" for outcome in outcomes) == 1
    assert parties.spare_codes_left(clerk) == 9


def test_of_two_delegations_of_the_same_days_made_at_once_one_stands(committed_rules):
    reviewer, today = builders.reviewer(), timezone.localdate()
    others = [builders.clerk(), builders.officer("rsj", Role.LIAISON.value)]
    given = {"starts": today, "ends": today, "why": "示例", "actor": Actor.of(reviewer)}
    outcomes = at_once(*[partial(parties.delegate, reviewer, one, **given) for one in others])
    assert sum(isinstance(outcome, ValidationError) for outcome in outcomes) == 1
    assert Delegation.objects.count() == 1


def test_of_two_who_stand_in_for_each_other_at_once_one_does(committed_rules):
    one, two, today = builders.clerk(), builders.reviewer(), timezone.localdate()
    given = {"starts": today, "ends": today, "why": "示例"}
    outcomes = at_once(
        lambda: parties.delegate(one, two, actor=Actor.of(one), **given),
        lambda: parties.delegate(two, one, actor=Actor.of(two), **given),
    )
    assert sum(isinstance(outcome, ValidationError) for outcome in outcomes) == 1
    assert Delegation.objects.count() == 1


def test_a_key_changed_twice_at_once_has_one_successor(committed_rules):
    clerk, reviewer = builders.clerk(), Actor.of(builders.reviewer())
    key, _raw = parties.make_key(clerk, scopes=["read"], name="示例")
    change = partial(parties.rotate_key, key, actor=reviewer, until=timezone.localdate())
    outcomes = at_once(*[change] * 4)
    assert sum(isinstance(outcome, ValidationError) for outcome in outcomes) == 3
    assert ApiKey.objects.count() == 2

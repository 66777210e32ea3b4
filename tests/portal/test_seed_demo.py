"""The demonstration: made once through the services, in every state, as if it had been in use."""

import re
import stat
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone

from casework.models import Event, Letter
from jointaction.models import Feedback, Hit, Push
from listings import ledger
from listings import services as listings
from listings.models import AdverseRecord, Change, Listing
from objections.models import Objection
from parties import identity
from parties.models import Actor, Department, Role, Subject, User
from portal.services import demo
from portal.services.demo import clock, showcase, staff
from repair.models import Repair
from tipoffs import services as tipoffs
from tipoffs.models import Report


@pytest.fixture(scope="module")
def told(django_db_setup, django_db_blocker, tmp_path_factory):
    """What the command said; its data stands while this module's tests run, then goes."""
    folder = tmp_path_factory.mktemp("var")
    moved = override_settings(VAR=folder, MEDIA_ROOT=folder / "documents")
    with django_db_blocker.unblock(), moved, _rolled_back() as commit:
        said, progress = StringIO(), StringIO()
        call_command("seed_demo", stdout=said, stderr=progress)
        commit()
        yield said.getvalue(), progress.getvalue(), folder


class _rolled_back:  # noqa: N801  a context manager
    """One transaction around everything, undone at the end; `commit()` runs what waits for it."""

    def __enter__(self):
        from django.db import connection, transaction

        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.connection = connection
        return self.commit

    def commit(self):
        waiting, self.connection.run_on_commit = self.connection.run_on_commit, []
        for _savepoints, act, _robust in waiting:
            act()

    def __exit__(self, *_exception):
        from django.db import transaction

        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)


@pytest.fixture(autouse=True)
def _demo(told, db):
    pass


def test_every_unit_of_the_rules_is_there_and_the_contracts_accounts_can_sign_in(told):
    said, progress, folder = told
    assert Department.objects.filter(active=True).count() >= 20
    for account in staff.ACCOUNTS:
        row = next(line for line in said.splitlines() if line.startswith(f"{account.username}\t"))
        _name, _unit, _role, password, secret = row.split("\t")
        user = User.objects.get(username=account.username)
        assert user.check_password(password)
        assert re.fullmatch(r"[A-Z2-7]{32}", secret)
        assert user.totpdevice_set.get().confirmed
    assert {role for user in User.objects.all() for role in user.roles} == set(Role.values)
    assert "2026" in progress or str(timezone.localdate().year) in progress
    kept = folder / "demo-accounts.txt"
    assert kept.read_text() == said
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_there_are_four_hundred_entries_in_every_state():
    today = timezone.localdate()
    assert Listing.objects.count() == 400
    for kind in ("red", "black"):
        states = set(Listing.objects.filter(kind=kind).values_list("status", flat=True))
        assert states >= {"draft", "published", "expired", "withdrawn"}
    reasons = set(Listing.objects.values_list("end_reason", flat=True))
    assert reasons == {"", *Listing.EndReason.values}
    years = {day.year for day in Change.objects.values_list("at", flat=True)}
    assert years >= {today.year - 2, today.year - 1, today.year}
    assert Listing.objects.public(today).red().marking_paused(today).filter(paused=True).count() > 2


def test_what_lapsed_yesterday_is_still_to_be_swept():
    today = timezone.localdate()
    assert 0 < Listing.objects.lapsed(today).count() < 10
    swept = listings.expire_lapsed(today=today)
    assert swept == Listing.objects.filter(ended_on=today, status="expired").count()
    assert ledger.verify_entries() is None


def test_the_ledger_is_whole_and_its_instants_are_those_of_the_acts():
    assert ledger.verify() is None
    assert ledger.verify_entries() is None
    for change in Change.objects.filter(action="publish").select_related("listing"):
        assert timezone.localdate(change.at) == change.listing.published_on
    now = timezone.now()
    for model, order in ((Change, "seq"), (Event, "id")):
        rows = model.objects.order_by(order)
        if model is Event:
            rows = rows.exclude(action="load")  # the calendar was loaded before the story
        instants = list(rows.values_list("at", flat=True))
        assert instants == sorted(instants)
        assert instants[-1] <= now


def test_remedies_stand_at_every_stage_with_every_outcome():
    today = timezone.localdate()
    assert set(Objection.objects.values_list("status", flat=True)) == set(Objection.Status.values)
    outcomes = set(Objection.objects.values_list("outcome", flat=True))
    assert outcomes == {"", *Objection.Outcome.values}
    replies = Letter.objects.filter(kind=Letter.Kind.OBJECTION_REPLY)
    assert replies.count() == Objection.objects.filter(status="replied").count()
    assert Objection.objects.overdue(today).exists()
    assert set(Repair.objects.values_list("status", flat=True)) == set(Repair.Status.values)
    assert Repair.objects.overdue(today).exists()


def test_reports_stand_at_several_stages_and_the_told_passphrase_opens_the_vault(told):
    said, _progress, _folder = told
    assert Report.objects.count() == 3
    assert set(Report.objects.values_list("status", flat=True)) == {
        "received",
        "investigating",
        "informed",
    }
    line = next(line for line in said.splitlines() if line.startswith("vault: "))
    identity = tipoffs.open_identity(
        Report.objects.named().first(),
        passphrase=line.split("\t")[3],
        purpose="示例",
        actor=Actor.of(User.objects.get(username="vault")),
        lead_unit="fgw",
    )
    assert identity["name"] == "示例举报人"


def test_units_answered_late_declined_and_confirmed():
    today = timezone.localdate()
    statuses = set(Push.objects.values_list("status", flat=True))
    assert statuses >= {"open", "acknowledged", "partly_answered", "answered"}
    assert set(Feedback.objects.values_list("outcome", flat=True)) == set(Feedback.Outcome.values)
    assert Push.objects.overdue(today).exists()
    assert Push.objects.exclude(escalated_on=None).exists()
    assert Push.objects.open().exclude(ordered_on=None).exists()
    lifts = Push.objects.filter(kind="lift")
    assert lifts.filter(status="answered").exists()
    assert lifts.open().exists()
    assert Hit.objects.filter(answered_at=None).exists()
    assert Hit.objects.exclude(answered_at=None).exists()


def test_every_subject_is_made_up_and_its_number_checks():
    for subject in Subject.objects.all():
        assert "示例" in subject.name
        if not subject.is_person:
            assert identity.check_code(subject.code) == subject.code
            assert identity.code_warnings(subject.code) == []
    starts = {subject.code[0] for subject in Subject.objects.organisations()}
    assert starts == {"9", "N", "Y"}
    assert Subject.objects.filter(kind="person").count() > 20
    assert Subject.objects.filter(kind="sole_trader").exists()
    assert AdverseRecord.objects.count() > 100


def test_the_firm_of_the_pictures_is_on_both_lists_with_its_objection_looked_into():
    today = timezone.localdate()
    firm = Subject.objects.get(code=showcase.CODE)
    black = Listing.objects.public(today).black().get(subject=firm)
    assert black.disputed
    assert black.document_number.endswith("第12号")
    assert black.details["amount"] == showcase.RIGHT
    assert black.objections.get().status == "investigating"
    assert black.responsible_persons.count() == 1
    red = Listing.objects.public(today).red().marking_paused(today).get(subject=firm)
    assert red.paused


def test_a_second_run_changes_nothing_and_shows_the_accounts_again(told, tmp_path):
    said, _progress, folder = told
    before = (User.objects.count(), Listing.objects.count(), Event.objects.count())
    again = StringIO()
    with override_settings(VAR=folder):
        call_command("seed_demo", stdout=again, stderr=StringIO())
        call_command("seed_demo", "--accounts", stdout=again, stderr=StringIO())
    assert again.getvalue() == said * 2
    assert before == (User.objects.count(), Listing.objects.count(), Event.objects.count())
    with override_settings(VAR=tmp_path), pytest.raises(CommandError):
        call_command("seed_demo", stderr=StringIO())


def test_the_clock_stands_only_inside_its_block():
    instant = timezone.now() - timezone.timedelta(days=900)
    field = Event._meta.get_field("at")
    with clock.at(instant):
        assert timezone.now() == field.get_default() == instant
    assert timezone.now() > instant
    assert demo.exists()

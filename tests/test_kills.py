"""The plug pulled at any moment: imports, sweeps, a change of keys killed at random points.

A process with Django loaded forks one child for each run, so that a kill -9 hits the work
and not the start. Afterwards nothing is half done, the ledger verifies, a rerun completes.
"""

import base64
import contextlib
import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from importlib import import_module

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from bench import data
from bench.figures.imports import HEADER, rows_of
from casework.models import Document, Event, JournalSeal
from casework.services import seal_journal, unsealed, verify_journal
from jointaction import services as jointaction
from jointaction.models import Check, DistributionCursor, Hit, Push, Sheet, SheetPart
from jointaction.services.sheets import run
from listings import ledger
from listings import services as listings
from listings.models import (
    Change,
    ExchangeFile,
    ImportBatch,
    Listing,
    MeasureSet,
    PartnerCity,
)
from listings.services import exchange
from listings.services import expire as sweep
from notices.models import Notice
from objections.models import Objection
from parties import sealing, services
from parties.models import CLOCK, Subject
from parties.sealing import rotation
from portal.services.imports import import_listings
from rulebook.models import ListCategory
from rulebook.services import seed_rules
from tests import builders
from tests.listings import exchanges

pytestmark = pytest.mark.django_db(transaction=True)
KILLS = 20
ROWS = 150  # of a file; one in 50 is flawed and sent back
GOOD = ROWS - ROWS // 50
NAME = "to be killed"  # what the server calls the children
FORKER = """
import json, os, sys
import django
django.setup()
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[1]
from tests import test_kills
print("ready", flush=True)
for line in sys.stdin:
    task, *given = json.loads(line)
    child = os.fork()
    if not child:
        getattr(test_kills, task)(*given)
        os._exit(0)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


class Forker:
    """Runs tasks of this file in children that may be killed."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-c", FORKER, connection.settings_dict["NAME"]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PGAPPNAME": NAME},
        )
        assert self.process.stdout.readline() == "ready\n"

    def start(self, task, *given):
        self.process.stdin.write(json.dumps([task.__name__, *given]) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def ended(self):
        """Wait for the child, and for the server to have noticed; whether it was killed."""
        status = int(self.process.stdout.readline())
        assert status in {0, signal.SIGKILL}, status
        while _connected():
            time.sleep(0.005)
        return bool(status)

    def run(self, task, *given):
        """Run a task to its end; returns the seconds it took."""
        began = time.perf_counter()
        self.start(task, *given)
        assert not self.ended()
        return time.perf_counter() - began

    def kill(self, task, *given, after):
        child = self.start(task, *given)
        time.sleep(after)
        with contextlib.suppress(ProcessLookupError):  # it was done already
            os.kill(child, signal.SIGKILL)
        return self.ended()


def _connected():
    """How many children the server still serves; others may be there, a live server's threads."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = %s",
            [NAME],
        )
        return cursor.fetchone()[0]


@pytest.fixture
def forker(transactional_db):
    seed_rules()
    found = Forker()
    yield found
    found.process.stdin.close()
    found.process.wait()


# ── the tasks ─────────────────────────────────────────────────────────────────────────────────


def import_file(path):
    _import(path)


def publish_file(path):
    _import(path, approver=builders.Actor.of(builders.reviewer()))


def expire(days):
    """The sweep in batches small enough that a kill falls between two of them."""
    sweep.BATCH = 25
    listings.expire_lapsed(today=timezone.localdate() + timedelta(days=days))


def check_tables():
    """The sweep in parts small enough that a kill falls between two of them."""
    run.MOST_SUBJECTS = 4
    jointaction.check_sheets(today=timezone.localdate())


def take_file(path):
    """A file of another city."""
    kept = exchange.take(path, actor=CLOCK, today=timezone.localdate())
    assert kept.state == "taken", kept.reason


def rotate(*keys):
    """The change of keys in batches small enough that a kill falls between two of them."""
    settings.FIELD_KEYS = list(keys)
    rotation.BATCH = 5
    for _done in rotation.rotate():
        pass


def seal():
    """The sweep under seals small enough that a kill falls between two of them."""
    import_module("casework.services.journal").SPAN = 3
    seal_journal()


def distribute():
    """The sweep in batches small enough that a kill falls between two of them."""
    import_module("jointaction.services.distribute").BATCH = 20
    jointaction.distribute(today=timezone.localdate())


def _import(path, **options):
    return import_listings(
        path,
        kind="black",
        category=ListCategory.objects.get(code="M05"),
        department=builders.department("rsj"),
        actor=builders.Actor.of(builders.clerk()),
        **options,
    )


# ── what must hold after each kill ────────────────────────────────────────────────────────────


def whole():
    """Nothing is half done: entries, journal and ledger tell the same."""
    assert ledger.verify() is None
    assert ledger.verify_entries() is None
    told = {}
    for action in ("publish", "expire"):
        told[action] = _keys(Change.objects.filter(action=action), "listing_id")
        assert told[action] == _keys(Event.objects.filter(action=action), "object_id")
    assert told["publish"] == _keys(Listing.objects.exclude(status="draft"))
    assert told["expire"] == _keys(Listing.objects.filter(status="expired"))


def imported_whole():
    """Each imported entry has its notice and its journal line, and the batches count them."""
    made = Listing.objects.filter(document_organ="通化市人力资源和社会保障局")
    assert not made.filter(prior_notice=None).exists()
    assert _keys(made) == _keys(Event.objects.filter(action="create"), "object_id")
    assert sum(ImportBatch.objects.values_list("created", flat=True)) == made.count()


def _keys(rows, column="pk"):
    return sorted(rows.values_list(column, flat=True))


def _file(tmp_path, number):
    path = tmp_path / f"{number}.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(rows_of(ROWS, today=timezone.localdate()))
    return str(path)


@pytest.mark.parametrize("task", [import_file, publish_file], ids=["import", "publication"])
def test_a_file_killed_on_its_way_in_leaves_all_of_it_or_nothing(forker, tmp_path, task):
    seconds = forker.run(task, _file(tmp_path, "first"))
    chance, killed = random.Random(task.__name__), 0
    for number in range(KILLS):
        path, before = _file(tmp_path, number), Listing.objects.count()
        killed += forker.kill(task, path, after=chance.uniform(0, seconds))
        assert Listing.objects.count() - before in {0, GOOD}
        whole()
        imported_whole()
        forker.run(task, path)
        assert Listing.objects.count() - before == GOOD
    imported_whole()
    assert killed >= KILLS // 2
    status = "published" if task is publish_file else "draft"
    assert set(Listing.objects.values_list("status", flat=True)) == {status}


def test_another_citys_file_killed_on_its_way_in_leaves_all_of_it_or_nothing(forker, tmp_path):
    exchanges.partner()
    with exchanges.another_city():
        builders.published_black()
        exchange.export_changes(tmp_path / "one", after=0, today=timezone.localdate())

    def made(after):
        return str(exchanges.many(tmp_path / "one", ROWS, after=after, folder=tmp_path))

    seconds = forker.run(take_file, made(0))
    chance, killed = random.Random("exchange"), 0
    for number in range(1, KILLS + 1):
        path, before = made(number * ROWS), number * ROWS
        killed += forker.kill(take_file, path, after=chance.uniform(0, seconds))
        done = exchanges.theirs().count()
        assert done - before in {0, ROWS}
        assert PartnerCity.objects.get().position == done
        assert ExchangeFile.objects.filter(created=ROWS).count() == done // ROWS
        whole()
        forker.run(take_file, path)
        assert exchanges.theirs().count() - before == ROWS
    whole()
    assert killed >= KILLS // 2
    assert set(exchanges.theirs().values_list("status", flat=True)) == {"published"}


def test_expiry_killed_at_any_point_goes_on_where_it_was(forker):
    data.ensure(4_000)
    step = (data.LAST_END - data.FIRST_END) // (KILLS + 2)
    seconds = forker.run(expire, data.FIRST_END + step)
    chance, killed, between = random.Random("expire"), 0, 0
    for number in range(2, KILLS + 2):
        days = data.FIRST_END + step * number
        today = timezone.localdate() + timedelta(days=days)
        due = Listing.objects.lapsed(today).count()
        killed += forker.kill(expire, days, after=chance.uniform(0, seconds))
        left = Listing.objects.lapsed(today).count()
        between += 0 < left < due
        whole()
        forker.run(expire, days)
        assert not Listing.objects.lapsed(today).exists()
    whole()
    assert killed >= KILLS // 2
    assert between


# ── tables of customers ───────────────────────────────────────────────────────────────────────

TABLE_ROWS = 24  # every second one is on the list


def _table(number):
    listed = Listing.objects.filter(status="published").order_by("pk")[: TABLE_ROWS // 2]
    codes = [entry.subject.code for entry in listed.select_related("subject")]
    rows = [(code,) for pair in zip(codes, map(_unlisted, codes), strict=True) for code in pair]
    return builders.sheet(*rows, reference=f"示例{number}")


def _unlisted(code):
    return builders.code_of(int(code[10:17]) + 5_000_000)


def checked_whole():
    """Parts, checks, hits and counts of every table tell the same, and no row was asked twice."""
    for sheet in Sheet.objects.all():
        parts = SheetPart.objects.filter(sheet=sheet)
        checks = Check.objects.filter(reference=sheet.reference)
        assert _keys(parts, "check_id") == _keys(checks)
        assert sum(checks.values_list("subjects", flat=True)) == sheet.position
        hits = Hit.objects.filter(reference=sheet.reference)
        assert set(hits.values_list("check_id", flat=True)) <= set(_keys(checks))
        assert hits.values("listing").distinct().count() == hits.count() == sheet.listed
        assert sheet.position == sheet.listed + sheet.clear
        assert (sheet.status == "done") == (sheet.result is not None) == (sheet.upload is None)
        lines = [line.action for line in sheet.journal.all()]
        assert lines == ["receive", "begin", "finish"][: len(lines)]


def test_a_table_killed_on_its_way_goes_on_where_it_was_and_doubles_no_hit(forker):
    for _entry in range(TABLE_ROWS // 2):
        builders.published_black()
    _table("first")
    seconds = forker.run(check_tables)
    chance, killed, between = random.Random("tables"), 0, 0
    for number in range(KILLS):
        sheet = _table(number)
        killed += forker.kill(check_tables, after=chance.uniform(0, seconds))
        checked_whole()
        sheet.refresh_from_db()
        between += 0 < sheet.position < TABLE_ROWS
        forker.run(check_tables)
        sheet.refresh_from_db()
        assert (sheet.status, sheet.listed, sheet.clear) == ("done", 12, 12)
        checked_whole()
    assert killed >= KILLS // 2
    assert between
    assert Document.objects.count() == KILLS + 1  # the results; no upload is left


# ── keys and seals ────────────────────────────────────────────────────────────────────────────

PERSONS = 30


def test_a_change_of_keys_killed_at_any_point_goes_on_where_it_was(forker, settings):
    numbers = [builders.resident_id(index) for index in range(PERSONS)]
    persons = [services.person("张示例", "resident_id", number) for number in numbers]
    filings = [builders.objection() for _n in range(5)]
    keys, old = list(settings.FIELD_KEYS), settings.FIELD_KEYS[0]
    chance, killed, between = random.Random("keys"), 0, 0
    seconds = 0.0
    for number in range(KILLS):
        newest = f"n{number}:{base64.b64encode(bytes([number]) * 32).decode()}"
        keys = [newest, old]
        settings.FIELD_KEYS = keys
        sealing.retired_index_keys.cache_clear()
        if seconds:
            killed += forker.kill(rotate, *keys, after=chance.uniform(0, seconds))
            between += len(rotation.counted()) > 1  # some under the old key, some under the new
            readable(persons, numbers, filings)
        seconds = max(seconds, forker.run(rotate, *keys))
        assert rotation.counted().keys() == {f"n{number}"}
        readable(persons, numbers, filings)
        old = newest
    assert killed >= KILLS // 2
    assert between
    settings.FIELD_KEYS = [old]  # all others are gone
    sealing.retired_index_keys.cache_clear()
    readable(persons, numbers, filings)


def readable(persons, numbers, filings):
    """Every sealed value opens, every person is found by number, every filing by its code."""
    for person, number in zip(persons, numbers, strict=True):
        row = Subject.objects.get(pk=person.pk)
        bound = {"table": "parties_subject", "row": row.public_id, "field": "paper"}
        assert sealing.opened(row.paper_sealed, row.paper_key_id, **bound) == number
        assert services.find_person("resident_id", number) == person
    for filing, code in filings:
        assert Objection.objects.tracked(filing.number, code) == filing


def test_the_seals_of_the_journal_killed_at_any_point_lose_nothing(forker):
    forker.run(seal)  # what other tests left
    builders.published_black()
    seconds = forker.run(seal)
    chance, killed = random.Random("seals"), 0
    for _number in range(KILLS):
        for _entry in range(2):
            builders.published_black()
        killed += forker.kill(seal, after=chance.uniform(0, seconds))
        assert verify_journal() is None
        forker.run(seal)
        assert verify_journal() is None
        assert set(unsealed().values()) == {0}
    assert killed >= KILLS // 2
    last = JournalSeal.objects.filter(table="casework_event").last()
    assert last.last == Event.objects.last().pk


# ── distribution ──────────────────────────────────────────────────────────────────────────────


def test_distribution_killed_at_any_point_puts_each_change_before_each_unit_once(forker):
    data.ensure(600)
    step = (data.LAST_END - data.FIRST_END) // (KILLS + 2)
    seconds = forker.run(distribute)
    chance, killed, between = random.Random("distribute"), 0, 0
    for number in range(1, KILLS + 1):
        days = data.FIRST_END + step * number
        listings.expire_lapsed(today=timezone.localdate() + timedelta(days=days))
        data.ensure(600 + 30 * number)  # published meanwhile
        before, head = _cursor(), ledger.head().seq
        killed += forker.kill(distribute, after=chance.uniform(0, seconds / 4))
        between += before < _cursor() < head
        distributed_whole()
        forker.run(distribute)
        assert _cursor() == head
    distributed_whole()
    assert killed >= KILLS // 2
    assert between


def distributed_whole():
    """Up to the cursor every change is before every unit concerned, once, and each was told."""
    seq = _cursor()
    sets = dict(MeasureSet.objects.values_list("pk", "measures"))
    units = {pk: sorted({row["unit"] for row in measures}) for pk, measures in sets.items()}
    changes = Change.objects.filter(seq__lte=seq).order_by("seq")
    due = [
        (change, unit)
        for change, measure_set in changes.values_list("seq", "listing__measure_set")
        for unit in units[measure_set]  # published, and called back from the same
    ]
    made = Push.objects.order_by("change", "unit__code").values_list("change", "unit__code")
    assert list(made) == due
    ended = Listing.objects.filter(history__action="expire", history__seq__lte=seq)
    assert not Push.objects.open().filter(listing__in=ended).exclude(kind="lift").exists()
    superseded = Push.objects.filter(status="superseded")
    lines = Event.objects.filter(action="supersede")
    assert _keys(superseded) == _keys(lines, "object_id")
    titles = Notice.objects.filter(key__startswith="push:").values_list("title", flat=True)
    assert sum(int(title.split()[1]) for title in titles) == len(due)


def _cursor():
    return DistributionCursor.objects.values_list("seq", flat=True).first() or 0

"""Two portals, each with a database, a region and a key of its own, tell each other their lists."""

import base64
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.utils import timezone

from listings import ledger
from listings import services as listings
from listings.models import Listing
from listings.services import exchange
from parties import sealing
from parties.models import CLOCK
from rulebook.services import seed_rules
from tests import builders
from tests.listings.exchanges import told

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).parent.parent.parent
NAME = "another_city"
SETUP = """
import json
import django
django.setup()
from django.utils import timezone
from listings import services as listings
from listings.models import Listing, PartnerCity
from listings.services import exchange
from parties.models import CLOCK, Actor
from tests import builders
from tests.listings.exchanges import told
today = timezone.localdate()
"""


class Baishan:
    """The other city's portal: programs of their own on a copy of the empty portal's database."""

    region = "220600"
    url = "https://credit.baishan.example.cn"

    def __init__(self, folder):
        base, _mark, query = os.environ["DATABASE_URL"].partition("?")
        database = f"{base.rpartition('/')[0]}/{NAME}" + (f"?{query}" if query else "")
        key = base64.b64encode(b"baishan".ljust(32, b"*")).decode()
        self.environment = {
            **os.environ,
            "DATABASE_URL": database,
            "REGION": self.region,
            "BASE_URL": self.url,
            "FIELD_KEYS": f"baishan:{key}",
            "VAR": str(folder),
        }

    def manage(self, *command):
        return self._run([sys.executable, "manage.py", *map(str, command)])

    def do(self, code):
        """Run some lines in the other portal; what they leave in `answer` comes back."""
        lines = f"{SETUP}answer = None\n{code}\nprint(json.dumps(answer, default=str))"
        return json.loads(self._run([sys.executable, "-W", "ignore", "-c", lines]))

    def _run(self, command):
        done = subprocess.run(  # noqa: S603 - our own command
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2_000:]
        return done.stdout.splitlines()[-1]


def _in_server(statement):
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def baishan(transactional_db, tmp_path):
    seed_rules()
    connections.close_all()
    _in_server(f"DROP DATABASE IF EXISTS {NAME}")
    template = connection.settings_dict["NAME"]
    _in_server(  # threads of earlier tests may have left connections, and a template allows none
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{template}'"  # noqa: S608 - our own name
    )
    _in_server(f"CREATE DATABASE {NAME} TEMPLATE {template}")
    yield Baishan(tmp_path)
    with suppress(Exception):
        _in_server(f"DROP DATABASE {NAME} WITH (FORCE)")


def ours():
    return told(Listing.objects.ours().exclude(status="draft"))


def theirs(city=Baishan.region):
    return told(Listing.objects.filter(origin=city))


def _know_each_other(baishan):
    builders.partner_city(public_key=baishan.manage("exchange_key"))
    key = sealing.public_key(next(iter(sealing.keys()))).hex()
    baishan.do(
        "builders.partner_city('220500', name='通化市', name_en='Tonghua',"
        f" url='https://credit.tonghua.example.cn', public_key='{key}')"
    )


def test_two_portals_hold_the_same_of_each_other_whatever_happens(baishan, tmp_path, capsys):
    _know_each_other(baishan)
    file, back = tmp_path / "baishan.ndjson", tmp_path / "tonghua.ndjson"
    today = timezone.localdate()

    # both list, both tell
    own = builders.published_black()
    builders.red_published()
    baishan.do(
        "first = builders.published_black(responsible_persons=[builders.responsible()])\n"
        "builders.red_published()\n"
        "builders.published_black(builders.person('王示例'))"
    )
    there = json.loads(baishan.manage("export_exchange", file, "--after", 0))
    here = exchange.export_changes(back, after=0, today=today)
    call_command("import_exchange", str(file))
    baishan.manage("import_exchange", back)
    assert _in_step(baishan)

    # both change: a correction, an objection, an end; and what came from elsewhere goes nowhere
    listings.correct(own, {"ground": "更正后的事实和理由。"}, actor=CLOCK, note="更正", today=today)
    baishan.do(
        "one, two, three = Listing.objects.ours().order_by('pk')\n"
        "new = {'ground': '更正后的事实。'}\n"
        "listings.correct(one, new, actor=CLOCK, note='更正', today=today)\n"
        "listings.withdraw(two, reason='error', actor=CLOCK, note='列错', today=today)\n"
        "builders.objection(three)\n"
        "builders.published_black(one.subject)"
    )
    there = json.loads(baishan.manage("export_exchange", file, "--after", there["to"]))
    here = exchange.export_changes(back, after=here["to"], today=today)
    for _twice in range(2):
        call_command("import_exchange", str(file))
        baishan.manage("import_exchange", back)
        assert _in_step(baishan)
    assert Listing.objects.filter(origin=Baishan.region).count() == 4
    told_again = {row["list"] for row in theirs().values() if row["status"] == "withdrawn"}
    assert told_again == {"red"}

    # whole lists bring nothing new, and both ledgers are whole
    baishan.manage("export_exchange", file, "--snapshot")
    call_command("import_exchange", str(file))
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (summary["created"], summary["changed"], summary["ended"]) == (0, 0, 0)
    assert _in_step(baishan)
    assert ledger.verify() is None
    assert ledger.verify_entries() is None
    assert "whole" in baishan.manage("verify_ledger", "--entries")


def _in_step(baishan):
    """Each holds of the other what the other tells of itself."""
    there = baishan.do(
        "answer = {'own': told(Listing.objects.ours().exclude(status='draft')),"
        " 'ours': told(Listing.objects.filter(origin='220500'))}"
    )
    return there["own"] == theirs() and there["ours"] == ours()

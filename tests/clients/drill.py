"""The drill: a program follows 100,000 changes while the portal is killed and started again.

    python -m tests.clients.drill [changes]

On a PostgreSQL of its own in VAR (else var/drill), durable as in production. Most changes are
entries imported from files and published, the others entries whose term ends. Each time the
copy has come a sixth of the way the web server is killed, every second time the follower as
well. At the end the copy must be the snapshot, line by line, and of what has ended hold the id
alone. Prints what it saw as one line of JSON; exits 1 if anything differs.
"""

import json
import os
import re
import sys
import tempfile
import time
from mmap import ACCESS_READ, mmap
from pathlib import Path

from credit_portal import embedded

KILLS = 5
BEFORE = 20_000  # entries that are there when the copy begins
ROOT = Path(__file__).resolve().parent.parent.parent


def main(changes):
    var = Path(os.environ.get("VAR", ROOT / "var" / "drill")).absolute()
    os.environ.update(VAR=str(var), DJANGO_SETTINGS_MODULE="credit_portal.settings")
    for name in ("SECRET_KEY", "FIELD_KEYS"):
        os.environ.setdefault(name, embedded.secret(var, name))
    with embedded.start(var) as cluster, tempfile.TemporaryDirectory() as folder:
        os.environ["DATABASE_URL"] = cluster.url
        prepare()
        seen = drill(changes, Path(folder))
    print(json.dumps(seen))
    return 0 if seen["equal"] and seen["digest_equal"] and seen["only_ids_left"] else 1


def prepare():
    import django

    sys.path.insert(0, str(ROOT / "clients" / "python"))
    django.setup()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    call_command("seed_rules", verbosity=0)


def drill(changes, folder):
    from django.db import connection

    from bench import data
    from listings import ledger
    from tests.builders import api_key, liaison
    from tests.clients.servers import Follower, Portal, come_to

    path = folder / "copy.db"
    key = api_key(liaison("bank-demo"), "read")
    data.ensure(BEFORE)
    with (
        Portal(connection.settings_dict["NAME"]) as portal,
        Follower(portal.url, key, path, page=1_000) as follower,
    ):
        first = ledger.head().seq
        come_to(path, first, within=600)
        portal.kill()
        make(changes, folder)
        last, began = ledger.head().seq, time.perf_counter()
        portal.start()
        for number in range(1, KILLS + 1):
            come_to(path, first + (last - first) * number // (KILLS + 1), within=600)
            portal.kill()
            if number % 2 == 0:
                follower.kill()
                follower.start()
            portal.start()
        come_to(path, last, within=600)
        seconds = time.perf_counter() - began
        follower.kill()
        seen = compare(portal.url, key, path)
    return {"changes": last - first, "kills": KILLS, "seconds": round(seconds, 1), **seen}


def make(changes, folder):
    """So many changes: files of 20,000 rows, imported and published, and a tenth of expiries."""
    import csv

    from django.utils import timezone

    from bench import data
    from bench.figures.imports import HEADER, rows_of
    from listings import ledger
    from listings import services as listings
    from parties.models import Actor
    from portal.services.imports import import_listings
    from rulebook.models import ListCategory
    from tests import builders

    until, number = ledger.head().seq + changes, 0
    today = timezone.localdate()
    listings.expire_lapsed(today=today + (data.FIRST_END + 500) * builders.DAY)
    while (left := until - ledger.head().seq) > 0:
        number += 1
        file = folder / f"{number}.csv"
        with file.open("w", newline="") as rows:
            writer = csv.writer(rows)
            writer.writerow(HEADER)
            writer.writerows(rows_of(min(20_000, left + left // 40 + 1), today=today))
        import_listings(
            str(file),
            kind="black",
            category=ListCategory.objects.get(code="M05"),
            department=builders.department("rsj"),
            actor=Actor.of(builders.clerk()),
            approver=Actor.of(builders.reviewer()),
        )
        print(f"  {ledger.head().seq:,} changes in the ledger", flush=True)


def compare(url, key, path):
    """What the copy holds beside what the portal shows, and what is left of the ended."""
    from credit_portal_client import Client, Copy
    from listings.models import Listing

    with Client(url, key, timeout=300) as client:
        copy = Copy(path, client)
        began = time.perf_counter()
        digest_equal = copy.prove()
        proof = time.perf_counter() - began
        with client.snapshot() as (_stand, entries):
            shown = {entry["id"]: entry for entry in entries}
        equal = len(shown) == len(copy) and all(shown[entry["id"]] == entry for entry in copy)
        ended = Listing.objects.filter(status="expired").values_list("public_id", "subject__code")
        gone = all(copy.entry(str(id)) is None for id, _code in ended)
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as held:
            left = set(re.findall(rb"91220501[0-9A-Z]{10}", held))
        gone &= left.isdisjoint(code.encode() for _id, code in ended if code)
    return {
        "entries": len(copy),
        "ended": len(ended),
        "equal": equal,
        "digest_equal": digest_equal,
        "proof_seconds": round(proof, 1),
        "only_ids_left": gone,
        "megabytes": round(path.stat().st_size / 1e6),
    }


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))

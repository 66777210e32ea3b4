"""`make bench`: every figure beside its limit, written to bench/report.md and report.json.

Measured among 200,000 and among 2,000,000 entries, each in a database of its own, on a private
server that keeps its promises (fsync on); what was made stays for the next run.
ARGS="--scale 0.1 --sizes 20000 --only csv_import". What --only leaves out stays in the report as it
was measured before.
"""

import argparse
import contextlib
import os
import pkgutil
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import django
from environs import Env

from bench import figures, frame, report
from credit_portal import embedded

BASE_DIR = Path(__file__).resolve().parent.parent


def main():
    options = _options()
    Env().read_env(BASE_DIR / ".env", recurse=False)
    var = Path(os.environ.get("VAR") or BASE_DIR / "var").absolute() / "bench"
    os.environ.update(VAR=str(var), DJANGO_SETTINGS_MODULE="credit_portal.settings")
    with contextlib.ExitStack() as stack:
        if not os.environ.get("DATABASE_URL"):
            stack.enter_context(embedded.start(var))
        django.setup()
        base = connection().settings_dict["NAME"]
        sizes = sorted(options.sizes)
        runs = [(size, _at(size, f"{base}_bench_{size}", options, var)) for size in sizes]
        about = report.machine(connection())
    started = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    print(
        report.write(
            runs,
            about=about,
            scale=options.scale,
            started=started,
            order=[one.name for one in frame.FIGURES],
        )
    )


def _options():
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--scale", type=float, default=float(os.environ.get("SCALE", "1")))
    parser.add_argument("--sizes", type=int, nargs="+", default=[200_000, 2_000_000])
    parser.add_argument("--only", nargs="*", default=[], metavar="FIGURE")
    return parser.parse_args()


def connection():
    from django.db import connection

    return connection


def _at(size, name, options, var):
    """The figures among `size` entries in force, in the database `name`."""
    from bench import data

    _prepare(name)
    print(f"· among {size:,} entries in force", flush=True)
    data.ensure(size)
    return _measure(options, frame.Bench(options.scale, size, var))


def _prepare(name):
    """A database of that name beside the portal's, up to date, with the rules."""
    from django.core.management import call_command

    with connection()._nodb_cursor() as cursor:
        cursor.execute("select 1 from pg_database where datname = %s", [name])
        if not cursor.fetchone():
            cursor.execute(f"create database {connection().ops.quote_name(name)}")
    connection().close()
    connection().settings_dict["NAME"] = name
    print(f"· preparing the database {name}", flush=True)
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    call_command("seed_rules", verbosity=0)


def _measure(options, bench):
    for module in pkgutil.iter_modules(figures.__path__):
        import_module(f"bench.figures.{module.name}")
    chosen = [one for one in frame.FIGURES if not options.only or one.name in options.only]
    if unknown := set(options.only) - {one.name for one in chosen}:
        sys.exit(f"no such figure: {', '.join(unknown)}")
    lines = []
    for one in chosen:
        print(f"· {one.title} …", flush=True)
        lines.append(report.line(one, one.run(bench)))
        for beside, limit in zip(one.beside, lines[-1]["limits"], strict=True):
            print(f"  {limit['times_the_limit']} × {beside}", flush=True)
    return lines


if __name__ == "__main__":
    main()

"""`seed_demo`: a demonstration of four years with made-up subjects, and accounts to look at it."""

import os
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from portal.services import demo

HEADER = ("account", "unit", "role", "password", "second factor (TOTP secret)")


class Command(BaseCommand):
    help = (
        "Fill an empty portal with made-up entries and accounts; done once, changes nothing later."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--accounts", action="store_true", help="only show the accounts made earlier"
        )

    def handle(self, *, accounts, **_options):
        kept = Path(settings.VAR) / "demo-accounts.txt"
        if accounts or demo.exists():
            if not kept.exists():
                raise CommandError(f"{kept}: no demo accounts are kept here")
            self.stderr.write("演示数据已有，未作改动 · the demo data is there, nothing changed")
            self.stdout.write(kept.read_text())
            return
        table = _table(demo.seed(tell=lambda line: self.stderr.write(f"· {line}")))
        transaction.on_commit(lambda: _keep(kept, table))
        self.stdout.write(table)


def _table(rows):
    lines = ["\t".join(row) for row in (HEADER, *rows)]
    return "演示账号，仅供试用 · demo accounts, for trying out only\n" + "\n".join(lines) + "\n"


def _keep(path, text):
    """Keep the table so that only its owner can read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)

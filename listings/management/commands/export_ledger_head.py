import json
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand

from listings import ledger


class Command(BaseCommand):
    help = (
        "Write the ledger's last position, signed, as one line of JSON: keep it daily where the "
        "portal can't reach it. verify_ledger --head FILE compares the ledger with it."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", nargs="?", help="where to; the terminal unless given")

    def handle(self, *, file, **options):
        line = json.dumps(ledger.signed_head(portal=settings.BASE_URL))
        if file:
            Path(file).write_text(line + "\n")
        else:
            self.stdout.write(line)

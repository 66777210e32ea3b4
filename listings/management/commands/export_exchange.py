import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from listings.services import exchange


class Command(BaseCommand):
    help = (
        "Write this city's own entries to a signed file for other cities: what the ledger tells "
        "after a position, or with --snapshot all of them. One JSON object a line. Ends with one "
        "JSON line {kind, from, to, lines}: the next file goes on after `to`."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--after", type=int, metavar="SEQ", help="0 is the beginning")
        which.add_argument("--snapshot", action="store_true")

    def handle(self, *, file, after, snapshot, **options):
        today = timezone.localdate()
        try:
            if snapshot:
                told = exchange.export_snapshot(file, today=today)
            else:
                told = exchange.export_changes(file, after=after, today=today)
        except (OSError, ValueError) as error:
            raise CommandError(f"{file}: {error}") from error
        self.stdout.write(json.dumps(told))

import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from listings.models import ExchangeFile
from listings.services import exchange
from parties.models import Actor


class Command(BaseCommand):
    help = (
        "Take in a file that another city's export_exchange wrote. The city must be registered "
        "at the desk with its public key. All of the file or nothing of it; the same file again "
        "changes nothing. Ends with one JSON line of what was done."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)

    def handle(self, *, file, **options):
        actor = Actor(label="import_exchange")
        try:
            taken = exchange.take(file, actor=actor, today=timezone.localdate())
        except OSError as error:
            raise CommandError(f"{file}: {error}") from error
        if taken.state == ExchangeFile.State.REFUSED:
            raise CommandError(f"{file}: {taken.reason}")
        for remark in taken.remarks:
            self.stderr.write(f"{remark['line']}: {remark['message']}")
        names = ("lines", "created", "changed", "ended", "unchanged", "persons")
        told = {name: getattr(taken, name) for name in names}
        told |= {"city": taken.city.code, "to": taken.last_seq}
        self.stdout.write(json.dumps(told))

"""`open_with_recovery_key`: who sent a report, where no vault officer can open it any more."""

import getpass
import json
import sys

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from parties.models import Actor
from tipoffs import services
from tipoffs.models import Report


class Command(BaseCommand):
    help = (
        "Open the identity of one named report with the recovery key. The private half is asked "
        "for, or read from standard input; the opening is logged and told to the lead unit."
    )

    def add_arguments(self, parser):
        parser.add_argument("number", help="the report's number, JB-2026-000001")
        parser.add_argument("--purpose", required=True, help="why; it goes into the log")
        parser.add_argument("--who", required=True, help="name of the person who opens it")

    def handle(self, *, number, purpose, who, **_options):
        report = Report.objects.filter(number=number.strip().upper()).first()
        if report is None:
            raise CommandError(f"{number}: no such report")
        private = getpass.getpass("private half: ") if sys.stdin.isatty() else sys.stdin.readline()
        try:
            identity = services.open_with_recovery_key(
                report,
                private=private,
                purpose=purpose,
                actor=Actor(label=f"{who} (recovery)"),
                lead_unit=settings.LEAD_UNIT,
            )
        except ValidationError as refusal:
            raise CommandError("; ".join(refusal.messages)) from refusal
        self.stdout.write(json.dumps(identity, ensure_ascii=False))

from django.core.management.base import BaseCommand
from django.utils import timezone

from rulebook import services


class Command(BaseCommand):
    help = (
        "Make the rules of rulebook/data/ that are missing; rules that are there stay as the "
        "operator left them, unless --update sets them to the shipped tables."
    )

    def add_arguments(self, parser):
        parser.add_argument("--update", action="store_true", help="let the shipped tables win")
        parser.add_argument("--demo", action="store_true", help="with the demonstration's units")

    def handle(self, *, update, demo, **options):
        services.seed_rules(update=update, demo=demo, today=timezone.localdate())
        if options["verbosity"]:
            self.stdout.write("rules are in place")

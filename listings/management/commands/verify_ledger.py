from django.core.management.base import BaseCommand, CommandError

from listings import ledger


class Command(BaseCommand):
    help = (
        "Check the whole ledger: every hash, every body, the last position; with --entries also "
        "that every entry still says what its last change told. Exits 1 and names the first bad "
        "seq."
    )

    def add_arguments(self, parser):
        parser.add_argument("--entries", action="store_true")

    def handle(self, *, entries, **options):
        bad = ledger.verify()
        if bad is not None:
            raise CommandError(f"the ledger is broken at seq {bad}")
        if entries:
            bad = ledger.verify_entries()
            if bad is not None:
                raise CommandError(f"an entry does not agree with the ledger at seq {bad}")
        head = ledger.head()
        self.stdout.write(f"the ledger is whole: seq {head.seq}, {bytes(head.hash).hex()}")

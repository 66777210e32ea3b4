import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from casework.services import journal_head, verify_journal
from listings import ledger


class Command(BaseCommand):
    help = (
        "Check the ledger: every hash, every body, the last position; with --entries also that "
        "every entry still says what its last change told; and the seals over the journals. "
        "Exits 1 and names the first bad seq or seal. A clean run signs how far it came."
    )

    def add_arguments(self, parser):
        parser.add_argument("--entries", action="store_true", help="compare the entries as well")
        parser.add_argument(
            "--since-checkpoint",
            action="store_true",
            help="go on from where the last clean run signed, not from the beginning",
        )
        parser.add_argument(
            "--head", metavar="FILE", help="compare with a head that export_ledger_head wrote"
        )

    def handle(self, *, entries, since_checkpoint, head, **options):
        try:
            faults = self._faults(entries, since_checkpoint, head)
            fault = next((found for found in faults if found), None)
        except ledger.ForgedCheckpoint as forged:
            raise CommandError(str(forged)) from forged
        if fault:
            raise CommandError(f"the ledger is broken at {fault}")
        if broken := verify_journal():
            raise CommandError(f"the journal is broken at {broken}")
        ledger.make_checkpoint()
        last, journal = ledger.head(), journal_head()
        self.stdout.write(f"the ledger is whole: seq {last.seq}, {bytes(last.hash).hex()}")
        self.stdout.write(f"the journal is whole: seal {journal['seq']}, {journal['digest']}")

    def _faults(self, entries, since_checkpoint, head):
        """What each check that was asked for finds, one after the other."""
        if head:
            yield ledger.verify_head(_kept(head))
        after, previous = ledger.last_checkpoint() if since_checkpoint else (0, ledger.GENESIS)
        yield ledger.verify_at(after, previous)
        yield ledger.verify(after=after, previous=previous)
        if entries:
            yield ledger.verify_entries()


def _kept(path):
    try:
        return json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} holds no head of a ledger: {error}") from error

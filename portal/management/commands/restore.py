import contextlib
import subprocess

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection

from credit_portal import embedded
from portal.services.backup import Damaged, Refused, restore


class Command(BaseCommand):
    help = (
        "Make an empty portal what it was in a backup that `backup` wrote into DIR. Everything is "
        "checked before anything is written, and the ledger again at the end."
    )

    def add_arguments(self, parser):
        parser.add_argument("folder", metavar="DIR")

    def handle(self, *, folder, **options):
        try:
            with _database():
                told = restore(folder)
        except (Damaged, Refused, ImproperlyConfigured, embedded.EmbeddedError) as error:
            raise CommandError(str(error)) from error
        except subprocess.CalledProcessError as error:
            raise CommandError(f"pg_restore: {error.stderr.strip()}") from error
        head = told["ledger"]
        self.stdout.write(f"restored: ledger {head['seq']}, {told['documents']} documents")
        if told["missing"]:
            self.stdout.write(f"they were missing already: {', '.join(told['missing'])}")


@contextlib.contextmanager
def _database():
    """The database that there is, or the private one started for as long as this takes."""
    if settings.DATABASE_URL:
        yield
        return
    try:
        connection.ensure_connection()
    except OperationalError:
        with embedded.start(settings.VAR) as cluster:
            connection.settings_dict["HOST"] = str(cluster.socket)
            yield
            connection.close()
    else:
        yield

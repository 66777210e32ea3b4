import subprocess

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from portal.services.backup import Refused, make_backup


class Command(BaseCommand):
    help = (
        "Write a backup of database and documents into a new folder within DIR, encrypted under "
        "BACKUP_KEY, which is not in it. Exits 1 if a stored file is missing; the backup is "
        "there all the same."
    )

    def add_arguments(self, parser):
        parser.add_argument("folder", metavar="DIR")

    def handle(self, *, folder, **options):
        try:
            place, missing = make_backup(folder)
        except (ImproperlyConfigured, Refused) as error:
            raise CommandError(str(error)) from error
        except subprocess.CalledProcessError as error:
            raise CommandError(f"pg_dump: {error.stderr.strip()}") from error
        self.stdout.write(str(place))
        if missing:
            raise CommandError(f"stored files missing or broken: {', '.join(missing)}")

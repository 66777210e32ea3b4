from django.core.management.base import BaseCommand, CommandError

from parties import sealing
from parties.sealing import rotation


class Command(BaseCommand):
    help = (
        "Seal everything anew under the newest of FIELD_KEYS. Killed, it goes on when run again. "
        "Tells at the end which keys nothing is sealed under any more; --check only tells."
    )

    def add_arguments(self, parser):
        parser.add_argument("--check", action="store_true", help="count, and change nothing")

    def handle(self, *, check, **options):
        if not check:
            self._rotate()
        found, known = rotation.counted(), sealing.keys()
        newest = next(iter(known))
        for key_id in dict.fromkeys([*known, *found]):
            self._tell(key_id, found.get(key_id, {}), newest)
        if missing := sorted(found.keys() - known.keys()):
            raise CommandError(f"not in FIELD_KEYS, but needed: {', '.join(missing)}")

    def _rotate(self):
        try:
            for column, rows in rotation.rotate():
                self.stdout.write(f"{column}: {rows} sealed anew")
        except rotation.Unreadable as found:
            raise CommandError(str(found)) from found

    def _tell(self, key_id, columns, newest):
        rows = sum(columns.values())
        if key_id == newest:
            verdict = "the newest"
        else:
            verdict = "still needed" if rows else "may be retired: take it out of FIELD_KEYS"
        self.stdout.write(f"{key_id}: {rows} values, {verdict}")
        for column, n in sorted(columns.items()):
            self.stdout.write(f"  {column}: {n}")

import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from listings.services import imports
from parties.models import Actor, Department


class Command(BaseCommand):
    help = (
        "Take administrative penalties in the national 双公示 layout (xlsx or CSV, Chinese or code "
        "headers) into the credit file. They put nobody on a list. The same file again changes "
        "nothing; rejected rows come back as FILE's neighbour NAME.rejected.xlsx."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument("--department", required=True, metavar="CODE")
        parser.add_argument("--dry-run", action="store_true", help="check everything, keep nothing")
        parser.add_argument("--rejected", type=Path, metavar="XLSX", help="where rejected rows go")

    def handle(self, *, file, department, dry_run, rejected, **options):
        try:
            summary, problems = imports.import_records(
                file,
                department=Department.objects.get(code=department),
                actor=Actor(label="import_records"),
                rejected_to=rejected,
                dry_run=dry_run,
                progress=imports.Progress(self.stderr),
            )
        except Department.DoesNotExist:
            raise CommandError(f"no department {department}") from None
        except imports.UnreadableFile as reason:
            raise CommandError(f"{file}: {reason}") from reason
        imports.report(problems, self.stderr)
        self.stdout.write(json.dumps(summary, ensure_ascii=False))

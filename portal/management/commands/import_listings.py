import json
from pathlib import Path

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError

from listings.services import imports
from parties.models import Actor, Department, User
from portal.services.imports import import_listings
from rulebook.models import ListCategory, ListKind


class Command(BaseCommand):
    help = (
        "Take entries of a red or black list (provincial layout, xlsx or CSV) into drafts. With "
        "--publish those are published that lack nothing: notice served, defence over and "
        "answered, the approver a reviewer of the department who wrote no part of them. The same "
        "file again changes nothing; rejected rows come back as FILE's neighbour "
        "NAME.rejected.xlsx."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument("--list", required=True, choices=ListKind.values, dest="kind")
        parser.add_argument("--category", required=True, metavar="CODE")
        parser.add_argument("--department", required=True, metavar="CODE")
        parser.add_argument("--by", metavar="USER", help="the author of the drafts")
        parser.add_argument("--publish", action="store_true")
        parser.add_argument("--approver", metavar="USER", help="the reviewer who publishes")
        parser.add_argument(
            "--attest",
            action="store_true",
            help="the approver has made sure that nothing secret or private is made public; "
            "without it, drafts that hold fields not for everybody are held back",
        )
        parser.add_argument("--dry-run", action="store_true", help="check everything, keep nothing")
        parser.add_argument("--rejected", type=Path, metavar="XLSX", help="where rejected rows go")

    def handle(self, *, file, kind, category, department, dry_run, rejected, **options):
        _check_together(**options)
        try:
            summary, problems = import_listings(
                file,
                kind=kind,
                category=_one(ListCategory, code=category),
                department=_one(Department, code=department),
                actor=_actor(options["by"]) or Actor(label="import_listings"),
                approver=_actor(options["approver"]),
                attested=options["attest"],
                rejected_to=rejected,
                dry_run=dry_run,
                progress=imports.Progress(self.stderr),
            )
        except imports.UnreadableFile as reason:
            raise CommandError(f"{file}: {reason}") from reason
        except ValidationError as reason:
            raise CommandError("；".join(reason.messages)) from reason
        except PermissionDenied as refusal:
            raise CommandError(
                "refused: the department must be one that may list under the category, author and "
                "approver its officers and not the same person, the approver a reviewer"
            ) from refusal
        except IntegrityError as reason:
            raise CommandError("the same entries were changed meanwhile; run it again") from reason
        imports.report(problems, self.stderr)
        self.stdout.write(json.dumps(summary, ensure_ascii=False))


def _check_together(*, publish, approver, attest, **options):
    if publish != bool(approver):
        raise CommandError("--publish and --approver go together")
    if attest and not publish:
        raise CommandError("--attest goes with --publish")


def _one(model, **known):
    try:
        return model.objects.get(**known)
    except model.DoesNotExist:
        raise CommandError(f"no {model._meta.model_name} {next(iter(known.values()))}") from None


def _actor(username):
    return Actor.of(_one(User, username=username)) if username else None

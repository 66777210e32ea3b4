from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError

from casework.moves import IllegalMove
from listings import services
from listings.models import Listing
from parties.models import Actor, User


class Command(BaseCommand):
    help = (
        "Delete what the ledger keeps of an ended entry; the chain still verifies. For the "
        "platform operator alone, with the reason and the legal ground."
    )

    def add_arguments(self, parser):
        parser.add_argument("entry", help="the entry's public id")
        parser.add_argument("--by", required=True, metavar="USERNAME")
        parser.add_argument("--reason", required=True)

    def handle(self, *, entry, by, reason, **options):
        try:
            listing = Listing.objects.get(public_id=entry)
            actor = Actor.of(User.objects.get(username=by))
            seqs = services.erase(listing, actor=actor, reason=reason)
        except (Listing.DoesNotExist, User.DoesNotExist) as missing:
            raise CommandError(str(missing)) from missing
        except PermissionDenied as refused:
            raise CommandError("only the platform operator may erase content") from refused
        except ValidationError as refused:
            raise CommandError("; ".join(refused.messages)) from refused
        except IllegalMove as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(f"erased: seq {', '.join(map(str, seqs))}")

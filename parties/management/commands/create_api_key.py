from datetime import date, datetime, time, timedelta

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from parties import services
from parties.models import AccountEvent, Actor, ApiKey, Department, User


class Command(BaseCommand):
    help = "Make a key for a department's machine. It is printed once, alone on the last line."

    def add_arguments(self, parser):
        parser.add_argument("--department", required=True, metavar="CODE")
        parser.add_argument("--officer", required=True, metavar="USERNAME", help="who answers")
        parser.add_argument("--scopes", required=True, nargs="+", choices=ApiKey.Scope.values)
        parser.add_argument("--name", help="what the key is for; the officer's name if not given")
        parser.add_argument(
            "--addresses",
            nargs="+",
            default=[],
            metavar="ADDRESS",
            help="addresses and networks (192.0.2.0/24) it may be used from; from all if not given",
        )
        parser.add_argument(
            "--expires",
            metavar="DAY",
            help="the last day on which it works (2027-03-31), or an instant; never if not given",
        )
        parser.add_argument(
            "--per-minute",
            type=int,
            metavar="N",
            help="requests it may make in a minute; the platform's limit if not given",
        )

    def handle(self, *, department, officer, scopes, name, **limits):
        unit = Department.objects.filter(code=department, active=True).first()
        if unit is None:
            raise CommandError(f"no such department: {department}")
        user = User.objects.filter(username=officer, department=unit, is_active=True).first()
        if user is None:
            raise CommandError(f"{department} has no officer {officer}")
        try:
            key, raw = services.make_key(
                user,
                scopes=scopes,
                name=name or officer,
                addresses=limits["addresses"],
                expiry_date=_end_of(limits["expires"]),
                per_minute=limits["per_minute"],
            )
        except ValidationError as refusal:
            raise CommandError("; ".join(refusal.messages)) from refusal
        told = f"{key.name}（{key.prefix}） {' '.join(key.scopes)}"
        action = AccountEvent.Action.KEY_CREATE
        services.note(user, action, actor=Actor(label="命令行"), note=told, key=key)
        self.stdout.write(f"{key.name}: {unit}, {user}, {' '.join(key.scopes)}")
        self.stdout.write(raw)


def _end_of(text):
    """The instant from which the key is void: midnight after the day, or the instant itself."""
    if text is None:
        return None
    try:
        if len(text) == len("2027-03-31"):
            day = date.fromisoformat(text) + timedelta(days=1)
            return timezone.make_aware(datetime.combine(day, time.min))
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise CommandError(f"no day and no instant: {text}") from error
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)

"""`make_recovery_key`: the vault's last resort, whose private half is kept outside the portal."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from tipoffs import services


class Command(BaseCommand):
    help = (
        "Register a recovery key of the vault. Prints the private half once, alone on the last "
        "line: write it down on paper and lock it away; it is stored nowhere. With --public the "
        "pair was made on another machine and only its public half comes here."
    )

    def add_arguments(self, parser):
        parser.add_argument("--public", help="the public half, 64 hexadecimal digits")

    def handle(self, *, public, **_options):
        try:
            public = public and _bytes_of(public)
            key, private = services.make_recovery_key(
                public=public or None, lead_unit=settings.LEAD_UNIT
            )
        except ValidationError as refusal:
            raise CommandError("; ".join(refusal.messages)) from refusal
        self.stderr.write(f"恢复密钥已登记，指纹 {key.fingerprint} · recovery key registered")
        if private:
            self.stdout.write(private)


def _bytes_of(text):
    try:
        public = bytes.fromhex(text)
    except ValueError as error:
        raise CommandError("--public: 64 hexadecimal digits") from error
    if len(public) != 32:
        raise CommandError("--public: 64 hexadecimal digits")
    return public

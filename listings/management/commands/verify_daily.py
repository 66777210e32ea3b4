import base64
import hashlib
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from listings.services import feed
from parties import sealing


class Command(BaseCommand):
    help = (
        "Check a downloaded file of the day against its signature file (lists-DAY.sig, beside it "
        "unless named): signed by this portal or by the given public key, and not a byte altered."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument("--signature", type=Path, metavar="SIG")
        parser.add_argument(
            "--key",
            metavar="BASE64",
            help="a public key of 32 bytes; the portal's own unless given",
        )

    def handle(self, *, file, signature, key, **options):
        try:
            content = _digest(file)
            told, message, signed, key_id = _signature_of(file, signature)
        except (OSError, ValueError) as error:
            raise CommandError(f"{file}: {error}") from error
        if not _is_signed(message, signed, key_id, key):
            raise CommandError(f"the signature is not by the key {key_id}")
        named = {row["name"]: row["sha256"] for row in told["files"]}
        if file.name not in named:
            raise CommandError(f"the signed list of files names no {file.name}")
        if named[file.name] != content:
            raise CommandError(f"{file} is not the file that was signed")
        self.stdout.write(f"{file.name}: signed by {key_id}, {told['day']}, seq {told['seq']}")


def _digest(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _signature_of(file, given):
    """What the signature file says; without a name, of the one beside that names the file."""
    if given:
        return feed.read_signed(given.read_text())
    for path in sorted(file.parent.glob("*.sig")):
        found = feed.read_signed(path.read_text())
        if file.name in {row["name"] for row in found[0]["files"]}:
            return found
    raise ValueError("no signature file beside it names it")


def _is_signed(message, signature, key_id, key):
    if key is None:
        return sealing.was_signed(message, signature, key_id)
    return sealing.is_signed_by(base64.b64decode(key), message, signature)

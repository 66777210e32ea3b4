"""The signed file of the day: both lists for units that no program reads for."""

import base64
import gzip
import json
import tempfile
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation

from casework import documents
from listings import ledger
from listings.models import Change, DailyFile, Listing
from listings.services import export
from listings.services.feed.moment import one_moment
from listings.services.feed.snapshot import Snapshot
from parties import sealing
from parties.models import CLOCK
from rulebook.models import ListKind

# What of it can be asked for: {form: (name, media type)}.
FORMS = {
    "entries": ("lists-{day}.ndjson.gz", "application/gzip"),
    "red": ("red-{day}.csv", "text/csv; charset=utf-8"),
    "black": ("black-{day}.csv", "text/csv; charset=utf-8"),
    "signature": ("lists-{day}.sig", "text/plain; charset=utf-8"),
}
# What makes a file tell what is no longer told: not the end of a term, which comes at midnight.
OVERTAKING = ("withdraw", "repair", "correct")
REST = 600  # seconds from one file to the next of the same day
PIECE = 1 << 20  # bytes


def make_daily_file(*, today, now=None):
    """Make and sign the file of today unless it is there; the content of older ones goes.

    It is made anew, not sooner than ten minutes after the last, where an entry in it was
    withdrawn, repaired or corrected since. Missed days are not made up for: what was on
    the lists then is told of no longer. Returns the newest of today.
    """
    newest = DailyFile.objects.of_day(today).first()
    if newest is None or (is_overtaken(newest) and _rested(newest, now or timezone.now())):
        newest = _make(today)
    for old in DailyFile.objects.with_files().outdated(newest):
        _let_go(old)
    return newest


def is_overtaken(file):
    """Whether an entry that was on its list then has left it since, or reads otherwise."""
    return Change.objects.filter(seq__gt=file.seq, action__in=OVERTAKING).exists()


def _rested(file, now):
    return (now - file.made_at).total_seconds() >= REST


def handed_out(day, *, today):
    """The file of a day as it may be handed out: of today, and not overtaken; else None."""
    newest = DailyFile.objects.with_files().of_day(day).first()
    return newest if newest and day == today and not is_overtaken(newest) else None


def _make(today):
    with (
        tempfile.TemporaryDirectory() as folder,
        translation.override(settings.LANGUAGE_CODE),
    ):
        with one_moment():
            seq, lists = _write(Path(folder), today)
        return _keep(Path(folder), today, seq, lists)


def _write(folder, today):
    """Write the files into a folder; returns (position, {list: its count and digest})."""
    snapshot, lists = Snapshot(today=today), {}
    with gzip.open(folder / "entries", "wb", compresslevel=6) as file:
        file.writelines(snapshot)
    for kind in ListKind.values:
        table = export.Table(Listing.objects.filter(kind=kind).public(today))
        with (folder / kind).open("w", encoding="utf-8", newline="") as file:
            file.writelines(export.csv_parts(table))
        count, digest = ledger.list_digest(today, kind)
        lists[kind] = {"count": count, "digest": digest}
    return snapshot.state.seq, lists


@transaction.atomic
def _keep(folder, today, seq, lists):
    """Store what was written and sign for it; of two at once the second finds the first's."""
    file, made = DailyFile.objects.get_or_create(
        day=today, seq=seq, defaults={"key_id": "", "signature": b""}
    )
    if not made:
        return file
    for form in DailyFile.CONTENT:
        setattr(file, form, _keep_one(folder / form, form, today))
    contents = [getattr(file, form) for form in DailyFile.CONTENT]
    file.manifest = ledger.canonical(
        {
            "portal": settings.BASE_URL,
            "day": today.isoformat(),
            "seq": seq,
            "made_at": file.made_at.isoformat(),
            "lists": lists,
            "files": [
                {"name": row.name, "size": row.size, "sha256": row.sha256} for row in contents
            ],
        }
    ).decode()
    file.key_id, file.signature = sealing.sign(file.manifest.encode())
    file.save()
    return file


def _keep_one(path, form, today):
    name, media_type = FORMS[form]
    with path.open("rb") as file:
        pieces = iter(partial(file.read, PIECE), b"")
        name = name.format(day=today)
        return documents.keep_pieces(pieces, name=name, media_type=media_type, actor=CLOCK)


@transaction.atomic
def _let_go(file):
    """Delete the content; manifest and signature stay."""
    held = [getattr(file, form) for form in DailyFile.CONTENT]
    DailyFile.objects.filter(pk=file.pk).update(**dict.fromkeys(DailyFile.CONTENT))
    for document in filter(None, held):
        documents.discard(document)


def files_of(file):
    """[{name, size, sha256}] of what was signed."""
    return json.loads(file.manifest)["files"]


def lists_of(file):
    """{list: {count, digest}} as signed."""
    return json.loads(file.manifest)["lists"]


# ── the signature ─────────────────────────────────────────────────────────────────────────────


def signed_text(file):
    """The signature file: what was signed, the signature in base64, the key's id; a line each."""
    signature = base64.b64encode(bytes(file.signature)).decode()
    return f"{file.manifest}\n{signature}\n{file.key_id}\n"


def read_signed(text):
    """(manifest as a dict, the bytes that were signed, signature, key id) of a signature file.

    Raises ValueError where it is none.
    """
    lines = text.split("\n")
    if len(lines) < 3:
        raise ValueError("three lines are wanted: manifest, signature, key id")
    manifest, signature, key_id = lines[:3]
    told = json.loads(manifest)
    try:
        told["day"], told["seq"], [(row["name"], row["sha256"]) for row in told["files"]]
    except (KeyError, TypeError) as error:
        raise ValueError("the first line is no manifest") from error
    return told, manifest.encode(), base64.b64decode(signature, validate=True), key_id.strip()

"""Another city's portal for the tests: it lives in the same database, and is undone again."""

import base64
import hashlib
import json
import re
import uuid
from contextlib import contextmanager

from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from listings.models import Listing
from listings.services import exchange
from listings.services.exchange.export import signed_trailer
from parties import sealing
from parties.models import Actor
from tests import builders

CITY = "220600"
URL = "https://credit.baishan.example.cn"
COMMAND = Actor(label="import_exchange")


@contextmanager
def another_city(code=CITY, url=URL, *, undone=True):
    """What happens in the block happens in the portal of another city, and then never happened."""
    key = base64.b64encode(code.encode().ljust(32, b"*")).decode()
    with (
        transaction.atomic(),
        override_settings(REGION=code, BASE_URL=url, FIELD_KEYS=[f"{code}:{key}"]),
    ):
        yield
        transaction.set_rollback(undone)


def key_of(code=CITY):
    """The public key of another city."""
    with another_city(code, undone=False):
        return sealing.public_key(code).hex()


def partner(code=CITY, **fields):
    """The other city registered here, with its own key."""
    return builders.partner_city(code, **{"url": URL, "public_key": key_of(code), **fields})


def take(path, **given):
    return exchange.take(path, **{"actor": COMMAND, "today": timezone.localdate(), **given})


def rewritten(path, change, *, code=CITY, name="rewritten.ndjson"):
    """The file with its lines changed by `change(lines)` and signed anew by its own city."""
    *lines, _trailer = path.read_bytes().splitlines(keepends=True)
    lines = change([json.loads(line) for line in lines])
    body = b"".join(
        line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False).encode() + b"\n"
        for line in lines
    )
    return signed(path.with_name(name), body, code=code)


def signed(path, body, *, code=CITY):
    with another_city(code, undone=False):
        trailer = signed_trailer(body.count(b"\n"), hashlib.sha256(body).hexdigest())
    path.write_bytes(body + json.dumps(trailer).encode() + b"\n")
    return path


def many(path, count, *, after, folder):
    """A file of `count` new entries from the position `after` on, made after the one in `path`.

    Its chain is made up, but whole: it joins on to the file of the same making before it.
    """
    header, line, *_rest = [json.loads(raw) for raw in path.read_bytes().splitlines()]
    lines = []
    for seq in range(after + 1, after + count + 1):
        subject = {
            "kind": "organization",
            "name": f"白山示例{seq}号商贸有限公司",
            "code": builders.code_of(seq, prefix="91220601MB"),
            "region": "220601",
        }
        document = line["listing"]["document"] | {"number": f"吉白示决字〔2026〕第{seq}号"}
        entry = {"id": str(uuid.UUID(int=seq)), "subject": subject, "document": document}
        link = {"seq": seq, "hash": _link(seq), "previous_hash": _link(seq - 1)}
        lines.append(line | link | {"listing": line["listing"] | entry})
    told = {"from": after + 1, "to": after + count, "previous_hash": _link(after)}
    header |= told | {"hash": _link(after + count)}
    body = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in [header, *lines])
    return signed(folder / f"{after}.ndjson", body.encode())


def _link(seq):
    return hashlib.sha256(str(seq).encode()).hexdigest()


# What is each portal's own: where its page is, whom it asks for what, how often it was changed.
OWN = ("url", "measures", "version", "responsible_persons", "origin")


def told(entries):
    """{id: object} of what a portal tells of entries, without what is each portal's own."""
    rows = list(entries.with_parts())
    found = {}
    shown = exchange.seen_by_public(rows, timezone.localdate())
    for listing in json.loads(json.dumps(list(shown.values()), default=str)):
        for name in OWN:
            listing.pop(name, None)
        if "department" in listing:
            code = listing["department"]["code"]
            listing["department"]["code"] = re.sub(r"^\d{6}-", "", code)
        found[listing["id"]] = listing
    return found


def theirs():
    return Listing.objects.filter(origin=CITY)

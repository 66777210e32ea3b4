"""A copy of the lists that another program keeps: made by docs/api.md alone."""

import hashlib
import json
import struct
import zlib
from datetime import datetime

SAME = (
    "id", "list", "misconduct", "degree", "document", "ground", "published_on", "visible_until",
    "disputed", "version",
)  # fmt: skip
MEASURE = ("code", "unit", "article", "advisory", "until")


class Copy:
    """What a client holds: entries by id, and the position up to which it has read."""

    def __init__(self, machine):
        self.machine, self.seq, self.entries = machine, 0, {}

    def follow(self, limit=100):
        """Read the feed to its end; every number must come, and in order."""
        while rows := self.machine.get("/changes/", after=self.seq, limit=limit)["results"]:
            for row in rows:
                assert row["seq"] == self.seq + 1
                self.seq = row["seq"]
                self._apply(row["listing"])
        return self

    def _apply(self, listing):
        if "subject" in listing:
            self.entries[listing["id"]] = listing
        else:
            self.entries.pop(listing["id"], None)

    def begin(self, **asked):
        """Start again with a snapshot."""
        answer = snapshot(self.machine, **asked)
        self.entries = {entry["id"]: entry for entry in lines(answer)}
        self.seq = int(answer["X-Ledger-Seq"])
        assert len(self.entries) == int(answer["X-Snapshot-Count"])
        return self

    def effective(self, day, kind=None):
        held = (row for row in self.entries.values() if row["visible_until"] >= str(day))
        return {row["id"]: row for row in held if kind in {None, row["list"]}}

    def digest(self, day, kind=None):
        whole = hashlib.sha256()
        for _id, entry in sorted(self.effective(day, kind).items()):
            whole.update(hashlib.sha256(canonical(reduced(entry))).digest())
        return whole.hexdigest()


def snapshot(machine, headers=None, **asked):
    answer = machine.client.get("/api/v1/snapshot/", asked, headers=headers)
    assert answer.status_code == 200, answer.content
    return answer


def lines(answer):
    content = b"".join(answer.streaming_content)
    if answer.get("Content-Encoding") == "gzip":
        content = zlib.decompress(content, zlib.MAX_WBITS | 16)
    return [json.loads(line) for line in content.decode().split("\n") if line]


def reduced(entry):
    subject = {name: entry["subject"][name] for name in ("kind", "code", "region")}
    if subject["kind"] != "person":
        subject["name"] = entry["subject"]["name"]
    return {
        **{name: entry[name] for name in SAME},
        "subject": subject,
        "category": entry["category"]["code"],
        "department": entry["department"]["code"],
        "measures": [{name: row[name] for name in MEASURE} for row in entry["measures"]],
    }


def canonical(value):
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def link(row):
    """The hash that a row of the feed must have, from its own values."""
    since = datetime.fromisoformat(row["at"]) - datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    parts = [str(row["seq"]), str(row["key"]), row["action"], str(micros)]
    parts = [*(part.encode() for part in parts), bytes.fromhex(row["digest"])]
    packed = b"".join(struct.pack(">I", len(part)) + part for part in parts)
    return hashlib.sha256(bytes.fromhex(row["previous_hash"]) + packed).hexdigest()

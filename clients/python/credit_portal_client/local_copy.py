"""A local copy of the portal's lists in one SQLite file, kept in step by following its feed."""

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, cast

from credit_portal_client.client import CHANGES, Client
from credit_portal_client.digests import GENESIS, digest_of, hash_of
from credit_portal_client.objects import Change, Listing, ListKind, Stand
from credit_portal_client.problems import (
    MovedOnError,
    OutOfStepError,
    PortalError,
    Problem,
    UnreachableError,
)
from credit_portal_client.transport import passes

log = logging.getLogger(__name__)

SHANGHAI = timezone(timedelta(hours=8))  # no summer time since 1991: needs no table of zones
AT_ONCE = 1_000  # lines read or written at a time
TRIES = 10

ENTRY = "(id TEXT PRIMARY KEY, code TEXT, last_day TEXT, body TEXT)"
INDEXES = (
    # for the counter
    "CREATE INDEX IF NOT EXISTS entry_code ON entry (code) WHERE code IS NOT NULL",
    # for what ends at midnight
    "CREATE INDEX IF NOT EXISTS entry_last_day ON entry (last_day) WHERE last_day IS NOT NULL",
)
POSITION = "(one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash TEXT, rules TEXT)"
KEEP = """
INSERT INTO {} (id, code, last_day, body) VALUES (?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE
SET code = excluded.code, last_day = excluded.last_day, body = excluded.body
"""
END = "UPDATE entry SET code = NULL, last_day = NULL, body = NULL WHERE last_day < ?"


class Position(NamedTuple):
    """How far the copy has come: the last change, its hash where known, the rules shown."""

    seq: int
    hash: str | None
    rules: str


class Copy:
    """The entries in force, in the SQLite file at `path`.

    It starts from the portal's snapshot and goes on with the feed from there. Entries and
    position are written in one transaction, so that a kill at any moment repeats a step or does
    not: it never loses one. What has ended leaves nothing here but its id; what ends by its date
    is gone at midnight in Shanghai, whether or not the portal can be reached.

    One process follows into a file. Any number may read it, each thread with a Copy of its own
    that needs no client. `list` (`red` or `black`) copies one list only.
    """

    def __init__(
        self, path: str | Path, client: Client | None = None, *, list: ListKind | None = None
    ) -> None:
        self.client = client
        self.list = list
        self.file = sqlite3.connect(path, timeout=60, isolation_level=None)
        self.file.execute("PRAGMA secure_delete = ON")  # what goes is overwritten in the file
        self.file.execute(f"CREATE TABLE IF NOT EXISTS position {POSITION}")
        self.file.execute(f"CREATE TABLE IF NOT EXISTS entry {ENTRY}")
        for statement in INDEXES:
            self.file.execute(statement)

    def close(self) -> None:
        self.file.close()

    # ── reading ───────────────────────────────────────────────────────────────────────────────

    @property
    def position(self) -> Position | None:
        """Where the feed was left, or None before the first snapshot."""
        row = self.file.execute("SELECT seq, hash, rules FROM position").fetchone()
        return Position(*row) if row else None

    def __len__(self) -> int:
        asked = self.file.execute("SELECT count(*) FROM entry WHERE last_day >= ?", [today()])
        return cast("int", asked.fetchone()[0])

    def __iter__(self) -> Iterator[Listing]:
        """Every entry in force today, in the order of ids."""
        return self._entries("entry", today())

    def entry(self, id: str) -> Listing | None:
        """The entry of this id if it is in force today."""
        return next(iter(self._in_force("id", id)), None)

    def of_code(self, code: str) -> list[Listing]:
        """What an organisation is listed for today. Persons are found by a check only."""
        return self._in_force("code", code)

    def has_ended(self, id: str) -> bool:
        """Whether this entry was known here once and is not in force any more."""
        known = self.file.execute("SELECT 1 FROM entry WHERE id = ?", [id]).fetchone()
        return known is not None and self.entry(id) is None

    def _in_force(self, column: str, value: str) -> list[Listing]:
        asked = f"SELECT body FROM entry WHERE {column} = ? AND last_day >= ?"  # noqa: S608  ours
        return [json.loads(body) for (body,) in self.file.execute(asked, [value, today()])]

    def _entries(self, table: str, day: str) -> Iterator[Listing]:
        """In force on `day`, a thousand at a time: no reader keeps the writer waiting for long."""
        asked = (
            f"SELECT id, body FROM {table} WHERE id > ? AND last_day >= ?"  # noqa: S608  ours
            f" ORDER BY id LIMIT {AT_ONCE}"
        )
        last = ""
        while rows := self.file.execute(asked, [last, day]).fetchall():
            for last, body in rows:  # noqa: B007  the last one is where the next page begins
                yield json.loads(body)

    # ── following ─────────────────────────────────────────────────────────────────────────────

    def follow(
        self,
        *,
        every: float = 30.0,
        prove_every: float = 3600.0,
        bell: threading.Event | None = None,
    ) -> Iterator[int]:
        """Keep in step for ever; yields after each round how many changes came.

        A round begins `every` seconds after the last, or at once when `bell` is set, as a
        webhook may do. A portal that can't be reached or is at fault is asked again in the next
        round; what it refuses for good is raised. Every `prove_every` seconds the copy is
        compared with the portal, and made anew if it differs.
        """
        bell = bell or threading.Event()
        proven = float("-inf")
        while True:
            bell.clear()
            came = 0
            try:
                came = self.sync()
                if time.monotonic() - proven > prove_every:
                    self.ensure()
                    proven = time.monotonic()
            except PortalError as error:
                if not (passes(error) or is_fault(error)):
                    raise
                log.warning("the copy stands at %s: %s", self.position, error)
            yield came
            bell.wait(every)

    def sync(self) -> int:
        """Bring the copy to the feed's head; returns how many changes came.

        Begins with the snapshot where there is nothing yet, and again where the feed does not
        go on from here, as after the portal was restored from a backup. Raises OutOfStepError
        where it does not go on from the snapshot either.
        """
        self._end(today())
        came, anew = 0, False
        while True:
            position = self.position or self.resync()
            page = self._portal.get("/changes/", after=position.seq, limit=CHANGES)
            changes = page["results"]
            try:
                refuse_gap(position, changes, page["head"])
            except OutOfStepError as reason:
                if anew:
                    raise
                log.warning("%s: the copy is made anew from the snapshot", reason)
                anew = bool(self.resync())
                continue
            if not changes:
                return came
            self._take(position, changes)
            came += len(changes)

    def resync(self) -> Position:
        """Make the copy anew from the portal's snapshot; readers see the old one until then.

        Raises OutOfStepError where what came is not what the portal says its snapshot is.
        """
        return self._portal.patiently(self._load)

    def prove(self) -> bool:
        """Whether the copy, once in step, holds what the portal shows: neither more nor less.

        Both are digested at the same position and for the same day. Raises MovedOnError where
        the portal had changed each time the copy had caught up.
        """
        return self._holds(self._caught_up())

    def ensure(self) -> None:
        """Prove the copy; make it anew where it differs, or where a rule has changed since.

        Raises MovedOnError as `prove` does, OutOfStepError where the new one differs as well.
        """
        stand = self._caught_up()
        rules = self.position.rules if self.position else None
        if rules == stand.rules and self._holds(stand):
            return
        log.warning("the copy differs from the portal, or a rule has changed: it is made anew")
        self.resync()
        if not self.prove():
            raise OutOfStepError("a copy just made differs from the portal")

    def _caught_up(self) -> Stand:
        """What the portal shows at the very position to which the copy has been brought."""
        for _ in range(TRIES):
            self.sync()
            stand = self._portal.stand(self.list)
            if self.position and self.position.seq == stand.seq:
                return stand
        raise MovedOnError("the portal changes faster than the copy can follow")

    def _holds(self, stand: Stand) -> bool:
        return digest_of(self._entries("entry", stand.day)) == stand.digest

    @property
    def _portal(self) -> Client:
        if self.client is None:
            raise ValueError("a Copy without a client can only be read")
        return self.client

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.file.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.file.execute("COMMIT")
        except BaseException:
            self.file.execute("ROLLBACK")
            raise

    def _end(self, day: str) -> None:
        """Of what ended before `day`, keep the id."""
        if self.file.execute("SELECT 1 FROM entry WHERE last_day < ?", [day]).fetchone():
            with self._transaction():
                self.file.execute(END, [day])

    def _take(self, position: Position, changes: list[Change]) -> None:
        """Put in the changes after `position`; entries and position in one transaction."""
        told = [change["listing"] for change in changes]
        rows = [_row(listing) for listing in told if self.list in {None, listing["list"]}]
        last = changes[-1]
        with self._transaction():
            self.file.executemany(KEEP.format("entry"), rows)
            moved = self.file.execute(
                "UPDATE position SET seq = ?, hash = ? WHERE seq = ?",
                [last["seq"], last["hash"], position.seq],
            )
            if moved.rowcount != 1:
                raise OutOfStepError("another process follows into this file")

    def _load(self) -> Position:
        """One attempt at the snapshot: written beside the old entries, then put in their place."""
        self.file.execute("DROP TABLE IF EXISTS incoming")
        self.file.execute(f"CREATE TABLE incoming {ENTRY}")
        count = 0
        with self._portal.snapshot(self.list) as (stand, listings):
            while rows := list(islice(map(_row, listings), AT_ONCE)):
                with self._transaction():
                    self.file.executemany(KEEP.format("incoming"), rows)
                count += len(rows)
        if count != stand.size:
            raise UnreachableError(f"{count} of {stand.size} entries of the snapshot came")
        if digest_of(self._entries("incoming", stand.day)) != stand.digest:
            raise OutOfStepError("the snapshot is not what the portal says it is")
        position = Position(stand.seq, None if stand.seq else GENESIS, stand.rules)
        with self._transaction():
            self.file.execute("INSERT OR IGNORE INTO incoming (id) SELECT id FROM entry")
            self.file.execute("DROP TABLE entry")
            self.file.execute("ALTER TABLE incoming RENAME TO entry")
            for statement in INDEXES:
                self.file.execute(statement)
            self.file.execute("INSERT OR REPLACE INTO position VALUES (1, ?, ?, ?)", position)
        return position


def today() -> str:
    """The day in Shanghai, where an entry ends at midnight."""
    return datetime.now(SHANGHAI).date().isoformat()


def is_fault(error: PortalError) -> bool:
    """Whether the portal failed rather than refused."""
    return isinstance(error, Problem) and error.status >= 500


def refuse_gap(position: Position, changes: list[Change], head: int) -> None:
    """Raise OutOfStepError unless the changes go on from `position`, each linked to the last."""
    seq, previous = position.seq, position.hash
    for change in changes:
        seq += 1
        linked = previous in {None, change["previous_hash"]}
        if change["seq"] != seq or not linked or change["hash"] != hash_of(change):
            raise OutOfStepError(f"change {change['seq']} does not go on from {seq - 1}")
        previous = change["hash"]
    if head < seq or (head > seq and not changes):
        raise OutOfStepError(f"the feed ends at {head}, the copy stands at {seq}")


def _row(listing: Listing) -> tuple[Any, ...]:
    """An entry as it is kept: whole while it is in force, its id alone once it has ended."""
    if "subject" not in listing:
        return listing["id"], None, None, None
    body = json.dumps(listing, ensure_ascii=False)
    return listing["id"], listing["subject"]["code"], listing["visible_until"], body

"""The portal's API as methods of one object."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, cast

import httpx

from credit_portal_client.objects import (
    Answer,
    Change,
    Check,
    Checked,
    Firm,
    HistoryLine,
    Hit,
    Listing,
    ListKind,
    Person,
    Push,
    Receipt,
    Stand,
    Verdict,
)
from credit_portal_client.transport import Transport

AT_ONCE = 1_000  # subjects of one check
PAGE = 500
CHANGES = 1_000


class Client(Transport):
    """One department's key at one portal. Use it as a context manager, or `close()` it.

    Every method raises Problem for a refusal and UnreachableError where no answer came. `get`
    and `post` reach what has no method of its own. May be shared by threads.
    """

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def pages(self, path: str, **parameters: Any) -> Iterator[Any]:
        """Everything on a cursor-paged list, one by one, fetched page by page as it is read."""
        cursor = None
        while True:
            page = self.get(path, page_size=PAGE, cursor=cursor, **parameters)
            yield from page["results"]
            if page["next"] is None:
                return
            cursor = httpx.URL(page["next"]).params["cursor"]  # only that: the key stays here

    # ── entries ───────────────────────────────────────────────────────────────────────────────

    def listings(self, **filters: Any) -> Iterator[Listing]:
        """Entries by the portal's filters, e.g. `list="black", category="M05"`."""
        return self.pages("/listings/", **filters)

    def listing(self, id: str) -> Listing:
        return cast("Listing", self.get(f"/listings/{id}/"))

    def history(self, id: str) -> Iterator[HistoryLine]:
        """What happened to an entry; of one that has ended, its five words."""
        return self.pages(f"/listings/{id}/history/")

    # ── the feed ──────────────────────────────────────────────────────────────────────────────

    def changes(self, after: int = 0) -> Iterator[Change]:
        """The changes after a position up to the feed's head, oldest first."""
        while page := self.get("/changes/", after=after, limit=CHANGES)["results"]:
            yield from page
            after = page[-1]["seq"]

    @contextmanager
    def snapshot(self, list: ListKind | None = None) -> Iterator[tuple[Stand, Iterator[Listing]]]:
        """Every entry in effect today, read as it comes, in no particular order.

        The entries are whole only where their number and digest are those of the Stand.
        """
        with self.stream("/snapshot/", list=list) as response:
            told = response.headers
            names = ("Day", "Count", "Digest")
            day, size, digest = (told[f"X-Snapshot-{name}"] for name in names)
            stand = Stand(
                int(told["X-Ledger-Seq"]), day, int(size), digest, told["X-Rules-Version"]
            )
            yield stand, map(json.loads, _lines(response))

    def stand(self, list: ListKind | None = None) -> Stand:
        """What a copy is to be compared with."""
        told = self.get("/snapshot/digest/", list=list)
        return Stand(
            told["seq"], told["day"], told["count"], told["digest"], str(told["rules"] or 0)
        )

    # ── checks ────────────────────────────────────────────────────────────────────────────────

    def check(
        self,
        subject: Firm | Person,
        *,
        purpose: str,
        reference: str,
        as_of: str | None = None,
        once: str | None = None,
    ) -> Check:
        """Ask about one subject. `purpose` and `reference` (1 to 200 characters) are logged."""
        return self._check([subject], purpose, reference, as_of, once)

    def check_many(
        self,
        subjects: Iterable[Firm | Person],
        *,
        purpose: str,
        reference: str,
        as_of: str | None = None,
    ) -> Iterator[Checked]:
        """Ask about any number, a thousand at a time, in the order given.

        Each thousand is a check of its own, made when its first result is read.
        """
        rest = iter(subjects)
        while batch := list(islice(rest, AT_ONCE)):
            check = self._check(batch, purpose, reference, as_of, None)
            for subject, result in zip(batch, check["results"], strict=True):
                yield Checked(subject, result, check)

    def _check(
        self,
        subjects: Sequence[Firm | Person],
        purpose: str,
        reference: str,
        as_of: str | None,
        once: str | None,
    ) -> Check:
        body = {"purpose": purpose, "reference": reference, "subjects": subjects}
        body |= {"as_of": as_of} if as_of else {}
        return cast("Check", self.post("/checks/", body, once=once))

    def hits(self) -> Iterator[Hit]:
        """Hits of this unit's checks that it has said nothing to yet."""
        return self.pages("/checks/", pending="true")

    def answer_hit(
        self,
        check_id: str,
        *,
        listing: str,
        handling: str,
        result: str,
        measures: Sequence[str] = (),
        once: str | None = None,
        **more: str,
    ) -> Hit:
        """Say what was done about a hit: `handling` is `applied` or `other`.

        `listing` is the entry's id, `measures` the codes applied, `more` may be `remark`, `at`.
        """
        told = {"listing": listing, "handling": handling, "result": result, **more}
        body = {**told, "measures": list(measures)}
        return cast("Hit", self.post(f"/checks/{check_id}/feedback/", body, once=once))

    # ── receipts ──────────────────────────────────────────────────────────────────────────────

    def receipt(self, check_id: str) -> Receipt:
        """The signed receipt of a check: keep it with the file, it proves what was asked."""
        return cast("Receipt", self.get(f"/checks/{check_id}/receipt/"))

    def verify_receipt(
        self, receipt: Receipt, *, query: Firm | Person | None = None, index: int = 0
    ) -> Verdict:
        """The portal's word on a receipt: is it genuine, and of this `query` at this `index`?"""
        body: dict[str, Any] = {name: receipt[name] for name in ("receipt", "signature")}
        if query:
            body |= {"salt": receipt["salt"], "query": query, "index": index}
        return cast("Verdict", self.post("/receipts/verify/", body))

    # ── pushes ────────────────────────────────────────────────────────────────────────────────

    def pushes(self, status: str | None = None) -> Iterator[Push]:
        """What was put before this unit, newest first."""
        return self.pages("/pushes/", status=status)

    def push(self, id: str) -> Push:
        return cast("Push", self.get(f"/pushes/{id}/"))

    def push_subject(self, id: str) -> dict[str, str]:
        """A person's full name and paper. Each reading is journalled; don't store the answer."""
        return cast("dict[str, str]", self.get(f"/pushes/{id}/subject/"))

    def acknowledge(self, id: str, *, version: int | None = None, once: str | None = None) -> Push:
        """Say that a push has arrived. Raises StaleError where `version` is no longer its own."""
        body = {"version": version} if version else {}
        return cast("Push", self.post(f"/pushes/{id}/acknowledge/", body, once=once))

    def answer_push(
        self,
        id: str,
        answers: Sequence[Answer],
        *,
        version: int | None = None,
        once: str | None = None,
    ) -> Push:
        """Answer measures of a push, one by one or together."""
        body: dict[str, Any] = {"measures": list(answers)}
        body |= {"version": version} if version else {}
        return cast("Push", self.post(f"/pushes/{id}/feedback/", body, once=once))


def _lines(response: httpx.Response) -> Iterator[bytes]:
    """An answer's lines. Only LF ends one: text within may hold what Unicode calls a line's end."""
    begun = b""
    for piece in response.iter_bytes():
        *whole, begun = (begun + piece).split(b"\n")
        yield from whole
    if begun:
        yield begun

"""Asking the portal over HTTP, again and again where that is safe, until patience ends."""

import random
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx

from credit_portal_client.problems import (
    KINDS,
    MovedOnError,
    PortalError,
    Problem,
    UnreachableError,
)

BUSY = {429, 502, 503, 504}
CUT_OFF = (httpx.NetworkError, httpx.TimeoutException, httpx.RemoteProtocolError)
FIRST_WAIT, LONGEST_WAIT = 0.25, 30.0  # seconds
Got = TypeVar("Got")


class Transport:
    """Requests to one portal with one key.

    What is asked again: no connection or one that broke, 429, 502, 503, 504, and the 409 of a
    request that is still running. Waits grow from a quarter of a second to half a minute, half
    of each by chance; a Retry-After is obeyed. `patience` seconds after the first attempt the
    last refusal stands. `options` are those of httpx.Client, such as `verify` or `proxy`.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        patience: float = 60.0,
        timeout: float = 30.0,
        **options: Any,
    ) -> None:
        self.patience = patience
        headers = {"Authorization": f"Api-Key {key}", "User-Agent": "credit-portal-client/0.1"}
        self.http = httpx.Client(
            base_url=f"{base_url.rstrip('/')}/api/v1", headers=headers, timeout=timeout, **options
        )

    def close(self) -> None:
        self.http.close()

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON at `path`, below /api/v1. Parameters that are None are left out."""
        return self._answer("GET", path, params=_given(parameters))

    def post(self, path: str, body: Any = None, *, once: str | None = None) -> Any:
        """The JSON answered to a POST, which acts once however often it is sent.

        `once` is its Idempotency-Key, 1 to 255 characters. Keep one of your own where your
        program may itself be killed: the same key and body within 24 hours get the same answer.
        """
        headers = {"Idempotency-Key": once or str(uuid.uuid4())}
        return self._answer("POST", path, json={} if body is None else body, headers=headers)

    @contextmanager
    def stream(self, path: str, **parameters: Any) -> Iterator[httpx.Response]:
        """An answer read piece by piece. It is asked for once; a break is UnreachableError."""
        try:
            with self.http.stream("GET", path, params=_given(parameters)) as response:
                if not response.is_success:
                    response.read()
                refuse(response)
                yield response
        except (*CUT_OFF, httpx.DecodingError) as error:
            raise _unreachable(error) from error

    def patiently(self, attempt: Callable[[], Got]) -> Got:
        """What `attempt()` returns, tried until it does or patience ends.

        Raises Problem or UnreachableError, whichever the last attempt met.
        """
        deadline = time.monotonic() + self.patience
        wait = FIRST_WAIT
        while True:
            try:
                return attempt()
            except CUT_OFF as error:
                refusal: PortalError = _unreachable(error)
            except PortalError as error:
                if not passes(error):
                    raise
                refusal = error
            pause = refusal.retry_after or _jittered(wait)
            if time.monotonic() + pause > deadline:
                raise refusal
            time.sleep(pause)
            wait = min(2 * wait, LONGEST_WAIT)

    def _answer(self, method: str, path: str, **asked: Any) -> Any:
        def attempt() -> Any:
            response = self.http.request(method, path, **asked)
            refuse(response)
            return response.json() if response.content else None

        return self.patiently(attempt)


def passes(error: PortalError) -> bool:
    """Whether a refusal is of the moment: the same request may be granted a little later."""
    if isinstance(error, Problem):
        return error.status in BUSY or error.code == "in_progress"
    return isinstance(error, (UnreachableError, MovedOnError))


def refuse(response: httpx.Response) -> None:
    """Raise the Problem that a response is. A redirection is one: none is followed."""
    if response.is_success:
        return
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):  # not the portal's own words, a proxy's perhaps
        body = {"code": f"http_{response.status_code}", "detail": response.text[:200]}
    raise KINDS.get(response.status_code, Problem)(
        response.status_code,
        body,
        request_id=response.headers.get("X-Request-ID"),
        retry_after=_seconds(response.headers.get("Retry-After")),
    )


def _given(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


def _unreachable(error: Exception) -> UnreachableError:
    refusal = UnreachableError(f"{type(error).__name__}: {error}")
    refusal.__cause__ = error
    return refusal


def _seconds(told: str | None) -> float | None:
    """Retry-After in seconds, whether it names a number or an instant; None if neither."""
    if told is None:
        return None
    if told.isascii() and told.isdigit():
        return float(told)
    try:
        return max(0.0, (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _jittered(wait: float) -> float:
    return wait * (0.5 + random.random() / 2)  # noqa: S311  no secret

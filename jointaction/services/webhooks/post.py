"""One request to one endpoint: to the checked address alone, within ten seconds, read with care."""

import re
import socket
import ssl
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache

import certifi
import httpcore
import httpx
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from jointaction.models import Delivery
from jointaction.services.webhooks import addresses

LIMIT = 10  # seconds for everything: name, connection, TLS, request, answer
MOST_READ = 65_536  # bytes of an answer
MOST_KEPT = 300  # characters of it

Fault = Delivery.Fault


@dataclass(frozen=True)
class Answer:
    """What came of a request: a status, or the reason why there is none."""

    http_status: int | None = None
    fault: str = ""
    text: str = ""
    wait: int | None = None  # seconds that the receiver asked for

    @property
    def delivered(self):
        return not self.fault


def post(url, body, headers):
    """Send `body` (bytes) to `url`. Returns an Answer, whatever happens; raises nothing.

    Only 2xx is success; a redirect is not followed. Nothing of the environment is heeded: no
    proxy, no netrc. The answer's words are kept only where it refuses.
    """
    deadline = time.monotonic() + LIMIT
    try:
        found = addresses.check(url, seconds=LIMIT)
        with (
            httpx.Client(transport=Pinned(found, deadline), trust_env=False) as client,
            client.stream("POST", url, content=body, headers=headers) as response,
        ):
            return _answer(response)
    except Exception as error:  # the receiver's doing, and its delivery is tried again
        return Answer(fault=_fault(error))


class Pinned(httpx.HTTPTransport):
    """Connects to the addresses that were checked, whatever the name means by now.

    Name and certificate are those of the URL. Every wait ends at the deadline.
    """

    def __init__(self, found, deadline):
        super().__init__(verify=_trust(settings.WEBHOOK_CA_FILE), trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=_trust(settings.WEBHOOK_CA_FILE), network_backend=_Backend(found, deadline)
        )


@lru_cache
def _trust(ca_file):
    context = ssl.create_default_context(cafile=certifi.where())
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


class _Backend(httpcore.NetworkBackend):
    def __init__(self, found, deadline):
        self.found, self.deadline = found, deadline

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        *others, last = self.found
        for address in others:
            try:
                return self._connect(address, port, share=len(self.found))
            except OSError:
                continue
        return self._connect(last, port)

    def _connect(self, address, port, share=1):
        left = _left(self.deadline) / share
        return _Stream(socket.create_connection((address, port), left), self.deadline)


class _Stream(httpcore.NetworkStream):
    """A connection that breaks off at the deadline, however slowly its bytes drip."""

    def __init__(self, connection, deadline):
        self.connection, self.deadline = connection, deadline

    def _ready(self):
        self.connection.settimeout(_left(self.deadline))
        return self.connection

    def read(self, max_bytes, timeout=None):
        return self._ready().recv(max_bytes)

    def write(self, buffer, timeout=None):
        while buffer:
            buffer = buffer[self._ready().send(buffer) :]

    def close(self):
        self.connection.close()

    def start_tls(self, ssl_context, server_hostname=None, timeout=None):
        connection = ssl_context.wrap_socket(self._ready(), server_hostname=server_hostname)
        return _Stream(connection, self.deadline)


def _left(deadline):
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


# ── what came back ────────────────────────────────────────────────────────────────────────────


def _answer(response):
    status = response.status_code
    if response.is_success:
        return Answer(status)
    fault = Fault.REDIRECT if response.is_redirect else Fault.REFUSED
    wait = _seconds(response.headers.get("Retry-After", ""))
    return Answer(status, fault, scrubbed(_read(response)), wait)


def _read(response):
    """The beginning of an answer; one that breaks off has said what it has said."""
    content = b""
    try:
        for part in response.iter_raw():
            content += part
            if len(content) >= MOST_READ:
                break
    except (httpx.HTTPError, OSError):
        pass
    return content[:MOST_READ]


def scrubbed(content):
    """A receiver's words, fit for our pages: short, printable, and without a single digit.

    What it repeats of a number or of a secret is not kept.
    """
    text = content[: MOST_KEPT * 16].decode("utf-8", "replace")
    text = re.sub(r"whsec_\S*|v1,\S*", "…", text)
    text = "".join(sign if sign.isprintable() else " " for sign in re.sub(r"\d", "*", text))
    return " ".join(text.split())[:MOST_KEPT]


def _seconds(text):
    """A Retry-After in seconds: a number of them, or a date; None where it is neither."""
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    try:
        until = parsedate_to_datetime(text)
        return max(int((until - timezone.now()).total_seconds()), 0)
    except (TypeError, ValueError, OverflowError):
        return None


def _fault(error):
    if isinstance(error, ValidationError):
        return Fault.UNREACHABLE if error.code == "unresolved" else Fault.ADDRESS
    kinds = {
        ssl.SSLError: Fault.TLS,
        (TimeoutError, httpx.TimeoutException): Fault.TIMEOUT,
        OSError: Fault.UNREACHABLE,
    }
    return next((fault for kind, fault in kinds.items() if isinstance(error, kind)), Fault.BROKEN)

"""What the logs say: a line for each request, and never what is secret or somebody's own.

Scrubbing knows what such values look like. It is the second wall: no code of ours logs them, but
the message of an exception may hold whatever the code had in hand.
"""

import json
import logging
import re
import time
from datetime import UTC, datetime

from django.views.debug import SafeExceptionReporterFilter

GONE = "…"
FREE = r"(?<![0-9A-Za-z])"  # begins a word of Latin letters and digits; Chinese may stand before it
END = r"(?![0-9A-Za-z])"
PATTERNS = [
    # A header or a setting up to the end of its line.
    (r"(?i)\b(cookie|set-cookie|authorization|x-api-key)\b(['\"]?\s*[:=]\s*).+", r"\1\2" + GONE),
    (r"(?i)\b(api-key|bearer)\s+[^\s,'\"]+", r"\1 " + GONE),
    (
        r"(?i)\b(\w*(?:password|passphrase|passwd|secret|token|query_code|receipt_code|"
        r"sessionid|id_number|phone|email))(['\"]?\s*[:=]\s*)(['\"]).*?\3",
        r"\1\2" + GONE,
    ),
    (
        r"(?i)\b(\w*(?:password|passphrase|passwd|secret|token|query_code|receipt_code|"
        r"sessionid|id_number|phone|email))(['\"]?\s*[:=]\s*)[^\s,;&'\")}\]]+",
        r"\1\2" + GONE,
    ),
    # What PostgreSQL adds to an error: the row, the key, the statement with its values.
    (
        r"(?:\b|(?<=\\n))(DETAIL|CONTEXT|LINE \d+):[\s\S]*?"
        r"(?=\n\n(?:The above exception|During handling)|\Z)",
        r"\1: " + GONE,
    ),
    (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", GONE),
    # Resident numbers, cards, accounts: eleven digits and more, with a check symbol or without.
    (rf"{FREE}\d{{10,19}}[\dXx]{END}", GONE),
    (rf"{FREE}(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{{4}}[- ]?\d{{4}}{END}", GONE),
    (rf"{FREE}0\d{{2,3}}[- ]\d{{7,8}}{END}", GONE),
    # Passports and permits: letters, then digits. Military papers: 字第 and a number.
    (rf"{FREE}[A-Za-z]{{1,3}}\d{{7,12}}[A-Za-z]?{END}", GONE),
    (r"字第?\s?\d{4,}\s?号", GONE),
    # Codes that open something: of a key, of a matter, of a letter, of a receipt.
    (rf"{FREE}[0-9A-Za-z]{{8}}\.[0-9A-Za-z]{{32,}}{END}", GONE),
    (rf"{FREE}(?:[0-9A-Z]{{4,5}}-){{1,7}}[0-9A-Z]{{4,5}}{END}", GONE),
    (rf"{FREE}(?=[A-Z]*\d)(?=\d*[A-Z])(?:[0-9A-Z]{{10}}|[0-9A-Z]{{12}}|[0-9A-Z]{{16}}){END}", GONE),
]
COMPILED = [(re.compile(pattern), by) for pattern, by in PATTERNS]
ANONYMOUS = ("/reports/", "/en/reports/")  # whoever reports from there: no address is written down

requests = logging.getLogger("credit_portal.requests")


def scrub(text):
    """The text without anything that looks like a secret or a person's number."""
    for pattern, by in COMPILED:
        text = pattern.sub(by, text)
    return text


class Scrubbed(logging.Filter):
    """Scrubs what is logged, the traceback with it, before any formatter sees it."""

    def filter(self, record):
        record.msg, record.args = scrub(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        record.exc_text = record.exc_text and scrub(record.exc_text)
        record.stack_info = record.stack_info and scrub(record.stack_info)
        return True


class JsonLine(logging.Formatter):
    """One JSON object a line; what a request was stands in members of its own."""

    def format(self, record):
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "told", {}),
        }
        if number := getattr(getattr(record, "request", None), "id", None):
            line["request_id"] = number
        if record.exc_text:
            line["traceback"] = record.exc_text
        return json.dumps(line, ensure_ascii=False)


class NothingTold(SafeExceptionReporterFilter):
    """A report of a fault names the place in the code and no value: neither sent nor at hand."""

    def is_active(self, request):
        return True

    def get_post_parameters(self, request):
        return {} if request is None else dict.fromkeys(request.POST, GONE)

    def get_safe_cookies(self, request):
        return {} if request is None else dict.fromkeys(request.COOKIES, GONE)

    def get_traceback_frame_variables(self, request, tb_frame):
        return [(name, GONE) for name in tb_frame.f_locals]


def requests_logged(get_response):
    """Write a line for each request: which page, not which address of it; how it ended, how soon.

    The path may hold a code that opens something; the name of the route never does.
    """

    def middleware(request):
        began = time.perf_counter()
        response = get_response(request)
        if requests.isEnabledFor(logging.INFO):
            spent = (time.perf_counter() - began) * 1000
            requests.info("request", extra={"told": _told(request, response, spent)})
        return response

    return middleware


def _told(request, response, spent):
    match = request.resolver_match
    told = {
        "request_id": request.id,
        "method": request.method if request.method in METHODS else "OTHER",
        "route": match.view_name if match else None,
        "status": response.status_code,
        "ms": round(spent, 1),
    }
    if not request.path.startswith(ANONYMOUS):
        told["address"] = request.META.get("REMOTE_ADDR", "")
    return told


METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

"""What goes wrong is told to nobody but the operator, and to him without what is somebody's own."""

import io
import json
import logging
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.test import Client, RequestFactory
from django.views.debug import ExceptionReporter

from credit_portal import logs
from tests import builders

pytestmark = pytest.mark.django_db
RESIDENT = builders.resident_id(7)
PLANTED = {  # what must never be read in a log, as it may stand in a message
    RESIDENT: f"Key (number)=({RESIDENT}) already exists",
    "22050219800101001X": "居民身份证22050219800101001X有误",
    "２２０５０２１９８００１０１００１２": "２２０５０２１９８００１０１００１２",
    "6222020200112230000": "账号6222020200112230000",
    "13800435000": "call 13800435000 now",
    "138-0043-5000": "电话：138-0043-5000",
    "0435-3210000": "tel 0435-3210000,",
    "EA1234567": "passport EA1234567.",
    "H12345678": "'H12345678'",
    "ABC123456789012": "ABC123456789012",
    "2001988": "军字第2001988号",
    "K7P2M-9QXA4": "code K7P2M-9QXA4 wrong",
    "K7P2M9QXA4": "/track/K7P2M9QXA4/",
    "K7P2-M9QX-A4BC": "/verify/K7P2-M9QX-A4BC/",
    "aB3dE6gH.0123456789abcdefghijklmnopqrstuv": "aB3dE6gH.0123456789abcdefghijklmnopqrstuv",
    "geheim1": "Authorization: Api-Key geheim1",
    "geheim2": "headers {'Authorization': 'Bearer geheim2'}",
    "geheim3": "Cookie: csrftoken=geheim3; size=large",
    "geheim4": "{'password': 'geheim4', 'a': 1}",
    "geheim five": "passphrase='geheim five' next",
    "geheim6": "sessionid=geheim6",
    "geheim7": "query_code=geheim7&number=1",
    "geheim8": 'refused\nDETAIL:  Failing row contains (1, geheim8,\n\n"x").\n',
    "geheim9": "syntax error\nLINE 1: SELECT 'geheim9'\n               ^\n",
    "wang@example.cn": "to wang@example.cn failed",
}


@pytest.fixture
def lines():
    """What the console shows, handler and filters as the settings have them."""
    return _console("line")


def _console(form):
    written = io.StringIO()
    config = settings.LOGGING
    handler = logging.StreamHandler(written)
    handler.addFilter(logs.Scrubbed())
    assert "scrubbed" in config["handlers"]["console"]["filters"]
    handler.setFormatter(
        logs.JsonLine()
        if form == "json"
        else logging.Formatter(config["formatters"]["line"]["format"])
    )
    return handler, written


@pytest.fixture
def log(lines):
    handler, written = lines
    logger = logging.getLogger("tests.planted")
    logger.addHandler(handler)
    yield logger, written
    logger.removeHandler(handler)


@pytest.mark.parametrize(("secret", "message"), PLANTED.items())
def test_what_is_secret_or_somebodys_own_is_scrubbed(secret, message, log):
    logger, written = log
    logger.error(message)
    logger.error("of %s", message)
    logger.error("of %(it)s", {"it": message})
    try:
        try:
            int(f"? {message}")
        except ValueError as error:
            raise RuntimeError(f"again {message}") from error
    except RuntimeError:
        logger.exception("went wrong")
    text = written.getvalue()
    assert secret not in text
    assert text.count("ERROR tests.planted") == 4
    assert "RuntimeError: again" in text


@pytest.mark.parametrize(
    "message",
    [
        "notice 17 of unit rsj is due on 2026-01-05 07:29:20",
        "POST /black/3f0d6f0e-0c55-4f0f-8a0f-6d1c3a0f9b1e/ took 12.5 ms",
        "the firm 91220501MA0ABC1215 has 3 entries",
        'File "/srv/portal/casework/moves.py", line 120, in move',
        "文号：通人社监字〔2026〕12 号",
    ],
)
def test_what_an_operator_needs_stays(message):
    assert logs.scrub(message) == message


def test_an_error_of_the_database_shows_no_value_of_its_row(rules, log):
    logger, written = log
    firm = builders.firm()
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE parties_subject SET name = NULL WHERE id = %s", [firm.pk])
    except IntegrityError:
        logger.exception("went wrong")
    assert firm.name not in written.getvalue()
    assert "null value" in written.getvalue()


# ── a fault of a page ─────────────────────────────────────────────────────────────────────────


@pytest.fixture
def _fault(monkeypatch):
    def fail(*_args, **_kwargs):
        secret = "geheim0"  # noqa: F841, S105 - stands in the frame
        raise RuntimeError("; ".join(PLANTED.values()))

    monkeypatch.setattr("portal.views.services.home_figures", fail)


def _asked(path):
    handler, written = _console("line")
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        client = Client(raise_request_exception=False)
        answer = client.get(path, {"phone": "13800435000"}, headers={"Cookie": "sessionid=geheim3"})
    finally:
        root.removeHandler(handler)
    return answer, written.getvalue()


@pytest.mark.usefixtures("_fault", "rules")
def test_a_fault_shows_nothing_to_the_visitor_and_no_value_to_the_log():
    answer, text = _asked("/")
    assert answer.status_code == 500
    page = answer.content.decode()
    assert "系统出错了" in page
    assert "Traceback" in text
    told = [secret for secret in PLANTED if secret in page or secret in text]
    assert told == []
    assert "RuntimeError" not in page


def test_a_report_of_a_fault_names_no_value():
    phone, cookie = builders.resident_id(3), builders.resident_id(4)
    try:
        int(f"{phone} held in a frame")
    except ValueError as error:
        request = RequestFactory().post("/", {"applicant_phone": phone})
        request.COOKIES["sessionid"] = cookie
        error = RuntimeError().with_traceback(error.__traceback__)
        report = ExceptionReporter(request, type(error), error, error.__traceback__)
        text = report.get_traceback_text() + report.get_traceback_html()
    assert "test_logs.py" in text
    for value in (phone, cookie, settings.SECRET_KEY, settings.FIELD_KEYS[0]):
        assert value not in text


# ── a line for each request ───────────────────────────────────────────────────────────────────


@pytest.fixture
def asked():
    """Ask for an address, and read the lines that are written of it."""
    handler, written = _console("json")
    logger = logging.getLogger("credit_portal.requests")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)

    def ask(path, **options):
        Client().get(path, **options)
        return [json.loads(line) for line in written.getvalue().splitlines()]

    yield ask
    logger.removeHandler(handler)
    logger.setLevel(level)


def test_each_request_is_one_object_that_names_its_route_and_no_code(asked, rules):
    [line] = asked("/verify/K7P2M9QXA4BC/?code=1", headers={"X-Request-ID": "abc"})
    assert {key: line[key] for key in ("request_id", "method", "route", "status", "address")} == {
        "request_id": "abc",
        "method": "GET",
        "route": "verify-code",
        "status": 404,
        "address": "127.0.0.1",
    }
    assert line["ms"] > 0
    assert "K7P2M9QXA4BC" not in json.dumps(line)


def test_what_is_no_page_has_no_route(asked):
    [line] = asked("/nothing/K7P2M9QXA4BC/")
    assert (line["route"], line["status"]) == (None, 404)


def test_of_who_reports_misconduct_no_address_is_written(asked, rules):
    for path in ("/reports/new/", "/en/reports/track/"):
        assert "address" not in asked(path)[-1]


def test_on_a_terminal_no_line_is_written_of_a_request(caplog):
    Client().get("/healthz")
    assert "request" not in [record.message for record in caplog.records]


def test_a_fault_in_json_is_one_line_with_its_traceback():
    handler, written = _console("json")
    logger = logging.getLogger("tests.planted")
    logger.addHandler(handler)
    try:
        int(f"{RESIDENT}?")
    except ValueError:
        logger.exception("went wrong")
    logger.removeHandler(handler)
    [line] = [json.loads(line) for line in written.getvalue().splitlines()]
    assert "ValueError" in line["traceback"]
    assert RESIDENT not in written.getvalue()


# ── the worker ────────────────────────────────────────────────────────────────────────────────

WORKER = """
import django, logging
django.setup()
from credit_portal.celery import app
app.log.setup(loglevel="WARNING")
logging.getLogger("celery.app.trace").error("task failed of %s", "13800435000")
logging.getLogger("celery.task").error("and of 13800435000")
print("printed")
"""


def test_the_worker_logs_as_the_web_server_does():
    done = subprocess.run(
        [sys.executable, "-c", WORKER], capture_output=True, text=True, check=True
    )
    first, second = done.stderr.splitlines()
    assert first.endswith("ERROR celery.app.trace task failed of …")
    assert second.endswith("ERROR celery.task and of …")
    assert done.stdout == "printed\n"

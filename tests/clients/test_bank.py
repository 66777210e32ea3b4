"""The example at work: a bank's copy, counter, pushes and webhooks."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import httpx
import pytest
from django.utils import timezone
from standardwebhooks import Webhook

from jointaction.models import Hit, Push
from jointaction.services import distribute
from tests.builders import api_key, liaison, published_black
from tests.clients.servers import ROOT
from tests.clients.test_webhooks import SECRET

CLIENT = ROOT / "clients" / "python"


@pytest.fixture
def hook(bank):
    """A listener on a free port, and its bell."""
    bell = bank.threading.Event()
    server = bank.listener(0, SECRET, bell)
    yield f"http://127.0.0.1:{server.server_port}", bell
    server.shutdown()
    server.server_close()


def test_the_bank_checks_answers_and_keeps_in_step(bank, city, live_server, tmp_path, capsys):
    key = api_key(liaison("bank-demo"), "read", "check", "feedback")
    entry = published_black()
    distribute(today=timezone.localdate())
    given = ["--portal", live_server.url, "--key", key, "--copy", str(tmp_path / "bank.db")]
    bank.main([*given, "--once"])
    said = capsys.readouterr().out
    assert "1 entries in force, in step at change 1" in said
    assert f"{entry.subject.code}: listed" in said
    push = Push.objects.get(unit__code="bank-demo")
    assert push.status == "answered"
    assert Hit.objects.get().answered_at is not None
    bank.main([*given, "--once"])  # and again: nothing is left to do twice
    assert push.feedback.count() == len(push.measures)


def test_without_the_portal_the_copy_answers_at_the_counter(bank, client_of, tmp_path, capsys):
    entry = published_black()
    client = client_of(liaison("bank-demo"), "read", "check", "feedback", patience=0)
    path = tmp_path / "bank.db"
    bank.Copy(path, client).sync()
    client.http.base_url = "http://127.0.0.1:9"
    bank.Bank(client, path).counter(entry.subject.code, "DK-1")
    assert "the copy says ['black" in capsys.readouterr().out


def test_a_genuine_webhook_rings_the_bell(hook):
    url, bell = hook
    now, body = datetime.now(UTC), json.dumps({"type": "listing.published"})
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("msg_1", now, body),
    }
    assert httpx.post(url, content=body, headers=headers).status_code == 204
    assert bell.is_set()


def test_a_forged_webhook_rings_nothing(hook):
    url, bell = hook
    assert httpx.post(url, content=b"{}").status_code == 400
    assert not bell.is_set()


def test_the_client_needs_nothing_of_the_portal(tmp_path):
    code = "import sys, credit_portal_client; print('django' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(CLIENT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == "False\n"

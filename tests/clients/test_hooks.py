"""The portal's own webhooks, as the example takes them."""

import socket

from jointaction.services import webhooks
from listings.api import shown
from tests.builders import liaison, published_black
from tests.jointaction.receiver import LOCAL


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_the_bank_registers_and_is_rung_at(bank, client_of, settings, capsys):
    settings.WEBHOOK_ALLOWED_NETWORKS = LOCAL
    port, bell = free_port(), bank.threading.Event()
    client = client_of(liaison("bank-demo"), "manage")
    server = bank.listener(port, bank.registered(client, port), bell)
    published_black()
    webhooks.announce_changes()
    assert webhooks.send(shown=shown) == 1
    server.shutdown()
    server.server_close()
    assert bell.is_set()
    assert "listing.published" in capsys.readouterr().out

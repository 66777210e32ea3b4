"""A live server, a client of it, and the example."""

import importlib.util

import pytest

from credit_portal_client import Client
from rulebook.services import seed_rules
from tests import builders
from tests.clients.servers import ROOT


@pytest.fixture
def city(transactional_db):
    """The rules, in a database that other processes see."""
    seed_rules()


@pytest.fixture
def client_of(city, live_server):
    """Make a client with a key of this officer, for the server that runs in this process."""
    made = []

    def client(user, *scopes, **options):
        made.append(Client(live_server.url, builders.api_key(user, *scopes), **options))
        return made[-1]

    yield client
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def bank():
    """The example, loaded from where it lies."""
    path = ROOT / "clients" / "python" / "examples" / "bank.py"
    found = importlib.util.spec_from_file_location("bank", path)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module

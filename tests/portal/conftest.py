import pytest


@pytest.fixture
def page(client):
    """Ask for a page; it must answer as told."""

    def ask(path, status=200, **extra):
        response = client.get(path, **extra)
        assert response.status_code == status, (path, response.status_code)
        return response

    return ask

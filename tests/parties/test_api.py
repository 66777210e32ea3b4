"""Keys: whose they are, from where they may be used, and that revoking them acts at once."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from parties.models import ApiKey
from tests.builders import Machine, clerk, reviewer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]


def made(**given):
    out = StringIO()
    call_command("create_api_key", stdout=out, **given)
    return out.getvalue().splitlines()


def test_the_key_stands_alone_on_the_last_line_and_works(client):
    officer = clerk()
    *_told, key = made(department="rsj", officer=officer.username, scopes=["read", "publish"])
    answer = client.get("/api/v1/listings/", headers={"Authorization": f"Api-Key {key}"})
    assert answer.status_code == 200
    kept = ApiKey.objects.get()
    assert (kept.officer, kept.scopes) == (officer, ["read", "publish"])


def test_a_key_is_not_made_for_an_officer_of_another_department():
    with pytest.raises(CommandError):
        made(department="czj", officer=clerk().username, scopes=["read"])
    with pytest.raises(CommandError):
        made(department="nowhere", officer=clerk().username, scopes=["read"])
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"revoked": True},
        {"expiry_date": timezone.now() - timezone.timedelta(minutes=1)},
        {"addresses": ["192.0.2.7"]},
    ],
)
def test_a_revoked_expired_or_foreign_key_opens_nothing(change):
    machine = Machine(clerk())
    machine.get("/listings/")
    ApiKey.objects.update(**change)
    machine.get("/listings/", 401)


def test_a_key_is_as_good_as_its_officer():
    machine = Machine(reviewer())
    machine.user.is_active = False
    machine.user.save()
    machine.get("/listings/", 401)


def test_a_key_is_found_in_one_query(django_assert_max_num_queries):
    machine = Machine(clerk())
    with django_assert_max_num_queries(2):
        machine.get("/measures/", page_size=1, cursor="x", expect=400)

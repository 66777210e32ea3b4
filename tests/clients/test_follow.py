"""The plug pulled while a program follows: at the portal's end, and at its own."""

from operator import itemgetter

import pytest
from django.db import connection
from django.utils import timezone

from bench import data
from credit_portal_client import Client, Copy
from listings import ledger
from listings import services as listings
from listings.models import Listing
from tests.builders import DAY, api_key, liaison
from tests.clients.histories import History
from tests.clients.servers import Follower, Portal, come_to

pytestmark = pytest.mark.usefixtures("city")
KILLS = 5
AT_A_TIME = 400


def test_portal_and_follower_killed_again_and_again_leave_the_copy_in_step(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "BATCH", 100)
    path, key = tmp_path / "copy.db", api_key(liaison("bank-demo"), "read")
    history = History("killed")
    history.go_on(20)
    with (
        Portal(connection.settings_dict["NAME"]) as portal,
        Follower(portal.url, key, path, page=20) as follower,
    ):
        for number in range(1, KILLS + 1):
            come_to(path, ledger.head().seq)
            data.ensure(AT_A_TIME * number)
            expire_some(number)
            come_to(path, ledger.head().seq - AT_A_TIME // 2)
            portal.kill()
            history.go_on(10)
            if number % 2:
                follower.kill()
                follower.start()
            portal.start()
        come_to(path, ledger.head().seq)
        follower.kill()
        with Client(portal.url, key) as client:
            copy = Copy(path, client)
            assert copy.sync() == 0
            assert copy.prove()
            with client.snapshot() as (stand, entries):
                assert sorted(entries, key=itemgetter("id")) == list(copy)
    assert stand.seq == ledger.head().seq > KILLS * AT_A_TIME
    assert len(copy) == Listing.objects.public(timezone.localdate()).count() > 500
    ended = Listing.objects.filter(status="expired").select_related("subject")
    left = path.read_bytes()
    assert sum(copy.has_ended(str(entry.public_id)) for entry in ended) > 100
    for entry in ended:
        assert copy.entry(str(entry.public_id)) is None
        assert (entry.subject.code or "of a person").encode() not in left


def expire_some(number):
    """Each time a tenth of what the bench made."""
    step = (data.LAST_END - data.FIRST_END) // 10
    today = timezone.localdate() + (data.FIRST_END + step * number) * DAY
    listings.expire_lapsed(today=today)

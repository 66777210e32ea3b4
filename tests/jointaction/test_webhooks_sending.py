"""What is told arrives at least once, in order and signed, whatever receiver and machine do."""

import base64
import hashlib
import hmac
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from datetime import timedelta
from email.utils import format_datetime

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone
from standardwebhooks import Webhook

from blacklist import services as blacklist
from jointaction import services as jointaction
from jointaction.models import Delivery, Endpoint, Occasion
from jointaction.services import webhooks
from jointaction.services.webhooks import announce, content
from jointaction.services.webhooks import post as posting
from jointaction.services.webhooks.deliver import LEASE, SENDER, claim, note
from listings import services as listings
from listings.api import shown
from listings.models import Listing
from notices.models import Notice
from objections import services as objections
from parties.models import AccessLog, Actor
from tests import builders
from tests.jointaction.certificate import certificates
from tests.jointaction.receiver import LOCAL, Receiver, drip, hang, noise, ok, say, status

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("rules")]
ENDED = {"id", "list", "status", "ended_on", "end_reason"}


@pytest.fixture
def receiver(settings, monkeypatch):
    settings.WEBHOOK_ALLOWED_NETWORKS = LOCAL
    monkeypatch.setattr(posting, "LIMIT", 2)
    found = Receiver()
    yield found
    found.close()


def deliver():
    """All that is due, announced and sent; how many arrived."""
    webhooks.announce_changes()
    return webhooks.send(shown=shown)


def pass_by(**span):
    """Let time pass for all that waits, as if it had been put down that much earlier."""
    span = timedelta(**span)
    Delivery.objects.waiting().update(
        next_try_at=F("next_try_at") - span,
        first_tried_at=F("first_tried_at") - span,
        tried_at=F("tried_at") - span,
    )
    Endpoint.objects.update(
        paused_until=F("paused_until") - span, failing_since=F("failing_since") - span
    )


def withdraw(entry):
    today = timezone.localdate()
    actor = Actor.of(builders.clerk())
    listings.withdraw(entry, reason="error", actor=actor, note="列错单位", today=today)


def correct(entry, ground="更正后的事实。"):
    today, actor = timezone.localdate(), Actor.of(builders.clerk())
    listings.correct(entry, {"ground": ground}, actor=actor, note="更正", today=today)


def told(receiver, secret):
    return [(message["type"], message["data"]) for _id, message in receiver.verified(secret)]


# ── what is told to whom ──────────────────────────────────────────────────────────────────────


def test_an_entry_is_told_as_the_public_sees_it(receiver):
    _endpoint, secret = builders.endpoint("hbj", url=receiver.url)
    entry = builders.published_black(reference="内部编号")
    assert deliver() == 1
    ((_id, message),) = receiver.verified(secret)
    assert message.keys() == {"type", "timestamp", "data"}
    machine = builders.Machine(builders.liaison("hbj"))
    assert message["data"] == machine.get(f"/listings/{entry.public_id}/")
    assert message["type"] == "listing.published"
    assert message["timestamp"].endswith("+08:00")


def test_what_has_ended_by_the_time_of_sending_is_told_in_five_words_alone(receiver):
    _endpoint, secret = builders.endpoint("rsj", url=receiver.url)
    entry = builders.published_black()
    correct(entry)
    deliver()
    withdraw(Listing.objects.get(pk=entry.pk))
    deliver()
    webhooks.replay(
        _endpoint, actor=Actor.of(builders.clerk()), since=timezone.now() - timedelta(hours=1)
    )
    assert deliver() == 3
    now = told(receiver, secret)
    assert [kind for kind, _data in now] == [
        "listing.published", "listing.corrected", "listing.withdrawn",
    ] * 2  # fmt: skip
    assert [data.keys() == ENDED for _kind, data in now] == [False, False, True, True, True, True]


def test_an_entry_past_its_last_day_is_told_as_ended_before_any_sweep_ran(receiver):
    _endpoint, secret = builders.endpoint("hbj", url=receiver.url)
    entry = builders.published_black()
    Listing.objects.filter(pk=entry.pk).update(
        published_on=timezone.localdate() - 30 * builders.DAY,
        visible_until=timezone.localdate() - builders.DAY,
    )
    deliver()
    ((_kind, data),) = told(receiver, secret)
    assert data.keys() == ENDED
    assert data["status"] == "expired"


def test_all_five_events_of_entries_are_told_to_whoever_chose_them(receiver):
    builders.endpoint("hbj", url=f"{receiver.url}?all")
    builders.endpoint("hbj", url=f"{receiver.url}?one", events=["listing.expired"])
    lapsed, wrong = builders.last_public_day(timezone.localdate()), builders.published_black()
    right = builders.published_black()
    correct(wrong)
    withdraw(Listing.objects.get(pk=wrong.pk))
    today = timezone.localdate()
    listings.repair(right, actor=Actor.of(builders.clerk()), note="已改正", today=today)
    listings.expire_lapsed(today=today + builders.DAY)
    assert lapsed.pk
    webhooks.announce_changes()
    kinds = Delivery.objects.order_by("pk").values_list("endpoint__url", "event")
    assert [event for url, event in kinds if url.endswith("one")] == ["listing.expired"]
    assert [event for url, event in kinds if url.endswith("all")] == [
        "listing.published", "listing.published", "listing.published", "listing.corrected",
        "listing.withdrawn", "listing.repaired", "listing.expired",
    ]  # fmt: skip


def test_a_new_endpoint_hears_of_nothing_that_was_before_it(receiver):
    builders.published_black()
    builders.endpoint("hbj", url=receiver.url)
    assert deliver() == 0
    builders.published_black()
    assert deliver() == 1


def test_pushes_are_told_to_the_units_own_endpoints_alone(receiver):
    _own, secret = builders.endpoint(
        "czj", url=receiver.url, events=["push.created", "push.overdue"]
    )
    builders.endpoint("hbj", url=f"{receiver.url}?other")
    entry, today = builders.published_black(), timezone.localdate()
    for _twice in "ab":
        jointaction.distribute(today=today)
    push = entry.pushes.get(unit__code="czj")
    assert Delivery.objects.filter(push__isnull=False).count() == 1
    for _twice in "ab":
        jointaction.chase_late(today=push.feedback_due + builders.DAY, lead_unit="fgw")
    deliver()
    mine = [message for message in receiver.messages if "?" not in message[1].decode()]
    assert mine
    found = [
        Webhook(secret).verify(body, headers)
        for headers, body in receiver.messages
        if b"push." in body
    ]
    assert [message["type"] for message in found] == ["push.created", "push.overdue"]
    assert found[0]["data"].keys() == {"id", "kind", "status", "feedback_due", "overdue", "listing"}
    assert found[0]["data"]["id"] == str(push.public_id)
    assert found[0]["data"]["listing"]["id"] == str(entry.public_id)


def test_a_reply_to_an_objection_is_told_to_the_entrys_department_in_the_same_breath(receiver):
    _own, secret = builders.endpoint("rsj", url=receiver.url, events=["objection.replied"])
    builders.endpoint("hbj", url=f"{receiver.url}?other", events=["objection.replied"])
    matter, _code = builders.objection()
    today = timezone.localdate()
    matter = objections.propose_reply(
        matter,
        actor=Actor.of(builders.clerk()),
        outcome="upheld_withdrawn",
        reasons="经核查，确属认定有误。",
        today=today,
    )
    assert not Delivery.objects.exists()
    objections.approve_reply(matter, actor=Actor.of(builders.reviewer()), today=today)
    assert deliver() == 1
    ((_kind, data),) = told(receiver, secret)
    assert (data["number"], data["outcome"]) == (matter.number, "upheld_withdrawn")
    assert data["replied_on"] == str(today)
    assert data["listing"].keys() == ENDED


def test_a_person_is_masked_and_no_digit_of_the_paper_goes_out(receiver):
    number = builders.resident_id(77, "19700707")
    builders.endpoint("zjfy", url=receiver.url)
    builders.published_black(builders.person("王示例", number), unit="zjfy", category="J01")
    jointaction.distribute(today=timezone.localdate())
    deliver()
    sent = b"".join(body for _headers, body in receiver.messages).decode()
    assert "王*" in sent
    assert "王示例" not in sent
    assert number[6:] not in sent
    assert number[:14] not in sent


def test_rows_are_made_once_and_set_based(receiver, django_assert_max_num_queries, monkeypatch):
    monkeypatch.setattr(announce, "BATCH", 2)
    for number in range(3):
        builders.endpoint("hbj", url=f"{receiver.url}?{number}")
    for _number in range(5):
        builders.published_black()
    assert webhooks.announce_changes() == 15
    assert webhooks.announce_changes() == 0
    Endpoint.objects.update(seq=0)
    assert webhooks.announce_changes() == 0, "what was made is not made again"
    monkeypatch.setattr(announce, "BATCH", 5_000)
    for _number in range(8):
        builders.published_black()
    with django_assert_max_num_queries(1 + 3 * 10):
        assert webhooks.announce_changes() == 24


# ── signatures ────────────────────────────────────────────────────────────────────────────────


def test_a_signature_is_the_one_of_the_specification():
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    signed = content.signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", body, 1614265330)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    key = base64.b64decode(secret[6:])
    by_hand = hmac.new(key, b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330." + body, hashlib.sha256)
    assert signed == f"v1,{base64.b64encode(by_hand.digest()).decode()}"


def test_after_a_rotation_both_secrets_sign_until_the_old_ones_time_is_over(receiver):
    endpoint, old = builders.endpoint("rsj", url=receiver.url)
    endpoint, new = webhooks.rotate(endpoint, actor=Actor.of(builders.clerk()), hours=1)
    assert old != new
    builders.published_black()
    deliver()
    ((headers, body),) = receiver.messages
    assert len(headers["webhook-signature"].split()) == 2
    assert Webhook(old).verify(body, headers) == Webhook(new).verify(body, headers)
    Endpoint.objects.update(previous_until=timezone.now())
    builders.published_black()
    deliver()
    headers, body = receiver.messages[-1]
    assert len(headers["webhook-signature"].split()) == 1
    assert Webhook(new).verify(body, headers)


def test_the_id_stays_and_the_time_moves_from_try_to_try(receiver):
    _endpoint, secret = builders.endpoint("hbj", url=receiver.url)
    builders.published_black()
    receiver.answer = status(500)
    assert deliver() == 0
    time.sleep(1.1)
    pass_by(minutes=1)
    receiver.answer = ok
    assert deliver() == 1
    first, second = (headers for headers, _body in receiver.messages)
    assert first["webhook-id"] == second["webhook-id"] == str(Delivery.objects.get().public_id)
    assert int(first["webhook-timestamp"]) < int(second["webhook-timestamp"])
    assert len(receiver.verified(secret)) == 2


def test_a_secret_is_read_once_in_a_run_and_the_reading_is_logged(receiver):
    builders.endpoint("hbj", url=receiver.url)
    for _number in range(5):
        builders.published_black()
    assert deliver() == 5
    log = AccessLog.objects.get(table="jointaction_endpoint")
    assert log.by_label == "clock"


# ── receivers that misbehave ──────────────────────────────────────────────────────────────────

MISBEHAVIOUR = {
    "fails": (status(500, "内部错误 18 位 220502198001010014".encode()), "refused", 500),
    "refuses": (status(400), "refused", 400),
    "redirects": (status(302, location="http://169.254.169.254/"), "redirect", 302),
    "says a lot": (status(503, b"x" * 5_000_000), "refused", 503),
    "hangs": (hang, "timeout", None),
    "drips": (drip, "timeout", None),
    "talks nonsense": (noise, "broken", None),
    "hangs up": (lambda _handler, _message: None, "broken", None),
}


@pytest.mark.parametrize("kind", MISBEHAVIOUR)
def test_a_receiver_that_misbehaves_is_told_again_later(receiver, kind):
    answer, fault, code = MISBEHAVIOUR[kind]
    _endpoint, secret = builders.endpoint("hbj", url=receiver.url)
    builders.published_black()
    receiver.answer = answer
    began = time.monotonic()
    assert deliver() == 0
    assert time.monotonic() - began < 20
    row = Delivery.objects.get()
    assert (row.status, row.fault, row.http_status, row.attempts) == ("waiting", fault, code, 1)
    assert len(row.answer) <= 300
    assert not any(sign.isdigit() for sign in row.answer)
    assert row.next_try_at > timezone.now()
    assert deliver() == 0, "it is not due yet"
    receiver.answer = ok
    pass_by(minutes=1)
    assert deliver() == 1
    row.refresh_from_db()
    assert (row.status, row.fault, row.http_status) == ("delivered", "", 204)
    assert len(told(receiver, secret)) == 2


def test_a_receiver_that_is_not_there_is_told_once_it_is(receiver):
    builders.endpoint("hbj", url="http://127.0.0.1:1234/hook")
    builders.published_black()
    assert deliver() == 0
    assert Delivery.objects.get().fault == "unreachable"
    Endpoint.objects.update(url=receiver.url)
    pass_by(minutes=1)
    assert deliver() == 1


def test_a_receiver_that_takes_it_and_then_drips_has_taken_it(receiver):
    def answer(handler, message):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n")
        drip(handler, message)

    receiver.answer = answer
    builders.endpoint("hbj", url=receiver.url)
    builders.published_black()
    assert deliver() == 1


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        ("3600", 3_590, 3_601),
        (timedelta(hours=2), 7_000, 7_201),  # as a date
        ("99999999", 6 * 3600 - 10, 6 * 3600 + 1),
        ("-5", 1, 20),
        ("soon", 1, 20),
        ("1e9", 1, 20),
    ],
)
def test_the_receiver_may_ask_for_time_within_bounds(receiver, asked, least, most):
    builders.endpoint("hbj", url=receiver.url)
    builders.published_black()
    if isinstance(asked, timedelta):
        asked = format_datetime(timezone.now() + asked)
    receiver.answer = status(429, Retry_After=asked)
    deliver()
    wait = Delivery.objects.get().next_try_at - timezone.now()
    assert least <= wait.total_seconds() <= most


def test_no_proxy_of_the_environment_is_heeded(receiver, monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    builders.endpoint("hbj", url=receiver.url)
    builders.published_black()
    assert deliver() == 1


# ── order and fairness ────────────────────────────────────────────────────────────────────────


def test_a_failed_delivery_holds_back_later_ones_of_its_entry_and_no_others(receiver):
    _endpoint, secret = builders.endpoint("hbj", url=receiver.url)
    bad, good = builders.published_black(), builders.published_black()
    correct(bad)
    correct(good)

    def fail_the_bad(handler, message):
        say(handler, 500 if message["data"]["id"] == str(bad.public_id) else 204)

    receiver.answer = fail_the_bad
    assert deliver() == 2
    assert deliver() == 0
    of_bad = [kind for kind, data in told(receiver, secret) if data["id"] == str(bad.public_id)]
    of_good = [kind for kind, data in told(receiver, secret) if data["id"] == str(good.public_id)]
    assert of_bad == ["listing.published"]
    assert of_good == ["listing.published", "listing.corrected"]
    receiver.answer, receiver.messages = ok, []
    pass_by(minutes=1)
    assert deliver() == 2
    assert [kind for kind, _data in told(receiver, secret)] == [
        "listing.published", "listing.corrected",
    ]  # fmt: skip


def test_many_changes_of_many_entries_arrive_each_in_the_order_of_its_entry(receiver):
    _endpoint, secret = builders.endpoint("hbj", url=receiver.url)
    entries = [builders.published_black() for _number in range(6)]
    for round_ in range(3):
        for entry in entries:
            correct(Listing.objects.get(pk=entry.pk), f"第 {round_} 次更正。")
    unlucky = iter(range(10_000))
    receiver.answer = lambda handler, _message: say(handler, 500 if next(unlucky) % 3 else 204)
    for _try in range(60):
        deliver()
        pass_by(hours=7)
        Delivery.objects.update(first_tried_at=timezone.now())
        if not Delivery.objects.waiting().exists():
            break
    assert not Delivery.objects.exclude(status="delivered").exists()
    arrived = Delivery.objects.order_by("delivered_at", "pk")
    for entry in entries:
        keys = list(arrived.filter(listing=entry).values_list("pk", flat=True))
        assert keys == sorted(keys)
        assert len(keys) == 4
    assert len({id_ for id_, _message in receiver.verified(secret)}) == 24


def test_an_endpoint_that_hangs_holds_up_no_other(receiver):
    slow = [builders.endpoint("hbj", url=f"{receiver.url}?{n}")[0] for n in range(10)]
    swift, _secret = builders.endpoint("czj", url=f"{receiver.url}?swift")
    for _number in range(12):
        builders.published_black()

    def answer(handler, message):
        hang(handler, message) if "swift" not in handler.path else ok(handler, message)

    receiver.answer = answer
    webhooks.announce_changes()
    began = time.monotonic()
    webhooks.send(shown=shown, seconds=8)
    assert time.monotonic() - began < 30
    assert swift.deliveries.filter(status="delivered").count() == 12
    for endpoint in slow:
        assert not endpoint.deliveries.filter(status="delivered").exists()
        assert endpoint.deliveries.filter(attempts__gte=1).exists(), "each has had its turn"


def test_an_endpoint_that_is_down_as_a_whole_is_knocked_at_ever_more_rarely(receiver):
    endpoint, _secret = builders.endpoint("hbj", url=receiver.url)
    for _number in range(14):
        builders.published_black()
    receiver.answer = status(500)
    deliver()
    endpoint.refresh_from_db()
    assert 10 <= len(receiver.messages) <= 14
    assert endpoint.paused_until > timezone.now()
    seen = len(receiver.messages)
    pass_by(hours=1)
    deliver()
    assert len(receiver.messages) == seen + 1
    receiver.answer = ok
    pass_by(hours=1)
    assert deliver() == 14
    endpoint.refresh_from_db()
    assert (endpoint.failures, endpoint.failing_since, endpoint.paused_until) == (0, None, None)


def test_only_one_sender_works_at_a_time(receiver, monkeypatch):
    builders.endpoint("hbj", url=receiver.url)
    builders.published_black()
    webhooks.announce_changes()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [SENDER])
        assert webhooks.send(shown=shown) == 0
        cursor.execute("SELECT pg_advisory_unlock(%s)", [SENDER])
    other.close()
    assert webhooks.send(shown=shown) == 1


def test_one_delivery_that_cannot_be_said_stops_no_other(receiver, caplog):
    builders.endpoint("hbj", url=receiver.url)
    bad, _good = builders.published_black(), builders.published_black()

    def poisoned(listings, *given, **options):
        if any(listing.pk == bad.pk for listing in listings):
            raise LookupError
        return shown(listings, *given, **options)

    webhooks.announce_changes()
    assert webhooks.send(shown=poisoned) == 1
    row = Delivery.objects.get(listing=bad)
    assert (row.status, row.fault) == ("waiting", "content")
    assert str(row.pk) in caplog.text


# ── giving up, and coming back ────────────────────────────────────────────────────────────────


def test_after_three_days_a_delivery_is_dead_its_endpoint_stopped_and_both_come_back(receiver):
    endpoint, secret = builders.endpoint("hbj", url=receiver.url)
    builders.published_black()
    receiver.answer = status(500)
    deliver()
    pass_by(hours=71)
    deliver()
    assert Delivery.objects.get().status == "waiting"
    pass_by(hours=7)
    deliver()
    endpoint.refresh_from_db()
    assert Delivery.objects.get().status == "dead"
    assert (endpoint.status, endpoint.disabled_reason) == ("disabled", "failing")
    assert endpoint.journal.last().action == "disable"
    assert (
        Notice.objects.filter(department=endpoint.department, key__startswith="webhook").count()
        == 2
    )
    builders.published_black()
    assert deliver() == 0
    assert Delivery.objects.count() == 1, "what happened meanwhile waits in the ledger"
    receiver.answer, actor = ok, Actor.of(builders.clerk("hbj"))
    webhooks.enable(endpoint, actor=actor)
    assert deliver() == 1
    assert webhooks.replay(endpoint, actor=actor) == 1
    assert deliver() == 1
    assert len({id_ for id_, _message in receiver.verified(secret)}) == 2


def test_an_entry_whose_delivery_is_dead_holds_nothing_back(receiver):
    builders.endpoint("hbj", url=receiver.url)
    entry = builders.published_black()
    receiver.answer = status(500)
    deliver()
    pass_by(days=4)
    deliver()
    Endpoint.objects.update(status="active", failing_since=None)
    correct(entry)
    receiver.answer = ok
    assert deliver() == 1
    assert list(Delivery.objects.order_by("pk").values_list("status", flat=True)) == [
        "dead", "delivered",
    ]  # fmt: skip


def test_an_address_that_is_gone_stops_its_endpoint_at_once(receiver):
    endpoint, _secret = builders.endpoint("hbj", url=receiver.url)
    builders.published_black()
    receiver.answer = status(410)
    deliver()
    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.disabled_reason) == ("disabled", "gone")
    assert Delivery.objects.get().status == "waiting"
    receiver.answer = ok
    webhooks.enable(endpoint, actor=Actor.of(builders.clerk("hbj")))
    assert deliver() == 1


def test_what_happened_while_an_endpoint_was_stopped_is_told_once_it_is_started(receiver):
    endpoint, secret = builders.endpoint("czj", url=receiver.url)
    actor = Actor.of(builders.clerk("czj"))
    webhooks.disable(endpoint, actor=actor)
    builders.published_black()
    jointaction.distribute(today=timezone.localdate())
    assert deliver() == 0
    webhooks.enable(endpoint, actor=actor)
    assert deliver() == 2
    assert {kind for kind, _data in told(receiver, secret)} == {
        "listing.published", "push.created",
    }  # fmt: skip


def test_a_department_that_is_out_of_use_is_told_nothing(receiver):
    endpoint, _secret = builders.endpoint("hbj", url=receiver.url)
    builders.published_black()
    webhooks.announce_changes()
    builders.published_black()
    endpoint.department.active = False
    endpoint.department.save()
    assert deliver() == 0
    assert Delivery.objects.count() == 1


def test_a_trial_is_sent_once_also_to_a_stopped_endpoint(receiver):
    endpoint, secret = builders.endpoint("hbj", url=receiver.url)
    actor = Actor.of(builders.clerk("hbj"))
    webhooks.disable(endpoint, actor=actor)
    waiting = webhooks.ping(endpoint, actor=actor)
    assert webhooks.ping(endpoint, actor=actor) == waiting
    assert not receiver.messages, "no request is made while the caller waits"
    receiver.answer = status(500)
    deliver()
    assert endpoint.deliveries.get().status == "dead"
    receiver.answer = ok
    webhooks.ping(endpoint, actor=actor)
    assert deliver() == 1
    assert told(receiver, secret)[-1] == ("endpoint.ping", {"endpoint": str(endpoint.public_id)})


def test_one_delivery_is_sent_again_under_its_own_id(receiver):
    endpoint, secret = builders.endpoint("hbj", url=receiver.url)
    builders.published_black()
    deliver()
    webhooks.redeliver(endpoint.deliveries.get(), actor=Actor.of(builders.clerk("hbj")))
    assert deliver() == 1
    first, second = receiver.verified(secret)
    assert first[0] == second[0]


def test_what_was_delivered_goes_after_a_month_and_what_is_dead_after_half_a_year(receiver):
    builders.endpoint("hbj", url=receiver.url)
    for _number in range(2):
        builders.published_black()
    deliver()
    dead, _delivered = Delivery.objects.order_by("pk")
    today = timezone.localdate()
    Delivery.objects.filter(pk=dead.pk).update(status="dead")
    for days, left in ((29, 2), (31, 1), (179, 1), (181, 0)):
        Delivery.objects.update(tried_at=timezone.now() - timedelta(days=days))
        webhooks.remove_old(today=today)
        assert Delivery.objects.count() == left
    assert deliver() == 0, "and is not made again"


# ── addresses that turn inwards ───────────────────────────────────────────────────────────────


@pytest.fixture
def names(monkeypatch):
    """What a name means, answer by answer, and how often it was asked."""
    plain, known, asked = socket.getaddrinfo, {}, []

    def look_up(host, *given, **options):
        if host not in known:
            return plain(host, *given, **options)
        asked.append(host)
        found = known[host].pop(0) if len(known[host]) > 1 else known[host][0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, 0))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    known["asked"] = asked
    return known


@pytest.mark.parametrize(
    "url",
    [
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]:{port}/",
        "https://0x7f000001:{port}/",
        "https://127.1:{port}/",
        "https://[::ffff:127.0.0.1]:{port}/",
        "https://inside.example.cn:{port}/",
        "http://127.0.0.1:{port}/",
        "http://1.1.1.1/",
    ],
)
def test_an_address_that_is_not_allowed_any_more_is_never_asked(receiver, settings, names, url):
    names["inside.example.cn"] = ["10.0.0.1"]
    builders.endpoint("hbj", url=receiver.url)
    Endpoint.objects.update(url=url.format(port=receiver.server.server_port))
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    builders.published_black()
    assert deliver() == 0
    assert Delivery.objects.get().fault == "address"
    assert not receiver.messages


def test_a_name_that_turns_inwards_after_it_was_saved_is_not_followed(receiver, settings, names):
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    names["rebinding.example.cn"] = ["1.1.1.1", "127.0.0.1"]
    port = receiver.server.server_port
    builders.endpoint("hbj", url=f"https://rebinding.example.cn:{port}/hook")
    builders.published_black()
    assert deliver() == 0
    assert Delivery.objects.get().fault == "address"
    assert not receiver.messages


def test_the_connection_goes_to_the_address_that_was_checked_and_the_name_is_asked_once(
    receiver, names
):
    port = receiver.server.server_port
    names["hooks.example.cn"] = ["127.0.0.1"]
    builders.endpoint("hbj", url=f"http://hooks.example.cn:{port}/hook")
    # the second answer is the sender's check; a third look-up would lead away
    names["hooks.example.cn"] = ["127.0.0.1", "10.255.255.1"]
    names["asked"].clear()
    builders.published_black()
    assert deliver() == 1
    assert names["asked"] == ["hooks.example.cn"]
    assert receiver.messages[0][0]["Host"] == f"hooks.example.cn:{port}"


def test_a_certificate_must_be_the_names_and_of_an_authority_that_is_trusted(
    settings, names, tmp_path
):
    settings.WEBHOOK_ALLOWED_NETWORKS = LOCAL
    authority, own = certificates(tmp_path, "hooks.example.cn")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own)
    heard = []
    context.sni_callback = lambda _socket, name, _context: heard.append(name)
    receiver = Receiver(wrap=lambda plain: context.wrap_socket(plain, server_side=True))
    names["hooks.example.cn"] = names["other.example.cn"] = ["127.0.0.1"]
    port = receiver.server.server_port
    first, _secret = builders.endpoint("hbj", url=f"https://hooks.example.cn:{port}/hook")
    second, _secret = builders.endpoint("hbj", url=f"https://other.example.cn:{port}/hook")
    builders.published_black()
    assert deliver() == 0
    assert set(Delivery.objects.values_list("fault", flat=True)) == {"tls"}
    settings.WEBHOOK_CA_FILE = str(authority)
    pass_by(minutes=1)
    assert deliver() == 1
    assert first.deliveries.get().status == "delivered"
    assert second.deliveries.get().fault == "tls"
    assert "hooks.example.cn" in heard
    receiver.close()


# ── the machine ───────────────────────────────────────────────────────────────────────────────

PROGRAM = """
import sys
import django
django.setup()
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[1]
from jointaction.services import webhooks
from listings.api import shown
webhooks.send(shown=shown)
"""


@pytest.mark.django_db(transaction=True)
def test_a_sender_that_is_killed_in_the_middle_tells_again_after_its_lease(receiver):
    _endpoint, secret = builders.endpoint("hbj", url=receiver.url)
    for _number in range(3):
        builders.published_black()
    webhooks.announce_changes()
    receiver.answer = hang
    environment = {**os.environ, "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"}
    command = [sys.executable, "-c", PROGRAM, connection.settings_dict["NAME"]]
    child = subprocess.Popen(command, env=environment)  # noqa: S603
    deadline = time.monotonic() + 60
    while len(receiver.messages) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    idle = _in_transaction()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert len(receiver.messages) == 3
    assert idle == 0, "nothing is sent inside a transaction"
    receiver.answer = ok
    while not _lock_is_free():
        time.sleep(0.05)
    assert deliver() == 0, "they are held until the lease is over"
    pass_by(seconds=61)
    assert deliver() == 3
    sent = [id_ for id_, _message in receiver.verified(secret)]
    assert len(sent) == 6
    assert sorted(sent[:3]) == sorted(sent[3:])


def _in_transaction():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()"
        )
        return cursor.fetchone()[0]


def _lock_is_free():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        return cursor.fetchone()[0] == 0


def test_a_result_that_comes_after_the_lease_changes_nothing(receiver):
    endpoint, _secret = builders.endpoint("hbj", url=receiver.url)
    builders.published_black()
    webhooks.announce_changes()
    now = timezone.now()
    (first,) = claim(endpoint, 5, now)
    assert claim(endpoint, 5, now) == []
    (second,) = claim(endpoint, 5, now + LEASE)
    note(first, posting.Answer(500, "refused"), now=now)
    assert Delivery.objects.get().fault == ""
    note(second, posting.Answer(204), now=now)
    assert Delivery.objects.get().status == "delivered"


def test_the_answer_of_a_receiver_is_made_fit_for_our_pages():
    said = "密钥 whsec_abc= 证件 220502198001010014 \x00\x1b[31m ２２０５ v1,c2ln 行\n行".encode()
    kept = posting.scrubbed(said + b"\xff" * 10)
    assert "whsec_abc" not in kept
    assert "c2ln" not in kept
    assert kept.isprintable()
    assert not any(sign.isdigit() for sign in kept)
    assert len(posting.scrubbed(b"x" * 100_000)) == 300


def test_a_published_draft_tells_once_whoever_asks(receiver):
    """Through the real service, so that the row comes of the ledger and of nothing else."""
    endpoint, _secret = builders.endpoint("hbj", url=receiver.url)
    draft = builders.black_draft()
    assert webhooks.announce_changes() == 0
    blacklist.publish(draft, actor=Actor.of(builders.reviewer()), today=timezone.localdate())
    for _twice in "ab":
        deliver()
    assert endpoint.deliveries.count() == len(receiver.messages) == 1
    assert json.loads(receiver.messages[0][1])["type"] == Occasion.PUBLISHED

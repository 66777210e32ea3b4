"""Who tries to sign in too often waits; whoever signed in from there before is not kept out."""

from datetime import timedelta

from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from casework.moves import record_act
from casework.services import count, host_of
from parties import services as parties
from parties.models import PUBLIC, Actor, User
from parties.services import known_address


@transaction.atomic
def signed_in(user, session_key, *, outcome, now, address, user_agent):
    """Open the session and write the sign-in into the journal, both or neither."""
    record_act(user, "sign_in", actor=Actor.of(user), note=address)
    place = {"address": address, "user_agent": user_agent}
    parties.open_session(user, session_key, outcome=outcome, now=now, **place)


@transaction.atomic
def sign_in_failed(username, *, now, address, user_agent):
    """Write down a try in vain; of a name that is no account nothing is kept."""
    parties.record_failure(username, now=now, address=address, user_agent=user_agent)
    if user := User.objects.filter(username=username).first():
        record_act(user, "sign_in_failed", actor=PUBLIC, note=address)


def seconds_to_wait(username, address):
    """Count a try to sign in; how long to wait before the next one, 0 where it may be made.

    Tries of an address, at an account and in all are counted where the address is new to the
    account: so nobody who floods us locks out those who work here, and a whole town hall behind
    one address signs in at half past eight. What is known there axes watches.
    """
    if known_address(username, address):
        return 0
    rates = (
        count("sign-in of address", host_of(address), **_limit(settings.SIGN_IN_OF_ADDRESS)),
        count("sign-in of account", username, **_limit(settings.SIGN_IN_OF_ACCOUNT)),
        count("sign-in of all", "", **_limit(settings.SIGN_IN_OF_ALL)),
    )
    return max((rate.reset for rate in rates if rate.is_over), default=0)


def _limit(setting):
    tries, seconds = setting
    return {"limit": tries, "seconds": seconds}


def locked_until(username, address):
    """When the lock of an account from an address ends, as its last failure there set it."""
    rows = AccessAttempt.objects.filter(username=username, ip_address=address)
    last = rows.aggregate(last=Max("attempt_time"))["last"] or timezone.now()
    return last + (get_cool_off() or timedelta())

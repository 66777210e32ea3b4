"""Proof of work, as ALTCHA has it: a browser computes for a second before it files once more.

Nothing is kept of who asked for a challenge; it is signed, and whoever solved it shows it once.
"""

import secrets
from datetime import UTC, datetime, timedelta

import altcha
from django.utils.crypto import salted_hmac

from casework.services.rates import is_new

ALGORITHM = "PBKDF2/SHA-256"
ROUNDS = 5_000  # of one try, about 2 ms of a laptop
LEAST_TRIES = 200
MORE_TRIES = 200  # at most
LIFE = timedelta(minutes=30)  # of a challenge; it is asked for when the form is sent
LONGEST = 4_000  # characters of an answer; a right one has about 700


def challenge(*, now):
    """What a browser has to compute, in the words of the protocol."""
    tries = LEAST_TRIES + secrets.randbelow(MORE_TRIES)
    made = altcha.create_challenge(
        ALGORITHM,
        ROUNDS,
        counter=tries,
        expires_at=now + LIFE,
        hmac_secret=_secret("challenge"),
        hmac_key_secret=_secret("key"),
    )
    return made.to_dict()


def spend(answer):
    """Whether an answer is right, in time, to a challenge of ours, and shown for the first time."""
    if not answer or len(answer) > LONGEST:
        return False
    secret, key_secret = _secret("challenge"), _secret("key")
    if not altcha.verify_solution(answer, secret, hmac_key_secret=key_secret).verified:
        return False
    asked = altcha.Payload.from_base64(answer).challenge.parameters
    until = datetime.fromtimestamp(asked.expires_at, UTC)
    return is_new("proof", asked.nonce, until=until)


def _secret(what):
    return salted_hmac("casework.proofs", what, algorithm="sha256").hexdigest()

"""The vault's cryptography: what the portal can lock up and can't unlock.

Each identity is AES-256-GCM under a random content key of its own, which is wrapped by HPKE
(RFC 9180: X25519, HKDF-SHA256, AES-256-GCM) to the public key of every vault officer and of the
recovery key. An officer's private half is AES-256-GCM under Argon2id of a passphrase. Every
ciphertext is bound to its table, row and field (a wrap to its key as well): it opens nowhere
else. Nothing here is cached.
"""

import json
import os
import unicodedata

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
# RFC 9106, second choice; memory in KiB
ARGON2 = {"time_cost": 3, "parallelism": 4, "memory_cost": 64 * 1024, "type": Type.ID}
NONCE = 12
BLOCK = 1024  # an identity is padded to a multiple of it: its length tells no name


class WrongKey(Exception):  # noqa: N818 - a refusal, not a fault
    """The passphrase or private key is not the one that opens this."""


def _place(table, row, field):
    return f"{table}:{row}:{field}".encode()


def _identity(report):
    return _place("tipoffs_report", report.public_id, "identity")


def _wrap(report, key):
    return _identity(report) + b":" + str(key.public_id).encode()


def _encrypt(secret, plain, place):
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(secret).encrypt(nonce, plain, place)


def _decrypt(secret, sealed, place):
    sealed = bytes(sealed)
    try:
        return AESGCM(secret).decrypt(sealed[:NONCE], sealed[NONCE:], place)
    except InvalidTag as error:
        raise WrongKey from error


# ── identities ────────────────────────────────────────────────────────────────────────────────


def lock_identity(report, identity, keys):
    """Encrypt a dict for the holders of `keys`: (ciphertext, [(key, wrapped content key)]).

    The content key is forgotten on return.
    """
    content_key = AESGCM.generate_key(256)
    plain = json.dumps(identity).encode()
    plain += b" " * (-len(plain) % BLOCK)
    sealed = _encrypt(content_key, plain, _identity(report))
    return sealed, [(key, _wrapped(content_key, report, key)) for key in keys]


def unlock_identity(report, wrap, private):
    """The identity as a dict. Raises WrongKey."""
    content_key = _unwrapped(report, wrap, private)
    return json.loads(_decrypt(content_key, report.identity_sealed, _identity(report)))


def wrap_again(report, wrap, private, key):
    """The content key of a report, wrapped to one more public key. Raises WrongKey."""
    return _wrapped(_unwrapped(report, wrap, private), report, key)


def _wrapped(content_key, report, key):
    public = X25519PublicKey.from_public_bytes(bytes(key.public_key))
    return SUITE.encrypt(content_key, public, info=_wrap(report, key))


def _unwrapped(report, wrap, private):
    try:
        return SUITE.decrypt(bytes(wrap.wrapped), private, info=_wrap(report, wrap.key))
    except InvalidTag as error:
        raise WrongKey from error


# ── key pairs ─────────────────────────────────────────────────────────────────────────────────


def new_pair():
    """A private key and the 32 bytes of its public half."""
    private = X25519PrivateKey.generate()
    return private, private.public_key().public_bytes_raw()


def is_sound(public):
    """Whether something can be wrapped to these 32 bytes: not to a point of low order."""
    try:
        SUITE.encrypt(b"", X25519PublicKey.from_public_bytes(public))
    except ValueError:
        return False
    return True


def private_of(text):
    """The private key that 64 hexadecimal digits write down. Raises WrongKey."""
    try:
        return X25519PrivateKey.from_private_bytes(bytes.fromhex(text.strip()))
    except ValueError as error:
        raise WrongKey from error


def lock_private(private, passphrase, row):
    """Encrypt an officer's private key under the passphrase: (ciphertext, salt)."""
    salt = os.urandom(16)
    place = _place("tipoffs_vaultkey", row, "private")
    return _encrypt(_stretched(passphrase, salt), private.private_bytes_raw(), place), salt


def unlock_private(key, passphrase):
    """The private key of a vault officer's row. Takes a moment on purpose. Raises WrongKey."""
    place = _place("tipoffs_vaultkey", key.public_id, "private")
    secret = _stretched(passphrase, bytes(key.salt))
    return X25519PrivateKey.from_private_bytes(_decrypt(secret, key.private_wrapped, place))


def _stretched(passphrase, salt):
    words = unicodedata.normalize("NFKC", passphrase).encode(errors="surrogatepass")
    return hash_secret_raw(words, salt, hash_len=32, **ARGON2)

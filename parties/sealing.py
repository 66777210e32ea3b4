"""Sealing of personal data: AES-GCM under rotating keys, keyed blind indexes, signatures.

Keys come from the setting FIELD_KEYS (`id:base64`, newest first). The additional
data binds a ciphertext to its table, row and field, so that it opens nowhere else.
"""

import base64
import hashlib
import hmac
import os
import secrets

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from parties.models import AccessLog


def keys():
    """The sealing keys by id, newest first."""
    pairs = (item.strip().partition(":") for item in settings.FIELD_KEYS if item.strip())
    found = {key_id: base64.b64decode(value) for key_id, _colon, value in pairs}
    if not found or any(len(key) != 32 for key in found.values()):
        raise ImproperlyConfigured("FIELD_KEYS: each key is `id:base64 of 32 bytes`.")
    return found


def _derive(key, purpose):
    return HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(key)


def _aad(table, row, field):
    return f"{table}:{row}:{field}".encode()


def seal(value, *, table, row, field):
    """Encrypt `value` (str) for one field of one row. Returns (key id, ciphertext)."""
    key_id, key = next(iter(keys().items()))
    nonce = os.urandom(12)
    sealed = AESGCM(_derive(key, "seal")).encrypt(nonce, value.encode(), _aad(table, row, field))
    return key_id, nonce + sealed


def unseal(sealed, key_id, *, table, row, field, actor, purpose):
    """Decrypt a sealed value and log who read it and why.

    Raises `cryptography.exceptions.InvalidTag` where the ciphertext was moved or altered,
    `KeyError` where its key is no longer among FIELD_KEYS.
    """
    AccessLog.objects.create(
        table=table, row=str(row), field=field, purpose=purpose, **actor.columns
    )
    sealed = bytes(sealed)
    cipher = AESGCM(_derive(keys()[key_id], "seal"))
    return cipher.decrypt(sealed[:12], sealed[12:], _aad(table, row, field)).decode()


def blind_index(value, *, purpose="paper"):
    """The keyed digest of `value` under the newest key: (key id, 32 bytes)."""
    key_id, key = next(iter(keys().items()))
    return key_id, _digest(key, value, purpose)


def blind_indexes(value, *, purpose="paper"):
    """The digests of `value` under every key, to find rows sealed before a rotation."""
    return [_digest(key, value, purpose) for key in keys().values()]


# No letter or digit that could be read as another.
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def new_code(length=10):
    """A random code for people to type: ten signs are about 49 bits."""
    return "".join(secrets.choice(CODE_ALPHABET) for _sign in range(length))


def code_matches(code, digest):
    """Whether a typed query code is the one whose blind index is `digest`, under any key."""
    typed = code.strip().upper().replace("-", "").replace(" ", "")
    found = blind_indexes(typed, purpose="query")
    return any(hmac.compare_digest(bytes(digest), candidate) for candidate in found)


def _digest(key, value, purpose):
    return hmac.new(_derive(key, f"index:{purpose}"), value.encode(), hashlib.sha256).digest()


# ── signatures ────────────────────────────────────────────────────────────────────────────────


def sign(message):
    """Sign bytes (Ed25519) under the newest key. Returns (key id, 64 bytes)."""
    key_id = next(iter(keys()))
    return key_id, _signing_key(key_id).sign(message)


def public_key(key_id):
    """The 32 bytes with which anybody can check what was signed under a key."""
    return _signing_key(key_id).public_key().public_bytes_raw()


def is_signed(message, signature, key_id):
    """Whether this portal signed the message under one of its present keys."""
    return key_id in keys() and is_signed_by(public_key(key_id), message, signature)


def is_signed_by(public_bytes, message, signature):
    """Whether the holder of a public key signed the message."""
    try:
        Ed25519PublicKey.from_public_bytes(public_bytes).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _signing_key(key_id):
    return Ed25519PrivateKey.from_private_bytes(_derive(keys()[key_id], "sign"))

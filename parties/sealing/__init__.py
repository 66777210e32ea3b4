"""Sealing of personal data: AES-GCM under rotating keys, keyed blind indexes, signatures.

Keys come from the setting FIELD_KEYS (`id:base64`, newest first). The additional
data binds a ciphertext to its table, row and field, so that it opens nowhere else.
"""

import base64
import hmac
import os
import secrets
from functools import lru_cache, partial

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
from django.db import transaction

from parties.models import AccessLog, IndexKey, SigningKey


def keys():
    """The sealing keys by id, newest first."""
    return _parsed(tuple(settings.FIELD_KEYS))


@lru_cache(maxsize=4)
def _parsed(items):
    pairs = (item.strip().partition(":") for item in items if item.strip())
    found = {key_id: base64.b64decode(value) for key_id, _colon, value in pairs}
    if not found or any(len(key) != 32 for key in found.values()):
        raise ImproperlyConfigured("FIELD_KEYS: each key is `id:base64 of 32 bytes`.")
    return found


@lru_cache(maxsize=64)
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
    return opened(sealed, key_id, table=table, row=row, field=field)


def opened(sealed, key_id, *, table, row, field):
    """The same without a line in the log: for a change of keys, which shows the value to nobody."""
    sealed = bytes(sealed)
    cipher = AESGCM(_derive(keys()[key_id], "seal"))
    return cipher.decrypt(sealed[:12], sealed[12:], _aad(table, row, field)).decode()


def blind_index(value, *, purpose="paper", key_id=None):
    """The keyed digest of `value` under the newest key, or the one named: (key id, 32 bytes).

    Raises KeyError where that key is no longer among FIELD_KEYS and its index key was not kept.
    """
    known = keys()
    key_id = key_id or next(iter(known))
    if key_id in known:
        return key_id, _digest(known[key_id], value, purpose)
    return key_id, _digest_under(retired_index_keys(purpose)[key_id], value)


def blind_indexes(value, *, purpose="paper"):
    """The digests of `value` under every key, to find rows sealed before a rotation."""
    return [_digest(key, value, purpose) for key in keys().values()]


def all_digests(value, *, purpose):
    """The digests of `value` under every key there is or was: of what is kept as a digest alone."""
    retired = retired_index_keys(purpose).values()
    return [*blind_indexes(value, purpose=purpose), *(_digest_under(key, value) for key in retired)]


# No letter or digit that could be read as another.
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def new_code(length=10):
    """A random code for people to type: ten signs are about 49 bits."""
    return "".join(secrets.choice(CODE_ALPHABET) for _sign in range(length))


def code_matches(code, digest):
    """Whether a typed query code is the one whose blind index is `digest`, under any key."""
    typed = code.strip().upper().replace("-", "").replace(" ", "")
    found = all_digests(typed, purpose="query")
    return any(hmac.compare_digest(bytes(digest), candidate) for candidate in found)


def _digest(key, value, purpose):
    return _digest_under(index_key(key, purpose), value)


def _digest_under(key, value):
    return hmac.digest(key, value.encode(), "sha256")


def index_key(key, purpose):
    """The key of one kind of digest, derived from a sealing key."""
    return _derive(key, f"index:{purpose}")


@lru_cache(maxsize=8)
def retired_index_keys(purpose):
    """{key id: key} of the digests that were made under keys now retired, read once a process."""
    rows = IndexKey.objects.filter(purpose=purpose).exclude(key_id__in=keys())
    return {
        row.key_id: bytes.fromhex(
            opened(row.sealed, row.sealed_key_id, table=row._meta.db_table, row=row.place,
                   field="key")
        )
        for row in rows
    }  # fmt: skip


# ── signatures ────────────────────────────────────────────────────────────────────────────────


def sign(message):
    """Sign bytes (Ed25519) under the newest key, whose public half is kept. (key id, 64 bytes)."""
    key_id = next(iter(keys()))
    _keep_public(key_id)
    return key_id, _signing_key(key_id).sign(message)


def public_key(key_id):
    """The 32 bytes with which anybody can check what was signed under a present key."""
    return _signing_key(key_id).public_key().public_bytes_raw()


def public_keys():
    """Every key that this portal signs or ever signed under, as SigningKey, the oldest first.

    The newest one is there before its first signature: then its row is not saved yet.
    """
    kept = list(SigningKey.objects.all())
    newest = next(iter(keys()))
    if newest in {row.key_id for row in kept}:
        return kept
    return [*kept, SigningKey(**_public(newest))]


def is_signed(message, signature, key_id):
    """Whether this portal signed the message under one of its present keys."""
    return key_id in keys() and is_signed_by(public_key(key_id), message, signature)


def was_signed(message, signature, key_id):
    """Whether this portal signed the message under any key it ever had, retired ones too."""
    known = {row.key_id: bytes(row.public_key) for row in public_keys()}
    return key_id in known and is_signed_by(known[key_id], message, signature)


def is_signed_by(public_bytes, message, signature):
    """Whether the holder of a public key signed the message."""
    try:
        Ed25519PublicKey.from_public_bytes(public_bytes).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _signing_key(key_id):
    return _private_key(_derive(keys()[key_id], "sign"))


@lru_cache(maxsize=8)
def _private_key(seed):
    return Ed25519PrivateKey.from_private_bytes(seed)


_kept = set()  # the keys whose public half this process has committed or seen


def _keep_public(key_id):
    """Keep the public half of a key before the first signature under it counts.

    Raises ImproperlyConfigured where the id stood for another key before.
    """
    key = (key_id, keys()[key_id])
    if key in _kept:
        return
    public = _public(key_id)
    row, _made = SigningKey.objects.get_or_create(key_id=key_id, defaults=public)
    if bytes(row.public_key) != public["public_key"]:
        raise ImproperlyConfigured(f"FIELD_KEYS: {key_id} was the id of another key before.")
    transaction.on_commit(partial(_kept.add, key))


def _public(key_id):
    return {"key_id": key_id, "public_key": public_key(key_id), "holder": settings.BASE_URL}

"""Files encrypted in chunks, so that none is ever in memory as a whole, and the list of them.

A file is a header (magic, 16 bytes of salt) and chunks of 1 MB, each AES-GCM under a key of
this file, with its number and "last" or "not last" in the nonce: no chunk can be altered, moved,
dropped or added, and no file passes for another. The list is authenticated under the same key.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

MAGIC = b"CPBK1\n"
SALT = 16
CHUNK = 1 << 20
TAG = 16
MANIFEST = "manifest.json"


class Damaged(Exception):  # noqa: N818 - a finding, not a fault of the program
    """Something of a backup is not what was written, or not under this key; the message says."""


class Refused(Exception):  # noqa: N818 - a refusal, not a fault
    """It can't be done here; the message says why. Nothing was written."""


def backup_key():
    """The 32 bytes of BACKUP_KEY. Raises ImproperlyConfigured where it is missing or none."""
    try:
        key = base64.b64decode(settings.BACKUP_KEY, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != 32:
        raise ImproperlyConfigured("BACKUP_KEY: base64 of 32 bytes, kept apart from the backups.")
    return key


def derived(key, purpose, salt=None):
    return HKDF(SHA256(), 32, salt=salt, info=purpose.encode()).derive(key)


def id_of(key):
    """What a key is known by; it says nothing of the key."""
    return derived(key, "id")[:4].hex()


def _nonce(number, *, last):
    return number.to_bytes(11, "big") + bytes([last])


class SealedWriter:
    """Takes plain bytes and writes the encrypted file; `size` and `sha256` are of what it wrote."""

    def __init__(self, path, key):
        self.file = path.open("xb")
        self.digest, self.size = hashlib.sha256(), 0
        salt = os.urandom(SALT)
        self.header = MAGIC + salt
        self.cipher = AESGCM(derived(key, f"file:{path.name}", salt))
        self.number, self.waiting = 0, bytearray()
        self._put(self.header)

    def write(self, data):
        self.waiting += data
        while len(self.waiting) > CHUNK:  # the last chunk is never empty but of an empty file
            self._chunk(bytes(self.waiting[:CHUNK]), last=False)
            del self.waiting[:CHUNK]
        return len(data)

    def finish(self):
        """Write what is left, to the disk itself."""
        self._chunk(bytes(self.waiting), last=True)
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()

    def _chunk(self, plain, *, last):
        self._put(self.cipher.encrypt(_nonce(self.number, last=last), plain, self.header))
        self.number += 1

    def _put(self, data):
        self.file.write(data)
        self.digest.update(data)
        self.size += len(data)

    @property
    def told(self):
        return {"size": self.size, "sha256": self.digest.hexdigest()}


class SealedReader:
    """Reads the plain bytes of an encrypted file, for whatever reads files from front to back."""

    def __init__(self, path, key):
        self.pieces = opened(path, key)
        self.waiting = b""

    def read(self, size=-1):
        while size < 0 or len(self.waiting) < size:
            piece = next(self.pieces, None)
            if piece is None:
                break
            self.waiting += piece
        size = len(self.waiting) if size < 0 else size
        found, self.waiting = self.waiting[:size], self.waiting[size:]
        return found


def opened(path, key):
    """The plain chunks of an encrypted file. Raises Damaged, naming the file."""
    with path.open("rb") as file:
        header = file.read(len(MAGIC) + SALT)
        if not header.startswith(MAGIC):
            raise Damaged(f"{path.name}: it is no file of a backup")
        cipher = AESGCM(derived(key, f"file:{path.name}", header[len(MAGIC) :]))
        number, chunk = 0, file.read(CHUNK + TAG)
        while True:
            following = file.read(CHUNK + TAG)
            try:
                yield cipher.decrypt(_nonce(number, last=not following), chunk, header)
            except InvalidTag:
                raise Damaged(f"{path.name}: chunk {number} was altered, moved or cut") from None
            if not following:
                return
            number, chunk = number + 1, following


# ── the list of what there is ─────────────────────────────────────────────────────────────────


def write_manifest(folder, key, told):
    told = {**told, "key": id_of(key)}
    text = json.dumps({**told, "mac": _mac(key, told)}, ensure_ascii=False, indent=1)
    path = folder / MANIFEST
    path.write_text(text + "\n")


def _mac(key, told):
    text = json.dumps(told, sort_keys=True, ensure_ascii=False)
    return hmac.digest(derived(key, "manifest"), text.encode(), "sha256").hex()


def read_manifest(folder, key):
    """What a backup says of itself, proved by the key. Raises Damaged."""
    try:
        told = json.loads((folder / MANIFEST).read_text())
        mac, key_id = told.pop("mac"), told["key"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Damaged(f"{MANIFEST}: there is none that can be read in {folder}") from error
    if key_id != id_of(key):
        raise Damaged(f"the backup was made under the key {key_id}; BACKUP_KEY is {id_of(key)}")
    if not hmac.compare_digest(str(mac), _mac(key, told)):
        raise Damaged(f"{MANIFEST}: it was altered")
    return told


def check_file(path, told):
    """Whether a file is byte for byte what the list says. Raises Damaged, naming it."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(CHUNK):
                digest.update(piece)
    except OSError as error:
        raise Damaged(f"{path.name}: it can't be read ({error.strerror})") from error
    if digest.hexdigest() != told["sha256"]:
        raise Damaged(f"{path.name}: it is not what was written (sha256 {digest.hexdigest()})")

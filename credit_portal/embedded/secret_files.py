"""Secrets that nobody gave are made once and kept in the data folder."""

import base64
import contextlib
import os
import secrets
import tempfile
from pathlib import Path


def secret(var, name):
    """The secret `name` of this data folder, made at the first call and readable by its owner only.

    Of several processes that ask at once, all get the same one.
    """
    file = Path(var) / "secrets" / name
    with contextlib.suppress(FileNotFoundError):
        return file.read_text().strip()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, draft = tempfile.mkstemp(dir=file.parent)  # mkstemp's mode is 0600
    with os.fdopen(handle, "w") as out:
        out.write(_new_secret(name) + "\n")
        out.flush()
        os.fsync(out.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(draft, file)
    Path(draft).unlink()
    return file.read_text().strip()


def _new_secret(name):
    if name == "FIELD_KEYS":
        return "k1:" + base64.b64encode(secrets.token_bytes(32)).decode()
    if name == "BACKUP_KEY":
        return base64.b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_urlsafe(60)

"""Acting once: the first answer under an idempotency key is the answer to the second."""

import hashlib
from datetime import timedelta

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from casework.models import IdempotencyKey
from parties import sealing

KEPT_FOR = timedelta(hours=24)


def hold_key(*, api_key, path, key):
    """Whether nobody else acts under this idempotency key; then it is held until the commit."""
    digest = hashlib.sha256(f"{api_key.pk}\n{path}\n{key}".encode()).digest()
    with connection.cursor() as cursor:
        number = int.from_bytes(digest[:8], "big", signed=True)
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        return cursor.fetchone()[0]


def kept_answer(*, api_key, path, key):
    """The answer given under this idempotency key in the last 24 hours, or None."""
    return IdempotencyKey.objects.filter(
        api_key=api_key, path=path, key=key, at__gt=timezone.now() - KEPT_FOR
    ).first()


def keep_answer(*, api_key, path, key, digest, status, answer):
    """Keep an answer with the act that it is about; the key's old ones go."""
    IdempotencyKey.objects.filter(api_key=api_key, at__lte=timezone.now() - KEPT_FOR).delete()
    key_id, sealed = sealing.seal(answer, **_place(path, key))
    return IdempotencyKey.objects.create(
        api_key=api_key,
        path=path,
        key=key,
        digest=digest,
        http_status=status,
        answer_sealed=sealed,
        answer_key_id=key_id,
    )


def answer_of(kept, *, actor):
    return sealing.unseal(
        kept.answer_sealed,
        kept.answer_key_id,
        **_place(kept.path, kept.key),
        actor=actor,
        purpose=_("重复请求，再次给出原答复"),
    )


def _place(path, key):
    row = IdempotencyKey(path=path, key=key).place
    return {"table": "casework_idempotencykey", "row": row, "field": "answer"}

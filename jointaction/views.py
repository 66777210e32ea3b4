"""What anybody may fetch: the public keys under which receipts are signed."""

import base64

from django.http import JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from parties import sealing


@require_safe
@cache_control(public=True, max_age=300)
def receipt_keys(request):
    """The keys as a JWK set (RFC 7517, RFC 8037), retired ones too; `since` when each came."""
    return JsonResponse({"keys": [_jwk(key) for key in sealing.public_keys()]})


def _jwk(key):
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "alg": "EdDSA",
        "use": "sig",
        "kid": key.key_id,
        "x": base64.urlsafe_b64encode(key.public_key).decode().rstrip("="),
        "holder": key.holder,
        "since": key.since.isoformat(),
    }

"""How machines are known: a key, its officer, its scopes, its addresses."""

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission

from parties import services
from parties.models import Actor, ApiKey


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Api-Key …`. One query and no cache, so that revoking acts at once."""

    keyword = "Api-Key"

    def authenticate(self, request):
        kind, _blank, given = get_authorization_header(request).decode("latin-1").partition(" ")
        if not kind:
            return None
        known = kind.lower() == self.keyword.lower()
        key = self._find(given.strip()) if known else None
        if key is None or not key.admits(request.META.get("REMOTE_ADDR", "")):
            raise AuthenticationFailed(_("密钥无效、已停用或不能从这个地址使用。"))
        services.key_used(key, today=timezone.localdate())
        request.actor = Actor.through(key)
        return key.officer, key

    def authenticate_header(self, _request):
        return self.keyword

    def _find(self, given):
        prefix, _dot, _secret = given.partition(".")
        keys = ApiKey.objects.with_officer().filter(prefix=prefix, revoked=False)
        key = keys.first() if prefix and prefix.isprintable() else None
        if key is None or not key.is_valid(given) or not _may_answer(key.officer):
            return None
        expired = key.expiry_date is not None and key.expiry_date <= timezone.now()
        return None if expired else key


def _may_answer(officer):
    return officer.is_active and officer.department is not None and officer.department.active


class ApiKeyScheme(OpenApiAuthenticationExtension):
    target_class = "parties.api.ApiKeyAuthentication"
    name = "ApiKey"

    def get_security_definition(self, _schema):
        told = _("Api-Key 加一个空格，再加密钥")
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": told}


class HasScope(BasePermission):
    """The key must hold the scope that the view names for the method (`scopes = {"GET": …}`).

    A method that the view has but names no scope for is refused.
    """

    def has_permission(self, request, view):
        if request.auth is None:
            return False
        method = "GET" if request.method == "HEAD" else request.method
        if method == "OPTIONS" or not hasattr(view, method.lower()):
            return True  # tells what there is, or becomes a 405
        return view.scopes.get(method) in request.auth.scopes

"""The door that every page of the desk has in common, and the back office behind it."""

from functools import wraps

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache


def desk_access(view):
    """Only for staff of a department whose second factor was checked in this session.

    Others are led to sign in; a session without the second factor is ended first, since
    the sign-in page would send it straight back. Staff without a department, or of one
    that is out of use, get a 403.
    """

    @never_cache
    @wraps(view)
    def inner(request, *args, **kwargs):
        if not (request.user.is_authenticated and request.user.is_verified()):
            return _sign_in_first(request, request.get_full_path())
        if not (request.user.department and request.user.department.active):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return inner


def _sign_in_first(request, back):
    logout(request)
    return redirect_to_login(back, settings.LOGIN_URL)


class BackOffice(AdminSite):
    """Its pages open to nobody who has not passed the second factor; it has no sign-in of its own.

    Here accounts and keys are made: a password alone would lead round every other door.
    """

    def has_permission(self, request):
        return super().has_permission(request) and request.user.is_verified()

    @method_decorator(never_cache)
    def login(self, request, extra_context=None):
        if request.user.is_authenticated and request.user.is_verified():
            if self.has_permission(request):
                return redirect("admin:index")
            raise PermissionDenied
        back = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index")
        return _sign_in_first(request, back)

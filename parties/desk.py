"""The door that every page of the desk has in common."""

from functools import wraps

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.views.decorators.cache import never_cache


def desk_access(view):
    """Only for staff of a department whose second factor was checked in this session.

    Others are led to sign in; a session without the second factor is ended first, since
    the sign-in page would send it straight back. Staff without a department get a 403.
    """

    @never_cache
    @wraps(view)
    def inner(request, *args, **kwargs):
        if not (request.user.is_authenticated and request.user.is_verified()):
            logout(request)
            return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
        if request.user.department_id is None:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return inner

"""The doors that every page of the desk has in common, and the back office behind it."""

from datetime import timedelta
from functools import wraps

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from parties.models import User

SIGNED_IN_AT = "signed_in_at"  # of a session: seconds since 1970
ENROLLING = "enrolling"  # a session that leads to binding a device and nowhere else


class StaffBackend(ModelBackend):
    """Who acts in a session: account, department and whom it stands in for, in one query."""

    def get_user(self, user_id):
        rows = User.objects.with_standing(timezone.localdate())
        user = rows.filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None


def is_fresh(request):
    """Whether the session is younger than a working day; one that doesn't say is not."""
    age = timezone.now().timestamp() - request.session.get(SIGNED_IN_AT, 0)
    return age < timedelta(hours=settings.SESSION_HOURS).total_seconds()


def is_let_in(request):
    """Whether the person's second factor was checked in this session, today."""
    user = request.user
    return user.is_authenticated and user.is_verified() and is_fresh(request)


def is_enrolling(request):
    """Whether the person signed in with an enrolment code and has bound no device yet."""
    known = request.user.is_authenticated and not request.user.is_verified()
    return bool(known and request.session.get(ENROLLING) and is_fresh(request))


def desk_access(view):
    """Only for staff of a department whose second factor was checked in this session.

    Others are led to sign in; a session without the second factor is ended first, since
    the sign-in page would send it straight back. Staff without a department, or of one
    that is out of use, get a 403.
    """
    return _behind(view, _own_password, _department_in_use)


def account_access(view):
    """For the own account: whoever passed the second factor, of a department or not."""
    return _behind(view, _own_password)


def password_access(view):
    """As `account_access`, and for who still has a password that somebody else gave."""
    return _behind(view)


def _behind(view, *checks):
    @never_cache
    @wraps(view)
    def inner(request, *args, **kwargs):
        if not is_let_in(request):
            return _lead_on(request, request.get_full_path())
        for check in checks:
            answer = check(request.user)
            if answer:
                return answer
        return view(request, *args, **kwargs)

    return inner


def _own_password(user):
    return redirect("desk-password") if user.must_change_password else None


def _department_in_use(user):
    if not (user.department and user.department.active):
        raise PermissionDenied


def _lead_on(request, back):
    if is_enrolling(request):
        return redirect("desk-enrol")
    return sign_in_first(request, back)


def sign_in_first(request, back):
    logout(request)
    return redirect_to_login(back, settings.LOGIN_URL)


class BackOffice(AdminSite):
    """Its pages open to nobody who has not passed the second factor; it has no sign-in of its own.

    Here accounts and keys are made: a password alone would lead round every other door.
    """

    def has_permission(self, request):
        let_in = super().has_permission(request) and is_let_in(request)
        return let_in and not request.user.must_change_password

    @method_decorator(never_cache)
    def login(self, request, extra_context=None):
        if is_let_in(request):
            if self.has_permission(request):
                return redirect("admin:index")
            if request.user.must_change_password:
                return redirect("desk-password")
            raise PermissionDenied
        back = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index")
        return _lead_on(request, back)

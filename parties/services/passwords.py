"""Passwords: never one of the last few, and an own one in the place of one that was given."""

from django.contrib.auth import password_validation
from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from parties.models import AccountEvent, PastPassword, User
from parties.services.accounts import account_changed
from parties.services.journal import note
from parties.services.sessions import end_sessions

KEPT = 10  # hashes of past passwords of an account, at most


class NotOneOfTheLast:
    """Refuses the present password and those before it, `number` in all."""

    def __init__(self, number=5):
        self.number = number

    def validate(self, password, user=None):
        if user is None or user.pk is None:
            return
        past = user.past_passwords.order_by("-pk").values_list("encoded", flat=True)
        for encoded in [user.password, *past[: self.number - 1]]:
            if check_password(password, encoded):
                message = _("不能用最近 %(n)s 次用过的密码。")
                raise ValidationError(message, code="used_before", params={"n": self.number})

    def get_help_text(self):
        return _("不能用最近 %(n)s 次用过的密码。") % {"n": self.number}


def change_password(user, password, *, actor, session_key=None):
    """Give the account another password of its owner's; other sessions end.

    Raises ValidationError under `password` where a validator refuses it.
    """
    try:
        password_validation.validate_password(password, user)
    except ValidationError as refusal:
        raise ValidationError({"password": refusal.error_list}) from refusal
    encoded = make_password(password)  # slow on purpose, and before anything is held
    with transaction.atomic():
        row = User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
        PastPassword.objects.create(user=row, encoded=row.password)
        older = row.past_passwords.order_by("-pk").values_list("pk", flat=True)[KEPT:]
        PastPassword.objects.filter(pk__in=list(older)).delete()
        row.password, row.must_change_password = encoded, False
        row.save(update_fields=["password", "must_change_password"])
        end_sessions(row, but=session_key)
        note(row, AccountEvent.Action.PASSWORD, actor=actor)
    user.password, user.must_change_password = row.password, False
    return user


@transaction.atomic
def password_given(user, *, actor, reason):
    """Note that the platform operator set a password: its owner changes it at the first sign-in."""
    account_changed(user, AccountEvent.Action.PASSWORD_GIVEN, actor=actor, reason=reason)
    User.objects.filter(pk=user.pk).update(must_change_password=True)
    end_sessions(user)

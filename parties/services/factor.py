"""The second factor: a one-time-code device, and codes that take its place once."""

import base64
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django_otp.plugins.otp_totp.models import TOTPDevice

from parties.models import AccountEvent, Actor, SpareCode
from parties.services.accounts import account_changed
from parties.services.journal import note
from parties.services.sessions import end_sessions

Kind = SpareCode.Kind
RECOVERY_CODES = 10
RANDOM_BYTES = 10  # 80 bits, sixteen letters and digits
ENROLMENT_LASTS = timedelta(days=7)


def give_second_factor(user):
    """A new one-time-code device in the place of any the user had; its key is told only here."""
    TOTPDevice.objects.filter(user=user).delete()
    return TOTPDevice.objects.create(user=user, name=user.username, confirmed=True)


def second_factor(user, text):
    """(outcome of the sign-in record, device or None) for what stands in the token's field.

    A one-time code, else a spare code; (None, None) where it is neither. With an enrolment code
    there is no device yet. Each code leads in once.
    """
    device = token_is_right(user, text)
    if device:
        return "token", device
    kind = _use_spare_code(user, text)
    if kind == Kind.RECOVERY:
        left = str(spare_codes_left(user))
        note(user, AccountEvent.Action.RECOVERY_USED, actor=Actor.of(user), note=left)
        return kind, TOTPDevice.objects.filter(user=user, confirmed=True).first()
    return kind, None


def token_is_right(user, text):
    """The user's device that shows this one-time code now, or None; the code is used up."""
    if not text.isdecimal():
        return None
    with transaction.atomic():
        devices = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=True)
        return next((one for one in devices.order_by("pk") if one.verify_token(text)), None)


def _use_spare_code(user, text):
    """The kind of the user's spare code that this is, used up now; or None."""
    now = timezone.now()
    found = user.spare_codes.usable(now).filter(digest=_digest(text)).first()
    if found is None or not user.spare_codes.filter(pk=found.pk, used_at=None).update(used_at=now):
        return None
    return found.kind


def give_spare_code(user, kind, *, expires_at=None):
    """A new spare code, told only here; its digest is kept."""
    code = base64.b32encode(secrets.token_bytes(RANDOM_BYTES)).decode()
    SpareCode.objects.create(user=user, kind=kind, digest=_digest(code), expires_at=expires_at)
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def _digest(text):
    """What is kept of a code: keyed, so that a copy of the database alone opens nothing."""
    bare = "".join(text.split()).replace("-", "").upper()
    return salted_hmac("parties.spare_code", bare, algorithm="sha256").hexdigest()


@transaction.atomic
def make_recovery_codes(user, *, actor):
    """Ten new recovery codes in the place of those before, told only here."""
    user.spare_codes.filter(kind=Kind.RECOVERY).delete()
    codes = [give_spare_code(user, Kind.RECOVERY) for _n in range(RECOVERY_CODES)]
    note(user, AccountEvent.Action.RECOVERY_CODES, actor=actor)
    return codes


def spare_codes_left(user):
    return user.spare_codes.usable(timezone.now()).filter(kind=Kind.RECOVERY).count()


@transaction.atomic
def open_account(user, *, actor, reason):
    """Note a new account; returns the enrolment code with which its owner signs in first.

    The password that the operator chose is changed then. Raises as `reset_second_factor`.
    """
    account_changed(user, AccountEvent.Action.CREATE, actor=actor, reason=reason)
    user.must_change_password = user.has_usable_password()
    user.save(update_fields=["must_change_password"])
    return _enrolment_code(user)


@transaction.atomic
def reset_second_factor(user, *, actor, reason):
    """Take the device and all codes away; returns an enrolment code for the next sign-in.

    It stands in the token's field beside account and password, and leads to binding a new device
    and nowhere else. Raises PermissionDenied, ValidationError for want of a reason.
    """
    account_changed(user, AccountEvent.Action.RESET_FACTOR, actor=actor, reason=reason)
    TOTPDevice.objects.filter(user=user).delete()
    user.spare_codes.all().delete()
    end_sessions(user)
    return _enrolment_code(user)


def _enrolment_code(user):
    expires_at = timezone.now() + ENROLMENT_LASTS
    return give_spare_code(user, Kind.ENROLMENT, expires_at=expires_at)


def enrolment(user):
    """The device that the person is about to bind; it counts once its first code was right."""
    device = TOTPDevice.objects.filter(user=user, confirmed=False).first()
    return device or TOTPDevice.objects.create(user=user, name=user.username, confirmed=False)


def secret_of(device):
    """The device's key as it is typed into an app where no code can be scanned."""
    text = base64.b32encode(device.bin_key).decode()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


@transaction.atomic
def confirm_device(device, text, *, actor):
    """Whether the new device shows this code: then it counts, alone; returns recovery codes.

    None where the code is wrong.
    """
    device = TOTPDevice.objects.select_for_update().filter(pk=device.pk, confirmed=False).first()
    if device is None or not (text.isdecimal() and device.verify_token(text)):
        return None
    TOTPDevice.objects.filter(user=device.user).exclude(pk=device.pk).delete()
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    note(device.user, AccountEvent.Action.ENROL, actor=actor)
    return make_recovery_codes(device.user, actor=actor)

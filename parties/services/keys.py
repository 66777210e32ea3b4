"""Keys of machines: made, changed for a new one, taken over, revoked; each leaves a line."""

from datetime import datetime, time, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from parties import policies
from parties.models import AccountEvent, ApiKey
from parties.services.journal import note

Action = AccountEvent.Action
OVERLAP = timedelta(days=7)  # at most, of an old key and the one that replaces it


def make_key(officer, *, scopes, name, **limits):
    """A new key that acts for `officer`. Returns (key, the secret itself, told only here).

    `limits` may hold addresses, expiry_date (an instant) and per_minute. Raises ValidationError
    where an address is none, or the key would have expired already.
    """
    key = ApiKey(officer=officer, scopes=list(dict.fromkeys(scopes)), name=name[:50], **limits)
    key.clean_fields(exclude=["id", "prefix", "hashed_key"])
    if key.expiry_date is not None and key.expiry_date <= timezone.now():
        raise ValidationError({"expiry_date": _("这个时间已经过了。")})
    raw = ApiKey.objects.assign_key(key)
    key.save(force_insert=True)
    return key, raw


@transaction.atomic
def manage(officer, *, actor, last_day=None, **fields):
    """A new key of the actor's department. Returns (key, secret).

    `last_day` is the last day on which it works; for ever where none is given. `fields` are those
    of `make_key`. Raises PermissionDenied where the actor is no reviewer of the department or the
    officer works elsewhere, ValidationError.
    """
    _check(actor, officer.department_id)
    if not officer.is_active:
        raise ValidationError({"officer": _("负责人的账号已停用")})
    try:
        key, raw = make_key(officer, expiry_date=_end_of(last_day), **fields)
    except ValidationError as refusal:
        raise _for_form(refusal) from refusal
    note(
        officer,
        Action.KEY_CREATE,
        actor=actor,
        key=key,
        note=f"{_told(key)} {' '.join(key.scopes)}",
    )
    return key, raw


@transaction.atomic
def rotate_key(key, *, actor, until):
    """A new secret with the rights of `key`, which works on until the end of the day `until`.

    Returns (the new key, its secret). Raises PermissionDenied, ValidationError for a key that is
    over or replaced already, or a day in the past or later than the overlap allows.
    """
    key = _live(key, actor)
    today = timezone.localdate()
    if not today <= until <= today + OVERLAP:
        told = {"from": today, "to": today + OVERLAP}
        raise ValidationError({"until": _("旧密钥最多再用 7 天：%(from)s 至 %(to)s") % told})
    if key.replaced_by.exists():
        raise ValidationError(_("这个密钥已经换过，请换新的那一个。"), code="replaced")
    new, raw = make_key(
        key.officer,
        scopes=key.scopes,
        name=key.name,
        addresses=key.addresses,
        per_minute=key.per_minute,
        expiry_date=key.expiry_date,
        replaces=key,
    )
    ends = _end_of(until)
    key.expiry_date = ends if key.expiry_date is None else min(key.expiry_date, ends)
    key.save(update_fields=["expiry_date"])
    told = _("%(old)s → %(new)s，旧密钥用到 %(day)s") % {
        "old": _told(key),
        "new": new.prefix,
        "day": until,
    }
    for one in (key, new):
        note(key.officer, Action.KEY_ROTATE, actor=actor, key=one, note=told)
    return new, raw


@transaction.atomic
def revoke_key(key, *, actor, reason):
    """Let the key open nothing from now on. Raises PermissionDenied, ValidationError."""
    key = _live(key, actor)
    _revoke(key, actor=actor, reason=reason)
    return key


@transaction.atomic
def move_key(key, *, actor, heir, reason):
    """Another officer of the department answers for the key. Raises as `revoke_key`."""
    key = _live(key, actor)
    if not heir.is_active or heir.department_id != key.officer.department_id:
        raise ValidationError({"officer": _("负责人须是本单位在用的账号")})
    hand_on(key, heir, actor=actor, reason=reason)
    return key


def hand_on(key, heir, *, actor, reason):
    """Give a key to another officer, or revoke it where there is none. Policies were asked."""
    if heir is None:
        return _revoke(key, actor=actor, reason=reason)
    told = _("%(key)s：%(old)s → %(new)s") % {"key": _told(key), "old": key.officer, "new": heir}
    key.officer = heir
    key.save(update_fields=["officer"])
    note(heir, Action.KEY_MOVE, actor=actor, key=key, note=f"{told}；{reason.strip()}")
    return key


def key_used(key, *, today):
    """Note the day on which a key was used, with one statement a day."""
    if key.last_used_on is None or key.last_used_on < today:
        unseen = Q(last_used_on=None) | Q(last_used_on__lt=today)
        ApiKey.objects.filter(unseen, pk=key.pk).update(last_used_on=today)


def _revoke(key, *, actor, reason):
    key.revoked = True
    key.save(update_fields=["revoked"])
    note(
        key.officer, Action.KEY_REVOKE, actor=actor, key=key, note=f"{_told(key)}；{reason.strip()}"
    )


def _live(key, actor):
    """The key, held until the transaction ends."""
    key = ApiKey.objects.with_officer().select_for_update(of=("self",)).get(pk=key.pk)
    _check(actor, key.officer.department_id)
    if not key.is_live(timezone.now()):
        raise ValidationError(_("这个密钥已经停用或过期。"), code="not_live")
    return key


def _check(actor, department_id):
    if actor.key or not policies.may_manage_keys(actor.user, department_id):
        raise PermissionDenied


def _told(key):
    return f"{key.name}（{key.prefix}）"


def _end_of(day):
    """The instant at which a key whose last day is `day` is over, or None."""
    if day is None:
        return None
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


def _for_form(refusal):
    """What `make_key` refused, under the name by which the desk asks for it."""
    errors = dict(getattr(refusal, "error_dict", {}))
    if "expiry_date" in errors:
        errors["last_day"] = errors.pop("expiry_date")
    return ValidationError(errors) if errors else refusal

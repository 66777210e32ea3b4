"""What the platform operator does to accounts, and what becomes of one whose officer leaves."""

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from parties import policies
from parties.models import AccountEvent, ApiKey, Delegation, StaffSession, User
from parties.services.journal import note
from parties.services.keys import hand_on
from parties.services.sessions import end_sessions

Action = AccountEvent.Action


def account_changed(account, action, *, actor, reason, what=""):
    """Note what the platform operator did to an account, and why.

    Raises PermissionDenied, ValidationError for want of a reason.
    """
    _check(actor, reason)
    return note(account, action, actor=actor, note="；".join(filter(None, [what, reason])))


def _check(actor, reason):
    if not policies.may_run_accounts(actor.user):
        raise PermissionDenied
    if not reason.strip():
        raise ValidationError({"reason": _("写明理由")})


@dataclass(frozen=True)
class Left:
    """What an officer who left had: keys given on or revoked, delegations ended, sessions ended."""

    keys: list
    delegations: list
    sessions: int


def held_by(account):
    """What an officer holds now: live keys, delegations from today on, running sessions."""
    now = timezone.now()
    return {
        "keys": list(ApiKey.objects.filter(officer=account).live(now).order_by("created")),
        "delegations": list(Delegation.objects.of(account).open(timezone.localdate(now))),
        "sessions": list(StaffSession.objects.filter(user=account).running(now)),
    }


@transaction.atomic
def leave(account, *, actor, reason, heir=None):
    """Close the account of an officer who leaves; it stays, for what was done under it.

    The keys that the officer answered for go to `heir`, a colleague who answers for them from
    now on, or are revoked where none is named. Delegations from and to the officer end, and so
    do the sessions. Raises PermissionDenied, ValidationError. Returns `Left`.
    """
    _check(actor, reason)
    account = User.objects.select_for_update(of=("self",)).get(pk=account.pk)
    _check_leaving(account, heir, actor)
    now = timezone.now()
    held = held_by(account)
    keys, delegations = held["keys"], held["delegations"]
    for key in keys:
        hand_on(key, heir, actor=actor, reason=reason)
    Delegation.objects.filter(pk__in=[one.pk for one in delegations]).update(ended_at=now)
    sessions = end_sessions(account)
    account.spare_codes.usable(now).update(used_at=now)
    account.is_active = False
    account.save(update_fields=["is_active"])
    told = [
        _("密钥 %(n)s 个") % {"n": len(keys)},
        _("代办 %(n)s 件") % {"n": len(delegations)},
        _("会话 %(n)s 个") % {"n": sessions},
    ]
    note(account, Action.LEAVE, actor=actor, note="；".join([*told, reason.strip()]))
    return Left(keys, delegations, sessions)


def _check_leaving(account, heir, actor):
    if not account.is_active:
        raise ValidationError(_("这个账号已经停用。"), code="inactive")
    if account.pk == actor.user.pk:
        raise ValidationError(_("自己的账号由另一位管理员停用。"), code="own_account")
    if heir is None:
        return
    same = heir.department_id is not None and heir.department_id == account.department_id
    if not (heir.is_active and same and heir.pk != account.pk):
        raise ValidationError({"heir": _("接手的人须是同一单位在用的账号")})

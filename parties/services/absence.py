"""Standing in for somebody who is away."""

from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from parties import policies
from parties.models import AccountEvent, Delegation, User
from parties.services.journal import note

LONGEST = timedelta(days=92)  # whoever is away longer hands over
FARTHEST = timedelta(days=366)


@transaction.atomic
def delegate(from_user, to_user, *, starts, ends, why, actor):
    """Let a colleague act in the place of `from_user` from one day to another, both included.

    Raises PermissionDenied for anybody but the person itself and the platform operator,
    ValidationError where the days are none, meet another delegation of either of the two, or the
    colleague works elsewhere. What somebody lends is not lent on.
    """
    if actor.key or not policies.may_delegate(actor.user, from_user):
        raise PermissionDenied
    # both held in the order of their keys: of two at once the second meets the first one's row
    keys = sorted({from_user.pk, to_user.pk})
    rows = User.objects.select_for_update(of=("self",), no_key=True)
    held = {row.pk: row for row in rows.filter(pk__in=keys).order_by("pk")}
    from_user, to_user = held[from_user.pk], held[to_user.pk]
    _check_days(starts, ends)
    _check_people(from_user, to_user)
    _check_overlap(from_user, to_user, starts, ends)
    made = Delegation.objects.create(
        from_user=from_user, to_user=to_user, starts=starts, ends=ends, why=why.strip()
    )
    _note(made, AccountEvent.Action.DELEGATE, actor, made.why)
    return made


@transaction.atomic
def end_delegation(delegation, *, actor, reason=""):
    """End a delegation now. Raises PermissionDenied, ValidationError where it is over."""
    rows = Delegation.objects.select_for_update(of=("self",)).select_related("from_user", "to_user")
    delegation = rows.get(pk=delegation.pk)
    if actor.key or not policies.may_delegate(actor.user, delegation.from_user):
        raise PermissionDenied
    if not delegation.is_open(timezone.localdate()):
        raise ValidationError(_("这次代办已经结束。"), code="over")
    delegation.ended_at = timezone.now()
    delegation.save(update_fields=["ended_at"])
    _note(delegation, AccountEvent.Action.END_DELEGATION, actor, reason)
    return delegation


def _note(delegation, action, actor, words):
    told = _("%(to)s 代 %(from)s，%(starts)s 至 %(ends)s") % {
        "to": delegation.to_user,
        "from": delegation.from_user,
        "starts": delegation.starts,
        "ends": delegation.ends,
    }
    for account in (delegation.from_user, delegation.to_user):
        note(account, action, actor=actor, note="；".join(filter(None, [told, words.strip()])))


def _check_days(starts, ends):
    today = timezone.localdate()
    if not today <= starts <= today + FARTHEST:
        raise ValidationError({"starts": _("起始日期从今天起，最迟一年以内")})
    if ends < starts:
        raise ValidationError({"ends": _("截止日期不能早于起始日期")})
    if ends - starts >= LONGEST:
        message = _("一次代办最多 %(n)s 天；更久的请办离职交接或者换人。") % {"n": LONGEST.days}
        raise ValidationError({"ends": message})


def _check_people(from_user, to_user):
    same = from_user.department_id is not None and from_user.works_for(to_user.department_id)
    if from_user.pk == to_user.pk or not (same and to_user.is_active and from_user.is_active):
        raise ValidationError({"to_user": _("代办人须是同一单位在用的另一个账号")})


def _check_overlap(from_user, to_user, starts, ends):
    meeting = Delegation.objects.meeting(starts, ends)
    if meeting.filter(from_user=from_user).exists():
        raise ValidationError({"starts": _("这段日期已经委托过，先结束那一次。")}, code="overlap")
    if meeting.filter(from_user=to_user).exists():
        raise ValidationError({"to_user": _("这位同事这段日期自己也不在，已委托别人。")})
    if meeting.filter(to_user=from_user).exists():
        raise ValidationError({"starts": _("您这段日期正代别人办理，不能再委托出去。")})

"""Signing in leaves a record; of an account only so many sessions run at once."""

from axes.models import AccessLog as AxesLog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction

from parties.models import AccountEvent, SignInRecord, StaffSession, User, ip_of
from parties.services.journal import note

BROWSERS = (  # the first that a browser names is the one it is
    ("MicroMessenger", "微信"),
    ("Edg", "Edge"),
    ("QQBrowser", "QQ浏览器"),
    ("360", "360浏览器"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("OpenHarmony", "鸿蒙"),
    ("HarmonyOS", "鸿蒙"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def browser_of(user_agent):
    """A browser in words: Chrome, Windows. Empty where it says nothing known."""
    found = (
        next((words for sign, words in known if sign in user_agent), "")
        for known in (BROWSERS, SYSTEMS)
    )
    return "，".join(filter(None, found))


@transaction.atomic
def open_session(user, session_key, *, outcome, address, user_agent, now):
    """Record that the person signed in here; of more sessions than allowed the oldest end.

    Two at once wait for each other, so that neither counts without the other.
    """
    User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
    place = _place(address, user_agent)
    SignInRecord.objects.create(user=user, outcome=outcome, at=now, **place)
    StaffSession.objects.create(user=user, session_key=session_key, started_at=now, **place)
    running = StaffSession.objects.filter(user=user).running(now).order_by("-started_at", "-pk")
    surplus = list(running[settings.SESSIONS_EACH :])
    _end(StaffSession.objects.filter(pk__in=[one.pk for one in surplus]))


def record_failure(username, *, address, user_agent, now):
    """Record a try that failed, for the owner of the account, where there is one."""
    user = User.objects.filter(username=username).first()
    if user is not None:
        outcome = SignInRecord.Outcome.FAILED
        place = _place(address, user_agent)
        SignInRecord.objects.create(user=user, outcome=outcome, at=now, **place)


def known_address(username, address):
    """Whether somebody signed in to this account from this address before."""
    rows = SignInRecord.objects.exclude(outcome=SignInRecord.Outcome.FAILED)
    ip = ip_of(address)
    return ip is not None and rows.filter(user__username=username, address=str(ip)).exists()


def rename_session(old_key, new_key):
    """Keep naming a session whose key has changed."""
    StaffSession.objects.filter(session_key=old_key).update(session_key=new_key)


def end_sessions(user, *, but=None):
    """End the sessions of an account at once, all or all but one. Returns how many there were."""
    return _end(StaffSession.objects.filter(user=user).exclude(session_key=but))


@transaction.atomic
def end_others(user, *, but, actor):
    """End the person's sessions elsewhere. Returns how many there were."""
    ended = end_sessions(user, but=but)
    note(user, AccountEvent.Action.END_SESSIONS, actor=actor, note=str(ended))
    return ended


def _end(rows):
    keys = list(rows.values_list("session_key", flat=True))
    ended, _kinds = Session.objects.filter(session_key__in=keys).delete()
    StaffSession.objects.filter(session_key__in=keys).delete()
    return ended


def forget_sign_ins(*, now):
    """Forget records older than the time they are kept, and the names of sessions that are over."""
    oldest = now - settings.SIGN_INS_KEPT
    SignInRecord.objects.filter(at__lt=oldest).delete()
    AxesLog.objects.filter(attempt_time__lt=oldest).delete()
    StaffSession.objects.exclude(pk__in=StaffSession.objects.running(now).values("pk")).delete()
    Session.objects.filter(expire_date__lt=now).delete()


def _place(address, user_agent):
    ip = ip_of(address)
    return {"address": ip and str(ip), "browser": browser_of(user_agent)}

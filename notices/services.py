"""Notices are written in the caller's transaction and delivered by a sweep, never in a request."""

import logging
from datetime import timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.utils import timezone
from django.utils.translation import gettext as _

from casework import services as casework
from notices.models import Notice

log = logging.getLogger(__name__)
GIVE_UP_AFTER = 12


def tell(*, key, title, text, **to):
    """Leave a message once: a second call with the same `key` changes nothing.

    `to` is a department with a link for its desk, or the matter of an applicant and an e-mail.
    """
    Notice.objects.bulk_create(
        [Notice(key=key, title=title, text=text, **to)], ignore_conflicts=True
    )


def tell_applicant(filing, step, title, text, *, link, actor):
    """Leave the applicant of a filing a message: read on its tracking page, the address `link`.

    It is e-mailed as well where an address was given; opening that address is logged.
    """
    contact = casework.contact_of(filing, actor=actor, purpose=_("通知申请人：%s") % title)
    tell(
        key=f"{filing._meta.model_name}-{step}:{filing.number}:applicant",
        matter=filing.number,
        email=contact["email"],
        title=title,
        text=text,
        link=f"{settings.BASE_URL}{link}",
    )


def tell_many(notices):
    """Leave many messages set-based; those whose key exists are skipped."""
    Notice.objects.bulk_create(notices, ignore_conflicts=True, batch_size=5_000)


def tell_missing(notices):
    """Leave those messages whose key is not there yet, in one query where none is missing."""
    notices = list(notices)
    told = Notice.objects.filter(key__in=[notice.key for notice in notices])
    told = set(told.values_list("key", flat=True))
    missing = [notice for notice in notices if notice.key not in told]
    if missing:
        tell_many(missing)


def mark_read(notices, *, now):
    """Note that a department has read these of its messages; returns how many were new."""
    return notices.filter(read_at=None).update(read_at=now)


def deliver(*, now=None, limit=200):
    """Send the e-mails that are due, oldest first; one that fails is tried later, ever more rarely.

    A crash between sending and noting it can send one message twice, never none.
    """
    now = now or timezone.now()
    for notice in Notice.objects.unsent(now).order_by("next_try_at")[:limit]:
        _deliver_one(notice)


def _deliver_one(notice):
    notice.tries += 1
    notice.next_try_at = timezone.now() + timedelta(minutes=2**notice.tries)
    try:
        text = "\n".join(filter(None, [notice.text, notice.link]))
        send_mail(notice.title, text, None, [notice.email])
        notice.sent_at = timezone.now()
    except Exception as error:  # its words would put the address in the log
        fault = type(error).__name__
        log.warning("notice %s could not be sent, try %s: %s", notice.pk, notice.tries, fault)
        if notice.tries >= GIVE_UP_AFTER:
            notice.next_try_at = timezone.now() + timedelta(days=3650)
    notice.save(update_fields=["tries", "next_try_at", "sent_at"])

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from listings import services
from listings.services import feed


@shared_task(ignore_result=True)
def expire_lapsed():
    """Take every entry whose term is over off its list. Run it when and as often as you like."""
    services.expire_lapsed(today=timezone.localdate())


@shared_task(ignore_result=True)
def chase_withdrawals():
    """Remind of entries whose document was quashed, then tell the lead unit, each once."""
    services.chase_withdrawals(today=timezone.localdate(), lead_unit=settings.LEAD_UNIT)


@shared_task(ignore_result=True)
def make_daily_file():
    """Make the signed file of today where it is missing. Run it when and as often as you like."""
    feed.make_daily_file(today=timezone.localdate())

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from tipoffs import services


@shared_task(ignore_result=True)
def chase_due():
    """Remind of what is due, and tell the lead unit of what is late."""
    services.chase_due(today=timezone.localdate(), lead_unit=settings.LEAD_UNIT)


@shared_task(ignore_result=True)
def erase():
    """Erase identities and reports whose period is over. Run it when and as often as you like."""
    services.erase(today=timezone.localdate())

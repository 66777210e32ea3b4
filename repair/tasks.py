from celery import shared_task
from django.conf import settings
from django.utils import timezone

from repair import services


@shared_task(ignore_result=True)
def chase_due():
    """Let clocks run again that wait in vain; remind, and tell the lead unit of what is late."""
    services.lapse(today=timezone.localdate())
    services.chase_due(today=timezone.localdate(), lead_unit=settings.LEAD_UNIT)

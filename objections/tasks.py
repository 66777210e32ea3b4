from celery import shared_task
from django.conf import settings
from django.utils import timezone

from objections import services


@shared_task(ignore_result=True)
def chase_due():
    """Remind of objections that are due soon, escalate overdue ones once."""
    services.chase_due(today=timezone.localdate(), lead_unit=settings.LEAD_UNIT)

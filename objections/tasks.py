from celery import shared_task
from django.conf import settings
from django.utils import timezone

from objections import services


@shared_task(ignore_result=True)
def chase_due():
    """Remind of objections that are due soon, escalate overdue ones once."""
    services.chase_due(today=timezone.localdate(), lead_unit=settings.LEAD_UNIT)


@shared_task(ignore_result=True)
def make_letters():
    """Make the letters that are still missing. Run it when and as often as you like."""
    services.make_letters()

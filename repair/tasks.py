from celery import shared_task
from django.conf import settings
from django.utils import timezone

from repair import services


@shared_task(ignore_result=True)
def chase_due():
    """Tell the lead unit of overdue applications, each once."""
    services.chase_due(today=timezone.localdate(), lead_unit=settings.LEAD_UNIT)

from celery import shared_task
from django.utils import timezone

from portal import services
from portal.services import arrivals


@shared_task(ignore_result=True)
def heartbeat():
    """Say that a worker is alive and sweeping; /readyz asks how long ago that was."""
    services.beat()


@shared_task(ignore_result=True)
def take_in_files():
    """Take the files that machines brought into drafts. Run it as often as you like."""
    arrivals.take_in()


@shared_task(ignore_result=True)
def erase_reports():
    """Erase what the credit reports said whose day is over. Run it as often as you like."""
    services.erase_reports(now=timezone.now())

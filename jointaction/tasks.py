from celery import shared_task
from django.conf import settings
from django.utils import timezone

from jointaction import services
from jointaction.services import webhooks
from listings.api import shown


@shared_task(ignore_result=True)
def distribute():
    """Put every change since the last run before the units. Run it as often as you like."""
    services.distribute(today=timezone.localdate())


@shared_task(ignore_result=True)
def chase_late_pushes():
    """Remind of late answers, then tell the supervisor, each once. Run it as often as you like."""
    services.chase_late(today=timezone.localdate(), lead_unit=settings.LEAD_UNIT)


@shared_task(ignore_result=True)
def chase_late_hits():
    """Remind of hits without feedback, then tell the supervisor. Run it as often as you like."""
    services.chase_late_hits(today=timezone.localdate(), lead_unit=settings.LEAD_UNIT)


@shared_task(ignore_result=True)
def check_sheets():
    """Check the rows of the tables that wait, write the results. Run it as often as you like."""
    services.check_sheets(today=timezone.localdate())


@shared_task(ignore_result=True)
def forget_sheets():
    """Delete the results that were kept long enough. Run it when and as often as you like."""
    services.forget_sheets(today=timezone.localdate())


@shared_task(ignore_result=True)
def announce_changes():
    """Make the webhooks' rows of every change since the last run. Run it as often as you like."""
    webhooks.announce_changes()


@shared_task(ignore_result=True)
def send_webhooks():
    """Send the webhooks that are due. Run it when and as often as you like: one run works."""
    webhooks.send(shown=shown)


@shared_task(ignore_result=True)
def remove_old_webhooks():
    """Remove deliveries that were kept long enough. Run it when and as often as you like."""
    webhooks.remove_old(today=timezone.localdate())

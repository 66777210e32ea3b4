from celery import shared_task

from notices import services


@shared_task(ignore_result=True)
def deliver():
    """Send the e-mails that are due. Run it when and as often as you like."""
    services.deliver()

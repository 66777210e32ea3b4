from celery import shared_task

from casework import services


@shared_task(ignore_result=True)
def make_letters():
    """Make the letters that are still missing. Run it when and as often as you like."""
    services.make_missing()

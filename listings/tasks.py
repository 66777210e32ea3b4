from celery import shared_task
from django.utils import timezone

from listings import services


@shared_task(ignore_result=True)
def expire_lapsed():
    """Take every entry whose term is over off its list. Run it when and as often as you like."""
    services.expire_lapsed(today=timezone.localdate())

from celery import shared_task
from django.utils import timezone

from parties import services


@shared_task(ignore_result=True)
def forget_sign_ins():
    """Forget old sign-ins and sessions that are over. Run it when and as often as you like."""
    services.forget_sign_ins(now=timezone.now())

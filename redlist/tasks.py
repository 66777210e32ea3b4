from celery import shared_task
from django.conf import settings
from django.utils import timezone

from redlist import services


@shared_task(ignore_result=True)
def review_black_listed():
    """Look at the black list for the nominated and the recognised. Run it as often as you like."""
    today = timezone.localdate()
    services.screen_nominations(today=today)
    services.review_black_listed(today=today)


@shared_task(ignore_result=True)
def chase_reviews():
    """Tell the lead unit of reviews that are overdue, once. Run it as often as you like."""
    services.chase_reviews(today=timezone.localdate(), lead_unit=settings.LEAD_UNIT)

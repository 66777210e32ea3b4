from celery import shared_task
from django.utils import timezone

from casework import documents, services


@shared_task(ignore_result=True)
def make_letters():
    """Make the letters that are still missing. Run it when and as often as you like."""
    services.make_missing()


@shared_task(ignore_result=True)
def sweep_documents():
    """Delete stored files that no row knows, a week after they were written."""
    documents.sweep(now=timezone.now())


@shared_task(ignore_result=True)
def sweep_rates():
    """Forget the counts of windows that are over. Run it when and as often as you like."""
    services.sweep_rates(now=timezone.now())


@shared_task(ignore_result=True)
def seal_journal():
    """Seal what the journals hold since the last seal. Run it when and as often as you like."""
    services.seal_journal()


@shared_task(ignore_result=True)
def forget_old_forms():
    """Forget the forms that nobody came back to. Run it when and as often as you like."""
    services.forget_old_forms(now=timezone.now())

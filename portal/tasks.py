from celery import shared_task

from portal import services


@shared_task(ignore_result=True)
def heartbeat():
    """Say that a worker is alive and sweeping; /readyz asks how long ago that was."""
    services.beat()

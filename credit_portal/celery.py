"""Worker and clock in one process, on Redis where there is one and in memory where there is none.

The broker is a doorbell only: every task is a sweep that asks what is due, so a
lost message costs promptness and nothing else.
"""

import os

from celery import Celery, Task, bootsteps, signals
from celery.beat import EmbeddedService
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "credit_portal.settings")


class Sweep(Task):
    """A task that says when it has ended well: /metrics tells how long ago that was."""

    def on_success(self, retval, task_id, args, kwargs):
        from portal.services import swept  # Django is not set up when this file is read

        swept(self.name)


app = Celery("credit_portal", task_cls=Sweep)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def keep_logging(**_options):
    """Who listens here sets up the logs: Django has, with its filters, and Celery adds nothing."""


class Clock(bootsteps.StartStopStep):
    """The clock is a thread of the worker: the in-memory transport ends at the process's edge.

    It keeps no schedule file. Each start rings every sweep once, so that whatever
    fell due while nothing ran is done at once.
    """

    def __init__(self, worker, **options):
        super().__init__(worker, **options)
        self.service = EmbeddedService(
            worker.app, thread=True, scheduler_cls="celery.beat:Scheduler"
        )

    def start(self, worker):
        self.service.start()
        for name in settings.SWEEPS:
            worker.app.send_task(name)

    def stop(self, worker):
        self.service.stop()


app.steps["worker"].add(Clock)

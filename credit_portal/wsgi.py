"""The portal as granian serves it."""

import os

from django.core.wsgi import get_wsgi_application

import credit_portal.celery  # noqa: F401  the app that shared tasks are sent through

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "credit_portal.settings")
application = get_wsgi_application()

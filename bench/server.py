"""The portal as its web server runs it, over a bench database, with the addresses of bench/urls."""

import os

from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "credit_portal.settings")
settings.DATABASES["default"]["NAME"] = os.environ["BENCH_DATABASE"]
settings.ROOT_URLCONF = "bench.urls"

from credit_portal.wsgi import application  # noqa: E402 - reads the settings above

__all__ = ["application"]

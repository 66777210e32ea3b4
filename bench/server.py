"""The portal as the web server runs it, over a bench database, with a view that does nothing."""

import os

from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "credit_portal.settings")
settings.DATABASES["default"]["NAME"] = os.environ["BENCH_DATABASE"]
settings.ROOT_URLCONF = "bench.server"

from django.urls import include, path  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

from credit_portal.wsgi import application  # noqa: E402 - the apps are loaded by it

__all__ = ["application"]


class Empty(APIView):
    """All that the framework does for a caller with a key, and nothing else."""

    scopes = {"GET": "check"}

    def get(self, _request):
        return Response({})


urlpatterns = [path("empty/", Empty.as_view()), path("", include("credit_portal.urls"))]

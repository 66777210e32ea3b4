"""The portal's addresses, and a view that does nothing."""

from django.urls import path
from rest_framework.response import Response
from rest_framework.views import APIView

from credit_portal import urls as portal


class Empty(APIView):
    """All that the framework does for a caller with a key, and nothing else."""

    scopes = {"GET": "check"}

    def get(self, _request):
        return Response({})


urlpatterns = [path("empty/", Empty.as_view()), *portal.urlpatterns]

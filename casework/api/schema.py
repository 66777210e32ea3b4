"""The OpenAPI page itself, for anybody."""

from functools import lru_cache

from django.http import HttpResponse
from django.utils.translation import get_language
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.negotiation import DefaultContentNegotiation

from casework.api.doors import Door


class Schema(Door):
    """What every endpoint takes and answers, in YAML or JSON. It needs no key."""

    authentication_classes = []
    permission_classes = []
    parameters = frozenset({"format"})
    content_negotiation_class = DefaultContentNegotiation
    renderer_classes = SpectacularAPIView.renderer_classes

    @extend_schema(exclude=True)
    def get(self, request):
        renderer = type(request.accepted_renderer)
        content = _written(get_language(), renderer)
        return HttpResponse(content, content_type=f"{renderer.media_type}; charset=utf-8")


@lru_cache(maxsize=16)
def _written(_language, renderer):
    """The schema as text, drawn once: it is the same for everybody who reads the language."""
    return renderer().render(SchemaGenerator().get_schema(request=None, public=True))

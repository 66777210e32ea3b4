"""How often a caller may ask, told on every answer of the API."""

from django.conf import settings
from django.http import JsonResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions

from casework import services
from casework.api.problems import MEDIA_TYPE, problem_body

API = "/api/"


class TooMany(exceptions.APIException):
    """The caller has used up its requests for now; `wait` seconds are left."""

    status_code = 429
    default_code = "throttled"

    def __init__(self, rate):
        self.wait = rate.reset
        super().__init__(_("请求太多，请在 %(seconds)s 秒后再试。") % {"seconds": rate.reset})


def count(request, key=None):
    """Count a request: of a key, or of the address where there is no good one.

    Raises TooMany where it is one too many.
    """
    if key is None:
        caller = services.host_of(request.META.get("REMOTE_ADDR", ""))
        rate = services.count("address", caller, limit=settings.ADDRESS_PER_MINUTE)
    else:
        limit = key.per_minute or settings.KEY_PER_MINUTE
        rate = services.count("key", key.prefix, limit=limit)
    request.rate = rate
    if rate.is_over:
        raise TooMany(rate)


def limited(get_response):
    """Tell on every answer of the API how its caller stands.

    A door has counted by its key. What came to no door, an address that there is not or a page
    without a key, is counted here.
    """

    def middleware(request):
        response = get_response(request)
        if not request.path.startswith(API):
            return response
        if not hasattr(request, "rate"):
            response = _counted(request, response)
        for name, value in told(request.rate).items():
            response[name] = value
        return response

    return middleware


def _counted(request, response):
    try:
        count(request)
    except TooMany as refusal:
        body = problem_body(refusal.status_code, refusal.default_code, refusal.detail)
        headers = {"Retry-After": str(refusal.wait)}
        return JsonResponse(body, status=429, content_type=MEDIA_TYPE, headers=headers)
    return response


def told(rate):
    """The headers that say how a caller stands."""
    return {
        "RateLimit-Limit": str(rate.limit),
        "RateLimit-Remaining": str(rate.remaining),
        "RateLimit-Reset": str(rate.reset),
        "RateLimit-Policy": f"{rate.limit};w={rate.seconds}",
    }

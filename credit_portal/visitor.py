"""What a request says of where it comes from and how it is written, believed within reason."""

from ipaddress import ip_address

from django.conf import settings


def visitor(get_response):
    """Count, lock and admit by the visitor's own address; read everything as UTF-8.

    A proxy in TRUSTED_PROXIES adds the address it was called from at the end of
    X-Forwarded-For; what stands before that anybody may have written. A charset named by
    the request could be one that decodes no text.
    """

    def middleware(request):
        request.encoding = "utf-8"
        if request.META.get("REMOTE_ADDR") in settings.TRUSTED_PROXIES:
            told = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
            if _is_address(told):
                request.META["REMOTE_ADDR"] = told
        return get_response(request)

    return middleware


def _is_address(text):
    try:
        ip_address(text)
    except ValueError:
        return False
    return True

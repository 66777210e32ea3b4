"""A number on every answer, by which a caller and the operator speak of the same request."""

import re
import uuid

HEADER = "X-Request-ID"
ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


def request_id(get_response):
    """Take over the number that the caller or the proxy gave, or give one."""

    def middleware(request):
        given = request.headers.get(HEADER, "")
        request.id = given if ACCEPTED.fullmatch(given) else str(uuid.uuid4())
        response = get_response(request)
        response[HEADER] = request.id
        return response

    return middleware

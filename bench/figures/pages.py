"""Public pages over HTTP, beside a static file from the same server.

An aim is none of ours: a page of entries is asked for anew each time and is made in some tens of
milliseconds; who has it already gets a 304 without any list being touched.
"""

from functools import partial

from django.utils import timezone

from bench.frame import figure
from bench.web import ask, etag_of, in_turns, serving
from listings.models import Listing

CALLS = 400
STATIC = "/static/portal.css"


def _entry():
    return Listing.objects.public(timezone.localdate()).black().order_by("pk").first()


def _beside_a_file(bench, path):
    """Calls of a page and of a static file, in turns."""
    count = bench.scaled(CALLS)
    page, file = ([("GET", address, None, {})] * count for address in (path, STATIC))
    with serving() as port:
        ask(port, page[:8], expect=200)
        ask(port, file[:8], expect=200)
        return in_turns(partial(ask, port, page, expect=200), partial(ask, port, file, expect=200))


@figure("public list page, newest first", beside="a static file from the same server")
def page_list(bench):
    return _beside_a_file(bench, "/black/")


@figure("public entry page", beside="a static file from the same server")
def page_entry(bench):
    return _beside_a_file(bench, f"/black/{_entry().public_id}/")


@figure("public list page that the reader has already (304)", beside="a static file (304)")
def page_known(bench):
    count = bench.scaled(CALLS)
    with serving() as port:
        known = [
            [("GET", address, None, {"If-None-Match": etag_of(port, address)})] * count
            for address in ("/black/", STATIC)
        ]
        page, file = known
        ask(port, page[:8], expect=304)
        return in_turns(partial(ask, port, page, expect=304), partial(ask, port, file, expect=304))

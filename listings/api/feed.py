"""The lists for other systems: the feed, the snapshot and its digest, the file of the day."""

import zlib
from dataclasses import asdict

from django.conf import settings
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.dateparse import parse_date
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import exceptions
from rest_framework.response import Response

from casework import documents
from casework.api import (
    Door,
    Whatever,
    bad_field,
    choice,
    instant,
    like,
    maybe,
    page,
    page_of,
    shape,
)
from casework.api.pages import PAGE_PARAMETERS, number
from listings import ledger
from listings.api.entries import LISTING
from listings.models import Change, DailyFile
from listings.services import feed
from rulebook.models import ListKind

CHANGE = {
    "seq": 1,
    "action": choice(Change.Action.values),
    "at": "2026-04-01T09:00:00.000000+08:00",
    "listing": LISTING,
    "hash": "9f86d081…",
    "previous_hash": "60303ae2…",
    "digest": "fd61a03a…",
    "key": 1,
    "salt": maybe("5891b5b5…"),
    "body": maybe("{…}"),
}
FEED = shape("Feed", {"results": [CHANGE], "head": 1})
STATE = shape(
    "SnapshotState",
    {
        "list": maybe(choice(ListKind.values)),
        "seq": 1,
        "day": "2026-04-01",
        "count": 1,
        "digest": "95139e43…",
        "rules": maybe(1),
    },
)
CONTENT = {
    "name": "black-2026-04-01.csv",
    "size": 1,
    "sha256": "9f86d081…",
    "url": maybe("https://credit.example.cn/api/v1/daily/2026-04-01/?file=csv"),
}
FILE = shape(
    "DailyFile",
    {
        "date": "2026-04-01",
        "seq": 1,
        "made_at": "2026-04-01T00:00:30+08:00",
        "available": True,
        "files": [CONTENT],
        "manifest": "{…}",
        "key_id": "2026a",
        "signature": "9f86d081…",
    },
)
MOST_CHANGES = 5_000
KIND = OpenApiParameter("list", enum=ListKind.values)
SQUEEZE = 3  # of 9: quicker than most networks, and a tenth of the size


class FeedDoor(Door):
    """A door of what is the same for everybody: it says so without looking, where it can."""

    def unchanged(self, *told):
        """(ETag of an answer that depends on `told` alone, the 304 for who has it, or None)."""
        parts = (*told, get_language(), settings.RELEASE)
        etag = f'"{ledger.digest_of(b"", ledger.canonical(parts)).hex()[:32]}"'
        return etag, get_conditional_response(self.request._request, etag=etag)

    def marked(self, response, etag):
        response["ETag"] = etag
        patch_cache_control(response, private=True, no_cache=True)
        return response

    def kind(self):
        """The list that is asked about, or None for both."""
        asked = self.request.query_params.get("list")
        if asked is not None and asked not in ListKind.values:
            raise bad_field("list", _("应是 red 或 black。"))
        return asked


class Changes(FeedDoor):
    scopes = {"GET": "read"}
    parameters = frozenset({"after", "limit"})

    @extend_schema(
        summary="变更：按序号，无缺号",
        responses={200: like(FEED)},
        parameters=[
            OpenApiParameter("after", {"type": "integer", "minimum": 0}),
            OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": MOST_CHANGES}),
        ],
    )
    def get(self, request):
        after, limit = self._after(), number(request, "limit", 100, MOST_CHANGES)
        etag, same = self.unchanged(after, limit, *feed.position(self.today))
        if same:
            return self.marked(same, etag)
        rows, head = feed.changes(after=after, limit=limit, today=self.today)
        text = f'{{"results":[{rows}],"head":{head}}}'
        return self.marked(HttpResponse(text, content_type="application/json"), etag)

    def _after(self):
        text = self.request.query_params.get("after", "0")
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise bad_field("after", _("应是账本序号。"))
        return int(text)


class SnapshotLines(FeedDoor):
    scopes = {"GET": "read"}
    parameters = frozenset({"list"})
    content_negotiation_class = Whatever

    @extend_schema(
        summary="全部有效记录，每行一条",
        responses={(200, "application/x-ndjson"): OpenApiTypes.STR},
        parameters=[KIND],
    )
    def get(self, request):
        kind, squeezed = self.kind(), _takes_gzip(request)
        etag, same = self.unchanged(kind, squeezed, *feed.position(self.today))
        if same:
            return self.marked(same, etag)
        snapshot = feed.Snapshot(today=self.today, kind=kind)
        response = StreamingHttpResponse(snapshot, content_type="application/x-ndjson")
        if squeezed:
            response.streaming_content = _squeezed(snapshot)
            response["Content-Encoding"] = "gzip"
        return self.marked(self._told(response, snapshot.state), etag)

    def head(self, request):
        """The headers alone; nothing is read but what they hold."""
        state = feed.state(today=self.today, kind=self.kind())
        response = HttpResponse(content_type="application/x-ndjson")
        etag, _same = self.unchanged(state.list, _takes_gzip(request), *feed.position(self.today))
        return self.marked(self._told(response, state), etag)

    def _told(self, response, state):
        response["X-Ledger-Seq"] = state.seq
        response["X-Snapshot-Day"] = state.day.isoformat()
        response["X-Snapshot-Count"] = state.count
        response["X-Snapshot-Digest"] = state.digest
        response["X-Rules-Version"] = state.rules or 0
        response["Vary"] = "Accept-Encoding"
        return response


def _takes_gzip(request):
    """Whether Accept-Encoding names gzip, and not only to refuse it."""
    for offer in request.headers.get("Accept-Encoding", "").lower().split(","):
        coding, *rest = (part.strip() for part in offer.split(";"))
        if coding == "gzip":
            return not any(part.replace(" ", "") in {"q=0", "q=0.0"} for part in rest)
    return False


def _squeezed(pieces):
    """The pieces as one gzip stream, each compressed as it comes."""
    machine = zlib.compressobj(SQUEEZE, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    for piece in pieces:
        if part := machine.compress(piece):
            yield part
    yield machine.flush()


class SnapshotDigest(FeedDoor):
    scopes = {"GET": "read"}
    parameters = frozenset({"list"})

    @extend_schema(
        summary="名单的校验值：本地副本是否同步", responses={200: like(STATE)}, parameters=[KIND]
    )
    def get(self, _request):
        kind = self.kind()
        etag, same = self.unchanged("digest", kind, *feed.position(self.today))
        return self.marked(same or Response(asdict(feed.state(today=self.today, kind=kind))), etag)


# ── the file of the day ───────────────────────────────────────────────────────────────────────


class Daily(Door):
    scopes = {"GET": "read"}
    parameters = PAGE_PARAMETERS

    @extend_schema(
        summary="每日名单文件", operation_id="daily_list", responses={200: page_of(FILE)}
    )
    def get(self, _request):
        current = feed.handed_out(self.today, today=self.today)

        def show(rows):
            return [_file(row, current) for row in rows]

        return page(self, DailyFile.objects.all(), show)


class DailyDetail(Door):
    scopes = {"GET": "read"}
    parameters = frozenset({"file"})
    content_negotiation_class = Whatever

    @extend_schema(
        summary="一天的名单文件；file= 下载其中一个",
        responses={200: like(FILE)},
        parameters=[OpenApiParameter("file", enum=list(feed.FORMS))],
    )
    def get(self, request, day):
        day, asked = _day(day), request.query_params.get("file")
        if asked is not None and asked not in feed.FORMS:
            raise bad_field("file", _("没有这个文件。"))
        newest = DailyFile.objects.of_day(day).first()
        if newest is None:
            raise Http404
        current = feed.handed_out(day, today=self.today)
        if asked is None:
            return Response(_file(newest, current))
        if asked == "signature":
            return documents.text_attachment(feed.signed_text(newest), _name(asked, day))
        if current is None:
            raise Gone(_("这一天的文件不再提供内容，请用今天最新的文件。"))
        return documents.large_attachment(getattr(current, asked))


class Gone(exceptions.APIException):
    status_code = 410
    default_code = "gone"


def _day(text):
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise Http404
    return day


def _name(form, day):
    return feed.FORMS[form][0].format(day=day)


def _file(file, current):
    """A daily file as it is told; addresses of its content only while it may be had."""
    available = file == current
    path = settings.BASE_URL + reverse("api-daily-file", args=[file.day.isoformat()])
    forms = {_name(form, file.day): form for form in DailyFile.CONTENT}
    return {
        "date": file.day,
        "seq": file.seq,
        "made_at": instant(file.made_at),
        "available": available,
        "files": [
            {**row, "url": f"{path}?file={forms[row['name']]}" if available else None}
            for row in feed.files_of(file)
        ],
        "manifest": file.manifest,
        "key_id": file.key_id,
        "signature": bytes(file.signature).hex(),
    }

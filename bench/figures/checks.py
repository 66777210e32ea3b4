"""Checks at the point of business over HTTP: one at a counter, a thousand in a batch.

A batch costs what Python does for each of its subjects: reading, digesting for the receipt,
writing. The bare statement does none of that.
"""

import json
import random
import time

from django.db import connection
from django.utils import timezone

from bench.data import code_of
from bench.frame import Measure, figure
from bench.web import ask, in_turns, key, serving
from jointaction.services.lookup import ENTRY
from listings.models import Listing

CALLS = 2_000  # in a round
BATCHES = 10
SUBJECTS = 1_000
SEED = 11
UNKNOWN = 90_000_000  # numbers from here on are no firm's


def codes(count):
    """Codes of firms with an entry in force, the same ones each time."""
    rows = Listing.objects.public(timezone.localdate()).exclude(subject__code=None)
    known = list(rows.order_by("pk").values_list("subject__code", flat=True)[: 10 * count])
    return random.Random(SEED).choices(known, k=count)


def question(asked, headers):
    body = {
        "purpose": "投标资格审查",
        "reference": "示例-2026-001",
        "subjects": [{"code": code} for code in asked],
    }
    return "POST", "/api/v1/checks/", json.dumps(body).encode(), headers


@figure("single check over HTTP, every one a hit", beside="an empty authenticated view", aim=2.86)
def check_single(bench):
    headers, count = key("check"), bench.scaled(CALLS)
    checks = [question([code], headers) for code in codes(count)]
    empty = [("GET", "/empty/", None, headers)] * count
    with serving() as port:
        ask(port, checks[:100], expect=201)
        ask(port, empty[:100], expect=200)
        return in_turns(lambda: ask(port, checks, expect=201), lambda: ask(port, empty, expect=200))


def _batch(bench, listed):
    """A batch in which so many of a thousand are on a list, beside the bare look-up of it."""
    asked = codes(listed) + [code_of(UNKNOWN + number) for number in range(SUBJECTS - listed)]
    random.Random(SEED).shuffle(asked)
    count = bench.scaled(BATCHES)
    batches = [question(asked, key("check"))] * count
    prepare()
    with serving() as port:
        ask(port, batches[:2], callers=1, expect=201)
        bare(asked, 10)
        return in_turns(
            lambda: _subjects(ask(port, batches, callers=1, expect=201)),
            lambda: bare(asked, 10 * count),
        )


def _subjects(measure):
    return Measure(measure.count * SUBJECTS, measure.seconds, "subjects")


def prepare():
    columns = ", ".join(f"entry.{name}" for name in ENTRY)
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
        cursor.execute(
            f"""
            PREPARE bare_check(text[], date) AS
            SELECT subject.code, subject.name, {columns} FROM parties_subject subject
            LEFT JOIN listings_listing entry ON entry.subject_id = subject.id
                AND entry.status = 'published' AND entry.visible_until >= $2
            WHERE subject.code = ANY($1)
            """
        )


def bare(asked, times):
    """The same look-up as one prepared statement, its rows fetched."""
    today = timezone.localdate()
    began = time.perf_counter()
    with connection.cursor() as cursor:
        for _time in range(times):
            cursor.execute("EXECUTE bare_check(%s, %s)", [asked, today])
            cursor.fetchall()
    return Measure(times * len(asked), time.perf_counter() - began, "subjects")


@figure(
    "batch check of 1,000 over HTTP, one in ten on a list",
    beside="the same look-up as one prepared statement",
    aim=10,
)
def check_batch(bench):
    return _batch(bench, SUBJECTS // 10)


@figure(
    "batch check of 1,000 over HTTP, every one on a list",
    beside="the same look-up as one prepared statement",
)
def check_batch_listed(bench):
    return _batch(bench, SUBJECTS)

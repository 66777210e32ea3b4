"""Checks at the point of business: is this subject on a list, and what must my unit do?"""

import json
from functools import lru_cache

from django.core.exceptions import PermissionDenied
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.utils.translation import gettext as _

from casework.services import refuse
from casework.workdays import add_working_days
from jointaction import policies
from jointaction.models import Check
from jointaction.services import asked, lookup, receipts
from rulebook.models import ListKind, parameter

MOST_SUBJECTS = 1_000


def check(subjects, *, actor, purpose, reference, today, as_of=None, known_at=None):
    """Answer for each asked subject whether it is on a list; returns (check, results).

    `subjects` is a list of {code, name?} or {name, id_type, id_number}; an organisation
    is decided by its code, a person by name and number together. `as_of` asks for a past day,
    as known now or at the ledger position `known_at`; such a question leaves nothing to be
    fed back. Check, receipt and hits are logged in one statement, so together or not at all.
    Raises PermissionDenied, ValidationError.
    """
    if not policies.may_check(actor.user):
        raise PermissionDenied
    _refuse_bad_question(subjects, purpose, reference, today, as_of, known_at)
    if as_of == today and known_at is None:
        as_of = None  # a question about today, and its hits are to be answered
    results = asked.read(subjects, today)
    past = {"as_of": as_of, "known_at": known_at}
    position = lookup.find(results, actor.department, today=today, **past)
    for result in results:
        _suppress_benefits(result)
    hits = _distinct_hits(results)
    logged = Check(
        id=position.number,
        unit=actor.department,
        purpose=purpose.strip(),
        reference=reference.strip(),
        ledger_seq=position.seq,
        subjects=len(subjects),
        hits=len(hits),
        **past,
        **actor.columns,
    )
    receipts.freeze(logged, results, position)
    to_answer = [] if as_of else [match for match in hits if not match.suppressed]
    due = _feedback_due(today, position.rules, position.calendar) if to_answer else None
    _log(logged, to_answer, due)
    return logged, results


@lru_cache(maxsize=8)
def _feedback_due(today, _rules, _calendar):
    """The last day to answer for a hit of today: another only where a rule or the calendar is."""
    return add_working_days(today, parameter("check_feedback", on=today))


def _refuse_bad_question(subjects, purpose, reference, today, as_of, known_at):
    wrong = _("请填写 1 到 200 个字。")
    most = {"most": MOST_SUBJECTS}
    refuse(
        {
            "purpose": not 1 <= len(purpose.strip()) <= 200 and wrong,
            "reference": not 1 <= len(reference.strip()) <= 200 and wrong,
            "subjects": not 1 <= len(subjects) <= MOST_SUBJECTS
            and _("一次查询 1 到 %(most)s 个主体。") % most,
            "as_of": as_of and as_of > today and _("查询日不能晚于今天。"),
            "known_at": known_at is not None
            and as_of is None
            and _("按账本序号查询，要同时写明查询日 as_of。"),
        }
    )


def _suppress_benefits(result):
    """A black entry suspends the benefits of red ones."""
    black = any(
        match.listing.kind == ListKind.BLACK and match.matched_as == "subject"
        for match in result.matches
    )
    for match in result.matches:
        if black and match.listing.kind == ListKind.RED:
            match.measures, match.suppressed = [], True


def _distinct_hits(results):
    """Each entry that a subject met once, however often the batch names the subject."""
    found = {
        (result.subject.pk, match.listing.pk, match.matched_as): match
        for result in results
        for match in result.matches
    }
    return list(found.values())


# ── the log ───────────────────────────────────────────────────────────────────────────────────

COLUMNS = tuple(column.column for column in Check._meta.concrete_fields)
LOG = f"""
    WITH logged AS (
        INSERT INTO jointaction_check ({", ".join(COLUMNS)})
        VALUES ({", ".join(f"%({name})s" for name in COLUMNS)})
    )
    INSERT INTO jointaction_hit (public_id, check_id, check_public_id, unit_id, listing_id,
        matched_as, reference, measures, at, feedback_due, handling, result, remark)
    SELECT gen_random_uuid(), %(id)s, %(public_id)s, %(unit_id)s, hit.listing, hit.matched_as,
        %(reference)s, hit.measures, %(at)s, %(due)s, '', '', ''
    FROM jsonb_to_recordset(%(met)s::jsonb) AS hit(listing bigint, matched_as text, measures jsonb)
"""  # noqa: S608 - the columns are the model's own


def _log(logged, hits, due):
    rows = [
        {"listing": hit.listing.pk, "matched_as": hit.matched_as, "measures": hit.measures}
        for hit in hits
    ]
    values = {
        column.column: getattr(logged, column.attname) for column in Check._meta.concrete_fields
    }
    values |= {"met": json.dumps(rows, cls=DjangoJSONEncoder, ensure_ascii=False), "due": due}
    with connection.cursor() as cursor:
        cursor.execute(LOG, values)

"""Refusals by name, numbers without gaps, acting once, and the calendar's rows."""

import hashlib
import re
from collections import Counter as Tally
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from casework.models import CalendarYear, Counter, IdempotencyKey, SpecialDay
from casework.moves import record
from parties import sealing


def refuse(reasons):
    """Raise ValidationError with those of {field: message, or something falsy} that hold."""
    errors = {field: message for field, message in reasons.items() if message}
    if errors:
        raise ValidationError(errors)


_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(value):
    """Whether PostgreSQL can keep every text in a value: no NUL, no half of a surrogate pair."""
    if isinstance(value, dict):
        return all(storable(part) for pair in value.items() for part in pair)
    if isinstance(value, (list, tuple)):
        return all(map(storable, value))
    return not (isinstance(value, str) and _UNSTORABLE.search(value))


def clean_columns(row, values):
    """`values` as the columns of `row` keep them, and {column: ValidationError} of bad ones."""
    cleaned, errors = {}, {}
    for name, value in values.items():
        try:
            cleaned[name] = _clean_column(row, row._meta.get_field(name), value)
        except ValidationError as error:
            errors[name] = error
        except (TypeError, ValueError, ArithmeticError):
            errors[name] = ValidationError(_("格式不对。"), code="bad_format")
    return cleaned, errors


def refuse_bad_columns(row, names, email):
    """Raise ValidationError where a filing's text or its applicant's address can't be kept."""
    _cleaned, errors = clean_columns(row, {name: getattr(row, name) for name in names})
    if "applicant_name" in errors:
        errors["applicant.name"] = errors.pop("applicant_name")
    try:
        models.EmailField().run_validators(email)
    except ValidationError as error:
        errors["applicant.email"] = error
    refuse(errors)


def _clean_column(row, column, value):
    if column.is_relation:
        return value
    if value in (None, "") and column.blank:
        return None if column.null else column.get_default()
    if not storable(value):
        raise ValidationError(_("含有不能保存的字符。"), code="bad_format")
    if isinstance(column, (models.CharField, models.TextField)) and not isinstance(value, str):
        raise ValidationError(_("应为文字。"), code="bad_format")
    return column.clean(value, row)


@transaction.atomic
def take_number(series, year):
    """The next number of a series in a year, from 1, without gaps: a rolled-back one is reused.

    The counter's row stays locked until the caller's transaction ends.
    """
    Counter.objects.bulk_create([Counter(series=series, year=year)], ignore_conflicts=True)
    counter = Counter.objects.select_for_update().get(series=series, year=year)
    counter.value += 1
    counter.save(update_fields=["value"])
    return counter.value


@transaction.atomic
def load_year(year, days, *, status, source, actor):
    """Put the days of a year's notice in place of those known, and raise the year's version.

    `days` are unsaved SpecialDays of `year`; a notice may also alter days of the December
    before, and of two notices for one day the later year's counts. Loading what is already
    there changes nothing. Returns how many days were `created`, `updated`, `unchanged` and
    `removed`.
    """
    CalendarYear.objects.get_or_create(
        year=year, defaults={"status": status, "source": source, "version": 0}
    )
    row = CalendarYear.objects.select_for_update().get(year=year)
    later = SpecialDay.objects.filter(day__in=[day.day for day in days], year__gt=year)
    taken = set(later.values_list("day", flat=True))
    wanted = {day.day: day for day in days if day.day not in taken}
    known = SpecialDay.objects.filter(day__in=wanted) | SpecialDay.objects.filter(year=year)
    known = known.in_bulk()
    tally = _compare(wanted, known)
    same = tally["unchanged"] == len(known) == len(wanted)
    if row.version and same and (row.status, row.source) == (status, source):
        return tally
    SpecialDay.objects.filter(day__in=known).delete()
    SpecialDay.objects.bulk_create(wanted.values())
    row.status, row.source, row.version = status, source, row.version + 1
    row.save(update_fields=["status", "source", "version"])
    note = _("载入%(year)s年节假日安排：%(source)s") % {"year": year, "source": source}
    record(row, "load", actor=actor, note=note)
    return tally


def _compare(wanted, known):
    tally = Tally(created=0, updated=0, unchanged=0, removed=len(known.keys() - wanted.keys()))
    for day, row in wanted.items():
        if day not in known:
            tally["created"] += 1
        else:
            tally["unchanged" if _alike(row, known[day]) else "updated"] += 1
    return tally


def _alike(one, other):
    columns = ("year_id", "kind", "name", "name_en")
    return all(getattr(one, column) == getattr(other, column) for column in columns)


# ── acting once ───────────────────────────────────────────────────────────────────────────────

KEPT_FOR = timedelta(hours=24)


def hold_key(*, api_key, path, key):
    """Whether nobody else acts under this idempotency key; then it is held until the commit."""
    digest = hashlib.sha256(f"{api_key.pk}\n{path}\n{key}".encode()).digest()
    with connection.cursor() as cursor:
        number = int.from_bytes(digest[:8], "big", signed=True)
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        return cursor.fetchone()[0]


def kept_answer(*, api_key, path, key):
    """The answer given under this idempotency key in the last 24 hours, or None."""
    return IdempotencyKey.objects.filter(
        api_key=api_key, path=path, key=key, at__gt=timezone.now() - KEPT_FOR
    ).first()


def keep_answer(*, api_key, path, key, digest, status, answer):
    """Keep an answer with the act that it is about; the key's old ones go."""
    IdempotencyKey.objects.filter(api_key=api_key, at__lte=timezone.now() - KEPT_FOR).delete()
    key_id, sealed = sealing.seal(answer, **_place(path, key))
    return IdempotencyKey.objects.create(
        api_key=api_key,
        path=path,
        key=key,
        digest=digest,
        http_status=status,
        answer_sealed=sealed,
        answer_key_id=key_id,
    )


def answer_of(kept, *, actor):
    return sealing.unseal(
        kept.answer_sealed,
        kept.answer_key_id,
        **_place(kept.path, kept.key),
        actor=actor,
        purpose=_("重复请求，再次给出原答复"),
    )


def _place(path, key):
    digest = hashlib.sha256(f"{path}\n{key}".encode()).hexdigest()
    return {"table": "casework_idempotencykey", "row": digest[:40], "field": "answer"}

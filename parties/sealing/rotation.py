"""A change of keys: everything sealed is sealed anew under the newest, a batch at a time.

Each batch is one transaction and begins where the key ids say that work is left, so a run
that was killed is gone on with by running it again.
"""

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from django.apps import apps
from django.db import connection, transaction
from django.db.models import Count
from django.utils.translation import gettext as _
from psycopg2 import Binary

from parties import sealing
from parties.models import CLOCK, AccessLog, IndexKey, Sealed

BATCH = 1_000
# Digests of what is kept nowhere: their keys outlive the rotation.
LASTING = ("query", "receipt", "report-receipt")


class Unreadable(Exception):  # noqa: N818 - a finding, not a fault of the program
    """A sealed value that no key at hand opens."""


@dataclass(frozen=True)
class Place:
    """One sealed column of one table."""

    model: type
    sealed: Sealed
    is_file: bool = False

    def __str__(self):
        return f"{self.model._meta.db_table}.{self.sealed.column}"

    @property
    def rows(self):
        return self.model._default_manager.filter(**{f"{self.sealed.column}__isnull": False})

    @property
    def indexed(self):
        """The rows with a blind index; none has one that is not sealed as well."""
        return self.model._default_manager.filter(**{f"{self.sealed.index}__isnull": False})

    @property
    def index_key_id(self):
        return f"{self.sealed.index}_key_id"


def places():
    """Every sealed column of the portal, as the models name them."""
    for model in apps.get_models():
        for kind, is_file in (("SEALED", False), ("SEALED_FILES", True)):
            for sealed in getattr(model, kind, ()):
                yield Place(model, sealed, is_file)


def counted():
    """{key id: {column: rows}} of what is sealed, or digested and can be made anew."""
    found = {}
    for place in places():
        for key_id, n in _per_key(place.rows, place.sealed.key_id):
            found.setdefault(key_id, {})[str(place)] = n
        if place.sealed.index:
            name = f"{place.model._meta.db_table}.{place.sealed.index}"
            for key_id, n in _per_key(place.indexed, place.index_key_id):
                found.setdefault(key_id, {})[name] = n
    return found


def _per_key(rows, column):
    return rows.order_by().values_list(column).annotate(n=Count("pk"))


def rotate():
    """Seal everything anew that is not under the newest key; yields (column, rows) as it is done.

    Files that wait for their turn are left: they are gone within the hour. Raises Unreadable,
    naming the row, where a value opens under no key at hand; what was done before stays done.
    """
    keep_index_keys()
    for place in places():
        if not place.is_file:
            yield str(place), _rotate_column(place)
    sealing.retired_index_keys.cache_clear()


@transaction.atomic
def keep_index_keys():
    """Keep, sealed, the keys of digests that can't be made anew, of every key but the newest."""
    _newest, *older = sealing.keys().items()
    for key_id, key in older:
        for purpose in LASTING:
            row = IndexKey(key_id=key_id, purpose=purpose)
            row.sealed_key_id, row.sealed = sealing.seal(
                sealing.index_key(key, purpose).hex(),
                table=row._meta.db_table,
                row=row.place,
                field="key",
            )
            IndexKey.objects.bulk_create([row], ignore_conflicts=True)


def _rotate_column(place):
    newest = next(iter(sealing.keys()))
    done, last = 0, 0
    while batch := _rotate_batch(place, newest, last):
        last, done = batch[-1].pk, done + len(batch)
    if done:
        AccessLog.objects.create(
            table=place.model._meta.db_table, row="*", field=place.sealed.field,
            purpose=_("更换密钥：%(key)s（%(n)s 个）") % {"key": newest, "n": done},
            **CLOCK.columns,
        )  # fmt: skip
    return done


@transaction.atomic
def _rotate_batch(place, newest, last):
    """The next rows that are not under the newest key, sealed anew; those rows."""
    sealed = place.sealed
    rows = place.rows.filter(pk__gt=last).exclude(**{sealed.key_id: newest})
    batch = list(rows.order_by("pk").select_for_update(of=("self",))[:BATCH])
    if not batch:
        return batch
    columns = {"id": [], sealed.column: [], sealed.key_id: []}
    if sealed.index:
        columns |= {sealed.index: [], place.index_key_id: []}
    for row in batch:
        columns["id"].append(row.pk)
        for name, value in _anew(place, row).items():
            columns[name].append(value)
    _write(place.model._meta.db_table, columns)
    return batch


def _anew(place, row):
    """The columns of one row under the newest key."""
    sealed = place.sealed
    bound = {
        "table": row._meta.db_table,
        "row": getattr(row, sealed.row),
        "field": sealed.field,
    }
    key_id = getattr(row, sealed.key_id)
    try:
        value = sealing.opened(getattr(row, sealed.column), key_id, **bound)
    except KeyError:
        raise Unreadable(
            f"{place} of row {row.pk}: the key {key_id} is not in FIELD_KEYS"
        ) from None
    except InvalidTag:
        raise Unreadable(
            f"{place} of row {row.pk}: it was altered, or {key_id} is another key than once"
        ) from None
    new_id, new = sealing.seal(value, **bound)
    found = {sealed.column: Binary(new), sealed.key_id: new_id}
    if sealed.index:
        index_id, index = sealing.blind_index(row.index_text(value))
        found |= {sealed.index: Binary(index), place.index_key_id: index_id}
    return found


def _write(table, columns):
    """Set the columns of many rows, in one statement."""
    kinds = {name: "text" if name.endswith("key_id") else "bytea" for name in columns}
    kinds["id"] = "bigint"
    setting = ", ".join(f"{name} = new.{name}" for name in columns if name != "id")
    given = ", ".join(f"%s::{kinds[name]}[]" for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} AS t SET {setting} "  # noqa: S608 - our own tables and columns
            f"FROM unnest({given}) AS new({', '.join(columns)}) WHERE t.id = new.id",
            list(columns.values()),
        )

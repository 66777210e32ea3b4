"""The one mover: every change of a matter's status goes through here and leaves a journal line."""

import json

from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from casework.models import Event


class IllegalMove(Exception):  # noqa: N818 - a refusal, not a fault
    """The matter is not in a state from which this action leads anywhere."""

    def __init__(self, case, action):
        self.case, self.action = case, action
        super().__init__(case, action)

    def __str__(self):
        label = self.case.get_status_display()
        return _("现在的状态是“%(status)s”，不能这样办理。请刷新后再看。") % {"status": label}


class StaleVersion(Exception):  # noqa: N818 - a refusal, not a fault
    """Somebody changed the matter after the caller read it."""

    def __init__(self, case, expected):
        self.case, self.expected = case, expected
        super().__init__(case, expected)

    def __str__(self):
        return _("这件事已有改动（现在是第 %(version)s 版）。请刷新后再办。") % {
            "version": self.case.version
        }


def lock(case):
    """The fresh row of `case`, locked until the transaction ends."""
    rows = type(case)._default_manager.select_for_update(of=("self",))
    return rows.get(pk=case.pk)


def record(case, action, *, actor, note="", private_note="", changes=None):
    """Write a journal line that moves nothing."""
    return Event.objects.create(
        content_type=_content_type(type(case)),
        object_id=case.pk,
        action=action,
        status=case.status,
        version=case.version,
        note=note,
        private_note=private_note,
        changes=changes or {},
        **actor.columns,
    )


def record_act(thing, action, *, actor, note=""):
    """Write a journal line about what is no matter: a department's list exported, a sign-in."""
    return Event.objects.create(
        content_type=_content_type(thing.__class__),
        object_id=thing.pk,
        action=action,
        status="",
        version=0,
        note=note,
        **actor.columns,
    )


@transaction.atomic
def move(
    case, action, *, actor, note="", private_note="", changes=None, expected_version=None, **fields
):
    """Take `case` along `action`, set `fields`, and write the journal line.

    The row is locked and re-read first, so of two people acting at once the
    second meets the first one's result and is refused. Returns the fresh row.
    Raises `IllegalMove` where MOVES has no such arrow, `StaleVersion` where the
    row is no longer at `expected_version`, `ValidationError` for a bad field.
    """
    case = lock(case)
    if not case.can(action):
        raise IllegalMove(case, action)
    if expected_version is not None and case.version != expected_version:
        raise StaleVersion(case, expected_version)
    for name, value in fields.items():
        setattr(case, name, value)
    case.status = case.MOVES[action][1]
    case.version += 1
    changed = {"status", "version", *fields}
    # only the changed columns: full_clean would ask the database for every foreign key
    case.clean_fields(exclude=[f.name for f in case._meta.fields if f.name not in changed])
    case.save(update_fields=changed)
    record(case, action, actor=actor, note=note, private_note=private_note, changes=changes)
    return case


@transaction.atomic
def move_many(rows, action, *, actor, note="", wait=False, changes=None, **fields):
    """Take every row of a queryset along `action`, set-based, with one journal line each.

    Rows are locked in primary key order; those that another transaction holds are left
    for the next run, or with `wait` waited for, where no run would find them again. One that
    MOVES refuses stops the whole with `IllegalMove`. Returns the moved primary keys.
    """
    model = rows.model
    sources, target = model.MOVES[action]
    locked = rows.order_by("pk").select_for_update(of=("self",), skip_locked=not wait)
    statuses = dict(locked.values_list("pk", "status"))
    for pk, status in statuses.items():
        if status not in sources:
            raise IllegalMove(model._default_manager.get(pk=pk), action)
    pks = list(statuses)
    moved = model._default_manager.filter(pk__in=pks)
    moved.update(status=target, version=F("version") + 1, **fields)
    record_many(model, pks, action, actor=actor, note=note, changes=changes)
    return pks


def record_many(model, pks, action, *, actor, note="", changes=None):
    """Write one journal line for each of many rows, set-based, all with the same `changes`."""
    table = connection.ops.quote_name(model._meta.concrete_model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO casework_event (content_type_id, object_id, action, status, version, at,
                note, private_note, changes, by_user_id, by_key_id, by_label)
            SELECT %s, id, %s, status, version, %s, %s, '', %s::jsonb, %s, %s, %s
            FROM {table} WHERE id = ANY(%s)
            """,  # noqa: S608 - the table's name is the model's own
            [
                _content_type(model).pk,
                action,
                timezone.now(),
                note,
                json.dumps(changes or {}),
                actor.user and actor.user.pk,
                actor.key and actor.key.pk,
                actor.signature,
                pks,
            ],
        )


def _content_type(model):
    return ContentType.objects.get_for_model(model)

"""Forms that are kept while they are filled in, and forgotten once they are handed in."""

import json
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from casework.models import KeptForm
from casework.services.refusals import storable

MOST_SIGNS = 200_000  # of all that is typed into one form
MOST_FORMS = 50  # of one user
DAYS = 30
OTHER_WINDOW = "other_window"


def kept_form(user, form, about):
    """What the user left in this form, or None."""
    return KeptForm.objects.filter(user=user, form=form, about=about).first()


@transaction.atomic
def keep_form(user, form, about, values, *, stamp, basis, now):
    """Keep what is typed: `values` is {field: [texts]}, `basis` the version the page showed.

    `stamp` is that of the keeping which the page knows of, 0 for none. Returns the row with its
    new stamp. Raises ValidationError with the code "other_window" where another window has kept,
    handed in or given up the form since, and others where it is too much.
    """
    rows = KeptForm.objects.filter(user=user, form=form, about=about)
    _refuse_too_much(values, KeptForm.objects.filter(user=user).exclude(form=form, about=about))
    now_kept = {"values": values, "basis": basis, "saved_at": now}
    if stamp == 0:
        row, made = rows.get_or_create(defaults=now_kept, user=user, form=form, about=about)
        if not made:
            _refuse_other_window()
        return row
    row = rows.select_for_update(of=("self",)).filter(stamp=stamp).first()
    if row is None:
        _refuse_other_window()
    for name, value in now_kept.items():
        setattr(row, name, value)
    row.stamp += 1
    row.save()
    return row


def forget_form(user, form, about):
    """The form was handed in or given up; that there is none is no fault."""
    KeptForm.objects.filter(user=user, form=form, about=about).delete()


def forget_old_forms(*, now):
    """Delete what nobody came back to for 30 days; returns how many."""
    old = KeptForm.objects.filter(saved_at__lt=now - timedelta(days=DAYS))
    return old.delete()[0]


def _refuse_too_much(values, others):
    if not storable(values):
        raise ValidationError(_("含有不能保存的字符。"))
    if len(json.dumps(values, ensure_ascii=False)) > MOST_SIGNS:
        raise ValidationError(_("内容太长，没有自动存住，请先存草稿。"))
    if others.count() >= MOST_FORMS:
        raise ValidationError(_("没有填完的表单太多，没有自动存住，请先办完几张。"))


def _refuse_other_window():
    words = _("另一个窗口已经存过、交过或者放弃了这张表，这里的内容没有存住。请核对以后再存。")
    raise ValidationError(words, code=OTHER_WINDOW)

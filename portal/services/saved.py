"""The views of the desk's first page that its users keep: a name for a question."""

from django.db import transaction
from django.utils.translation import gettext as _

from casework.services import refuse
from parties.models import User
from portal.models import SavedView

MOST_VIEWS = 20  # of one user


@transaction.atomic
def keep_view(user, *, name, query, default=False):
    """Keep a question under a name; the same name again keeps the new question.

    With `default` the desk opens with it from now on. Returns the view. Raises ValidationError
    `name` where the user has as many as there may be.
    """
    _lock(user)
    views = SavedView.objects.of_user(user)
    others = views.exclude(name=name).count()
    full = _("最多保存 %(most)s 个视图，请先删掉不用的。") % {"most": MOST_VIEWS}
    refuse({"name": others >= MOST_VIEWS and full})
    if default:
        views.update(is_default=False)
    asked = {"query": query, **({"is_default": True} if default else {})}
    view, _made = SavedView.objects.update_or_create(user=user, name=name, defaults=asked)
    return view


@transaction.atomic
def open_with(user, view):
    """Let the desk open with this view; with None, with everything."""
    _lock(user)
    views = SavedView.objects.of_user(user)
    views.update(is_default=False)
    if view:
        views.filter(pk=view.pk).update(is_default=True)


def forget_view(view):
    """Delete a view; that it is gone already is no fault."""
    SavedView.objects.filter(pk=view.pk).delete()


def _lock(user):
    """Of two windows of one user the second waits, so that limits and the one default hold."""
    User.objects.select_for_update(of=("self",)).get(pk=user.pk)

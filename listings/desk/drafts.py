"""The desk of both lists: drafts, and what is kept of them while they are filled in."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext

from casework.desk import given
from casework.forms import KeepForm
from casework.services import OTHER_WINDOW, forget_form, keep_form, kept_form
from listings import policies
from listings.desk.entries import categories_of, url_of
from parties.models import Actor


def draft_page(request, *, kind, form_class, draft, template):
    """A new draft: first the category, then the form with the category's own fields."""
    categories = categories_of(request.user).filter(kind=kind).select_related("basis")
    code = request.GET.get("category")
    if not code:
        context = {"kind": kind, "categories": categories}
        return render(request, "listings/desk_choose.html", context)
    category = {row.code: row for row in categories}.get(code)
    if category is None:
        raise Http404
    form = form_class(given(request), category=category)

    def write():
        actor, today = Actor.of(request.user), timezone.localdate()
        subject = form.subject()
        return draft(actor=actor, subject=subject, category=category, today=today, **form.values())

    def saved():
        listing, _made = form.result
        _tell_name(request, listing, form.cleaned_data["name"])
        return listing

    place = (f"{kind}-draft", category.code)
    context = {"form": form, "category": category, "kind": kind}
    return _filled_page(request, template, context, write, saved, place)


def edit_page(request, listing, *, form_class, edit, template):
    """The draft's form, filled in; a draft changed meanwhile is not overwritten."""
    if not policies.may_edit(request.user, listing):
        raise PermissionDenied
    form = form_class(given(request), category=listing.category, listing=listing)

    def write():
        actor, today = Actor.of(request.user), timezone.localdate()
        version = form.cleaned_data["version"]
        return edit(listing, actor=actor, today=today, expected_version=version, **form.values())

    place = (f"{listing.kind}-edit", str(listing.public_id))
    context = {"form": form, "category": listing.category, "kind": listing.kind, "entry": listing}
    return _filled_page(request, template, context, write, lambda: listing, place)


def _tell_name(request, listing, name):
    if listing.subject.name != name.strip():
        words = gettext("这个主体登记的名称是“%(name)s”，与填写的不同，请核对。")
        messages.warning(request, words % {"name": listing.subject.display_name})


# --- what is typed is kept ---------------------------------------------------


def _filled_page(request, template, context, write, saved, place):
    """The form of a draft: saved, or only kept for its user, or given up, or shown.

    Keeping touches no draft: what is kept becomes a draft only when it is saved.
    """
    form, act = context["form"], request.POST.get("act")
    if act == "forget":
        forget_form(request.user, *place)
        messages.success(request, gettext("没有存的内容已放弃。"))
        return redirect(request.get_full_path())
    if act == "keep":
        return _kept_answer(request, template, context, place)
    if request.method == "POST" and form.carry_out(write):
        forget_form(request.user, *place)
        messages.success(request, gettext("草稿已保存。"))
        return redirect(url_of(saved()))
    if form.refused:  # so that nothing is lost when the page is loaded anew
        _keep(request, form, place)
        _renew_stamp(request, form, place)
    if not form.is_bound:
        context |= _restored(request, form, place)
    return render(request, template, context, status=form.status)


def _keep(request, form, place):
    """The form that kept what was typed, or tells why not; its `result` is the row."""
    keeping = KeepForm(request.POST)

    def act():
        asked, now = keeping.cleaned_data, timezone.now()
        known = {"stamp": asked["stamp"] or 0, "basis": asked["version"], "now": now}
        return keep_form(request.user, *place, form.typed(), **known)

    keeping.carry_out(act)
    return keeping


def _kept_answer(request, template, context, place):
    """To the page's script in a word, to a browser without scripts as a page."""
    form, keeping = context["form"], _keep(request, context["form"], place)
    errors = [error for errors in keeping.errors.as_data().values() for error in errors]
    words = "".join(message for error in errors for message in error.messages)
    status = 409 if any(error.code == OTHER_WINDOW for error in errors) else keeping.status
    if "application/json" in request.headers.get("Accept", ""):
        told = {"words": words or _kept_words(keeping.result)}
        stamp = None if words else keeping.result.stamp
        return JsonResponse({**told, "stamp": stamp}, status=status)
    if not words:
        messages.success(request, gettext("已经存住，还没有成为草稿。30 天内可以接着填。"))
        return redirect(request.get_full_path())
    _renew_stamp(request, form, place)  # who presses again has read the words
    form.add_error(None, words)
    return render(request, template, context, status=status)


def _renew_stamp(request, form, place):
    """The page that comes back knows of what is kept now."""
    kept = kept_form(request.user, *place)
    form.data = form.data.copy()
    form.data["stamp"] = kept.stamp if kept else 0


def _kept_words(kept):
    at = timezone.localtime(kept.saved_at)
    return gettext("%(at)s 已自动存住，还没有成为草稿。") % {"at": f"{at:%H:%M:%S}"}


def _restored(request, form, place):
    """Put back into the form what its user left there, and what the page says about it."""
    kept = kept_form(request.user, *place)
    if kept is None:
        return {}
    entry = getattr(form, "listing", None)
    differ = form.restore(kept)
    stale = entry is not None and kept.basis != entry.version
    return {"kept": kept, "stale": stale, "differ": differ if entry else []}

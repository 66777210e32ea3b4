"""Which cities we take lists from: registered, changed and paused by the platform operator."""

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from casework.moves import lock, move, record
from casework.services import clean_columns, refuse
from listings import policies
from listings.models import PartnerCity

CHANGEABLE = ("name", "name_en", "url", "public_key", "agreement")


@transaction.atomic
def register_city(*, actor, note, code, **fields):
    """Trust another city's portal: from now on files that its key signed are taken.

    `fields` are those of CHANGEABLE. Raises PermissionDenied for all but the platform
    operator, ValidationError naming each bad field, or `registered`.
    """
    if not policies.may_exchange(actor.user):
        raise PermissionDenied
    city = PartnerCity()
    blank = dict.fromkeys(CHANGEABLE, "")
    cleaned = _checked(city, {"code": code, **blank, **fields}, note)
    refuse({"code": cleaned["code"] == settings.REGION and _("这是本市的代码。")})
    for name, value in cleaned.items():
        setattr(city, name, value)
    try:
        with transaction.atomic():
            city.save(force_insert=True)
    except IntegrityError:
        message = _("这个城市已经登记。")
        raise ValidationError({"code": ValidationError(message, code="registered")}) from None
    record(city, "register", actor=actor, note=note, changes=_told({}, cleaned))
    return city


@transaction.atomic
def change_city(city, fields, *, actor, note):
    """Change what is known of a city, its key above all. Raises as `register_city`, IllegalMove."""
    if not policies.may_exchange(actor.user):
        raise PermissionDenied
    city = lock(city)
    cleaned = _checked(city, fields, note)
    old = {name: getattr(city, name) for name in cleaned}
    changes = _told(old, cleaned)
    if not changes:
        raise ValidationError(_("没有改动。"), code="unchanged")
    return move(city, "change", actor=actor, note=note, changes=changes, **cleaned)


def pause_city(city, *, actor, note):
    """Take nothing more from a city for now; what was taken stays until its own last day."""
    return _switch(city, "pause", actor=actor, note=note)


def resume_city(city, *, actor, note):
    """Take files again, from the position where it was left."""
    return _switch(city, "resume", actor=actor, note=note)


def _switch(city, action, *, actor, note):
    if not policies.may_exchange(actor.user):
        raise PermissionDenied
    refuse({"note": not note.strip() and _("请写明理由。")})
    return move(city, action, actor=actor, note=note)


def _checked(city, fields, note):
    unknown = fields.keys() - {"code", *CHANGEABLE}
    refuse({name: _("没有这一项。") for name in unknown})
    fields = {name: _plain(value) for name, value in fields.items()}
    if "url" in fields:
        fields["url"] = fields["url"].rstrip("/")
    if "public_key" in fields:
        fields["public_key"] = fields["public_key"].lower()
    cleaned, errors = clean_columns(city, fields)
    refuse({**errors, "note": not note.strip() and _("请写明理由。")})
    return cleaned


def _plain(value):
    return value.strip() if isinstance(value, str) else value


def _told(old, new):
    """{field: [old, new]} of what differs."""
    return {
        name: [old.get(name, ""), value]
        for name, value in new.items()
        if old.get(name, "") != value
    }

"""Whom a push is about, in clear: for the unit that must act, and only while it must."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from casework.moves import record
from jointaction import policies
from parties import services as parties


@transaction.atomic
def reveal_subject(push, *, actor):
    """The full name and the number of a push's subject, journalled; returns a dict.

    An organisation's code is public; a person's paper number is unsealed for this one
    reading. Raises PermissionDenied once the push is closed, and where it only informs.
    """
    if not policies.may_reveal(actor.user, push):
        raise PermissionDenied
    subject = push.listing.subject
    told = {"kind": subject.kind, "name": subject.name}
    if not subject.is_person:
        return {**told, "code": subject.code}
    purpose = _("执行推送 %(number)s") % {"number": push.number}
    number = parties.paper_number(subject, actor=actor, purpose=purpose)
    record(push, "reveal", actor=actor)
    return {**told, "id_type": subject.paper_type, "id_number": number}

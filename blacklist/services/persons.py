"""Who answers for the misconduct besides the firm: named one by one, told one by one."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from blacklist import policies
from blacklist.services.notice import NO_NOTICE, draft_of, refuse_early_defence, refuse_short_notice
from casework.moves import move
from listings.models import ResponsiblePerson
from parties import services as parties


@transaction.atomic
def name_responsible_persons(listing, people, *, actor, today, step=move):
    """Make these the draft's responsible persons. Naming is an act of its own: nothing else does.

    Each of `people` has role, fact, basis, who is meant (name, id_type, id_number, or `id`,
    the public id of one already named), and perhaps `until`, the end of the own term, and
    `notice` {served_on, means, defence_until, defence?}. Who is not among them is named no
    longer; where nothing changes, no line is left. Raises PermissionDenied, IllegalMove,
    ValidationError under responsible_persons.<index>.
    """
    if not policies.may_serve_notice(actor.user, listing):
        raise PermissionDenied
    listing = draft_of(listing)
    known = {row.person_id: row for row in listing.responsible_persons.select_related("person")}
    kept, changed = set(), False
    for index, given in enumerate(people):
        at = f"responsible_persons.{index}"
        person = _meant(known, given, at)
        if person.pk in kept:
            message = _("同一个人只登记一次。")
            raise ValidationError({at: ValidationError(message, code="named_twice")})
        kept.add(person.pk)
        row = known.get(person.pk) or ResponsiblePerson(listing=listing, person=person)
        changed |= _write(row, given, today, at)
    gone = known.keys() - kept
    listing.responsible_persons.filter(person__in=gone).delete()
    if changed or gone:
        step(listing, "name_responsible_persons", actor=actor, note=str(len(people)))


def _meant(known, given, at):
    """The person that is meant: one already named, or by name and paper."""
    wanted = given.get("id")
    if wanted is None:
        try:
            named = parties.person(given["name"], given["id_type"], given["id_number"])
            return parties.hold(named)
        except ValidationError as error:
            raise ValidationError({at: error.error_list}) from error
    for row in known.values():
        if str(row.public_id) == str(wanted):
            return row.person
    message = _("这名责任人员已不在草稿里，请刷新后再看。")
    raise ValidationError({at: ValidationError(message, code="unknown_person")})


def _write(row, given, today, at):
    """Set and save what is given of one person; returns whether anything changed."""
    values = {name: given[name] for name in ("role", "fact", "basis")}
    values |= {"until": given.get("until"), **_notice(given.get("notice"), today, at)}
    if row.pk and all(getattr(row, name) == value for name, value in values.items()):
        return False
    for name, value in values.items():
        setattr(row, name, value)
    try:
        row.full_clean(exclude=["listing", "person"])
    except ValidationError as error:
        raise ValidationError({at: error.messages}) from error
    row.save()
    return True


def _notice(given, today, at):
    """The columns of a person's own notice, or of none."""
    if not given:
        return NO_NOTICE
    served_on, defence = given["served_on"], given.get("defence") or {}
    refuse_short_notice(served_on, given["defence_until"], today, at=f"{at}.notice")
    refuse_early_defence(defence.get("received_on"), served_on, at=f"{at}.notice")
    return {
        "notice_served_on": served_on,
        "notice_means": given["means"],
        "defence_until": given["defence_until"],
        "defence_received_on": defence.get("received_on"),
        "defence_text": defence.get("text", ""),
        "opinion": defence.get("opinion", ""),
    }

"""Publication on the black list: what it asks for, and the second officer."""

from functools import partial

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from blacklist import policies
from blacklist.models import BlackListing, PriorNotice
from blacklist.services.notice import no_notice
from casework.moves import IllegalMove, lock, record_many
from listings import services as listings
from listings.models import Listing, ResponsiblePerson
from rulebook.models import Degree


@transaction.atomic
def publish(listing, *, actor, today, expected_version=None, attested=False):
    """Put the entry on the black list, once its subject has had the time to answer.

    Raises PermissionDenied for an author or another department's officer,
    ValidationError (no_document, not_serious, no_notice, defence_open …) naming each
    thing that is missing, IllegalMove, StaleVersion.
    """
    listing = lock(BlackListing(pk=listing.pk))  # first: whoever writes now is an author
    if not policies.may_publish(actor.user, listing):
        raise PermissionDenied
    if not listing.can("publish"):
        raise IllegalMove(listing, "publish")
    errors = missing(listing, today)
    if errors:
        raise ValidationError(errors)
    _serve_together([listing.pk], actor)
    return listings.publish(
        listing,
        actor=actor,
        today=today,
        expected_version=expected_version,
        attested=attested,
    )


def publish_many(drafts, *, actor, today, attested=False):
    """Put those of many drafts on the black list that lack nothing, each as `publish` asks.

    Returns the published keys and {pk: (code, message)} of those held back. Raises
    PermissionDenied where `actor` is no reviewer of the department.
    """
    rows = BlackListing.objects.filter(pk__in=drafts.values("pk"))
    rows = rows.select_related("prior_notice").prefetch_related("responsible_persons")
    return listings.publish_ready(
        rows,
        actor=actor,
        today=today,
        missing=missing,
        settle=partial(_serve_together, actor=actor),
        attested=attested,
    )


def _serve_together(pks, actor):
    """Note on each person without a notice of their own that the entry's was served on them too."""
    served = PriorNotice.objects.filter(listing=OuterRef("listing"))
    persons = ResponsiblePerson.objects.filter(listing__in=pks, notice_served_on=None)
    told = sorted(set(persons.values_list("listing", flat=True)))
    if not told:
        return
    persons.update(
        notice_served_on=Subquery(served.values("served_on")),
        notice_means=Subquery(served.values("means")),
        defence_until=Subquery(served.values("defence_until")),
    )
    note = _("责任人员没有单独的告知书，与列入告知书一并送达")
    record_many(Listing, told, "serve_together", actor=actor, note=note)


def missing(listing, today):
    """What still stands between a draft and the black list: {field: ValidationError}."""
    errors = {
        field: ValidationError(_("请填写%(name)s。") % {"name": name}, code="no_document")
        for field, name in DOCUMENT.items()
        if not getattr(listing, field)
    }
    if not listing.ground:
        errors["ground"] = ValidationError(_("请写明事实和理由。"), code="no_ground")
    if listing.degree != Degree.SERIOUS:
        errors["degree"] = ValidationError(
            _("只有严重失信行为才能列入黑名单。"), code="not_serious"
        )
    return {**errors, **_notice_errors(listing, today), **_persons_errors(listing, today)}


def _notice_errors(listing, today):
    notice = getattr(listing, "prior_notice", None)
    if notice is None:
        return {"prior_notice": no_notice()}
    if today <= notice.defence_until:
        message = _("陈述申辩期到 %(day)s 才满。") % {"day": notice.defence_until}
        return {"prior_notice.defence_until": ValidationError(message, code="defence_open")}
    if notice.defence_made and not notice.opinion:
        message = _("当事人提出了陈述申辩，请先写明答复意见。")
        return {"prior_notice.defence": ValidationError(message, code="defence_open")}
    return {}


def _persons_errors(listing, today):
    """What each responsible person still lacks, under responsible_persons.<index>."""
    if listing.pk is None:
        return {}
    told = getattr(listing, "prior_notice", None) is not None
    persons = sorted(listing.responsible_persons.all(), key=lambda person: person.pk)
    found = ((index, _person_error(person, told, today)) for index, person in enumerate(persons))
    return {f"responsible_persons.{index}": error for index, error in found if error}


def _person_error(person, told, today):
    if person.until and person.until < today:
        return _of_person(person, _("%(who)s的期限已过。"), "person_term_over")
    if person.notice_served_on is None:
        message = _("须先向%(who)s送达告知书。")
        return None if told else _of_person(person, message, "person_no_notice")
    if today <= person.defence_until:
        return _of_person(person, _("%(who)s的陈述申辩期未满。"), "person_defence_open")
    if person.defence_made and not person.opinion:
        message = _("%(who)s提出了陈述申辩，请先写明答复意见。")
        return _of_person(person, message, "person_defence_open")
    return None


def _of_person(person, message, code):
    return ValidationError(message % {"who": person.get_role_display()}, code=code)


DOCUMENT = {
    "document_number": gettext_lazy("文书文号"),
    "document_kind": gettext_lazy("文书种类"),
    "document_organ": gettext_lazy("作出机关"),
    "document_date": gettext_lazy("文书日期"),
}

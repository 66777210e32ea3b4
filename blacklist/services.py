"""How an entry gets on the black list: draft, notice served, defence heard, second officer."""

from dataclasses import dataclass
from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from blacklist import policies
from blacklist.models import BlackListing, PriorNotice
from casework.moves import IllegalMove, lock, move, record
from casework.workdays import add_months, add_working_days
from listings import services as listings
from listings.models import ResponsiblePerson
from parties import services as parties
from rulebook.models import Degree, ListKind, parameter
from rulebook.services import rule_of


@transaction.atomic
def draft(
    *, actor, subject, category, today, prior_notice=None, responsible_persons=None, **fields
):
    """Write a draft of the black list with its notice and responsible persons.

    Returns (entry, made). `prior_notice` holds served_on, means, defence_until and
    perhaps defence; `responsible_persons` is a list of name, id_type, id_number, role,
    fact, basis. Raises what `listings.services.draft` raises.
    """
    if category.kind != ListKind.BLACK:
        raise ValidationError({"category": _("这个类别不是黑名单的。")})
    told = _told(listing__reference=fields.get("reference") or None, department=actor.department)
    listing, made = listings.draft(
        actor=actor, subject=subject, category=category, today=today, **fields
    )
    listing = BlackListing.objects.get(pk=listing.pk)
    _void_notice(told, listing, actor)
    step = record if made else move  # what a draft is made with is part of its first version
    if prior_notice:
        _write_notice(listing, actor=actor, today=today, step=step, **prior_notice)
    if responsible_persons is not None:
        name_responsible_persons(listing, responsible_persons, actor=actor, step=step)
    return BlackListing.objects.get(pk=listing.pk), made


@transaction.atomic
def edit(listing, *, actor, today, expected_version=None, prior_notice=None, **fields):
    """Change a draft and its prior notice together. Raises what `listings.services.edit` raises."""
    told = _told(listing=listing.pk)
    edited = listings.edit(
        listing, actor=actor, today=today, expected_version=expected_version, **fields
    )
    _void_notice(told, edited, actor)
    if prior_notice:
        _write_notice(edited, actor=actor, today=today, **prior_notice)
    return BlackListing.objects.get(pk=edited.pk)


@transaction.atomic
def serve_notice(listing, *, actor, today, served_on, means, defence_until):
    """Note that the prior notice was served, how, and until when the subject may answer.

    Raises ValidationError where the time to answer is shorter than the rule's.
    """
    return _write_notice(
        listing,
        actor=actor,
        today=today,
        served_on=served_on,
        means=means,
        defence_until=defence_until,
    )


@transaction.atomic
def record_defence(listing, *, actor, received_on, text, opinion):
    """Note the subject's statement and defence, and the department's opinion of it."""
    if not policies.may_serve_notice(actor.user, listing):
        raise PermissionDenied
    listing = _draft_of(listing)
    notice = PriorNotice.objects.filter(listing=listing).first()
    if notice is None:
        raise ValidationError({"prior_notice": _no_notice()})
    notice.defence_received_on, notice.defence_text = received_on, text
    notice.opinion = opinion
    notice.full_clean()
    if not received_on or received_on < notice.served_on:
        raise ValidationError({"received_on": _("不能早于送达日期。")})
    notice.save()
    move(listing, "record_defence", actor=actor, note=f"{received_on}")
    return notice


@transaction.atomic
def name_responsible_persons(listing, people, *, actor, step=move):
    """Replace the draft's responsible persons. Naming one lists nobody by itself."""
    if not policies.may_serve_notice(actor.user, listing):
        raise PermissionDenied
    listing = _draft_of(listing)
    ResponsiblePerson.objects.filter(listing=listing).delete()
    for index, person in enumerate(people):
        try:
            _name(listing, **person)
        except ValidationError as error:
            raise ValidationError({f"responsible_persons.{index}": error.messages}) from error
    step(listing, "name_responsible_persons", actor=actor, note=str(len(people)))


@transaction.atomic
def publish(listing, *, actor, today, expected_version=None):
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
    return listings.publish(listing, actor=actor, today=today, expected_version=expected_version)


def publish_many(drafts, *, actor, today):
    """Put those of many drafts on the black list that lack nothing, each as `publish` asks.

    Returns the published keys and {pk: (code, message)} of those held back. Raises
    PermissionDenied where `actor` is no reviewer of the department.
    """
    rows = BlackListing.objects.filter(pk__in=drafts.values("pk")).select_related("prior_notice")
    return listings.publish_ready(rows, actor=actor, today=today, missing=missing)


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
    return {**errors, **_notice_errors(listing, today)}


def _notice_errors(listing, today):
    notice = getattr(listing, "prior_notice", None)
    if notice is None:
        return {"prior_notice": _no_notice()}
    if today <= notice.defence_until:
        message = _("陈述申辩期到 %(day)s 才满。") % {"day": notice.defence_until}
        return {"prior_notice.defence_until": ValidationError(message, code="defence_open")}
    if notice.defence_made and not notice.opinion:
        message = _("当事人提出了陈述申辩，请先写明答复意见。")
        return {"prior_notice.defence": ValidationError(message, code="defence_open")}
    return {}


DOCUMENT = {
    "document_number": gettext_lazy("文书文号"),
    "document_kind": gettext_lazy("文书种类"),
    "document_organ": gettext_lazy("作出机关"),
    "document_date": gettext_lazy("文书日期"),
}


def _no_notice():
    return ValidationError(_("须先送达列入告知书。"), code="no_notice")


def _draft_of(listing):
    """The locked draft; an entry that is no longer one is refused."""
    listing = lock(BlackListing(pk=listing.pk))
    if not listing.can("edit"):
        raise IllegalMove(listing, "edit")
    return listing


def _write_notice(
    listing, *, actor, today, served_on, means, defence_until, defence=None, step=move
):
    if not policies.may_serve_notice(actor.user, listing):
        raise PermissionDenied
    listing = _draft_of(listing)
    _refuse_short_notice(served_on, defence_until, today)
    notice = PriorNotice.objects.filter(listing=listing).first() or PriorNotice(listing=listing)
    notice.served_on, notice.means, notice.defence_until = served_on, means, defence_until
    if defence:
        notice.defence_received_on = defence.get("received_on")
        notice.defence_text = defence.get("text", "")
        notice.opinion = defence.get("opinion", "")
    notice.full_clean(exclude=["listing"])
    if notice.defence_received_on and notice.defence_received_on < served_on:
        raise ValidationError({"prior_notice.defence": _("收到陈述申辩不能早于送达日期。")})
    notice.save()
    step(listing, "serve_notice", actor=actor, note=f"{served_on} – {defence_until}")
    return notice


def _told(department=None, **which):
    """The notice that was served for a draft, with the draft as it was then, or None."""
    owned = {"listing__department": department} if department else {}
    return PriorNotice.objects.select_related("listing").filter(**which, **owned).first()


def _void_notice(told, listing, actor):
    """A notice about another subject or another misconduct is none: it has to be served anew."""
    if told is None or told.listing_id != listing.pk:
        return
    was = told.listing
    if (was.subject_id, was.category_id) != (listing.subject_id, listing.category_id):
        told.delete()
        move(listing, "void_notice", actor=actor)


def _refuse_short_notice(served_on, defence_until, today):
    if served_on > today:
        raise ValidationError({"prior_notice.served_on": _("送达日期不能晚于今天。")})
    days = parameter("defence", on=today)
    earliest = add_working_days(served_on, days)
    if defence_until < earliest:
        raise ValidationError(
            {
                "prior_notice.defence_until": _(
                    "陈述申辩期至少 %(days)s 个工作日，最早到 %(day)s。"
                )
                % {"days": days, "day": earliest}
            }
        )


def _name(listing, *, name, id_type, id_number, role, fact, basis):
    person = ResponsiblePerson(
        listing=listing,
        person=parties.hold(parties.person(name, id_type, id_number)),
        role=role,
        fact=fact,
        basis=basis,
    )
    person.full_clean(exclude=["listing", "person"])
    person.save()


@dataclass(frozen=True)
class RepairTerms:
    """From which day on (None: never), with which papers, under which conditions."""

    first_day: date | None
    evidence: list
    conditions: str


def repair_terms(listing):
    """What the repair of an entry asks for: 从新兼从轻.

    The rule under which the entry was made counts: its papers, its conditions, its months. A
    later, harsher rule does not reach back. A later, milder one does: of the two first days
    the earlier counts, and an entry can be repaired if either rule says so; where the old
    rule allowed none, papers and conditions are those of the new.
    """
    if listing.kind != ListKind.BLACK:
        return RepairTerms(None, [], "")
    prefetch_related_objects([listing.category], "terms")
    made = rule_of(listing.category, listing.rule_version, on=listing.published_on)
    now = rule_of(listing.category)
    days = [_first_day(listing, rule) for rule in (made, now) if rule.repairable]
    asked = made if made.repairable else now
    return RepairTerms(min(days, default=None), asked.repair_evidence, asked.conditions)


def _first_day(listing, rule):
    months = max(rule.minimum_for(listing.degree), rule.repair_after_months)
    return add_months(listing.published_on, months)


def repair_from(listing):
    """The first day on which repair may be asked for, or None where it never may."""
    return repair_terms(listing).first_day

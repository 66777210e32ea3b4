"""Applying for credit repair: the conditions, the earliest day, what has to be handed in.

It is free of charge (国家发改委令第36号).
"""

from dataclasses import replace

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from blacklist.services import repair_terms
from casework.models import Letter
from casework.moves import lock, record
from casework.services import clock, new_filing, refuse, refuse_bad_columns, take_serial
from listings.models import Listing
from listings.services import refuse_foreign
from parties.identity import normalise_name
from repair import policies
from repair.models import Repair, RepairPaper
from repair.services import letters
from repair.services.contact import tell_department
from rulebook.models import parameter

TEXTS = (
    "applicant_name",
    "agent_name",
    "statement",
    "commitment",
    "committed_by",
    "national_number",
)


def terms(listing, person=None):
    """What repair of an entry asks for, or release of one of its responsible persons alone.

    The first day is the rule's, for an entry and its persons alike, or the later one that a
    refusal has set for the same; None where it never comes while the entry is public.
    """
    found = repair_terms(listing)
    if found.first_day is None:
        return found
    refused = listing.repairs.filter(status=Repair.Status.REFUSED, responsible_person=person)
    again = refused.aggregate(day=Max("retry_from"))["day"]
    first_day = max(filter(None, (found.first_day, again)))
    return replace(found, first_day=first_day if first_day <= listing.visible_until else None)


def earliest(listing, person=None):
    """The first day on which repair may be asked for, or None where it never may."""
    return terms(listing, person).first_day


@transaction.atomic
def apply(
    listing,
    *,
    applicant,
    statement,
    commitment,
    received_on,
    actor,
    today,
    papers=(),
    committed_by="",
    committed_on=None,
    responsible_person=None,
    national_number="",
):
    """Take in an application; returns (repair, query code).

    `papers` are pairs of a kind and its stored document, or a call that stores it, so that
    what is refused stores nothing; None where the paper itself came to the counter. The
    commitment is signed by the applicant or the agent, on the day of receipt unless said
    otherwise. With `responsible_person` a person of the entry asks to be released alone.
    Raises ValidationError `too_early` naming the first possible day, `other_city` for another
    city's entry, or naming what is missing; PermissionDenied where staff record it for another
    department.
    """
    refuse_foreign(listing)
    if actor.user and not policies.may_record(actor.user, listing.department):
        raise PermissionDenied
    repair, query_code = new_filing(
        Repair,
        prefix="XF",
        series="repair",
        applicant=applicant,
        received_on=received_on,
        department=listing.department,
        responsible_person=responsible_person,
        statement=statement.strip(),
        commitment=commitment.strip(),
        committed_by=(committed_by or applicant.get("agent") or applicant["name"]).strip(),
        committed_on=committed_on or received_on,
        national_number=national_number.strip(),
    )
    serial = take_serial(Letter.Kind.REPAIR_RECEIPT, listing.department, today)
    repair.listing = listing = Listing.objects.with_parts().get(pk=lock(listing).pk)
    asked = _refuse_unrepairable(repair, today)
    kinds = [kind for kind, _document in papers]
    _refuse_incomplete(repair, applicant, kinds, asked, today)
    clock.begin(repair, received_on, parameter("repair_accept", on=received_on))
    refuse_bad_columns(repair, TEXTS, applicant.get("email"))
    repair.save(force_insert=True)
    hand_in(repair, papers, received_on)
    record(repair, "apply", actor=actor)
    letters.issue_receipt(repair, serial, actor=actor, today=today)
    tell_department(repair, "received", _("收到信用修复申请 %(number)s"))
    return repair, query_code


def hand_in(repair, papers, day):
    """Keep what was handed in on a day, each under the kind that the rule asks for."""
    RepairPaper.objects.bulk_create(
        RepairPaper(repair=repair, kind=kind, document=stored(document), handed_in_on=day)
        for kind, document in papers
    )


def stored(document):
    """The document; a call that stores it is made now, when nothing more can refuse it."""
    return document() if callable(document) else document


def _refuse_unrepairable(repair, today):
    """Refuse what can't be repaired, or not yet; returns what the repair asks for."""
    listing, person, received_on = repair.listing, repair.responsible_person, repair.received_on
    if received_on > today:
        raise ValidationError({"received_on": _("收到日期不能晚于今天。")})
    if not listing.is_public(today):
        raise ValidationError({"listing": _("这条记录已不在名单上，不需要修复。")})
    asked = terms(listing, person)
    if asked.first_day is None:
        raise ValidationError(
            {"listing": ValidationError(_("这类记录不能申请修复。"), code="not_repairable")}
        )
    if received_on < asked.first_day:
        message = _("最早 %(day)s 可以申请修复。") % {"day": asked.first_day}
        raise ValidationError({"received_on": ValidationError(message, code="too_early")})
    if listing.repairs.open().filter(responsible_person=person).exists():
        raise ValidationError(
            {"listing": ValidationError(_("这条记录已有一件修复申请在办。"), code="duplicate")}
        )
    return asked


def _refuse_incomplete(repair, applicant, kinds, asked, today):
    lacking = [kind for kind in asked.evidence if kind not in kinds]
    signers = {normalise_name(name) for name in (repair.applicant_name, repair.agent_name)}
    refuse(
        {
            "applicant.name": not repair.applicant_name and _("请填写申请人的姓名或名称。"),
            "applicant.phone": not applicant.get("phone", "").strip() and _("请填写联系电话。"),
            "statement": len(repair.statement) < 10 and _("请写明怎样整改的，至少 10 个字。"),
            "commitment": not repair.commitment and _("请签署信用承诺。"),
            "committed_by": normalise_name(repair.committed_by) not in signers
            and _("签名要与申请人或者代理人的姓名、名称一致。"),
            "committed_on": repair.committed_on > repair.received_on
            and _("承诺日期不能晚于收到日期。"),
            "evidence": lacking and _("还缺：%(kinds)s。") % {"kinds": "、".join(lacking)},
            "responsible_person": _person_error(repair, today),
        }
    )


def _person_error(repair, today):
    person = repair.responsible_person
    if person is None:
        return None
    if person.listing_id != repair.listing_id:
        return _("这条记录没有这名责任人员。")
    if not person.answers_on(today):
        return ValidationError(_("这名责任人员已经解除，或者期限已满。"), code="released")
    return None

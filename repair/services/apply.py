"""Applying for credit repair: the conditions, the earliest day, what has to be handed in.

It is free of charge (国家发改委令第36号).
"""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from blacklist.services import repair_from as earliest
from blacklist.services import repair_terms
from casework.models import Letter
from casework.moves import lock, record
from casework.services import clock, new_filing, refuse, refuse_bad_columns, take_serial
from listings.models import Listing
from repair import policies
from repair.models import Repair, RepairPaper
from repair.services import letters
from repair.services.contact import tell_department
from rulebook.models import parameter


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
    responsible_person=None,
    national_number="",
):
    """Take in an application; returns (repair, query code).

    `papers` are pairs of a kind and its stored document, None where the paper itself came to
    the counter. Raises ValidationError `too_early` naming the first possible day, or naming
    what is missing; PermissionDenied where staff record it for another department.
    """
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
        committed_by=(applicant.get("agent") or applicant["name"]).strip(),
        committed_on=received_on,
        national_number=national_number.strip(),
    )
    serial = take_serial(Letter.Kind.REPAIR_RECEIPT, listing.department, today)
    repair.listing = listing = Listing.objects.with_parts().get(pk=lock(listing).pk)
    _refuse_unrepairable(repair, today)
    _refuse_incomplete(repair, applicant, [kind for kind, _document in papers])
    clock.begin(repair, received_on, parameter("repair_accept", on=received_on))
    texts = ("applicant_name", "agent_name", "statement", "commitment", "national_number")
    refuse_bad_columns(repair, texts, applicant.get("email"))
    repair.save(force_insert=True)
    hand_in(repair, papers, received_on)
    record(repair, "apply", actor=actor)
    letters.issue_receipt(repair, serial, actor=actor, today=today)
    tell_department(repair, "received", _("收到信用修复申请 %(number)s"))
    return repair, query_code


def hand_in(repair, papers, day):
    """Keep what was handed in on a day, each under the kind that the rule asks for."""
    RepairPaper.objects.bulk_create(
        RepairPaper(repair=repair, kind=kind, document=document, handed_in_on=day)
        for kind, document in papers
    )


def _refuse_unrepairable(repair, today):
    listing, received_on = repair.listing, repair.received_on
    if received_on > today:
        raise ValidationError({"received_on": _("收到日期不能晚于今天。")})
    first_day = earliest(listing)
    if first_day is None:
        raise ValidationError(
            {"listing": ValidationError(_("这类记录不能申请修复。"), code="not_repairable")}
        )
    if not listing.is_public(today):
        raise ValidationError({"listing": _("这条记录已不在名单上，不需要修复。")})
    if received_on < first_day:
        message = _("最早 %(day)s 可以申请修复。") % {"day": first_day}
        raise ValidationError({"received_on": ValidationError(message, code="too_early")})
    if listing.repairs.open().filter(responsible_person=repair.responsible_person).exists():
        raise ValidationError(
            {"listing": ValidationError(_("这条记录已有一件修复申请在办。"), code="duplicate")}
        )


def _refuse_incomplete(repair, applicant, kinds):
    lacking = [kind for kind in repair_terms(repair.listing).evidence if kind not in kinds]
    person = repair.responsible_person
    refuse(
        {
            "applicant.name": not repair.applicant_name and _("请填写申请人的姓名或名称。"),
            "applicant.phone": not applicant.get("phone", "").strip() and _("请填写联系电话。"),
            "statement": len(repair.statement) < 10 and _("请写明怎样整改的，至少 10 个字。"),
            "commitment": not repair.commitment and _("请签署信用承诺。"),
            "evidence": lacking and _("还缺：%(kinds)s。") % {"kinds": "、".join(lacking)},
            "responsible_person": person
            and person.listing_id != repair.listing_id
            and _("这条记录没有这名责任人员。"),
        }
    )

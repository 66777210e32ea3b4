"""Credit repair: conditions and earliest date, application, acceptance, decision by two people.

It is free of charge (国家发改委令第36号). Granted, the entry leaves the list at once.
"""

import json
import logging

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from blacklist.services import repair_from as earliest
from blacklist.services import repair_terms
from casework import workdays
from casework.moves import lock, move, record
from casework.services import refuse, refuse_bad_columns, take_number
from listings import services as listings
from listings.models import Listing
from notices.services import tell
from parties import sealing
from parties.models import CLOCK, Department
from repair import policies
from repair.models import Repair
from rulebook.models import parameter

log = logging.getLogger(__name__)
Outcome = Repair.Outcome


@transaction.atomic
def apply(
    listing,
    *,
    applicant,
    statement,
    commitment,
    evidence_kinds,
    received_on,
    actor,
    today,
    evidence=(),
):
    """Take in an application; returns (repair, query code).

    Raises ValidationError `too_early` naming the first possible day, or naming what is
    missing; PermissionDenied where staff record it for another department.
    """
    if actor.user and not policies.may_record(actor.user, listing.department):
        raise PermissionDenied
    number = take_number("repair", received_on.year)
    listing = Listing.objects.with_parts().get(pk=lock(listing).pk)
    _refuse_unrepairable(listing, received_on, today)
    _refuse_incomplete(listing, applicant, statement, commitment, evidence_kinds)
    due_on = _due(received_on, "repair_accept")
    repair = Repair(
        number=f"XF-{received_on.year}-{number:06}",
        department=listing.department,
        listing=listing,
        applicant_name=applicant["name"].strip(),
        statement=statement.strip(),
        commitment=commitment.strip(),
        evidence_kinds=list(evidence_kinds),
        received_on=received_on,
        due_on=due_on,
        provisional=workdays.is_provisional(received_on, due_on),
    )
    texts = ("applicant_name", "statement", "commitment")
    refuse_bad_columns(repair, texts, applicant.get("email"))
    query_code = sealing.new_code()
    repair.query_code_key_id, repair.query_code_digest = sealing.blind_index(
        query_code, purpose="query"
    )
    contact = {name: applicant.get(name, "") for name in ("phone", "email")}
    repair.contact_key_id, repair.contact_sealed = sealing.seal(
        json.dumps(contact), table="repair_repair", row=repair.public_id, field="contact"
    )
    repair.save(force_insert=True)
    repair.evidence.set(evidence)
    record(repair, "apply", actor=actor)
    _tell_department(repair, "received", _("收到信用修复申请 %(number)s"))
    return repair, query_code


def contact_of(repair, *, actor, purpose):
    """The applicant's {phone, email}, for one logged purpose. Raises PermissionDenied."""
    if not policies.may_handle(actor.user, repair):
        raise PermissionDenied
    contact = sealing.unseal(
        repair.contact_sealed,
        repair.contact_key_id,
        table="repair_repair",
        row=repair.public_id,
        field="contact",
        actor=actor,
        purpose=purpose,
    )
    return json.loads(contact)


def accept(repair, *, actor, today, note=""):
    """Accept an application; the period to decide it begins. Raises what `move` raises."""
    if not policies.may_handle(actor.user, repair):
        raise PermissionDenied
    due_on = _due(today, "repair_decide")
    return move(
        repair,
        "accept",
        actor=actor,
        note=note,
        accepted_on=today,
        due_on=due_on,
        provisional=workdays.is_provisional(today, due_on),
    )


def not_accept(repair, *, actor, today, reasons):
    """Turn an application down at the door, with the reasons."""
    if not policies.may_handle(actor.user, repair):
        raise PermissionDenied
    _refuse_without_reasons(reasons)
    return move(repair, "not_accept", actor=actor, note=reasons, reasons=reasons, decided_on=today)


def propose_decision(repair, *, actor, outcome, reasons, verification):
    """Put a decision before another officer, with what was verified and how."""
    if not policies.may_handle(actor.user, repair):
        raise PermissionDenied
    if outcome not in Outcome.values:
        raise ValidationError({"outcome": _("决定只能是准予或不予修复。")})
    _refuse_without_reasons(reasons)
    if not (verification or "").strip():
        raise ValidationError({"verification": _("请写明核实的方式和情况。")})
    return move(
        repair,
        "propose_decision",
        actor=actor,
        note=str(Outcome(outcome).label),
        outcome=outcome,
        reasons=reasons.strip(),
        verification=verification.strip(),
        proposed_by=actor.user,
    )


def return_decision(repair, *, actor, note):
    """Send a proposed decision back, with the reason."""
    if not policies.may_approve(actor.user, repair):
        raise PermissionDenied
    if not note:
        raise ValidationError({"note": _("请写明退回的理由。")})
    return move(repair, "return_decision", actor=actor, note=note)


@transaction.atomic
def approve_decision(repair, *, actor, today):
    """Decide: granted takes the entry off the list in the same step.

    Raises PermissionDenied for the officer who proposed it, IllegalMove.
    """
    repair = lock(repair)
    if not policies.may_approve(actor.user, repair):
        raise PermissionDenied
    lock(repair.listing)
    granted = repair.outcome == Outcome.GRANTED
    repair = move(repair, "grant" if granted else "refuse", actor=actor, decided_on=today)
    if granted and repair.listing.is_public(today):
        note = _("信用修复 %(number)s") % {"number": repair.number}
        listings.repair(repair.listing, actor=actor, note=note, today=today)
    return repair


def chase_due(*, today, lead_unit):
    """Tell the lead unit of applications that are overdue, each once; a bad row blocks no other."""
    for repair in Repair.objects.overdue(today).filter(escalated_on=None).order_by("pk"):
        try:
            _escalate(repair, today, lead_unit)
        except Exception:
            log.exception("repair %s could not be chased", repair.number)


@transaction.atomic
def _escalate(repair, today, lead_unit):
    repair = lock(repair)
    if repair.escalated_on or not repair.is_overdue(today):
        return
    repair.escalated_on = today
    repair.save(update_fields=["escalated_on"])
    record(repair, "escalate", actor=CLOCK, note=_("逾期，报督办"))
    _tell_department(repair, "overdue", _("信用修复 %(number)s 已逾期"))
    lead = Department.objects.get(code=lead_unit)
    _tell_department(repair, "overdue", _("信用修复 %(number)s 已逾期"), department=lead)


def _tell_department(repair, step, title, department=None):
    department = department or repair.department
    tell(
        key=f"repair-{step}:{repair.number}:{department.code}",
        department=department,
        title=title % {"number": repair.number},
        text=_("办理期限到 %(day)s。") % {"day": repair.due_on},
        link=f"/desk/repairs/{repair.public_id}/",
    )


def _due(start, code):
    return workdays.add_working_days(start, parameter(code, on=start))


def _refuse_unrepairable(listing, received_on, today):
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
    if listing.repairs.open().exists():
        raise ValidationError(
            {"listing": ValidationError(_("这条记录已有一件修复申请在办。"), code="duplicate")}
        )


def _refuse_incomplete(listing, applicant, statement, commitment, evidence_kinds):
    asked = repair_terms(listing).evidence
    lacking = [kind for kind in asked if kind not in evidence_kinds]
    refuse(
        {
            "applicant.name": not applicant.get("name", "").strip()
            and _("请填写申请人的姓名或名称。"),
            "applicant.phone": not applicant.get("phone", "").strip() and _("请填写联系电话。"),
            "statement": len(statement.strip()) < 10 and _("请写明怎样整改的，至少 10 个字。"),
            "commitment": not commitment.strip() and _("请签署信用承诺。"),
            "evidence": lacking and _("还缺：%(kinds)s。") % {"kinds": "、".join(lacking)},
        }
    )


def _refuse_without_reasons(reasons):
    if len((reasons or "").strip()) < 10:
        raise ValidationError({"reasons": _("请写明理由，至少 10 个字。")})

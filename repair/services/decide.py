"""Deciding an application for repair: accepted or not, verified, decided by two people.

Granted, the entry leaves the list at once.
"""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from casework.models import Letter
from casework.moves import lock, move, record
from casework.services import clock, refuse, take_serial
from listings import services as listings
from listings.models import Listing
from repair import policies
from repair.models import Repair, Verification
from repair.services import letters
from repair.services.apply import stored
from repair.services.contact import tell_applicant
from rulebook.models import parameter

Outcome = Repair.Outcome


@transaction.atomic
def accept(repair, *, actor, today, note=""):
    """Accept an application; the period to decide it begins. Raises what `move` raises."""
    if not policies.may_handle(actor.user, repair):
        raise PermissionDenied
    repair, days = lock(repair), parameter("repair_decide", on=today)
    serial = take_serial(Letter.Kind.REPAIR_ACCEPTANCE, repair.department, today)
    repair = move(
        repair,
        "accept",
        actor=actor,
        note=note,
        accepted_on=today,
        # the period to decide is escalated by itself
        **{**clock.columns(clock.begin(repair, today, days)), "escalated_on": None},
    )
    letters.issue_acceptance(repair, serial, actor=actor, today=today)
    title = _("信用修复 %(number)s 已受理") % {"number": repair.number}
    told = _("最迟 %(day)s 作出决定。") % {"day": date_format(repair.due_on)}
    tell_applicant(repair, "accepted", title, told, actor=actor)
    return repair


@transaction.atomic
def not_accept(repair, *, actor, today, reasons):
    """Turn an application down at the door, with the reasons."""
    if not policies.may_handle(actor.user, repair):
        raise PermissionDenied
    _refuse_without_reasons(reasons)
    repair = lock(repair)
    serial = take_serial(Letter.Kind.REPAIR_REFUSAL, repair.department, today)
    repair = move(
        repair,
        "not_accept",
        actor=actor,
        note=reasons,
        reasons=reasons,
        decided_on=today,
        **clock.columns(clock.resume(repair, today)),
    )
    letters.issue_refusal(repair, serial, actor=actor, today=today)
    title = _("信用修复 %(number)s 不予受理") % {"number": repair.number}
    told = _("理由：%(reasons)s") % {"reasons": repair.reasons}
    tell_applicant(repair, "not-accepted", title, told, actor=actor)
    return repair


@transaction.atomic
def propose_decision(repair, *, actor, outcome, reasons, today, verification="", retry_from=None):
    """Put a decision before another officer; what was verified and how must be on file.

    `verification` says it in the same step. `retry_from` is the first day on which who is
    refused may apply again. No rule known sets such a day, so none is proposed: the officer
    sets one, or leaves it.
    """
    if not policies.may_handle(actor.user, repair):
        raise PermissionDenied
    if outcome not in Outcome.values:
        raise ValidationError({"outcome": _("决定只能是准予或不予修复。")})
    _refuse_without_reasons(reasons)
    _refuse_bad_retry(repair, outcome, retry_from, today)
    if verification.strip():
        means = Verification.Means.OTHER
        verify(repair, actor=actor, means=means, done_on=today, findings=verification, today=today)
    if not repair.verifications.exists():
        raise ValidationError({"verification": _("请先登记核实的方式和情况。")})
    return move(
        repair,
        "propose_decision",
        actor=actor,
        note=str(Outcome(outcome).label),
        outcome=outcome,
        reasons=reasons.strip(),
        retry_from=retry_from,
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
    serial = take_serial(Letter.Kind.REPAIR_DECISION, repair.department, today)
    lock(repair.listing)
    granted = repair.outcome == Outcome.GRANTED
    repair = move(repair, "grant" if granted else "refuse", actor=actor, decided_on=today)
    letters.issue_decision(repair, serial, actor=actor, today=today)
    title = _("信用修复 %(number)s 已作出决定") % {"number": repair.number}
    tell_applicant(repair, "decided", title, _("决定书可以下载。"), actor=actor)
    if granted:
        _take_off(repair, actor, today)
    return repair


def _take_off(repair, actor, today):
    """Take the entry off the list, or release the person who applied for itself alone."""
    note = _("信用修复 %(number)s") % {"number": repair.number}
    person, listing = repair.responsible_person, repair.listing
    if not listing.is_public(today):
        return
    if person is None:
        listings.repair(listing, actor=actor, note=note, today=today)
    elif person.answers_on(today):
        reason = Listing.EndReason.REPAIRED
        listings.release_person(person, reason=reason, actor=actor, note=note, today=today)


@transaction.atomic
def verify(repair, *, actor, means, done_on, findings, today, unit=None, document=None):
    """Put on file how it was verified that things were put right, and what was found.

    Of an opinion `unit` is the department that gave it; `document` may be a call that stores
    it. Raises PermissionDenied, ValidationError naming each bad field.
    """
    if not policies.may_handle(actor.user, repair):
        raise PermissionDenied
    repair = lock(repair)
    opinion = means == Verification.Means.OPINION
    refuse(
        {
            "means": means not in Verification.Means.values and _("选择核实方式。"),
            "findings": not (findings or "").strip() and _("请写明核实的情况。"),
            "unit": opinion and unit is None and _("请选择出具意见的单位。"),
            "done_on": not repair.received_on <= done_on <= today
            and _("核实日期在收到申请之后，不晚于今天。"),
            "status": not repair.is_open and _("这件申请已经办结。"),
        }
    )
    verification = Verification.objects.create(
        repair=repair,
        means=means,
        done_on=done_on,
        unit=unit if opinion else None,
        findings=findings.strip(),
        document=stored(document),
        **actor.columns,
    )
    note = verification.get_means_display()
    record(repair, "verify", actor=actor, note=note, private_note=verification.findings)
    return verification


def _refuse_bad_retry(repair, outcome, day, today):
    if day is None:
        return
    last = repair.listing.visible_until
    late = _("应在今天以后，不晚于公布期满的 %(day)s。") % {"day": date_format(last)}
    message = _("只有不予修复的，才定再次申请的日期。") if outcome != Outcome.REFUSED else None
    refuse({"retry_from": message or (not today < day <= last and late)})


def _refuse_without_reasons(reasons):
    if len((reasons or "").strip()) < 10:
        raise ValidationError({"reasons": _("请写明理由，至少 10 个字。")})

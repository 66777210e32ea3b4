"""Answering an objection: one officer proposes, another approves; upheld acts at once."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from casework.models import Letter
from casework.moves import lock, move
from casework.services import clean_columns, clock, refuse, take_serial
from jointaction.services import webhooks
from listings import services as listings
from listings.models import AdverseRecord, Listing
from notices.services import tell
from objections import policies
from objections.models import Objection
from objections.services import letters
from objections.services.contact import tell_applicant

Outcome = Objection.Outcome


@transaction.atomic
def propose_reply(objection, *, actor, outcome, reasons, today, corrections=None, findings=""):
    """Put a reply before another officer. Raises PermissionDenied, IllegalMove, ValidationError.

    `corrections` is {column: new value} of the entry, for `upheld_corrected` only; `findings`
    is the opinion for the file, never told outside. A clock that stood still runs again.
    """
    objection = lock(objection)
    if not policies.may_handle(actor.user, objection):
        raise PermissionDenied
    _refuse_bad_reply(objection, outcome, reasons, corrections)
    return move(
        objection,
        "propose_reply",
        actor=actor,
        note=str(Outcome(outcome).label),
        outcome=outcome,
        reasons=reasons.strip(),
        corrections=corrections or {},
        findings=findings.strip(),
        proposed_by=actor.user,
        **clock.columns(clock.resume(objection, today)),
    )


def return_reply(objection, *, actor, note):
    """Send a proposed reply back, with the reason."""
    if not policies.may_approve(actor.user, objection):
        raise PermissionDenied
    if not note:
        raise ValidationError({"note": _("请写明退回的理由。")})
    return move(objection, "return_reply", actor=actor, note=note)


@transaction.atomic
def approve_reply(objection, *, actor, today):
    """Give the written reply: number it, and correct or withdraw the entry in the same step.

    The clock ends today; the letter itself is made by a sweep. Raises PermissionDenied
    for the officer who proposed it, IllegalMove.
    """
    objection = lock(objection)
    if not policies.may_approve(actor.user, objection):
        raise PermissionDenied
    serial = take_serial(Letter.Kind.OBJECTION_REPLY, objection.department, today)
    objection = move(
        objection,
        "reply",
        actor=actor,
        replied_on=today,
        changes=_settle_record(objection) if objection.record_id else {},
    )
    webhooks.announce_reply(
        number=objection.number,
        outcome=objection.outcome,
        replied_on=today,
        department=objection.home,
        listing=objection.listing,
    )
    if objection.listing_id:
        _settle_entry(objection, actor, today)
    letters.issue_reply(objection, serial, actor=actor, today=today)
    title = _("异议 %(number)s 已书面答复") % {"number": objection.number}
    tell_applicant(objection, "replied", title, _("答复函可以下载。"), actor=actor)
    _tell_home(objection, title)
    return objection


def _tell_home(objection, title):
    """Where another department answered, the one whose entry it is hears with which outcome."""
    if objection.home == objection.department:
        return
    told = {"unit": objection.department.name, "outcome": objection.get_outcome_display()}
    text = _("%(unit)s已经答复，结论：%(outcome)s。") % told
    if objection.outcome != Outcome.REJECTED:
        text += _("你单位的记录还在公布的，已按结论更改。")
    tell(
        key=f"objection-replied:{objection.number}:{objection.home.code}",
        department=objection.home,
        title=title,
        text=text,
        link=f"/desk/objections/{objection.public_id}/",
    )


def _settle_entry(objection, actor, today):
    """Carry the outcome out; an entry that has ended meanwhile stays as it ended."""
    lock(Listing(pk=objection.listing_id))  # of two last replies at once one takes the badge off
    listing = Listing.objects.with_parts().get(pk=objection.listing_id)
    if not listing.is_public(today):
        return
    note = _("异议 %(number)s") % {"number": objection.number}
    if objection.outcome == Outcome.UPHELD_WITHDRAWN and _withdraw(
        objection, listing, actor=actor, note=note, today=today
    ):
        return
    if objection.outcome == Outcome.UPHELD_CORRECTED:
        listings.correct(listing, objection.corrections, actor=actor, note=note, today=today)
    if not listing.objections.open().exists():
        listings.annotate(listing, disputed=False, actor=actor, note=note)


def _withdraw(objection, listing, **acting):
    """Take off what was contested; whether that was the entry and not one of its persons."""
    reason, person = Listing.EndReason.ERROR, objection.responsible_person
    if person is None:
        listings.withdraw(listing, reason=reason, **acting)
    elif person.answers_on(acting["today"]):  # else released meanwhile, or the term is over
        listings.release_person(person, reason=reason, **acting)
    return person is None


def _settle_record(objection):
    """Carry the outcome out on an adverse record; returns {column: [old, new]} of what changed."""
    record = AdverseRecord.objects.select_for_update().get(pk=objection.record_id)
    changes = {}
    if objection.outcome == Outcome.UPHELD_WITHDRAWN:
        record.state = AdverseRecord.State.WRONG
    if objection.outcome == Outcome.UPHELD_CORRECTED:
        for name, value in _checked(record, objection.corrections).items():
            changes[name] = [str(getattr(record, name) or ""), str(value or "")]
            setattr(record, name, value)
    record.save()
    return changes


def _checked(record, corrections):
    """The corrected columns as Python values. Raises ValidationError naming each bad one."""
    cleaned, errors = clean_columns(record, corrections)
    refuse(errors)
    return cleaned


def _person_error(objection, outcome):
    """What a person is named for can't be rewritten: it was notified, and would be heard anew."""
    if outcome == Outcome.REJECTED:
        return None
    if objection.claims_person:
        return _("申请人称是责任人员。先核对身份、关联责任人员，再拟撤销。")
    if objection.responsible_person_id and outcome == Outcome.UPHELD_CORRECTED:
        return _("责任人员本人的异议，只能维持或者撤销；认定的内容有错的，撤销后重新告知、认定。")
    return None


RECORD_FIELDS = {"facts", "content", "basis_text", "decided_on", "public_until", "fine"}


def _refuse_bad_reply(objection, outcome, reasons, corrections):
    corrected = outcome == Outcome.UPHELD_CORRECTED
    unknown = objection.record and set(corrections or {}) - RECORD_FIELDS
    refuse(
        {
            "outcome": (outcome not in Outcome.values and _("结论只能是维持、更正或撤销。"))
            or _person_error(objection, outcome),
            "reasons": len((reasons or "").strip()) < 10 and _("请写明理由，至少 10 个字。"),
            "fields": (corrected and not corrections and _("更正的，请填写新值。"))
            or (corrections and not corrected and _("只有更正才填写新值。"))
            or (unknown and _("这一项不能更正。")),
        }
    )
    if corrections and objection.listing:
        listings.check_correction(objection.listing, corrections)
    elif corrections:
        _checked(objection.record, corrections)

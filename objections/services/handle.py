"""Handling an objection before it is answered: looked into, handed on, asked for more, extended."""

import copy

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from casework.models import Letter
from casework.moves import IllegalMove, lock, move, record
from casework.services import clock, refuse, take_serial
from notices.services import tell
from objections import policies
from objections.models import Objection
from objections.services import letters
from objections.services.contact import tell_applicant
from rulebook.models import parameter_row


def investigate(objection, *, actor, note):
    """Begin to look into it, and say how. Raises PermissionDenied, IllegalMove."""
    if not policies.may_handle(actor.user, objection):
        raise PermissionDenied
    return move(objection, "investigate", actor=actor, note=note)


@transaction.atomic
def forward(objection, *, department, actor, reasons):
    """Hand it on to the department that has to decide it; the clock keeps its first day.

    The applicant and both departments are told: the one that decides now, and the one whose
    entry it is. Raises PermissionDenied, IllegalMove, ValidationError.
    """
    if not policies.may_handle(actor.user, objection):
        raise PermissionDenied
    refuse(
        {
            "department": (
                department.pk == objection.department_id and _("这件异议已由这个单位办理。")
            )
            or (not policies.may_decide(department) and _("这个单位不办理异议。")),
            "reasons": not (reasons or "").strip() and _("请写明转办的理由。"),
        }
    )
    note = _("转%(unit)s办理：%(reasons)s") % {"unit": department.name, "reasons": reasons.strip()}
    objection = move(objection, "forward", actor=actor, note=note, department=department)
    told = {"number": objection.number, "unit": department.name}
    term = _("期限不因转办改变，最迟 %(day)s书面答复。") % {"day": date_format(objection.due_on)}
    _tell(objection, "forwarded", department, _("转来异议 %(number)s") % told, term)
    title = _("异议 %(number)s 转%(unit)s办理") % told
    if objection.home != department:
        _tell(objection, "forwarded", objection.home, title, _("答复以后再告知。"))
    tell_applicant(objection, f"forward-{objection.version}", title, term, actor=actor)
    return objection


def _tell(objection, step, department, title, text):
    tell(
        key=f"objection-{step}:{objection.number}:{objection.version}:{department.code}",
        department=department,
        title=title,
        text=text,
        link=f"/desk/objections/{objection.public_id}/",
    )


@transaction.atomic
def ask(objection, *, actor, text, by, today):
    """Ask the applicant once for all that is missing, until the day `by`.

    The clock goes on, unless its rule says that it stands still meanwhile. Raises
    PermissionDenied, IllegalMove, ValidationError.
    """
    if not policies.may_handle(actor.user, objection):
        raise PermissionDenied
    refuse(
        {
            "text": len((text or "").strip()) < 10 and _("写明要补充什么，至少 10 个字。"),
            "by": by <= today and _("补正期限应在今天以后。"),
        }
    )
    objection = lock(objection)
    serial = take_serial(Letter.Kind.OBJECTION_SUPPLEMENT, objection.department, today)
    rule = parameter_row("objection_reply", on=objection.received_on)
    objection = move(
        objection,
        "ask",
        actor=actor,
        note=text.strip(),
        supplement_by=by,
        stopped_on=today if rule.stops else None,
    )
    letters.issue_supplement(objection, text.strip(), serial, actor=actor, today=today)
    title = _("异议 %(number)s 需要补充材料") % {"number": objection.number}
    words = {"day": date_format(by), "text": text.strip()}
    told = _("请最迟在 %(day)s补充：%(text)s") % words
    tell_applicant(objection, f"ask-{objection.version}", title, told, actor=actor)
    return objection


@transaction.atomic
def supplement(objection, *, actor, text, today, evidence=()):
    """Take in what the applicant adds; a clock that stood still runs again.

    Raises IllegalMove where nothing is waited for, ValidationError, PermissionDenied.
    """
    if actor.user and not policies.may_handle(actor.user, objection):
        raise PermissionDenied
    text = (text or "").strip()
    if not (text or evidence) or len(text) > 2_000:
        message = _("补充说明最多 2000 个字，说明和材料至少有一样。")
        raise ValidationError({"text": message})
    objection = lock(objection)
    objection = move(
        objection,
        "supplement",
        actor=actor,
        note=text,
        **clock.columns(clock.resume(objection, today)),
    )
    objection.evidence.add(*evidence)
    title = _("异议 %(number)s 已补充材料") % {"number": objection.number}
    term = _("最迟 %(day)s 书面答复。") % {"day": objection.due_on}
    _tell(objection, "supplement", objection.department, title, term)
    return objection


def lapse(*, today):
    """Let clocks that stood still run again where the applicant has not answered in time."""
    clock.lapse(Objection.objects.all(), today=today, tell=_tell_lapsed)


def _tell_lapsed(objection):
    title = _("异议 %(number)s 补正期满没有补充") % {"number": objection.number}
    term = _("最迟 %(day)s 书面答复。") % {"day": objection.due_on}
    _tell(objection, "lapsed", objection.department, title, term)
    tell_applicant(objection, f"lapsed-{objection.version}", title, term)


def resumed(objection, today):
    """The matter as its clock would stand if it ran again after today; nothing is saved."""
    if objection.stopped_on is None:
        return objection
    return clock.resume(copy.copy(objection), today)


@transaction.atomic
def extend(objection, *, actor, days, reasons, today):
    """Lengthen the period by working days, as far as its rule allows; a reviewer does it.

    Raises PermissionDenied, IllegalMove where it is answered or late, ValidationError.
    """
    if not policies.may_extend(actor.user, objection):
        raise PermissionDenied
    objection = lock(objection)
    if not objection.is_open or objection.is_overdue(today):
        raise IllegalMove(objection, "extend")
    left = extendable_by(objection)
    refuse(
        {
            "days": not 0 < days <= left
            and _("按规定还可以延长 %(days)s 个工作日。") % {"days": left},
            "reasons": len((reasons or "").strip()) < 10 and _("请写明理由，至少 10 个字。"),
        }
    )
    before = objection.due_on
    clock.extend(objection, days).save(update_fields=["extended_days", *clock.COLUMNS])
    told = {"old": date_format(before), "new": date_format(objection.due_on)}
    note = _("答复期限由 %(old)s延长到 %(new)s") % told
    changes = {"due_on": [str(before), str(objection.due_on)]}
    record(objection, "extend", actor=actor, note=f"{note}：{reasons.strip()}", changes=changes)
    title = _("异议 %(number)s 的答复期限延长") % {"number": objection.number}
    tell_applicant(objection, f"extend-{objection.extended_days}", title, f"{note}。", actor=actor)
    return objection


def extendable_by(objection):
    """How many working days more the rule of its day of receipt allows."""
    rule = parameter_row("objection_reply", on=objection.received_on)
    return rule.extendable_by - objection.extended_days


@transaction.atomic
def attach_person(objection, *, person, actor):
    """Say which responsible person of the entry the applicant is, once that was checked.

    From then on the objection is about that person's part alone. Raises PermissionDenied,
    IllegalMove, ValidationError where another objection of the person is open.
    """
    if not policies.may_handle(actor.user, objection):
        raise PermissionDenied
    objection = lock(objection)
    if not can_attach(objection):
        raise IllegalMove(objection, "attach")
    lock(objection.listing)  # of two matters of one person at once the second is refused
    refuse(
        {
            "person": (
                person.listing_id != objection.listing_id and _("这条记录没有这名责任人员。")
            )
            or _person_objects_already(objection, person)
        }
    )
    objection.responsible_person = person
    objection.version += 1
    objection.save(update_fields=["responsible_person", "version"])
    told = {"name": person.person.display_name, "role": person.get_role_display()}
    note = _("核对身份，关联责任人员 %(name)s（%(role)s）") % told
    record(objection, "attach", actor=actor, private_note=note)
    return objection


def can_attach(objection):
    """Whether it may yet be said who of the entry the applicant is: until a reply is proposed."""
    claimed = Objection.PERSON in objection.fields or objection.responsible_person_id
    return bool(claimed) and objection.can("propose_reply")


def _person_objects_already(objection, person):
    others = objection.listing.objections.open().exclude(pk=objection.pk)
    other = others.filter(responsible_person=person, fields__overlap=objection.fields).first()
    words = _("这名责任人员的异议 %(number)s 正在办理。这一件请拟维持，理由写明并入那一件。")
    return other and words % {"number": other.number}

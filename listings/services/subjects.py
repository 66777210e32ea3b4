"""A subject's new name, and two records of one subject made one: entries and ledger follow.

Each has a proposer and another approver. Everything about a subject is locked in the order
of the house: the change, the subjects by primary key, their entries by primary key, the head.
"""

from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext as _

from casework.moves import move, move_many, record
from casework.services import refuse, storable
from listings import ledger, policies
from listings.models import AdverseRecord, Listing, ResponsiblePerson, SubjectChange
from listings.services.lapse import lapse_proposals
from parties import identity
from parties import services as parties
from parties.models import CLOCK, FormerName, Subject

DAY = timedelta(days=1)

# What hangs on a subject and goes over to the record that counts when two become one.
MOVED = (
    (Listing, "subject"),
    (AdverseRecord, "subject"),
    (ResponsiblePerson, "person"),
    (FormerName, "subject"),
    (Subject, "merged_into"),
)
# What stays: it says what was proposed about which record.
KEPT = ((SubjectChange, "subject"), (SubjectChange, "into"))


@transaction.atomic
def propose_rename(subject, name, *, changed_on, actor, note, today):
    """Put a new name of a subject before another officer.

    `changed_on` is the first day of the new name. Raises PermissionDenied for whose
    department has nothing about the subject, ValidationError naming each bad field, or
    `pending` where another change of it waits.
    """
    subject = parties.hold(subject)
    if not policies.may_propose_rename(actor.user, subject):
        raise PermissionDenied
    name = _checked_name(subject, name)
    refuse({"changed_on": _bad_day(subject, changed_on, today), "note": _bad_note(note)})
    return _propose(
        SubjectChange.Action.RENAME,
        subject,
        actor=actor,
        note=note,
        name=name,
        changed_on=changed_on,
    )


@transaction.atomic
def propose_merge(duplicate, into, *, actor, note):
    """Put before another operator that `duplicate` is the same subject as `into`.

    One that was itself merged leads on to the record that counts. Raises PermissionDenied
    for all but the platform operator; ValidationError where the two can't be one: `kinds_differ`,
    `no_paper`, `same_subject`, `merged_already`, `both_listed`, `both_recorded`,
    `both_responsible`, or `pending` where another change of either waits.
    """
    if not policies.may_propose_merge(actor.user):
        raise PermissionDenied
    refuse({"note": _bad_note(note)})
    duplicate, into = _hold_both(duplicate, into)
    _refuse_merge(duplicate, into)
    return _propose(SubjectChange.Action.MERGE, duplicate, actor=actor, note=note, into=into)


@transaction.atomic
def approve_subject_change(change, *, actor, today, name=""):
    """Carry a new name or a merger out; everything about the subject follows at once.

    Of a person's new name the approver gives it again as `name`, since no page shows it.
    Raises PermissionDenied for its own proposer, IllegalMove where it was decided already,
    ValidationError as when it was proposed.
    """
    if not policies.may_decide_subject_change(actor.user, change):
        raise PermissionDenied
    change = move(change, "approve", actor=actor)
    if change.action == SubjectChange.Action.RENAME:
        _rename(change, actor=actor, today=today, again=name)
    else:
        _merge(change, actor=actor, today=today)
    return change


@transaction.atomic
def reject_subject_change(change, *, actor, note):
    """Turn it down, with the reason."""
    if not policies.may_decide_subject_change(actor.user, change):
        raise PermissionDenied
    if not note:
        raise ValidationError({"note": _("请写明不通过的理由。")})
    return move(change, "reject", actor=actor, note=note)


# --- what is refused -------------------------------------------------------


def _checked_name(subject, name):
    try:
        name = identity.check_name(name)
    except ValidationError as error:
        raise ValidationError({"name": error}) from error
    if name == subject.name:
        raise ValidationError({"name": ValidationError(_("和现在的名称一样。"), code="same_name")})
    return name


def _bad_day(subject, changed_on, today):
    if changed_on > today:
        return _("变更日期不能晚于今天。")
    last = subject.former_names.first()
    if last and changed_on <= last.until + DAY:
        return _("不能早于上一次更名。")
    return None


def _bad_note(note):
    if not (isinstance(note, str) and note.strip()):
        return _("请写明理由。")
    return None if storable(note) else _("含有不能保存的字符。")


def _propose(action, subject, *, actor, note, into=None, **fields):
    concerned = [subject.pk] + ([into.pk] if into else [])
    waiting = SubjectChange.objects.open()
    if waiting.filter(Q(subject__in=concerned) | Q(into__in=concerned)).exists():
        raise ValidationError(_("这个主体已有一件待审核的更名或合并。"), code="pending")
    change = SubjectChange.objects.create(
        action=action, subject=subject, into=into, note=note, proposed_by=actor.user, **fields
    )
    record(change, f"propose_{action}", actor=actor, note=note)
    return change


def _hold_both(duplicate, into):
    """Both rows for update, by primary key; `into` followed to the record that counts."""
    into = Subject.objects.get(pk=into.pk).kept
    rows = Subject.objects.filter(pk__in={duplicate.pk, into.pk})
    held = {row.pk: row for row in rows.order_by("pk").select_for_update(of=("self",))}
    return held[duplicate.pk], held[into.pk]


def _refuse_merge(duplicate, into):
    reasons = {
        "same_subject": duplicate == into and _("两个是同一个主体，不用合并。"),
        "merged_already": (duplicate.merged_into_id or into.merged_into_id)
        and _("这个主体已经并入另一个主体。"),
        "no_paper": (_is_foreign_person(duplicate) or _is_foreign_person(into))
        and _("外市名单上的自然人没有证件，不能认定是同一个人。"),
        "kinds_differ": duplicate.is_person != into.is_person and _("自然人和单位不能合并。"),
    }
    for code, message in reasons.items():
        if message:
            raise ValidationError({"into": ValidationError(message, code=code)})
    _refuse_both(duplicate, into)


def _is_foreign_person(subject):
    """Known by another city's masked name alone."""
    return subject.is_person and subject.paper_index is None


def _refuse_both(duplicate, into):
    """What may be once of a subject stands under both: somebody has to put that right first."""
    for code, rows, alike, words in (
        (
            "both_listed",
            Listing.objects.filter(subject=duplicate).exclude(document_number=""),
            {"subject": into, **_alike("category", "department", "document_number")},
            _("两边都有同一部门、类别和文书的记录：%(what)s。"),
        ),
        (
            "both_recorded",
            AdverseRecord.objects.filter(subject=duplicate),
            {"subject": into, **_alike("department", "document_number")},
            _("两边都有同一单位、同一文号的不良信息：%(what)s。"),
        ),
        (
            "both_responsible",
            ResponsiblePerson.objects.filter(person=duplicate).select_related("listing"),
            {"person": into, **_alike("listing")},
            _("两边都是同一条记录的责任人员：%(what)s。"),
        ),
    ):
        twin = rows.model.objects.filter(**alike)
        twice = rows.filter(Exists(twin)).order_by("pk").first()
        if twice:
            listing = getattr(twice, "listing", twice)
            message = words % {"what": listing.document_number}
            raise ValidationError({"into": ValidationError(message, code=code)})


def _alike(*names):
    return {name: OuterRef(name) for name in names}


# --- what happens ----------------------------------------------------------


def _rename(change, *, actor, today, again):
    subject = Subject.objects.select_for_update(of=("self",)).get(pk=change.subject_id)
    name = _checked_name(subject, change.name)
    if subject.is_person and identity.normalise_name(again) != identity.normalise_name(name):
        message = _("和提出时填写的新姓名不一样，请核对证明材料。")
        raise ValidationError({"name": ValidationError(message, code="name_does_not_match")})
    open_entries = _lock_entries(subject, Listing.Status.DRAFT, Listing.Status.PUBLISHED)
    old = subject.display_name
    parties.rename(subject, name, until=change.changed_on - DAY)
    _follow(open_entries, subject)
    _tell(open_entries, [old, subject.display_name], actor=actor, note=change.note, today=today)


def _merge(change, *, actor, today):
    duplicate, into = _hold_both(change.subject, change.into)
    _refuse_merge(duplicate, into)
    entries = _lock_entries(duplicate, *Listing.Status.values)
    try:
        with transaction.atomic():
            AdverseRecord.objects.filter(subject=duplicate).update(subject=into)
            ResponsiblePerson.objects.filter(person=duplicate).update(person=into)
            _follow(entries, into, subject=into)
    except IntegrityError as error:  # written by somebody who held neither
        message = _("两边刚刚有了相同的记录，请刷新后再看。")
        raise ValidationError({"into": ValidationError(message, code="both_listed")}) from error
    parties.merge(duplicate, into, today=today)
    numbers = [subject.code or subject.display_name for subject in (duplicate, into)]
    _tell(entries, numbers, actor=actor, note=change.note, today=today)


def _lock_entries(subject, *statuses):
    """The keys of the subject's entries in these states, locked in their order."""
    rows = Listing.objects.filter(subject=subject, status__in=statuses).order_by("pk")
    return list(rows.select_for_update(of=("self",)).values_list("pk", flat=True))


def _follow(pks, named, **fields):
    """Let entries be found by their subject's name; a changed draft is a new version of it."""
    grams = [] if named.is_person else identity.bigrams(named.name)
    rows = Listing.objects.filter(pk__in=pks)
    rows.update(bigrams=grams, **fields)
    rows.filter(status=Listing.Status.DRAFT).update(version=F("version") + 1)


def _tell(pks, changed, *, actor, note, today):
    """Put the change in the ledger, once for each entry in force; what is over leaves its list."""
    rows, changes = Listing.objects.filter(pk__in=pks), {"subject": changed}
    over = move_many(
        rows.lapsed(today),
        "expire",
        actor=CLOCK,
        wait=True,
        ended_on=F("visible_until") + DAY,
        end_reason=Listing.EndReason.EXPIRED,
        disputed=False,
    )
    lapse_proposals(over, actor=CLOCK)
    told = move_many(
        rows.public(today), "correct", actor=actor, note=note, wait=True, changes=changes
    )
    entries = Listing.objects.with_shared_parts().in_bulk([*over, *told])
    ledger.append(
        [ledger.Entry(entries[pk], "expire") for pk in over]
        + [ledger.Entry(entries[pk], "correct", changes) for pk in told]
    )

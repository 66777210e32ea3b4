"""Filing an objection: number, query code and due date at once, the entry annotated."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from casework.models import Letter
from casework.moves import lock, record
from casework.services import clock, new_filing, refuse, refuse_bad_columns, take_serial
from listings import services as listings
from listings.models import Listing
from notices.services import tell
from objections import policies
from objections.models import Objection
from objections.services import letters
from rulebook.models import parameter

FIELDS = {
    "subject": gettext_lazy("列错了单位"),
    "ground": gettext_lazy("事实或金额不对"),
    "term": gettext_lazy("期限不对"),
    "document": gettext_lazy("依据的文书已被撤销或变更"),
    "measures": gettext_lazy("措施不对"),
    Objection.PERSON: gettext_lazy("不应把我列为责任人员"),
    "other": gettext_lazy("其他"),
}


@transaction.atomic
def file(
    target,
    *,
    door,
    applicant,
    fields,
    grounds,
    received_on,
    actor,
    today,
    evidence=(),
    responsible_person=None,
    national_number="",
):
    """Take in an objection against an entry or an adverse record; returns (objection, query code).

    `applicant` holds name, phone and perhaps email and agent, whose authorisation is among
    the evidence then; through a key it lies with the department, as no files come that way.
    `responsible_person` is who of the entry says so about itself; on the public site nobody
    can be chosen, since that would tell who is one: the point `person` says so, and the
    department attaches the person. `received_on` is the day of receipt in Shanghai, from
    which the clock runs, whichever door. The query code is told once and kept only as a
    keyed digest. Raises ValidationError naming each bad field, or `other_city` for another
    city's entry; PermissionDenied where staff record it for another department.
    """
    if isinstance(target, Listing):
        listings.refuse_foreign(target)
    if actor.user and not policies.may_record(actor.user, target, today):
        raise PermissionDenied
    key = "listing" if isinstance(target, Listing) else "record"
    objection, query_code = new_filing(
        Objection,
        prefix="YY",
        series="objection",
        applicant=applicant,
        received_on=received_on,
        door=door,
        department=target.department,
        responsible_person=responsible_person,
        fields=list(fields),
        grounds=grounds.strip(),
        national_number=national_number.strip(),
    )
    serial = take_serial(Letter.Kind.OBJECTION_RECEIPT, target.department, today)
    target = lock(target)  # of two who file the same thing at once the second meets the first
    setattr(objection, key, target)
    _refuse_bad_filing(objection, applicant, today)
    clock.begin(objection, received_on, parameter("objection_reply", on=received_on))
    columns = ("applicant_name", "agent_name", "grounds", "national_number")
    refuse_bad_columns(objection, columns, applicant.get("email"))
    evidence = list(evidence)  # stored now that nothing else stands against the filing
    unproven = objection.agent_name and not (evidence or actor.key)
    refuse({"authorisation": unproven and _("由代理人提出的，请附授权委托书。")})
    objection.save(force_insert=True)
    objection.evidence.set(evidence)
    record(objection, "file", actor=actor, note=objection.get_door_display())
    letters.issue_receipt(objection, serial, actor=actor, today=today)
    _tell_department(objection)
    if key == "listing" and target.is_public(today):
        listings.annotate(target, disputed=True, actor=actor, note=objection.number)
    return objection, query_code


def _tell_department(objection):
    tell(
        key=f"objection:{objection.number}",
        department=objection.department,
        title=_("收到异议 %(number)s") % {"number": objection.number},
        text=_("%(subject)s，最迟 %(day)s 书面答复。")
        % {"subject": objection.subject.display_name, "day": objection.due_on},
        link=f"/desk/objections/{objection.public_id}/",
    )


def _refuse_bad_filing(objection, applicant, today):
    target = objection.listing or objection.record
    draft = isinstance(target, Listing) and target.status == Listing.Status.DRAFT
    person = objection.responsible_person
    doubled = ValidationError(_("对同一项的异议正在办理，请等候答复或补充材料。"), code="duplicate")
    fields, grounds = set(objection.fields), objection.grounds
    refuse(
        {
            "applicant.name": not objection.applicant_name and _("请填写申请人的姓名或名称。"),
            "applicant.phone": not applicant.get("phone", "").strip() and _("请填写联系电话。"),
            "fields": (not fields or fields - FIELDS.keys()) and _("选择哪一项有错。"),
            "grounds": not 10 <= len(grounds) <= 2_000 and _("理由写 10 到 2000 个字。"),
            "received_on": _date_error(target, objection.received_on, today),
            "responsible_person": person
            and person.listing_id != objection.listing_id
            and _("这条记录没有这名责任人员。"),
            **_person_error(objection, fields),
            "listing": (draft and _("这条记录还没有公布。"))
            or (_same_point_open(target, objection) and doubled),
        }
    )


def _date_error(target, received_on, today):
    made_on = getattr(target, "document_date", None) or getattr(target, "decided_on", None)
    if received_on > today:
        return _("收到日期不能晚于今天。")
    if made_on and received_on < made_on:
        return _("收到日期不能早于文书日期。")
    return None


def _person_error(objection, fields):
    """Whoever objects to being named as a responsible person says that and nothing else."""
    if Objection.PERSON not in fields:
        return {}
    if not (objection.listing and objection.listing.responsible_persons.exists()):
        return {"fields": _("这条记录没有责任人员。")}
    alone = _("责任人员对自己的部分提出的，只选这一项；对记录本身有异议的，另行提出。")
    return {"fields": len(fields) > 1 and alone}


def _same_point_open(target, objection):
    """Whether the same is contested already.

    Who claims to be a responsible person is not known yet, and a refusal would tell a
    stranger who has objected: `attach_person` asks then.
    """
    if objection.claims_person:
        return False
    others = target.objections.open().filter(responsible_person=objection.responsible_person)
    return others.filter(fields__overlap=objection.fields).exists()

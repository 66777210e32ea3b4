"""Filing an objection: number, query code and due date at once, the entry annotated."""

import json

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from casework import workdays
from casework.moves import lock, record
from casework.services import refuse, refuse_bad_columns, take_number
from listings import services as listings
from listings.models import Listing
from notices.services import tell
from objections import policies
from objections.models import Objection
from parties import sealing
from rulebook.models import parameter

FIELDS = {
    "subject": gettext_lazy("列错了单位"),
    "ground": gettext_lazy("事实或金额不对"),
    "term": gettext_lazy("期限不对"),
    "document": gettext_lazy("依据的文书已被撤销或变更"),
    "measures": gettext_lazy("措施不对"),
    "other": gettext_lazy("其他"),
}


@transaction.atomic
def file(target, *, door, applicant, fields, grounds, received_on, actor, today, evidence=()):
    """Take in an objection against an entry or an adverse record; returns (objection, query code).

    `applicant` holds name, phone and perhaps email; `received_on` is the day of receipt
    in Shanghai, from which the clock runs, whichever door. The query code is told once
    and kept only as a keyed digest. Raises ValidationError naming each bad field;
    PermissionDenied where staff record it for another department.
    """
    if actor.user and not policies.may_record(actor.user, target.department):
        raise PermissionDenied
    number = take_number("objection", received_on.year)
    target = lock(target)  # of two who file the same thing at once the second meets the first
    _refuse_bad_filing(target, applicant, fields, grounds, received_on, today)
    days = parameter("objection_reply", on=received_on)
    due_on = workdays.add_working_days(received_on, days)
    key = "listing" if isinstance(target, Listing) else "record"
    objection = Objection(
        **{key: target},
        number=f"YY-{received_on.year}-{number:06}",
        door=door,
        department=target.department,
        applicant_name=applicant["name"].strip(),
        fields=list(fields),
        grounds=grounds.strip(),
        received_on=received_on,
        due_on=due_on,
        period_days=days,
        provisional=workdays.is_provisional(received_on, due_on),
        calendar_version=str(workdays.calendar_version(received_on, due_on)),
    )
    refuse_bad_columns(objection, ("applicant_name", "grounds"), applicant.get("email"))
    query_code = sealing.new_code()
    objection.query_code_key_id, objection.query_code_digest = sealing.blind_index(
        query_code, purpose="query"
    )
    contact = {name: applicant.get(name, "") for name in ("phone", "email")}
    objection.contact_key_id, objection.contact_sealed = sealing.seal(
        json.dumps(contact),
        table="objections_objection",
        row=objection.public_id,
        field="contact",
    )
    objection.save(force_insert=True)
    objection.evidence.set(evidence)
    record(objection, "file", actor=actor, note=objection.get_door_display())
    tell(
        key=f"objection:{objection.number}",
        department=target.department,
        title=_("收到异议 %(number)s") % {"number": objection.number},
        text=_("%(subject)s，最迟 %(day)s 书面答复。")
        % {"subject": target.subject.display_name, "day": due_on},
        link=f"/desk/objections/{objection.public_id}/",
    )
    if key == "listing" and target.is_public(today):
        listings.annotate(target, disputed=True, actor=actor, note=objection.number)
    return objection, query_code


def _refuse_bad_filing(target, applicant, fields, grounds, received_on, today):
    draft = isinstance(target, Listing) and target.status == Listing.Status.DRAFT
    doubled = ValidationError(_("对同一项的异议正在办理，请等候答复或补充材料。"), code="duplicate")
    refuse(
        {
            "applicant.name": not applicant.get("name", "").strip()
            and _("请填写申请人的姓名或名称。"),
            "applicant.phone": not applicant.get("phone", "").strip() and _("请填写联系电话。"),
            "fields": (not fields or set(fields) - FIELDS.keys()) and _("选择哪一项有错。"),
            "grounds": not 10 <= len(grounds.strip()) <= 2_000 and _("理由写 10 到 2000 个字。"),
            "received_on": _date_error(target, received_on, today),
            "listing": (draft and _("这条记录还没有公布。"))
            or (_same_point_open(target, fields) and doubled),
        }
    )


def _date_error(target, received_on, today):
    made_on = getattr(target, "document_date", None) or getattr(target, "decided_on", None)
    if received_on > today:
        return _("收到日期不能晚于今天。")
    if made_on and received_on < made_on:
        return _("收到日期不能早于文书日期。")
    return None


def _same_point_open(target, fields):
    return target.objections.open().filter(fields__overlap=list(fields)).exists()


def contact_of(objection, *, actor, purpose):
    """The applicant's {phone, email}, for one logged purpose. Raises PermissionDenied."""
    if not policies.may_handle(actor.user, objection):
        raise PermissionDenied
    contact = sealing.unseal(
        objection.contact_sealed,
        objection.contact_key_id,
        table="objections_objection",
        row=objection.public_id,
        field="contact",
        actor=actor,
        purpose=purpose,
    )
    return json.loads(contact)

"""Handling a report: handed out, looked into, concluded, its reporter told.

Words go into messages, never into the journal: they are erased one day, its lines never.
"""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from casework.moves import IllegalMove, lock, move, record
from casework.services import refuse, refuse_bad_columns
from parties.models import Department
from tipoffs import policies
from tipoffs.models import Litigation, Message, Report
from tipoffs.services import clock
from tipoffs.services.file import tell_of

Side = Message.Side
LEAST, MOST = 10, 2_000  # characters


@transaction.atomic
def assign(report, *, department, text, actor, today):
    """Hand a new report out to the department that looks into it; `text` is for that department.

    Raises PermissionDenied, IllegalMove, ValidationError.
    """
    _check(policies.may_triage(actor.user, report))
    _refuse_unit(department)
    report = _locked(report, "assign")
    return _hand_on(report, "assign", department, text, actor=actor, today=today)


@transaction.atomic
def refer(report, *, department, text, actor, today):
    """Refer it to another department, whose matter it is; the period begins anew.

    Raises PermissionDenied, IllegalMove, ValidationError.
    """
    _check(policies.may_handle(actor.user, report))
    same = department.pk == report.department_id
    _refuse_unit(department, same and _("这份举报已由这个单位办理。"))
    _refuse_short(text)
    report = _locked(report, "refer")
    return _hand_on(report, "refer", department, text, actor=actor, today=today)


def _refuse_unit(department, otherwise=""):
    unfit = not policies.may_investigate(department) and _("这个单位不办理举报。")
    refuse({"department": otherwise or unfit})


def _hand_on(report, action, department, text, *, actor, today):
    columns = clock.begin(report, "report_conclude", today)
    note = _("转%(unit)s办理") % {"unit": department.name}
    report = move(report, action, actor=actor, note=note, department=department, **columns)
    _say(report, Side.INTERNAL, text, actor)
    tell_of(report, f"{action}-{report.version}", gettext_lazy("转来举报 %(number)s"))
    return report


@transaction.atomic
def send_back(report, *, text, actor, today, lead_unit):
    """Give it back to the lead unit, a code, which hands it out anew: it is not the department's.

    Raises PermissionDenied, IllegalMove, ValidationError.
    """
    _check(policies.may_handle(actor.user, report))
    _refuse_short(text)
    report = _locked(report, "send_back")
    columns = clock.begin(report, "report_triage", today)
    note = _("%(unit)s退回重新分办") % {"unit": report.department.name}
    _say(report, Side.INTERNAL, text, actor)
    lead = Department.objects.get(code=lead_unit)
    report = move(report, "send_back", actor=actor, note=note, department=lead, **columns)
    tell_of(report, f"back-{report.version}", gettext_lazy("退回举报 %(number)s"))
    return report


@transaction.atomic
def not_accept(report, *, text, actor, today):
    """Take it up not at all, and tell the reporter why. Raises PermissionDenied, IllegalMove."""
    _check(policies.may_triage(actor.user, report))
    _refuse_short(text)
    report = move(report, "not_accept", actor=actor, closed_on=today)
    _say(report, Side.DEPARTMENT, text, actor)
    return report


def investigate(report, *, actor):
    """Begin to look into it. Raises PermissionDenied, IllegalMove."""
    _check(policies.may_handle(actor.user, report))
    return move(report, "investigate", actor=actor)


@transaction.atomic
def write(report, *, text, actor, form_key=None):
    """Write to the reporter, who reads it on the tracking page. A form sent twice writes once.

    Raises PermissionDenied, IllegalMove once it is settled, ValidationError.
    """
    _check(policies.may_handle(actor.user, report))
    report = lock(report)
    if form_key and report.messages.filter(form_key=form_key).exists():
        return report
    if not report.is_open:
        raise IllegalMove(report, "write")
    refuse({"text": not (text or "").strip() and _("写明要说的话。")})
    _say(report, Side.DEPARTMENT, text, actor, **({"form_key": form_key} if form_key else {}))
    record(report, "write", actor=actor)
    return report


@transaction.atomic
def conclude(report, *, outcome, findings, actor, today):
    """End the investigation with an outcome; from today the reporter is to be told of it.

    `findings` stay inside. Raises PermissionDenied, IllegalMove, ValidationError.
    """
    _check(policies.may_handle(actor.user, report))
    refuse(
        {
            "outcome": outcome not in Report.Outcome.values and _("选择结论。"),
            "findings": len((findings or "").strip()) < LEAST and _("写明核查情况，至少 10 个字。"),
        }
    )
    report = _locked(report, "conclude")
    columns = clock.begin(report, "report_outcome", today)
    told = {"outcome": outcome, "findings": findings.strip()}
    return move(report, "conclude", actor=actor, **told, **columns)


@transaction.atomic
def inform(report, *, text, actor, today):
    """Tell the reporter what came of it: in writing on the tracking page, or by the vault's phone.

    A vault officer notes that a named reporter was told. Raises PermissionDenied, IllegalMove,
    ValidationError.
    """
    _check(policies.may_tell(actor.user, report))
    _refuse_short(text)
    report = move(report, "inform", actor=actor, closed_on=today)
    _say(report, Side.DEPARTMENT, text, actor)
    return report


@transaction.atomic
def litigate(report, *, organ, document_number, referred_on, actor, today):
    """Record that the matter was referred to the procuratorate for public-interest litigation.

    Raises PermissionDenied, IllegalMove before it is looked into, ValidationError.
    """
    _check(policies.may_handle(actor.user, report))
    report = lock(report)
    if report.status not in LITIGABLE:
        raise IllegalMove(report, "litigate")
    row = Litigation(
        report=report,
        organ=organ.strip(),
        document_number=document_number.strip(),
        referred_on=referred_on,
        **actor.columns,
    )
    known = report.litigations.filter(document_number=row.document_number).exists()
    refuse(
        {
            "organ": not row.organ and _("填写检察机关。"),
            "document_number": (not row.document_number and _("填写移送文号。"))
            or (known and _("这份移送已经登记过。")),
            "referred_on": not report.received_on <= referred_on <= today
            and _("移送日期在收到举报以后、今天以前。"),
        }
    )
    refuse_bad_columns(row, ("organ", "document_number"), None)
    row.save(force_insert=True)
    note = _("移送%(organ)s，%(number)s") % {"organ": row.organ, "number": row.document_number}
    record(report, "litigate", actor=actor, note=note)
    return report


LITIGABLE = (
    Report.Status.INVESTIGATING,
    Report.Status.CONCLUDED,
    Report.Status.INFORMED,
)


def _check(allowed):
    if not allowed:
        raise PermissionDenied


def _locked(report, action):
    """The fresh row, held, once the action is possible: what is counted is counted of it."""
    report = lock(report)
    if not report.can(action):
        raise IllegalMove(report, action)
    return report


def _refuse_short(text):
    short = len((text or "").strip()) < LEAST
    refuse({"text": short and _("写明理由或者结果，至少 %(n)s 个字。") % {"n": LEAST}})


def _say(report, side, text, actor, **more):
    text = (text or "").strip()
    if not text:
        return
    refuse({"text": len(text) > MOST and _("最多 %(n)s 个字。") % {"n": MOST}})
    row = Message(
        report=report,
        side=side,
        department=actor.department,
        text=text,
        **more,
        **actor.columns,
    )
    refuse_bad_columns(row, ("text",), None)
    row.save(force_insert=True)

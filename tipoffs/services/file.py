"""Taking in a report, and what its reporter adds later."""

from dataclasses import replace

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from casework import documents
from casework.models import Document
from casework.moves import IllegalMove, lock, record
from casework.services import refuse, refuse_bad_columns, take_number
from notices.services import tell
from parties import identity as identities
from parties import sealing
from parties.models import Department
from tipoffs import sealing as vault
from tipoffs.models import RECEIPT, REPORTER, Evidence, Message, Report, VaultKey, Wrap
from tipoffs.services import clock

CODE_LENGTH = 28  # signs of 31 kinds: more than 128 bits
MOST_PICTURES = 40  # of one report


@transaction.atomic
def file(*, facts, about, lead_unit, today, code="", reporter=None, pictures=(), form_key=None):
    """Take in a report; returns (report, receipt code). The code is told here and kept nowhere.

    `reporter` is {name, phone, email} of a named report, None for an anonymous one; `pictures`
    are `documents.Checked` images. `form_key` names one form: sent twice it files once. The
    lead unit holds the report until it is handed out. Raises ValidationError naming each bad
    field, `duplicate` for a form that was filed before, `vault_closed` for a named report
    while nobody has a key to the vault.
    """
    report = Report(
        about=about.strip(),
        code=_code(code),
        facts=facts.strip(),
        department=Department.objects.get(code=lead_unit),
        received_on=today,
        named=reporter is not None,
        **({"form_key": form_key} if form_key else {}),
    )
    _refuse_bad(report, reporter)
    report.number = f"JB-{today.year}-{take_number('report', today.year):06}"
    # the counter is held: of one form sent twice at once the second sees the first
    if Report.objects.filter(form_key=report.form_key).exists():
        message = _("这份举报已经收到。回执码只显示一次；没有记下的，请打开新的表单重新举报。")
        raise ValidationError(message, code="duplicate")
    clock.begin(report, "report_triage", today)
    receipt = sealing.new_code(CODE_LENGTH)
    report.receipt_key_id, report.receipt_digest = sealing.blind_index(receipt, purpose=RECEIPT)
    wraps = _lock_away(report, reporter, pictures) if reporter else []
    report.save(force_insert=True)
    Wrap.objects.bulk_create(Wrap(report=report, key=key, wrapped=made) for key, made in wraps)
    _keep(report, pictures)
    record(report, "file", actor=REPORTER)
    tell_of(report, "new", gettext_lazy("收到举报 %(number)s"))
    return report, receipt


def _code(text):
    if not text.strip():
        return ""
    try:
        return identities.check_code(text)
    except ValidationError as error:
        raise ValidationError({"code": error}) from error


def _refuse_bad(report, reporter):
    refuse(
        {
            "about": not (report.about or report.code) and _("写明举报谁，或者填写信用代码。"),
            "facts": len(report.facts) < 10 and _("写明举报的事，至少 10 个字。"),
            "name": reporter is not None
            and not reporter.get("name", "").strip()
            and _("实名举报请填写姓名。"),
            "phone": reporter is not None
            and not (reporter.get("phone") or reporter.get("email"))
            and _("实名举报请留下电话或者邮箱。"),
        }
    )
    refuse_bad_columns(report, ("about", "facts"), None)


def _lock_away(report, reporter, pictures):
    """Seal who reports, and what the pictures were called, for the holders of the vault's keys."""
    keys = VaultKey.objects.active().select_for_update(of=("self",), no_key=True)
    keys = list(keys.order_by("pk"))  # held, so that none is retired meanwhile
    if not keys:
        message = _("现在还不能实名举报，可以匿名举报，也可以到窗口举报。")
        raise ValidationError({"named": ValidationError(message, code="vault_closed")})
    identity = {name: reporter.get(name, "") for name in ("name", "phone", "email")}
    identity["files"] = [picture.name for picture in pictures]
    report.identity_sealed, wraps = vault.lock_identity(report, identity, keys)
    return wraps


def _keep(report, pictures):
    """Store pictures under names of ours; the reporter's own could tell who it is."""
    there = report.evidence.count()
    if there + len(pictures) > MOST_PICTURES:
        message = _("一份举报最多 %(most)s 张图片。") % {"most": MOST_PICTURES}
        raise ValidationError({"pictures": message})
    named = [
        replace(picture, name=f"证据{n}{_suffix(picture)}")
        for n, picture in enumerate(pictures, there + 1)
    ]
    for document in documents.keep_all(named, actor=REPORTER):
        Evidence.objects.create(report=report, document=document)


def _suffix(picture):
    return documents.SUFFIXES[picture.media_type][0]


@transaction.atomic
def add(report, *, text, pictures=(), form_key=None):
    """Take in what the reporter adds: words, pictures or both. A form sent twice adds once.

    Raises IllegalMove once the report is settled, ValidationError.
    """
    text = (text or "").strip()
    refuse(
        {
            "text": (not (text or pictures) and _("写几句话，或者选图片。"))
            or (len(text) > 2_000 and _("最多 2000 个字。"))
        }
    )
    report = lock(report)
    if form_key and report.messages.filter(form_key=form_key).exists():
        return report
    if not report.is_open:
        raise IllegalMove(report, "add")
    more = {"form_key": form_key} if form_key else {}
    if pictures:
        _keep(report, pictures)
    message = Message(report=report, side=Message.Side.REPORTER, text=text, **more)
    message.by_label = REPORTER.label
    refuse_bad_columns(message, ("text",), None)
    message.save(force_insert=True)
    record(report, "add", actor=REPORTER)
    tell_of(report, f"added-{message.pk}", gettext_lazy("举报 %(number)s 有新的补充"))
    return report


def tell_of(report, step, title):
    """Tell the department that has the report, in its inbox.

    `title` takes the number. It is told in Chinese: the language of a page is the reporter's.
    """
    with override("zh-hans"):
        told = {"status": report.get_status_display(), "day": report.due_on}
        title = str(title) % {"number": report.number}
        text = _("%(status)s，最迟 %(day)s。") % told
        tell(**clock.notice(report, step, report.department, title, text))


def pictures_of(report):
    return Document.objects.filter(pk__in=report.evidence.values("document")).order_by("pk")

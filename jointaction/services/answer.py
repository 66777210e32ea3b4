"""What the units say: acknowledged, applied, not applicable, declined, lifted."""

from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from casework.moves import IllegalMove, lock, move
from jointaction import policies
from jointaction.models import Feedback, Hit, Push

Outcome = Feedback.Outcome
# What can be answered to each kind of push.
OUTCOMES = {
    Push.Kind.APPLY: {Outcome.APPLIED, Outcome.NOT_APPLICABLE, Outcome.DECLINED},
    Push.Kind.CORRECT: {Outcome.APPLIED, Outcome.NOT_APPLICABLE, Outcome.DECLINED, Outcome.STANDS},
    Push.Kind.LIFT: {Outcome.LIFTED, Outcome.NOT_APPLICABLE, Outcome.STANDS},
}


def acknowledge(push, *, actor, expected_version=None):
    """Say that the push has been seen. Raises PermissionDenied, IllegalMove, StaleVersion."""
    if not policies.may_answer(actor.user, push):
        raise PermissionDenied
    return move(
        push,
        "acknowledge",
        actor=actor,
        expected_version=expected_version,
        acknowledged_at=timezone.now(),
    )


@transaction.atomic
def answer(push, answers, *, actor, today):
    """Answer some or all of a push's measures; the push is answered when all are.

    `answers` is a list of {code, outcome, applied_on?, until?, remark?, reference?}.
    Raises PermissionDenied, IllegalMove, and ValidationError naming measure and field:
    a measure not applicable, declined or standing needs its reason; `applied_on` lies
    between the publication and today.
    """
    if not policies.may_answer(actor.user, push):
        raise PermissionDenied
    push = lock(push)
    if not push.can("answer"):
        raise IllegalMove(push, "answer")
    if not answers:
        raise ValidationError({"measures": _("请至少反馈一项措施。")})
    errors = {}
    for index, given in enumerate(answers):
        errors.update(_errors(push, given, index, today))
    if errors:
        raise ValidationError(errors)
    Feedback.objects.bulk_create(_row(push, given, actor) for given in answers)
    answered = set(push.feedback.values_list("measure", flat=True))
    note = "；".join(f"{given['code']} {Outcome(given['outcome']).label}" for given in answers)
    seen = {} if push.acknowledged_at else {"acknowledged_at": timezone.now()}
    if answered >= {measure["code"] for measure in push.measures}:
        return move(push, "answer", actor=actor, note=note, answered_at=timezone.now(), **seen)
    return move(push, "answer_part", actor=actor, note=note, **seen)


@transaction.atomic
def answer_hit(hit, *, actor, measures, handling, result, remark="", today):
    """Say what was done about a hit of a check; the hit leaves the unit's to-do.

    Raises PermissionDenied, and ValidationError where `handling` or a measure is unknown
    or nothing is said of the result.
    """
    if not policies.may_answer(actor.user, hit):
        raise PermissionDenied
    hit = Hit.objects.select_for_update().get(pk=hit.pk)
    _refuse_bad_hit_answer(hit, measures, handling, result)
    outcome = Outcome.APPLIED if handling == "applied" else Outcome.NOT_APPLICABLE
    Feedback.objects.bulk_create(
        Feedback(
            hit=hit,
            measure=code,
            outcome=outcome,
            applied_on=today,
            remark=remark or result,
            reference=hit.reference,
            **actor.columns,
        )
        for code in measures
    )
    hit.handling, hit.result, hit.remark = handling, result, remark
    hit.answered_at = timezone.now()
    hit.save(update_fields=["handling", "result", "remark", "answered_at"])
    return hit


def _refuse_bad_hit_answer(hit, measures, handling, result):
    errors = {}
    if hit.answered_at:
        errors["listing"] = _("这次命中已经反馈过了。")
    if handling not in {"applied", "other"}:
        errors["handling"] = _("处理只能是 applied 或 other。")
    unknown = set(measures) - {measure["code"] for measure in hit.measures}
    if unknown:
        errors["measures"] = _("不是本单位的措施：%(codes)s。") % {"codes": ", ".join(unknown)}
    if handling == "applied" and hit.measures and not measures:
        errors["measures"] = _("请选择执行了哪些措施。")
    if not result:
        errors["result"] = _("请写明处理结果。")
    if errors:
        raise ValidationError(errors)


def _errors(push, given, index, today):
    errors, path = {}, f"measures.{index}"
    if given["code"] not in {measure["code"] for measure in push.measures}:
        errors[f"{path}.code"] = _("这次推送没有措施 %(code)s。") % {"code": given["code"]}
    if given["outcome"] not in OUTCOMES[push.kind]:
        errors[f"{path}.outcome"] = _("这种推送不能这样反馈。")
    if given["outcome"] in Feedback.NEEDS_REMARK and not given.get("remark"):
        errors[f"{path}.remark"] = _("不执行、不适用或继续执行的，请写明理由。")
    applied_on = given.get("applied_on")
    if applied_on and not _in_time(push.listing.published_on, applied_on, today):
        errors[f"{path}.applied_on"] = _("执行日期要在公布日和今天之间。")
    return errors


def _in_time(published_on: date, applied_on: date, today: date):
    return published_on <= applied_on <= today


def _row(push, given, actor):
    return Feedback(
        push=push,
        measure=given["code"],
        outcome=given["outcome"],
        applied_on=given.get("applied_on"),
        until=given.get("until"),
        remark=given.get("remark", ""),
        reference=given.get("reference", ""),
        **actor.columns,
    )

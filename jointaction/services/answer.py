"""What the units say: acknowledged, applied, not applicable, declined, lifted."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from casework.moves import IllegalMove, lock, move, move_many, record
from casework.services import refuse, storable
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
    """Say that the push has been seen. Raises PermissionDenied, IllegalMove, StaleVersion.

    One that carries no measure (an entry met only in a check, and called back) is answered
    by that: to know is all it asks.
    """
    if not policies.may_answer(actor.user, push):
        raise PermissionDenied
    action, instants = _seen(push.measures)
    return move(push, action, actor=actor, expected_version=expected_version, **instants)


def _seen(measures):
    now = timezone.now()
    if measures:
        return "acknowledge", {"acknowledged_at": now}
    return "answer", {"acknowledged_at": now, "answered_at": now}


@transaction.atomic
def acknowledge_many(pushes, *, actor):
    """Acknowledge those of many pushes that still wait for it; returns how many.

    Raises PermissionDenied where the officer may not answer for the unit.
    """
    unit = actor.department
    if not policies.may_answer(actor.user, Push(unit=unit)):
        raise PermissionDenied
    waiting = pushes.of_unit(unit.pk).filter(status=Push.Status.OPEN)
    done = 0
    for measures in ([], True):
        action, instants = _seen(measures)
        rows = waiting.exclude(measures=[]) if measures else waiting.filter(measures=[])
        done += len(move_many(rows, action, actor=actor, **instants))
    return done


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
    refuse(
        {
            "measures": not answers and _("请至少反馈一项措施。"),
            **{
                field: message
                for index, given in enumerate(answers)
                for field, message in _errors(push, given, index, today).items()
            },
        }
    )
    rows = [_row(push, given, actor) for given in answers]
    _refuse_bad_columns(rows)
    Feedback.objects.bulk_create(rows)
    answered = set(push.feedback.values_list("measure", flat=True))
    names = {measure["code"]: measure["name"] for measure in push.measures}
    note = "；".join(
        f"{names[given['code']]} {Outcome(given['outcome']).label}" for given in answers
    )
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
            applied_on=today if handling == "applied" else None,
            remark=remark or result,
            reference=hit.reference,
            **actor.columns,
        )
        for code in measures
    )
    hit.handling, hit.result, hit.remark = handling, result, remark
    hit.answered_at = timezone.now()
    hit.save(update_fields=["handling", "result", "remark", "answered_at"])
    record(hit, "answer", actor=actor, private_note=result)
    return hit


@transaction.atomic
def answer_hit_by_measure(hit, answers, *, actor, today):
    """Answer every measure of a hit at once; the hit leaves the unit's to-do.

    `answers` is a list of {code, outcome, remark}, one for each of the unit's measures.
    Raises PermissionDenied, and ValidationError where a measure is left out or is not
    applied without a reason.
    """
    if not policies.may_answer(actor.user, hit):
        raise PermissionDenied
    hit = Hit.objects.select_for_update().get(pk=hit.pk)
    _refuse_partial_answer(hit, answers)
    Feedback.objects.bulk_create(
        Feedback(
            hit=hit,
            measure=given["code"],
            outcome=given["outcome"],
            applied_on=today if given["outcome"] == Outcome.APPLIED else None,
            remark=given["remark"],
            reference=hit.reference,
            **actor.columns,
        )
        for given in answers
    )
    applied = any(given["outcome"] == Outcome.APPLIED for given in answers)
    hit.handling = "applied" if applied else "other"
    hit.result = "；".join(
        given["remark"] or str(Outcome(given["outcome"]).label) for given in answers
    )
    hit.answered_at = timezone.now()
    hit.save(update_fields=["handling", "result", "answered_at"])
    record(hit, "answer", actor=actor, private_note=hit.result)
    return hit


def _refuse_partial_answer(hit, answers):
    given = {answer["code"]: answer for answer in answers}
    unknown = given.keys() - {measure["code"] for measure in hit.measures}
    errors = {
        "listing": hit.answered_at and _("这次命中已经反馈过了。"),
        "measures": unknown and _("不是本单位的措施：%(codes)s。") % {"codes": ", ".join(unknown)},
    }
    for index, measure in enumerate(hit.measures):
        answer = given.get(measure["code"], {})
        outcome = answer.get("outcome")
        errors[f"measures.{index}.outcome"] = outcome not in OUTCOMES[Push.Kind.APPLY] and _(
            "选择“%(measure)s”的处理。"
        ) % {"measure": measure["name"]}
        unexplained = outcome in Feedback.NEEDS_REMARK and not answer.get("remark")
        errors[f"measures.{index}.remark"] = unexplained and _("写明不适用或不执行的理由。")
    refuse(errors)


def _refuse_bad_hit_answer(hit, measures, handling, result):
    unknown = set(measures) - {measure["code"] for measure in hit.measures}
    nothing_done = handling == "applied" and hit.measures and not measures
    refuse(
        {
            "listing": hit.answered_at and _("这次命中已经反馈过了。"),
            "handling": handling not in {"applied", "other"} and _("处理只能是 applied 或 other。"),
            "measures": (nothing_done and _("请选择执行了哪些措施。"))
            or (unknown and _("不是本单位的措施：%(codes)s。") % {"codes": ", ".join(unknown)}),
            "result": not result and _("请写明处理结果。"),
        }
    )


def _errors(push, given, index, today):
    path, applied_on = f"measures.{index}", given.get("applied_on")
    unknown = given["code"] not in {measure["code"] for measure in push.measures}
    unexplained = given["outcome"] in Feedback.NEEDS_REMARK and not given.get("remark")
    in_time = not applied_on or push.listing.published_on <= applied_on <= today
    return {
        f"{path}.code": unknown and _("这次推送没有措施 %(code)s。") % {"code": given["code"]},
        f"{path}.outcome": given["outcome"] not in OUTCOMES[push.kind]
        and _("这种推送不能这样反馈。"),
        f"{path}.remark": unexplained and _("不执行、不适用或继续执行的，请写明理由。"),
        f"{path}.applied_on": not in_time and _("执行日期要在公布日和今天之间。"),
    }


def _refuse_bad_columns(rows):
    """Name measure and field of what a column can't keep."""
    for index, row in enumerate(rows):
        try:
            row.clean_fields(exclude=["push", "hit", "by_user", "by_key"])
        except ValidationError as error:
            words = {f"measures.{index}.{name}": found for name, found in error.error_dict.items()}
            raise ValidationError(words) from error
        if not storable([row.remark, row.reference, row.parameters]):
            raise ValidationError({f"measures.{index}.remark": _("含有不能保存的字符。")})


def _row(push, given, actor):
    return Feedback(
        push=push,
        measure=given["code"],
        outcome=given["outcome"],
        applied_on=given.get("applied_on"),
        until=given.get("until"),
        remark=given.get("remark", ""),
        reference=given.get("reference", ""),
        parameters=given.get("parameters", {}),
        **actor.columns,
    )

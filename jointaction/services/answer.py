"""What the units say: acknowledged, applied, not applicable, declined, lifted."""

from dataclasses import dataclass, replace

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from casework.moves import IllegalMove, lock, move, move_many, record
from casework.services import refuse, storable
from jointaction import policies
from jointaction.models import Feedback, Hit, Push

Outcome = Feedback.Outcome
# What can be answered to each kind of push. What a correction takes away (a person released,
# a shorter term) is lifted like an entry that has ended.
OUTCOMES = {
    Push.Kind.APPLY: {Outcome.APPLIED, Outcome.NOT_APPLICABLE, Outcome.DECLINED},
    Push.Kind.CORRECT: set(Outcome),
    Push.Kind.LIFT: {Outcome.LIFTED, Outcome.NOT_APPLICABLE, Outcome.STANDS},
}
MOST_TOGETHER = 200  # pushes that one answer may settle


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
    a measure is answered once in a list; not applicable, declined or standing needs its
    reason, standing also its last day; `applied_on` lies between the publication and today.
    """
    if not policies.may_answer(actor.user, push):
        raise PermissionDenied
    return _answer(lock(push), answers, actor, today)


@dataclass(frozen=True)
class Together:
    """One of many pushes that get the same answer: the measures it is for, or why it gets none."""

    push: Push
    measures: list
    refusal: str = ""


def plan_answers(pushes, *, outcome, actor, today, remark="", until=None):
    """What `answer_many` would do with each push; writes nothing. Returns Together rows.

    Pushes are those of the officer's unit, by their keys; of other units' there is no row.
    Raises PermissionDenied, and ValidationError where none is chosen, too many are, or the
    answer lacks what it needs whatever it is given to.
    """
    unit = actor.department
    if not policies.may_answer(actor.user, Push(unit=unit)):
        raise PermissionDenied
    rows = pushes.of_unit(unit.pk).with_parts().order_by("pk")
    chosen = list(rows[: MOST_TOGETHER + 1])
    _refuse_together(chosen, outcome, remark, until, today)
    return [Together(push, push.unanswered, _unfit(push, outcome)) for push in chosen]


def answer_many(pushes, *, outcome, actor, today, remark="", until=None):
    """Give every measure of many pushes that is not answered yet one and the same answer.

    Each push is answered by itself, with its own journal line: one that can't be answered so
    hinders no other. Returns Together rows, refusals in words. Raises as `plan_answers`.
    """
    asked = {"outcome": outcome, "remark": remark, "until": until}
    said = asked | ({"applied_on": today} if outcome == Outcome.APPLIED else {})
    plan = plan_answers(pushes, actor=actor, today=today, **asked)
    return [row if row.refusal else _answer_rest(row, said, actor, today) for row in plan]


def _answer_rest(row, said, actor, today):
    """Answer what nobody has answered meanwhile; what refuses is told in the row."""
    try:
        with transaction.atomic():
            push = lock(row.push)
            answers = [{"code": measure["code"], **said} for measure in push.unanswered]
            _answer(push, answers, actor, today)
    except (IllegalMove, ValidationError) as refusal:
        return replace(row, refusal=_in_words(refusal))
    return row


def _in_words(refusal):
    return "；".join(refusal.messages) if isinstance(refusal, ValidationError) else str(refusal)


def _unfit(push, outcome):
    """Why this push can't be given the answer, in words, or nothing."""
    if not push.can("answer"):
        return str(IllegalMove(push, "answer"))
    if not push.measures:
        return _("没有要反馈的措施，签收就是确认。")
    if outcome not in OUTCOMES[push.kind]:
        return _("性质是“%(kind)s”的推送不能这样反馈。") % {"kind": push.get_kind_display()}
    return ""


def _refuse_together(chosen, outcome, remark, until, today):
    """What is wrong with one answer to many is said once, and not for every measure of each."""
    many = _("一次最多 %(most)s 件。") % {"most": MOST_TOGETHER}
    refuse(
        {
            "pushes": (not chosen and _("没有选中可以反馈的推送。"))
            or (len(chosen) > MOST_TOGETHER and many),
            "remark": outcome in Feedback.NEEDS_REMARK
            and not remark
            and _("不执行、不适用或继续执行的，请写明理由。"),
            "until": _until_error(outcome, until, None, today),
        }
    )


def _answer(push, answers, actor, today):
    """Write the answers to a locked push, and move it."""
    if not push.can("answer"):
        raise IllegalMove(push, "answer")
    refuse(
        {
            "measures": not answers and _("请至少反馈一项措施。"),
            **{
                field: message
                for index in range(len(answers))
                for field, message in _errors(push, answers, index, today).items()
            },
        }
    )
    rows = [_row(push, given, actor) for given in answers]
    _refuse_bad_columns(rows)
    Feedback.objects.bulk_create(rows)
    answered = {row.measure for row in Feedback.objects.filter(push=push)}
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


def _errors(push, answers, index, today):
    given, path = answers[index], f"measures.{index}"
    code, outcome, applied_on = given["code"], given["outcome"], given.get("applied_on")
    unknown = code not in {measure["code"] for measure in push.measures}
    twice = code in {earlier["code"] for earlier in answers[:index]}
    unexplained = outcome in Feedback.NEEDS_REMARK and not given.get("remark")
    in_time = not applied_on or push.listing.published_on <= applied_on <= today
    fits = outcome in OUTCOMES[push.kind]
    return {
        f"{path}.code": (unknown and _("这次推送没有措施 %(code)s。") % {"code": code})
        or (twice and _("措施 %(code)s 写了两次。") % {"code": code}),
        f"{path}.outcome": not fits and _("这种推送不能这样反馈。"),
        f"{path}.remark": unexplained and _("不执行、不适用或继续执行的，请写明理由。"),
        f"{path}.applied_on": not in_time and _("执行日期要在公布日和今天之间。"),
        f"{path}.until": fits and _until_error(outcome, given.get("until"), applied_on, today),
    }


def _until_error(outcome, until, applied_on, today):
    """An own decision that outlives the entry says until when: it is no ban without an end."""
    if outcome == Outcome.STANDS and not until:
        return _("继续执行的，请写明到哪天为止。")
    if outcome == Outcome.STANDS and until < today:
        return _("继续执行的截止日不能早于今天。")
    if until and applied_on and until < applied_on:
        return _("截止日不能早于执行日期。")
    return None


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

"""Every write of joint action: distribution, answers, reminders, checks one by one and by table."""

from jointaction.services.answer import (
    MOST_TOGETHER,
    OUTCOMES,
    acknowledge,
    acknowledge_many,
    answer,
    answer_hit,
    answer_hit_by_measure,
    answer_many,
    plan_answers,
)
from jointaction.services.chase import chase_late
from jointaction.services.chase_hits import chase_late_hits
from jointaction.services.check import check
from jointaction.services.distribute import distribute
from jointaction.services.order import order
from jointaction.services.recall import recalls_of, told_of
from jointaction.services.receipts import salt_of
from jointaction.services.receipts import verify as verify_receipt
from jointaction.services.reveal import reveal_subject
from jointaction.services.sheets import (
    check_sheets,
    fetch_result,
    forget_sheets,
    receive_sheet,
    template,
)

__all__ = [
    "MOST_TOGETHER",
    "OUTCOMES",
    "acknowledge",
    "acknowledge_many",
    "answer",
    "answer_hit",
    "answer_hit_by_measure",
    "answer_many",
    "chase_late",
    "chase_late_hits",
    "check",
    "check_sheets",
    "distribute",
    "fetch_result",
    "forget_sheets",
    "order",
    "plan_answers",
    "recalls_of",
    "receive_sheet",
    "reveal_subject",
    "salt_of",
    "template",
    "told_of",
    "verify_receipt",
]

"""Every write of joint action: distribution, answers, reminders, checks one by one and by table."""

from jointaction.services.answer import (
    OUTCOMES,
    acknowledge,
    acknowledge_many,
    answer,
    answer_hit,
    answer_hit_by_measure,
)
from jointaction.services.chase import chase_late
from jointaction.services.check import check
from jointaction.services.distribute import distribute
from jointaction.services.reveal import reveal_subject
from jointaction.services.sheets import (
    check_sheets,
    fetch_result,
    forget_sheets,
    receive_sheet,
    template,
)

__all__ = [
    "OUTCOMES",
    "acknowledge",
    "acknowledge_many",
    "answer",
    "answer_hit",
    "answer_hit_by_measure",
    "chase_late",
    "check",
    "check_sheets",
    "distribute",
    "fetch_result",
    "forget_sheets",
    "receive_sheet",
    "reveal_subject",
    "template",
]

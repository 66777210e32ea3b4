"""Every write of joint action: distribution, answers, reminders, checks."""

from jointaction.services.answer import (
    OUTCOMES,
    acknowledge,
    acknowledge_many,
    answer,
    answer_hit,
    answer_hit_by_measure,
    answer_many,
)
from jointaction.services.chase import chase_late
from jointaction.services.check import check
from jointaction.services.distribute import distribute
from jointaction.services.order import order
from jointaction.services.recall import recalls_of, told_of
from jointaction.services.reveal import reveal_subject

__all__ = [
    "OUTCOMES",
    "acknowledge",
    "acknowledge_many",
    "answer",
    "answer_hit",
    "answer_hit_by_measure",
    "answer_many",
    "chase_late",
    "check",
    "distribute",
    "order",
    "recalls_of",
    "reveal_subject",
    "told_of",
]

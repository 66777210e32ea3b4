"""Every write of joint action: distribution, answers, reminders, checks."""

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

__all__ = [
    "OUTCOMES",
    "acknowledge",
    "acknowledge_many",
    "answer",
    "answer_hit",
    "answer_hit_by_measure",
    "chase_late",
    "check",
    "distribute",
    "reveal_subject",
]

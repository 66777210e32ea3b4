"""Every write of joint action: distribution, answers, reminders, checks."""

from jointaction.services.answer import (
    acknowledge,
    acknowledge_many,
    answer,
    answer_hit,
    answer_hit_by_measure,
)
from jointaction.services.chase import chase_late
from jointaction.services.check import check
from jointaction.services.distribute import distribute

__all__ = [
    "acknowledge",
    "acknowledge_many",
    "answer",
    "answer_hit",
    "answer_hit_by_measure",
    "chase_late",
    "check",
    "distribute",
]

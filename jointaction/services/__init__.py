"""Every write of joint action: distribution, answers, reminders, checks."""

from jointaction.services.answer import acknowledge, answer, answer_hit
from jointaction.services.chase import chase_late
from jointaction.services.check import check
from jointaction.services.distribute import distribute

__all__ = [
    "acknowledge",
    "answer",
    "answer_hit",
    "chase_late",
    "check",
    "distribute",
]

"""Joint action: what each cooperating unit is asked to do, what it answered, whom it checked."""

from jointaction.models.check import Check, Hit
from jointaction.models.feedback import Feedback
from jointaction.models.push import DistributionCursor, Push
from jointaction.models.sheet import Sheet, SheetPart
from jointaction.models.webhook import PING, Delivery, Endpoint, Occasion

__all__ = [
    "PING",
    "Check",
    "Delivery",
    "DistributionCursor",
    "Endpoint",
    "Feedback",
    "Hit",
    "Occasion",
    "Push",
    "Sheet",
    "SheetPart",
]

"""Joint action for machines: pushes, checks, their answers and receipts, who was called back."""

from jointaction.api.checks import CheckFeedback, Checks
from jointaction.api.pushes import Acknowledge, Feedback, PushDetail, Pushes, PushSubject
from jointaction.api.receipts import Receipt, VerifyReceipt
from jointaction.api.units import ListingFeedback, Recalls

__all__ = [
    "Acknowledge",
    "CheckFeedback",
    "Checks",
    "Feedback",
    "ListingFeedback",
    "PushDetail",
    "PushSubject",
    "Pushes",
    "Recalls",
    "Receipt",
    "VerifyReceipt",
]
